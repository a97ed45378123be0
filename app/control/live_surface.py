"""The exact surface of the open network, extracted in the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.jobs.worker import Context, Job, Worker, unless_cancelled
from app.state.session import OpenNetwork
from app.state.store import Change, Store
from app.views.scene.surface_mesh import SurfaceMesh
from engine import (
    Cancelled,
    EngineError,
    SlicePlane,
    Surface,
    SurfaceProgress,
    cut_surface,
    extract_surface,
    tiny_network,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.geometry.surfaces import Float

_KEPT: Final = 6  # surfaces of networks that may be shown again


@dataclass(frozen=True, eq=False, slots=True)
class DrawnSurface:
    """A surface, ready to be drawn."""

    surface: Surface
    mesh: SurfaceMesh


class Surfaces:
    """Those of networks that may be shown again, the newest few."""

    def __init__(self) -> None:
        self._known: list[tuple[OpenNetwork, DrawnSurface]] = []

    def find(self, opened: OpenNetwork) -> DrawnSurface | None:
        return next((drawn for owner, drawn in self._known if owner is opened), None)

    def keep(self, opened: OpenNetwork, drawn: DrawnSurface) -> None:
        self._known = [*self._known[1 - _KEPT :], (opened, drawn)]

    def keep_those_of(self, networks: tuple[OpenNetwork, ...]) -> None:
        """Forget those of networks that are not open any more."""
        self._known = [(owner, drawn) for owner, drawn in self._known if any(owner is other for other in networks)]


def load_kernels(cancelled: Callable[[], bool]) -> Surface:
    """A surface that is found in milliseconds, once all kernels that surfaces need are there."""
    box = np.array([[-1.0] * 3, [1.0] * 3])
    return extract_surface(tiny_network(3), box, seeds=2, cancel=cancelled, threads=1)


class LiveSurface(QObject):
    """progressed(facets); computed(DrawnSurface); failed(reason): the coarse surface stays."""

    progressed = Signal(int)
    computed = Signal(object)
    failed = Signal(str)
    _ready = Signal(object, object)

    def __init__(self, store: Store, parent: QObject | None = None, kept: Surfaces | None = None) -> None:
        """kept: those that were computed, also by others."""
        super().__init__(parent)
        self._worker = Worker("surface", self)
        self._store = store
        self.drawn: DrawnSurface | None = None
        self._owner: OpenNetwork | None = None
        self.kept = Surfaces() if kept is None else kept
        self.threads = 1  # slices that follow a hand come first
        self.finished = True
        self.delay = 0  # milliseconds for which a network is shown before its surface is extracted
        self._job: Job | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._begin)
        self._ready.connect(self._show, Qt.ConnectionType.QueuedConnection)  # when every listener knows of the network
        store.listen(self._changed)

    def prepare(self) -> None:
        """Load the kernels that surfaces need before there is one."""

        def work(context: Context) -> None:
            surface = load_kernels(context.cancelled)
            SurfaceMesh.of(surface)
            cut_surface(surface, SlicePlane.from_axis("z"))

        self._worker.submit(Job("kernels", work, lambda _: None, unless_cancelled))

    def cut(self, plane: SlicePlane) -> tuple[Float, ...]:
        """The level set in a plane by the surface, in milliseconds; nothing until the surface is there."""
        drawn = self.drawn
        return () if drawn is None else cut_surface(drawn.surface, plane).polylines

    def _begin(self) -> None:
        if self._job is not None:
            self._worker.submit(self._job)

    def cancel(self) -> None:
        self._soon.stop()
        self._worker.withdraw("surface")

    def close(self) -> None:
        self._soon.stop()
        self._worker.close()

    def _show(self, opened: OpenNetwork, drawn: DrawnSurface) -> None:
        if opened is self._owner:
            self.drawn, self.finished = drawn, True
            self.computed.emit(drawn)

    def _changed(self, change: Change) -> None:
        opened = change.after.opened
        if opened is change.before.opened:
            return
        self.cancel()
        self.kept.keep_those_of(change.after.networks)
        self.drawn, self._owner, self.finished = None, opened, opened is None
        if opened is None:
            return
        known = self.kept.find(opened)
        if known is not None:
            self._ready.emit(opened, known)
            return

        threads = self.threads

        def work(context: Context) -> DrawnSurface:
            def report(progress: SurfaceProgress) -> None:
                context.publish(progress)

            surface = extract_surface(
                opened.network, opened.domain, opened.level, progress=report, cancel=context.cancelled, threads=threads
            )
            return DrawnSurface(surface, SurfaceMesh.of(surface))

        def take(result: DrawnSurface | SurfaceProgress) -> None:
            if opened is not self._owner:
                return
            if isinstance(result, SurfaceProgress):
                self.progressed.emit(result.facets)
                return
            self.kept.keep(opened, result)
            self._show(opened, result)

        def fail(error: Exception) -> None:
            if opened is not self._owner:
                return
            self.finished = True
            self.failed.emit("the exact surface was cancelled" if isinstance(error, Cancelled) else str(error))
            if not isinstance(error, Cancelled | EngineError):
                raise error

        self._job = Job("surface", work, take, fail, patient=True)
        if self.delay:
            self._soon.start(self.delay)
        else:
            self._begin()
