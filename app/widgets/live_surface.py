"""The exact surface of the open network, extracted in the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.jobs.worker import Context, Job, Worker
from app.state import actions
from app.state.session import OpenNetwork
from app.state.store import Change, Store
from app.views.surface_picture import SurfaceMesh
from engine import Cancelled, EngineError, Surface, SurfaceProgress, cut_surface, extract_surface

if TYPE_CHECKING:
    from app.state.surfaces import Float
    from engine import SlicePlane


@dataclass(frozen=True, eq=False, slots=True)
class DrawnSurface:
    """A surface, ready to be drawn."""

    surface: Surface
    mesh: SurfaceMesh


class LiveSurface(QObject):
    """progressed(facets); computed(DrawnSurface); failed(reason): the coarse surface stays."""

    progressed = Signal(int)
    computed = Signal(object)
    failed = Signal(str)

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = Worker("surface", self)
        self._store = store
        self.drawn: DrawnSurface | None = None
        self._owner: OpenNetwork | None = None
        self.finished = True
        store.listen(self._changed)

    def cut(self, plane: SlicePlane) -> tuple[Float, ...]:
        """The level set in a plane by the surface, in milliseconds; nothing until the surface is there."""
        drawn = self.drawn
        return () if drawn is None else cut_surface(drawn.surface, plane).polylines

    def cancel(self) -> None:
        self._worker.withdraw("surface")

    def close(self) -> None:
        self._worker.close()

    def _changed(self, change: Change) -> None:
        opened = change.after.opened
        if not isinstance(change.action, actions.Open) or opened is None:
            return
        self.drawn, self._owner, self.finished = None, opened, False

        def work(context: Context) -> DrawnSurface:
            def report(progress: SurfaceProgress) -> None:
                context.publish(progress)

            # one thread: slices that follow a hand come first
            surface = extract_surface(
                opened.network, opened.domain, progress=report, cancel=context.cancelled, threads=1
            )
            return DrawnSurface(surface, SurfaceMesh.of(surface, opened.layers))

        def take(result: DrawnSurface | SurfaceProgress) -> None:
            if opened is not self._owner:
                return
            if isinstance(result, SurfaceProgress):
                self.progressed.emit(result.facets)
                return
            self.drawn, self.finished = result, True
            self.computed.emit(result)

        def fail(error: Exception) -> None:
            if opened is not self._owner:
                return
            self.finished = True
            self.failed.emit("the exact surface was cancelled" if isinstance(error, Cancelled) else str(error))
            if not isinstance(error, Cancelled | EngineError):
                raise error

        self._worker.submit(Job("surface", work, take, fail, patient=True))
