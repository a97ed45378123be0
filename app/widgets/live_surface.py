"""The exact surface of the open network, extracted in the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from app.jobs.worker import Context, Job, Worker
from app.state import actions
from app.state.session import OpenNetwork
from app.state.store import Change, Store
from app.views.surface_actors import coloured_by_normals, thinned
from engine import Cancelled, EngineError, Surface, SurfaceProgress, cut_surface, extract_surface

if TYPE_CHECKING:
    from vtkmodules.vtkCommonDataModel import vtkPolyData

    from app.state.surfaces import Float
    from engine import SlicePlane

_LIGHT: Final = 50_000  # triangles that are drawn while something moves


@dataclass(frozen=True, eq=False, slots=True)
class DrawnSurface:
    """A surface, and the lighter one that stands in for it while something moves, None when it is light itself."""

    surface: Surface
    mesh: vtkPolyData
    stand_in: vtkPolyData | None


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
            mesh = coloured_by_normals(surface)
            triangles = len(surface.face_vertices) - 2 * surface.facets
            return DrawnSurface(surface, mesh, thinned(mesh) if triangles > _LIGHT else None)

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
