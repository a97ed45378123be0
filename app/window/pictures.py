"""Pictures of what is seen, copied and saved, and exact figures of slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from app.control.scene_link import SceneLink
    from app.control.slice_exporter import SliceExporter
    from app.state.session import Slice
    from app.state.store import Store
    from app.views.scene.scene_view import SceneView
    from app.window.file_dialogs import FileDialogs
    from app.window.panels.slice_board import SliceBoard


class Pictures:
    """Of the active slice and of the 3D view."""

    def __init__(
        self, store: Store, board: SliceBoard, view: SceneView, link: SceneLink, exporter: SliceExporter,
        files: FileDialogs, window: QWidget,
    ) -> None:  # fmt: skip
        self._store, self._board, self._view, self._link = store, board, view, link
        self._exporter, self._files, self._window = exporter, files, window
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

    def _export(self, part: Slice) -> None:
        path = self._files.choose_export(part.name)
        if path is not None:
            self._exporter.write(part.key, path)
