"""One column of a comparison: the slices of its network, its surface, and what a hand does in their views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from app.control.column_store import ColumnStore
from app.control.hover import Hover
from app.control.live_slices import LiveSlices
from app.control.live_surface import LiveSurface
from app.control.scene_link import SceneLink
from app.control.slice_link import SliceLink

if TYPE_CHECKING:
    from app.control.live_surface import Surfaces
    from app.control.slice_cache import SliceCache
    from app.jobs.lanes import Lanes
    from app.state.session import OpenNetwork
    from app.state.store import Store
    from app.views.scene.scene_view import SceneView


_DELAY: Final = 600  # milliseconds


class Column(QObject):
    """Shares its workers with the other columns; space: its 3D view, if it has one."""

    def __init__(
        self, main: Store, opened: OpenNetwork, kept: tuple[SliceCache, Surfaces], lanes: tuple[Lanes, Lanes, Lanes],
        parent: QObject,
    ) -> None:  # fmt: skip
        """kept: what was computed before; lanes: of the threads that cut slices, that prepare them, that draw them."""
        super().__init__(parent)
        self.store = ColumnStore(main, opened)
        cut, prepare, draw = self._lanes = [made.lane() for made in lanes]
        cache, surfaces = kept
        self.slices = LiveSlices(self.store, self, cache, (cut, prepare))
        self.surface = LiveSurface(self.store, self, surfaces)
        self.surface.delay = _DELAY  # slices come first, and networks that are passed have none
        self.slices.level_cutter = self.surface.cut
        self.hover = Hover(self.store, self.slices, self)
        self.link = SliceLink(self.store, self.slices, self.hover, self, draw)
        self.space: SceneView | None = None
        self._scene: SceneLink | None = None

    @property
    def opened(self) -> OpenNetwork:
        """The network of the column."""
        return self.store.opened

    def exchange(self, opened: OpenNetwork) -> None:
        """Show another network from the next change on."""
        self.store.opened = opened

    def show_in(self, view: SceneView) -> None:
        """Show the surface and the slices in a 3D view too."""
        self.space, self._scene = view, SceneLink(self.store, self.slices, view, self)
        self.surface.computed.connect(self._scene.show_surface)

    @property
    def settled(self) -> bool:
        slices = all(self.slices.finished(part.key) for part in self.store.session.slices)
        return slices and (self.space is None or (self.surface.finished and self.space.settled))

    def lead(self) -> None:
        """The mouse is here: this column comes first."""
        for lane in self._lanes:
            lane.lead()

    def close(self) -> None:
        """End what computes first, then let go of what VTK holds."""
        self.surface.close()
        self.slices.close()
        self.link.close_worker()
        if self._scene is not None and self.space is not None:
            self._scene.close_worker()
            self.space.close_scene()
