"""What lies under the mouse in a slice: the line's neuron, the region's facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.control.half_click import HalfClick
from app.state import actions
from app.state.store import Store
from app.views.slice.slice_image import neuron_edges
from engine import Neuron, Partition, affine_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.control.live_slices import LiveSlices
    from app.views.slice.slice_view import SliceView

_REACH: Final = 6.0  # pixels
_SURE: Final = 1 / 3  # of it: so near to a line it is meant, however small the region


_NO_LINE: Final = np.empty((0, 2, 2))


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """At a point of a slice: the neuron whose line is within reach, None if none is; the region's facts.

    point (3,): where; value: the network's output there; gradient: |A|; area: of the region in the slice; corners
    (M, 2): of the region; line (H, 2, 2): the ends of all edges of the neuron in the slice, none without one.
    """

    neuron: Neuron | None
    name: str
    point: NDArray[np.float64]
    value: float
    gradient: float
    area: float
    corners: NDArray[np.float64]
    line: NDArray[np.float64]


class Hover(QObject):
    """found(Found | None): what the status line says; inside(key, u, v): a click beside all lines, or one that means
    the region wherever in it."""

    found = Signal(object)
    inside = Signal(int, float, float)

    def __init__(self, store: Store, slices: LiveSlices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._slices = store, slices
        self._marked: SliceView | None = None
        self._line: tuple[Partition, Neuron, NDArray[np.float64]] | None = None  # the last one that was found
        self._click = HalfClick(store, self)

    def over(self, key: int, view: SliceView, u: float, v: float) -> None:
        """The mouse is at (u, v) of slice `key`, shown in a 2D view."""
        self.over_length(key, view, u, v, 0.0 if view.region_meant else view.pixel)

    def over_length(self, key: int, view: SliceView, u: float, v: float, pixel: float) -> Found | None:
        """As `over`, of a view in which a pixel has another length; 0: lines are not meant.

        What a click would take is marked in the 2D view, and returned.
        """
        self.clear()
        found = self.near(key, u, v, pixel)
        if found is not None:
            view.show_target(found.corners if found.neuron is None else None, found.line)
            self._marked = view
            self.found.emit(found)
        return found

    def clear(self) -> None:
        if self._marked is not None:
            self._marked.show_target(None, _NO_LINE)
            self._marked = None
            self.found.emit(None)

    def forget(self, view: SliceView) -> None:
        """A view goes; nothing is marked in it any more."""
        if self._marked is view:
            self.clear()

    def click(self, key: int, view: SliceView, u: float, v: float) -> None:
        """Highlight the neuron of the line that was hit; beside all lines, it is the region that was meant."""
        self.click_length(key, u, v, view.pixel)

    def click_length(self, key: int, u: float, v: float, pixel: float) -> None:
        found = self.near(key, u, v, pixel)
        self._click.note(False)
        if found is None:
            return
        if found.neuron is None:
            self.inside.emit(key, u, v)
        elif found.neuron != self._store.session.neuron:
            self._store.do(actions.SelectNeuron(found.neuron))
            self._click.note(True)

    def take_back(self) -> None:
        """The click that chose a neuron was half a double click."""
        self._click.take_back()

    def near(self, key: int, u: float, v: float, pixel: float) -> Found | None:
        """As `at`, within the reach of a hand in a view in which a pixel has a length."""
        return self.at(key, u, v, _REACH * pixel)

    def at(self, key: int, u: float, v: float, reach: float) -> Found | None:
        """Return what is at (u, v) of slice `key`; None outside it, and while it is not computed.

        Lines of layers that are hidden are not found.  The nearest other one around the region is, within reach, but
        not in the middle of a region so small that all of it is within reach of some line.
        """
        location = self._slices.location(key)
        if location is None:
            return None
        partition = location.partition
        where = np.array([[u, v]])
        region = int(location.region_at(where)[0])
        if region < 0:
            return None
        opened, look = self._store.session.opened, self._store.session.look
        loop = slice(*partition.face_offsets[region : region + 2].tolist())
        corners = partition.vertices[partition.face_vertices[loop]]
        x, y = (corners - corners[0]).T
        area = 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
        hidden = look.unseen_depths(len(partition.network.kinks))
        # the radius of the largest circle in a convex region is between this and twice this
        middle = area / float(np.hypot(*np.diff(corners, axis=0, append=corners[:1]).T).sum())
        edge, distance = _nearest(partition, partition.face_edges[loop], where[0], hidden)
        hit = distance < min(reach, max(middle, _SURE * reach))
        neuron = Neuron(int(partition.edge_layer[edge]), int(partition.edge_neuron[edge])) if hit else None
        point = partition.plane.to_input(where)
        maps = affine_maps(partition, np.array([region], np.int32))
        return Found(
            neuron,
            opened.describe(neuron) if opened is not None and neuron is not None else "",
            point[0],
            float(maps.values(point).ravel()[0]),
            float(np.linalg.norm(maps.gradient.reshape(-1, 3)[0])),
            area,
            corners,
            _NO_LINE if neuron is None else self._line_of(partition, neuron),
        )

    def _line_of(self, partition: Partition, neuron: Neuron) -> NDArray[np.float64]:
        known = self._line
        if known is None or known[0] is not partition or known[1] != neuron:
            line = partition.vertices[neuron_edges(partition, (neuron.layer, neuron.index))]
            known = self._line = partition, neuron, line
        return known[2]


def _nearest(
    partition: Partition, edges: NDArray[np.int32], point: NDArray[np.float64], hidden: frozenset[int]
) -> tuple[int, float]:
    """The nearest to a point (2,) of some edges (K,) that a layer made which is not hidden, and how far it is: -1,
    infinitely far, without one."""
    seen = edges[~np.isin(partition.edge_layer[edges], [-1, *hidden])]
    if not len(seen):
        return -1, np.inf
    start, end = partition.vertices[partition.edges[seen]].transpose(1, 0, 2)
    way = end - start
    along = np.clip(((point - start) * way).sum(axis=1) / np.maximum((way * way).sum(axis=1), 1e-300), 0.0, 1.0)
    distances = np.hypot(*(start + along[:, None] * way - point).T)
    nearest = int(np.argmin(distances))
    return int(seen[nearest]), float(distances[nearest])
