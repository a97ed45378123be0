"""Keeps the 3D view in step with the session and the computed slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.control.drawn_slice import DrawnSlice
from app.control.live_slices import LiveSlices
from app.control.live_surface import DrawnSurface
from app.jobs.worker import Context, Job, Worker, unless_cancelled
from app.state import actions
from app.state.session import OpenNetwork, Session
from app.state.store import Change, Store
from app.views.scene.drawing import SceneDrawing, ScenePicture
from app.views.scene.scene_view import SceneView
from app.views.scene.surface_mesh import SurfaceMesh
from engine import Cancelled, SlicePlane, Surface

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.geometry.viewpoint import Viewpoint
    from app.views.scene.studio import Studio

_SLICE_MILLISECONDS: Final = 150
"""For a moved plane alone, before its slice is there: drawing it takes cores from the slice, which may come first."""
_KEPT: Final = 4  # pictures of networks that may be shown again


@dataclass(frozen=True, eq=False, slots=True)
class _Seen:
    """How a network was seen when another took its place."""

    opened: OpenNetwork
    viewpoint: Viewpoint
    picture: ScenePicture


class SceneLink(QObject):
    """renderer_known(str): the name of what draws."""

    renderer_known = Signal(str)

    def __init__(self, store: Store, slices: LiveSlices, view: SceneView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._slices, self._view = store, slices, view
        self._surface: Surface | None = None
        self._seen: list[_Seen] = []
        self._painter = Worker("scene", self, self._close_studio)
        self._studio: Studio | None = None  # belongs to the painter's thread
        store.listen(self._changed)
        slices.computed.connect(self._computed)
        slices.failed.connect(self._failed)
        slices.rested.connect(self._rested)
        view.drawing_wanted.connect(self._draw)
        view.hand.plane_moved.connect(self._moved)
        view.hand.plane_chosen.connect(lambda key: store.do(actions.ActivateSlice(key)))

    def prepare(self, then: Callable[[], None]) -> None:
        """Load what draws pictures before there is anything to draw; then go on with something else."""

        def work(_: Context) -> str:
            studio = self._opened_studio()
            studio.rehearse()
            return studio.renderer_name

        def take(renderer: str) -> None:
            self.renderer_known.emit(renderer)
            then()

        self._painter.submit(Job("kernels", work, take, unless_cancelled))

    def submit(self, job: Job) -> None:
        """Do something where pictures of the scene are drawn."""
        self._painter.submit(job)

    def draw_still(self, drawing: SceneDrawing) -> ScenePicture:
        """A picture for a file; for jobs that are submitted here."""
        return self._opened_studio().draw(drawing, still=True)

    def close_worker(self) -> None:
        self._painter.close()

    def _opened_studio(self) -> Studio:
        if self._studio is None:
            from app.views.scene.studio import Studio  # pyvista takes half a second, in which the window can be seen

            self._studio = Studio()
        return self._studio

    def _close_studio(self) -> None:
        if self._studio is not None:
            self._studio.close()
            self._studio = None

    def _leave_scene(self) -> None:
        if self._studio is not None:
            self._studio.leave()

    def _draw(self, drawing: SceneDrawing) -> None:
        def take(picture: ScenePicture) -> None:
            self._view.show_drawing(drawing, picture)

        self._painter.submit(Job("scene", lambda _: self._opened_studio().draw(drawing), take, unless_cancelled))

    def show_surface(self, drawn: DrawnSurface) -> None:
        """The exact surface, in the place of the coarse one."""
        if self._view.scene is not None:
            self._view.scene.mesh = drawn.mesh
            self._surface = drawn.surface
            self._highlight(self._store.session)
            self._view.request()

    def show_neuron(self, mesh: SurfaceMesh | None) -> None:
        """The level set of a neuron in space, None for none."""
        scene = self._view.scene
        if scene is not None and scene.neuron is not mesh:
            scene.neuron = mesh
            self._view.request()

    def _highlight(self, session: Session) -> None:
        """The creases that the highlighted neuron makes on the surface."""
        surface, neuron = self._surface, session.neuron
        if surface is None or self._view.scene is None:
            return
        if neuron is None:
            edges = surface.edges[:0]
        else:
            edges = surface.edges[(surface.edge_layer == neuron.layer) & (surface.edge_neuron == neuron.index)]
        self._view.scene.crease = np.ascontiguousarray(edges)

    def _moved(self, key: int, plane: SlicePlane, live: bool) -> None:
        self._store.do(actions.MovePlane(key, plane, live))

    def _changed(self, change: Change) -> None:
        session, view = change.after, self._view
        if session.opened is not change.before.opened:
            self._remember(change.before.opened, session)
            until_drawn = view.picture if isinstance(change.action, actions.ShowStep) else None
            self._open(session.opened)
            if until_drawn is not None and view.picture is None:
                view.show_seen(until_drawn)
        elif session.neuron != change.before.neuron:
            self._highlight(session)
        if session.opened is None:
            return
        assert view.scene is not None
        for key in set(view.planes) - {part.key for part in session.slices}:
            view.let_go(key)
            view.scene.remove_slice(key)
            del view.planes[key]
        self._place(session)
        view.active, view.look = session.active, session.look
        view.moving = self._slices.moving
        follows = isinstance(change.action, actions.MovePlane) and self._slices.quick(change.action.key)
        view.request(_SLICE_MILLISECONDS if follows and not view.fluent else 0)

    def _remember(self, left: OpenNetwork | None, session: Session) -> None:
        """Keep the picture of a network that others take the place of, as long as it is in the list."""
        view = self._view
        known = [seen for seen in self._seen if seen.opened is not left]
        if left is not None and view.scene is not None and view.picture is not None:
            known.append(_Seen(left, view.scene.viewpoint, view.picture))
        self._seen = [seen for seen in known if any(seen.opened is other for other in session.networks)][-_KEPT:]

    def _open(self, opened: OpenNetwork | None) -> None:
        """A new scene, seen as the one before was."""
        view = self._view
        self._surface = None
        if opened is None:
            view.close_scene()
            view.planes, view.active, view.moving = {}, None, None
            view.update()
            self._painter.submit(Job("scene", lambda _: self._leave_scene(), lambda _: None, unless_cancelled))
            return
        seen = None
        if view.scene is not None and _alike(view.scene.domain, opened.domain):
            seen = view.scene.viewpoint
        scene = view.open(opened.domain)
        view.label = opened.approximation
        scene.mesh = SurfaceMesh.of(opened.preview)
        if seen is None:
            view.set_up(view.up)
        else:
            scene.viewpoint = seen
            before = next((part for part in self._seen if part.opened is opened), None)
            if before is not None and before.viewpoint == seen:
                view.show_seen(before.picture)

    def _place(self, session: Session) -> None:
        assert self._view.scene is not None
        for part in session.slices:
            self._view.planes[part.key] = part.plane
            self._view.scene.place_slice(part.key, part.plane, part.accent, part.key == session.active, part.visible)
        self._view.scene.order_slices([part.key for part in session.slices])

    def _computed(self, key: int, result: DrawnSlice) -> None:
        scene = self._view.scene
        if scene is None or key not in self._view.planes:
            return
        scene.draw_slice(key, result.picture)
        self._view.draw_now()

    def _failed(self, key: int, error: Exception) -> None:
        """A slice that was stopped keeps what is there of it."""
        if not isinstance(error, Cancelled) and self._view.scene is not None and key in self._view.planes:
            self._view.scene.draw_slice(key, None)
            self._view.request()

    def _rested(self, key: int) -> None:
        self._view.moving = self._slices.moving
        self._view.smooth_soon()


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether what is seen well of one box (2, 3) is of the other."""
    sizes = [float(np.linalg.norm(np.ptp(box, axis=0))) for box in (one, other)]
    apart = float(np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)))
    return max(sizes) <= 2 * min(sizes) and apart <= min(sizes) / 2
