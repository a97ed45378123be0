"""The status line: what the active slice holds, what is under the mouse, the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSizePolicy, QStatusBar, QWidget

from app.control.hover import Found
from app.state.session import OpenNetwork
from app.state.texts.notes import exactness
from app.state.texts.numbers import counted
from app.window.parts.controls import ElidedLabel, icon_button, label, shortened
from app.window.parts.icons import icon

if TYPE_CHECKING:
    from app.control.drawn_slice import DrawnSlice


COMPILING: Final = "compiling kernels, once on this machine"
_SAID_MILLISECONDS: Final = 4000
_MOST_OF_COPIED: Final = 80  # characters
_MOST_OF_NAME: Final = 40  # characters: the numbers behind it are seen too


class StatusLine(QStatusBar):
    """stopped: the button beside what is being worked on."""

    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._slice = self._hover = ""
        self.left, self.network, self.busy = ElidedLabel(self), ElidedLabel(self), ElidedLabel(self)
        for as_needed in (self.network, self.busy):
            as_needed.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.busy.setObjectName("muted")
        self.stop = icon_button(icon("cross"), "Stop this", 11)
        self.stop.clicked.connect(self.stopped)
        self.compiling = label(COMPILING, "muted")
        self.compiling.setVisible(False)
        self.addWidget(self.left, 1)
        for passing in (self.compiling, self.busy, self.stop):  # between the others, which stay where they are
            self.addPermanentWidget(passing)
        self.show_busy("")
        self.addPermanentWidget(self.network)
        QGuiApplication.clipboard().dataChanged.connect(self._show_copied)

    def say(self, text: str) -> None:
        """Tell something for a while."""
        self.showMessage(text, _SAID_MILLISECONDS)

    def _show_copied(self) -> None:
        """Tell what was copied in this program, by whatever button or key."""
        clipboard = QGuiApplication.clipboard()
        if clipboard.ownsClipboard():
            what = " ".join(clipboard.text().split()) or "picture"
            self.say(f"copied: {shortened(what, _MOST_OF_COPIED)}")

    def show_network(self, opened: OpenNetwork | None) -> None:
        if opened is None:
            self.network.show_text("")
            return
        neurons = sum(len(kink.breakpoints) for kink in opened.network.kinks)
        error = opened.network.max_forward_error
        facts = "\n".join(f"{name}: {text}" for name, text in opened.facts if not name.startswith("depth"))
        notes = "\n".join(opened.network.notes)
        name = shortened(opened.name, _MOST_OF_NAME)
        whole = "" if name == opened.name else f"{opened.name}\n"
        self.network.show_text(
            f"{name} · {counted(neurons, 'neuron')} in {counted(opened.layers, 'layer')} · piecewise linear, "
            f"traced {exactness(error.double)}",
            f"{whole}{facts}\n{notes}".strip(),
        )

    def show_slice(self, name: str, drawn: DrawnSlice | None, draw_seconds: float | None) -> None:
        if drawn is None:
            self._slice = ""
        else:
            answer, partition = drawn.answer, drawn.answer.partition
            counts = np.diff(drawn.picture.first)[: answer.done]
            lines = " ".join(f"{count:,}" for count in counts.tolist())
            level = answer.level_set.describe() if answer.level_set is not None and answer.level_set.empty else ""
            ties, regions = partition.tie_counts.describe(), counted(partition.regions, "region")
            drawing = "" if draw_seconds is None else f", drawn in {1000 * draw_seconds:.0f} ms"
            layers = "" if answer.done == answer.layers else f" by layers 0..{answer.done - 1}"
            self._slice = (
                f"{name}: {regions}{layers} · {ties} · computed in {1000 * answer.seconds:.0f} ms{drawing} · "
                f"lines per depth {lines}"  # the longest of these comes last, where there is no room for all
            )
            if level:
                self._slice = f"{name}: {level} · {regions} · {ties}"
        self._show()

    def show_hover(self, found: Found | None) -> None:
        self._hover = "" if found is None else describe(found)
        self._show()

    def show_busy(self, what: str) -> None:
        """What is being worked on in the background, and a button to stop it; empty: nothing."""
        self.busy.show_text(what)
        self.busy.setVisible(bool(what))
        self.stop.setVisible(bool(what))

    def _show(self) -> None:
        text = self._hover or self._slice
        self.left.show_text(text)


def describe(found: Found) -> str:
    where = ", ".join(f"{value:.4g}" for value in found.point)
    facts = f"f = {found.value:.4g} · |A| = {found.gradient:.4g} · area {found.area:.3g} · ({where})"
    facts = facts.replace("-", "\N{MINUS SIGN}")
    return f"{found.name} · {facts}" if found.neuron is not None else f"region: {facts}"
