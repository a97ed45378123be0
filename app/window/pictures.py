"""Pictures of what is seen, copied and saved, and exact figures of slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from app.control.figure_maker import FigureMaker
    from app.control.scene_link import SceneLink
    from app.control.settings import Settings
    from app.figures.layouts import Rectangle
    from app.state.session import Slice
    from app.state.store import Store
    from app.views.scene.scene_view import SceneView
    from app.views.slice.slice_view import SliceView
    from app.window.file_dialogs import FileDialogs
    from app.window.panels.slice_board import SliceBoard


class Pictures:
    """Of the active slice and of the 3D view."""

    def __init__(
        self, store: Store, board: SliceBoard, view: SceneView, link: SceneLink, exporter: FigureMaker,
        files: FileDialogs, settings: Settings, window: QWidget,
    ) -> None:  # fmt: skip
        self._store, self._board, self._view, self._link = store, board, view, link
        self._exporter, self._files, self._settings, self._window = exporter, files, settings, window
        exporter.failed.connect(files.show_problem)

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {
            "picture": self.choose,
            "copy 3D picture": lambda: QGuiApplication.clipboard().setPixmap(self._view.grab()),
            "copy picture": self._of_slice(lambda part: QGuiApplication.clipboard().setPixmap(self._seen(part))),
            "save slice picture": self._of_slice(
                lambda part: self._files.save_picture(self._seen(part).toImage(), f"{part.name}.png")
            ),
            "export": self._of_slice(self._export),
            "export scene": self._of_slice(lambda part: self._export(part, "method")),
        }

    def choose(self) -> None:
        """Ask for the size of a picture of the 3D view, and save it."""
        from app.window.dialogs.picture_dialog import PictureDialog

        if self._store.session.opened is not None:
            link = self._link
            PictureDialog(self._view, link.submit, link.draw_still, self._files.show_problem, self._window).open()

    def _of_slice(self, call: Callable[[Slice], object]) -> Callable[[], object]:
        def called() -> None:
            part = self._store.session.active_slice
            if part is not None:
                call(part)

        return called

    def _seen(self, part: Slice) -> QPixmap:
        """A slice as it is seen, with its rulers, on white paper."""
        return self._board.tiles[part.key].view.white_picture()

    def _export(self, part: Slice, content: str | None = None) -> None:
        """Show the figure that the session is, to be changed and saved; content: None for that of the last one."""
        from app.window.dialogs.figure_dialog import FigureDialog

        tile = self._board.tiles.get(part.key)
        seen = None if tile is None else _seen_rectangle(tile.view)
        FigureDialog(
            self._exporter,
            self._settings,
            seen,
            lambda: self._files.choose_export(part.name),
            self._window,
            content,
        ).open()


def _seen_rectangle(view: SliceView) -> Rectangle | None:
    """Return the square in the middle of what a view shows of its slice; None where it shows all."""
    if view.fitted_whole or view.framing is None or view.picture is None:
        return None
    framing, vertices = view.framing, view.picture.partition.vertices
    corners = np.array([framing.to_slice(0, framing.height), framing.to_slice(framing.width, 0)])
    low, high = np.maximum(corners[0], vertices.min(axis=0)), np.minimum(corners[1], vertices.max(axis=0))
    half = float((high - low).min()) / 2
    x, y = ((low + high) / 2).tolist()
    return (x - half, y - half, x + half, y + half) if half > 0 else None
