"""Calls of the commands that are about a spot: what a menu of the right mouse button was called on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.state import actions
from app.state.geometry.poses import numbers_text
from app.state.texts.facts_text import facts_json, facts_text
from app.state.texts.notes import notes_text
from app.window.dialogs.notes_dialog import NotesDialog

if TYPE_CHECKING:
    from app.control.hand import Hand
    from app.control.notices import Notices
    from app.control.pins import Pins
    from app.control.reloader import Reloader
    from app.control.spots import Spot
    from app.state.session import OpenNetwork, Pin
    from app.state.store import Store
    from engine import Neuron


class SpotCalls:
    """spot: gives the newest one.  A command whose thing is not there does nothing."""

    def __init__(
        self, store: Store, spot: Callable[[], Spot], hand: Hand, pins: Pins, reloader: Reloader, notices: Notices,
        window: QWidget,
    ) -> None:  # fmt: skip
        self._store, self._spot, self._hand, self._pins = store, spot, hand, pins
        self._reloader, self._notices, self._window = reloader, notices, window

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        store, hand, pins = self._store, self._hand, self._pins
        return {
            "copy value": self._with("value", lambda value: _copy(repr(value))),
            "copy position": self._with("point", lambda point: _copy(numbers_text(point.tolist()))),
            "follow": self._with("neuron", lambda neuron: store.do(actions.SelectNeuron(neuron))),
            "copy neuron": self._with("neuron", lambda neuron: _copy(_name(neuron))),
            "hide layer": self._with("neuron", lambda neuron: hand.toggle_depth(neuron.layer)),
            "isolate layer": self._with("neuron", lambda neuron: hand.isolate_depth(neuron.layer)),
            "pin": self._with("region", lambda region: pins.pin_region(region.key, region.facts)),
            "show pin": self._with("pin", lambda pin: pins.show(pin.number)),
            "go back": self._with("pin", pins.bring_back),
            "copy facts": self._with("region", lambda region: _copy(facts_text(region, self._slice_name(region)))),
            "copy facts as JSON": self._with(
                "region", lambda region: _copy(facts_json(region, self._slice_name(region)))
            ),
            "unpin": self._with("pin", lambda pin: store.do(actions.Unpin(pin.number))),
            "show checkpoint": self._with("opened", lambda opened: store.do(actions.ShowNetwork(opened))),
            "reload checkpoint": self._with("opened", self._reloader.reload),
            "checkpoint notes": self._with("opened", lambda opened: NotesDialog(opened, self._window).open()),
            "copy path": self._with("opened", lambda opened: _copy(str(opened.path))),
            "copy notes": self._with("opened", lambda opened: _copy(notes_text(opened))),
            "show in folder": self._with("opened", self._show_in_folder),
            "close this checkpoint": self._with("opened", lambda opened: store.do(actions.CloseNetwork(opened))),
        }

    def _with(self, name: str, call: Callable[..., object]) -> Callable[[], object]:
        """Call something with a part of the spot, if that is there."""

        def called() -> None:
            part = getattr(self._spot(), name)
            if part is not None:
                call(part)

        return called

    def _slice_name(self, region: Pin) -> str:
        return "" if region.key is None else self._store.session.slice(region.key).name

    def _show_in_folder(self, opened: OpenNetwork) -> None:
        if opened.path is not None and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(opened.path.parent))):
            self._notices.tell(f"{opened.name} is in {opened.path.parent}.")


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def _name(neuron: Neuron) -> str:
    return f"{neuron.layer}/{neuron.index}"
