"""A plane that travels by itself, along its normal through the box and back, until somebody takes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.state import actions
from app.state.geometry.planes import at_offset, offset, offset_range, travelled
from app.window.parts.controls import Choice, command_button
from app.window.parts.icons import icon

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.store import Change, Store
    from engine import SlicePlane

_FRAME_MILLISECONDS: Final = 30
_LONGEST_FRAME: Final = 0.25  # seconds: after a longer one the plane goes on from where it is seen, without a leap
_MARGIN: Final = 1e-3  # of the way, at its ends: there the slice vanishes
_SPEEDS: Final = ((2, "fast"), (5, "medium"), (10, "slow"), (30, "very slow"))  # seconds for once through the box


class Player(QWidget):
    """A button and a speed.  action: starts and stops; held: whether a hand has hold of a plane now."""

    def __init__(self, store: Store, action: QAction, held: Callable[[], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._action, self._held = store, action, held
        self._play = action.iconText(), action.icon()
        self._key: int | None = None
        self._plane: SlicePlane | None = None  # as it was when it started
        self._direction, self._last = 1, 0.0
        self._own: actions.Action | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MILLISECONDS)
        self._timer.timeout.connect(self._step)
        self.play = command_button(action)
        self.play.setMinimumWidth(74)
        self.speed = Choice(self)
        for seconds, text in _SPEEDS:
            self.speed.addItem(text, seconds)
        self.speed.setCurrentIndex(2)
        self.speed.setToolTip("How fast the plane travels; also while it does")
        self.speed.setAccessibleName("speed")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.play)
        layout.addWidget(self.speed, 1)
        store.listen(self._changed)

    @property
    def playing(self) -> bool:
        return self._key is not None

    def toggle(self) -> None:
        if self.playing:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """The active plane goes."""
        part = self._store.session.active_slice
        if part is None or self._store.session.opened is None:
            return
        self._key, self._plane = part.key, part.plane
        self._direction, self._last = 1, time.monotonic()
        self._timer.start()
        self._show("Stop", icon("stop"))

    def stop(self) -> None:
        """The plane stays where it is, and its whole slice comes."""
        key = self._key
        self.halt()
        if key is not None:
            self._store.do(actions.MovePlane(key, self._store.session.slice(key).plane))

    def halt(self) -> None:
        """The plane stays where it is, with what is computed of its slice."""
        self._timer.stop()
        self._key = self._plane = self._own = None
        self._show(*self._play)

    def _show(self, words: str, sign: QIcon) -> None:
        self._action.setIconText(words)
        self._action.setIcon(sign)

    def _step(self) -> None:
        session = self._store.session
        if self._held():
            self.halt()
            return
        assert self._key is not None
        assert self._plane is not None
        assert session.opened is not None
        low, high = offset_range(self._plane, session.opened.domain)
        margin = _MARGIN * (high - low)
        now = time.monotonic()
        seconds, self._last = min(now - self._last, _LONGEST_FRAME), now
        distance = (high - low) * seconds / float(self.speed.currentData())
        here = offset(session.slice(self._key).plane)
        value, self._direction = travelled(here, self._direction, distance, low + margin, high - margin)
        self._own = actions.MovePlane(self._key, at_offset(self._plane, value), live=True)
        self._store.do(self._own)

    def _changed(self, change: Change) -> None:
        """Whoever else moves this plane, or takes it away, has taken it."""
        if self._key is None or change.action is self._own:
            return
        planes = [{part.key: part.plane for part in session.slices} for session in (change.before, change.after)]
        if change.before.opened is not change.after.opened or planes[0].get(self._key) is not planes[1].get(self._key):
            self.halt()
