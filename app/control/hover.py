"""What lies under the mouse in a slice: the line's neuron, the region's facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.state import actions
from app.state.store import Store
from engine import Neuron, affine_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.control.live_slices import LiveSlices
    from app.views.slice.slice_view import SliceView

_REACH: Final = 6.0  # pixels


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """At a point of a slice: the neuron whose line is within reach, None if none is; the region's facts.

    point (3,): where; value: the network's output there; gradient: |A|; area: of the region in the slice; corners
    (M, 2): of the region.
    """

    neuron: Neuron | None
    name: str
    point: NDArray[np.float64]
    value: float
    gradient: float
    area: float
    corners: NDArray[np.float64]


class Hover(QObject):
    """found(Found | None): what the status line says; inside(key, u, v): a click beside all lines, or one that means
    the region wherever in it."""

    found = Signal(object)
    inside = Signal(int, float, float)

    def __init__(self, store: Store, slices: LiveSlices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._slices = store, slices
        self._marked: SliceView | None = None

    def over(self, key: int, view: SliceView, u: float, v: float) -> None:
        """The mouse is at (u, v) of slice `key`, shown in a 2D view."""
        self.over_length(key, view, u, v, view.pixel)

    def over_length(self, key: int, view: SliceView, u: float, v: float, pixel: float) -> None:
        """As `over`, of a view in which a pixel has another length."""
        self.clear()
        found = self.at(key, u, v, _REACH * pixel)
        if found is not None:
            view.show_region(found.corners)
            self._marked = view
            self.found.emit(found)

    def clear(self) -> None:
        if self._marked is not None:
            self._marked.show_region(None)
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
        found = self.at(key, u, v, _REACH * pixel)
        if found is None:
            return
        if found.neuron is None:
            self.inside.emit(key, u, v)
        elif found.neuron != self._store.session.neuron:
            self._store.do(actions.SelectNeuron(found.neuron))

    def at(self, key: int, u: float, v: float, reach: float) -> Found | None:
        """What is at (u, v) of slice `key`; None outside it, and while it is not computed."""
        location = self._slices.location(key)
        if location is None:
            return None
        partition = location.partition
        where = np.array([[u, v]])
        region = int(location.region_at(where)[0])
        if region < 0:
            return None
        edges, distances = location.nearest_edge(where)
        edge = int(edges[0])
        layer, index = int(partition.edge_layer[edge]), int(partition.edge_neuron[edge])
        hit = float(distances[0]) <= reach and layer >= 0
        opened, look = self._store.session.opened, self._store.session.look
        hit = hit and layer not in look.hidden_depths
        neuron = Neuron(layer, index) if hit else None
        corners = partition.vertices[
            partition.face_vertices[partition.face_offsets[region] : partition.face_offsets[region + 1]]
        ]
        x, y = (corners - corners[0]).T
        point = partition.plane.to_input(where)
        maps = affine_maps(partition, np.array([region], np.int32))
        return Found(
            neuron,
            opened.describe(neuron) if opened is not None and neuron is not None else "",
            point[0],
            float(maps.values(point).ravel()[0]),
            float(np.linalg.norm(maps.gradient.reshape(-1, 3)[0])),
            0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()),
            corners,
        )
