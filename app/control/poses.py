"""Poses of planes on the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from app.control.notices import Notices
from app.export.recipes import slice_command, slice_python
from app.state import actions
from app.state.geometry.poses import Pose, PoseError
from app.state.store import Store
from engine import PlaneError, plane_box_polygon

if TYPE_CHECKING:
    from app.state.session import OpenNetwork
    from engine import SlicePlane


class Poses:
    """Tell what cannot be done."""

    def __init__(self, store: Store, notices: Notices) -> None:
        self._store, self._notices = store, notices
        self._told = ""  # last

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {
            "copy pose": self.copy,
            "paste pose": self.paste,
            "paste slice": self.paste_new,
            "copy command": self.copy_command,
            "copy Python": self.copy_python,
        }

    def copy(self) -> None:
        part = self._store.session.active_slice
        if part is not None:
            QGuiApplication.clipboard().setText(str(Pose(part.plane)))

    def copy_command(self) -> None:
        """The line for a shell that makes the same slice."""
        palette = self._store.session.look.style.palette
        self._copy_recipe(partial(slice_command, palette=palette))

    def copy_python(self) -> None:
        """Four lines of Python that make the same partition."""
        self._copy_recipe(slice_python)

    def paste(self) -> None:
        """Move the active plane to the pose on the clipboard; without one, add it."""
        plane, part = self._pasted(), self._store.session.active_slice
        if plane is not None:
            self._store.do(actions.AddSlice(plane) if part is None else actions.MovePlane(part.key, plane))

    def paste_new(self) -> None:
        plane = self._pasted()
        if plane is not None:
            self._store.do(actions.AddSlice(plane))

    def _copy_recipe(self, recipe: Callable[[OpenNetwork, SlicePlane], str]) -> None:
        session = self._store.session
        if session.opened is None or session.active_slice is None:
            return
        try:
            text = recipe(session.opened, session.active_slice.plane)
        except ValueError as error:
            self._tell(f"Nothing was copied: {error}.")
            return
        self._notices.withdraw(self._told)
        QGuiApplication.clipboard().setText(text)

    def _pasted(self) -> SlicePlane | None:
        opened = self._store.session.opened
        if opened is None:
            return None
        try:
            pose = Pose.parse(QGuiApplication.clipboard().text())
            plane_box_polygon(pose.plane, opened.domain)
        except (PoseError, PlaneError) as error:
            self._tell(f"The clipboard's text was not pasted: {error}.")
            return None
        self._notices.withdraw(self._told)
        if pose.half_width is not None:
            self._tell("The half width was left out: slices in the window are as large as the domain.")
        return pose.plane

    def _tell(self, text: str) -> None:
        self._told = text
        self._notices.tell(text)
