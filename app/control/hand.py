"""Effects of keys, of the legend and of the camera on the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.state import actions
from app.state.geometry.planes import facing, offset_range, shifted
from app.state.store import Store

if TYPE_CHECKING:
    from app.views.scene.scene_view import SceneView

STEP: Final = 1 / 200  # of the range of offsets, for one press of an arrow key
_PAGE: Final = 1 / 20
_STEPS: Final = {
    Qt.Key.Key_Up: STEP, Qt.Key.Key_Right: STEP, Qt.Key.Key_Down: -STEP, Qt.Key.Key_Left: -STEP,
    Qt.Key.Key_PageUp: _PAGE, Qt.Key.Key_PageDown: -_PAGE,
}  # fmt: skip


class Hand:
    """Acts on the active slice and on what is to be seen."""

    def __init__(self, store: Store, view: SceneView) -> None:
        self._store, self._view = store, view

    def press(self, event: QKeyEvent) -> bool:
        """Whether the key means something here."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear_neuron()
            return True
        if self._view.take_key(event):
            return True
        step = _STEPS.get(Qt.Key(event.key()))
        active = self._store.session.active
        if step is None or active is None:
            return False
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            step *= 10
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            step /= 10
        self.shift(active, step)
        return True

    def shift(self, key: int, share: float) -> None:
        """Move a plane along its normal by a share of its range."""
        session = self._store.session
        if session.opened is None:
            return
        plane, domain = session.slice(key).plane, session.opened.domain
        low, high = offset_range(plane, domain)
        self._store.do(actions.MovePlane(key, shifted(plane, share * (high - low), domain), live=True))

    def snap_to_camera(self) -> None:
        part, scene = self._store.session.active_slice, self._view.scene
        if part is None or scene is None:
            return
        seen = scene.viewpoint
        towards = np.array(seen.position) - np.array(seen.focus)
        plane = facing(towards, seen.up, scene.domain.mean(axis=0))
        self._store.do(actions.MovePlane(part.key, plane))

    def clear_neuron(self) -> None:
        if self._store.session.neuron is not None:
            self._store.do(actions.SelectNeuron(None))

    def toggle_depth(self, depth: int) -> None:
        look = self._store.session.look
        self._store.do(actions.ChangeLook(look.with_hidden(look.hidden_depths ^ {depth})))

    def isolate_depth(self, depth: int) -> None:
        """Only this layer; when it is alone already, all of them."""
        session = self._store.session
        if session.opened is None:
            return
        others = frozenset(range(session.opened.layers)) - {depth}
        look = session.look
        self._store.do(actions.ChangeLook(look.with_hidden(frozenset() if look.hidden_depths == others else others)))

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {"snap camera": self.snap_to_camera}

    def upwards(self, axis: str) -> Callable[[], None]:
        """Turn the camera so that an axis points up."""
        unit = np.eye(3)["xyz".index(axis)]
        return lambda: self._view.set_up(unit)
