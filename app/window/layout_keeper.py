"""How the window is laid out: saved with a session, kept from one start to the next, ticked in the menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.state.saved_session import Layout
from app.window.arrangement import Arrangement, Shape

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractButton, QMainWindow, QSplitter

    from app.control.linked_views import LinkedViews
    from app.control.settings import Settings
    from app.window.commands.commands import Commands
    from app.window.panels.side_area import SideArea


class LayoutKeeper(QObject):
    """splitter: between the 3D view and slices; sides: between these and the side; reloads: a tick that is kept."""

    def __init__(
        self, window: QMainWindow, settings: Settings, commands: Commands, arrangement: Arrangement,
        splitter: QSplitter, sides: QSplitter, side: SideArea, linked: LinkedViews, reloads: QAbstractButton,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._window, self._settings, self._commands, self._arrangement = window, settings, commands, arrangement
        self._splitters = {"splitter": splitter, "sides": sides}
        self._sides, self._side, self._linked, self._reloads = sides, side, linked, reloads
        self._kept = False
        arrangement.changed.connect(self._tick)
        linked.changed.connect(commands["link"].setChecked)
        self._tick()

    def keep(self) -> None:
        """From one start to the next: as it was left last, and later as it is left."""
        self._kept = True
        self._settings.restore(self._window, self._splitters)
        self._side.show_named(self._settings.side)
        self._reloads.setChecked(self._settings.reloads)
        self._linked.on = self._settings.links
        if self._settings.flat is not None:
            self._arrangement.hide_space(self._settings.flat)

    def leave(self) -> None:
        """The window closes."""
        if self._kept:
            settings = self._settings
            settings.flat = self._arrangement.widths if self._arrangement.flat else None
            self._arrangement.show_space()
            settings.store(self._window, self._splitters)
            settings.side, settings.reloads, settings.links = (
                self._side.shown,
                self._reloads.isChecked(),
                self._linked.on,
            )

    @property
    def now(self) -> Layout:
        arrangement, side, size = self._arrangement, self._side, self._window.size()
        return Layout(
            (size.width(), size.height()), arrangement.widths, side.shown, side.width_wanted, arrangement.flat,
            self._linked.on,
        )  # fmt: skip

    def lay_out(self, layout: Layout) -> None:
        """As a session was left, as far as the screen has room for it."""
        if not self._window.isMaximized():
            room = self._window.screen().availableSize()
            self._window.resize(min(layout.size[0], room.width()), min(layout.size[1], room.height()))
        self._side.show_named(layout.side)
        if layout.side_width:
            whole = sum(self._sides.sizes())
            self._sides.setSizes([max(whole - layout.side_width, 1), layout.side_width])
        self._arrangement.share(layout.widths)
        if layout.flat:
            self._arrangement.hide_space(layout.widths)
        self._linked.on = layout.linked

    def _tick(self) -> None:
        for shape in Shape:
            self._commands[shape.value].setChecked(shape is self._arrangement.shape)
