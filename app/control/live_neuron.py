"""The level set in space of the neuron that is followed, found in the background."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.control.live_surface import load_kernels
from app.jobs.worker import Context, Job, Worker
from app.state import actions
from app.state.session import Session
from app.state.store import Change, Store
from app.views.scene.surface_mesh import SurfaceMesh
from engine import Cancelled, EngineError, Neuron, SurfaceProgress, extract_surface, neuron_network

if TYPE_CHECKING:
    from app.control.live_surface import LiveSurface
    from app.state.geometry.surfaces import Float
    from engine import Network

_PATIENCE: Final = 5.0  # seconds that it takes without being asked for
_KEPT: Final = 6  # level sets of neurons that may be followed again
_KEY: Final = "neuron"


class _TakesLongError(Exception):
    """More than the patience of whoever has not asked for it."""


@dataclass(frozen=True, eq=False, slots=True)
class _Wish:
    """A level set to be found, in a box (2, 3)."""

    network: Network
    domain: Float
    neuron: Neuron

    def same(self, other: _Wish) -> bool:
        return self.network is other.network and self.domain is other.domain and self.neuron == other.neuron


class LiveNeuron(QObject):
    """found(SurfaceMesh | None): what is to be drawn now; progressed(facets); told: `note` or `on` is another.

    note: for people, of the neuron that is followed.
    """

    found = Signal(object)
    progressed = Signal(int)
    told = Signal()

    def __init__(self, store: Store, surface: LiveSurface, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = Worker("neuron", self)
        self._store, self._surface = store, surface
        self._wish: _Wish | None = None
        self._known: list[tuple[_Wish, SurfaceMesh]] = []
        self._long: list[tuple[Network, int]] = []  # networks, and from which layer on it takes long
        self._said = ""  # of what was wished
        self.patience = _PATIENCE
        self.finished = True
        store.listen(self._changed)

    @property
    def on(self) -> bool:
        """The neuron that is followed is shown in space."""
        session = self._store.session
        return not self._takes_long(session) if session.look.neuron is None else session.look.neuron

    @property
    def note(self) -> str:
        """A line on the neuron in space, "" where a person has switched that off."""
        session = self._store.session
        if self._wish is None and session.look.neuron is None and self._takes_long(session):
            return f"in space it takes over {self.patience:g} s: V finds it"
        return "" if self._wish is None else self._said

    def toggle(self) -> None:
        """A person wants it, however long it takes, or does not."""
        self._store.do(actions.ChangeLook(replace(self._store.session.look, neuron=not self.on)))

    def cancel(self) -> None:
        """Leave what is under way."""
        if not self.finished:
            self._worker.withdraw(_KEY)
            self._end("it was stopped")

    def close(self) -> None:
        self._worker.close()

    def _changed(self, change: Change) -> None:
        session = change.after
        moved = change.before.opened is not session.opened
        if moved:
            open_now = [opened.network for opened in session.networks]
            self._known = [(wish, mesh) for wish, mesh in self._known if any(wish.network is one for one in open_now)]
            self._long = [(known, layer) for known, layer in self._long if any(known is one for one in open_now)]
        wish, old = self._wished(session), self._wish
        changed = wish is not old if wish is None or old is None else not wish.same(old)
        if changed:
            self._wish = wish
            self._begin(wish)
        elif moved and wish is not None:
            self._show(self._mesh_of(wish))  # in a new scene
        if changed or change.before.look.neuron is not session.look.neuron or change.before.neuron != session.neuron:
            self.told.emit()

    def _wished(self, session: Session) -> _Wish | None:
        opened = session.opened
        if opened is None or session.neuron is None or not session.has_neuron(session.neuron) or not self.on:
            return None
        return _Wish(opened.network, opened.domain, session.neuron)

    def _takes_long(self, session: Session) -> bool:
        opened, neuron = session.opened, session.neuron
        if opened is None or neuron is None:
            return False
        return any(known is opened.network and neuron.layer >= layer for known, layer in self._long)

    def _mesh_of(self, wish: _Wish) -> SurfaceMesh | None:
        return next((mesh for known, mesh in self._known if known.same(wish)), None)

    def _begin(self, wish: _Wish | None) -> None:
        """Show what is known, compute what is not."""
        self._worker.withdraw(_KEY)
        self.finished = True
        mesh = None if wish is None else self._mesh_of(wish)
        self._show(mesh)
        if wish is None:
            return
        if mesh is not None:
            self._end(_found(mesh))
            return
        self.finished, self._said = False, "looking for it in space …"
        asked, threads, patience = self._store.session.look.neuron is True, self._surface.threads, self.patience

        def work(context: Context) -> SurfaceMesh:
            load_kernels(context.cancelled)
            return _level_set(wish, context, np.inf if asked else time.monotonic() + patience, threads)

        def take(result: SurfaceMesh | SurfaceProgress) -> None:
            if isinstance(result, SurfaceProgress):
                self.progressed.emit(result.facets)
            elif wish is self._wish:
                self._known = [*self._known[1 - _KEPT :], (wish, result)]
                self._show(result)
                self._end(_found(result))

        def fail(error: Exception) -> None:
            if wish is not self._wish:
                return
            if isinstance(error, _TakesLongError):
                self._long.append((wish.network, wish.neuron.layer))
                self._wish = None
                self._end("")
            else:
                self._end("it was stopped" if isinstance(error, Cancelled) else str(error))
                if not isinstance(error, Cancelled | EngineError):
                    raise error

        self._worker.submit(Job(_KEY, work, take, fail))

    def _show(self, mesh: SurfaceMesh | None) -> None:
        self.found.emit(None if mesh is None or not mesh.triangles else mesh)

    def _end(self, note: str) -> None:
        self.finished, self._said = True, note
        self.told.emit()


def _found(mesh: SurfaceMesh) -> str:
    facets = len(mesh.face_offsets) - 1
    return f"in space: {facets:,} facets" if facets else "in space it was not found in the box"


def _level_set(wish: _Wish, context: Context, end: float, threads: int) -> SurfaceMesh:
    """At all values at which the neuron bends.  Raises _TakesLongError at a time of the monotonic clock."""

    def cancelled() -> bool:
        return context.cancelled() or time.monotonic() > end

    def publish(progress: SurfaceProgress) -> None:
        context.publish(progress)

    layer, index = wish.neuron.layer, wish.neuron.index
    kink, network = wish.network.kinks[layer], neuron_network(wish.network, layer, index)
    levels = kink.row_breakpoint[kink.row_neuron == index].tolist()
    try:
        surfaces = [
            extract_surface(network, wish.domain, level, progress=publish, cancel=cancelled, threads=threads)
            for level in levels
        ]
    except Cancelled:
        if context.cancelled():
            raise
        raise _TakesLongError from None
    return SurfaceMesh.joined([SurfaceMesh.of(surface) for surface in surfaces])
