"""Commands of the 3D view: where the camera is, how it looks, and whether a neuron is shown in space."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from app.control.hand import Hand
    from app.control.live_neuron import LiveNeuron
    from app.views.scene.scene_view import SceneView
    from app.window.commands.commands import Commands


class CameraCommands(QObject):
    """Calls of these commands, and their ticks."""

    def __init__(
        self, view: SceneView, hand: Hand, neuron: LiveNeuron, commands: Commands, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._view, self._hand, self._neuron, self._commands = view, hand, neuron, commands
        view.camera_moved.connect(self._show)
        neuron.told.connect(self._show)
        self._show()

    def calls(self) -> dict[str, Callable[[], object]]:
        """Calls by the names of their commands."""
        view = self._view
        found: dict[str, Callable[[], object]] = {
            "home": lambda: view.set_up(view.up),
            "parallel": lambda: view.set_parallel(self._commands["parallel"].isChecked()),
            "turn about middle": lambda: view.turn_about(None),
            "neuron in space": self._neuron.toggle,
        }
        for place, axis in enumerate("xyz"):
            way = [0.0, 0.0, 0.0]
            for sign, side in (("", 1.0), ("-", -1.0)):
                way[place] = side
                found[f"from {sign}{axis}"] = partial(view.look_from, (way[0], way[1], way[2]))
            found[f"{axis} upwards"] = self._hand.upwards(axis)
        return found

    def _show(self) -> None:
        scene = self._view.scene
        self._commands["parallel"].setChecked(scene is not None and scene.viewpoint.parallel)
        self._commands["neuron in space"].setChecked(self._neuron.on)
