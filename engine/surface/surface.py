"""The exact level surface of a network in three dimensions: from crossings on a grid from region to region."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.machine.workers import Cancel, Workers, never, single_threaded_blas
from engine.network.layers import Layers, layers_of
from engine.network.network import Network
from engine.plane import checked_box
from engine.surface import stitching
from engine.surface.march import March
from engine.surface.mesh import Mesh, stitch
from engine.surface.seeds import Crossings, Seeds, find_crossings

T = TypeVar("T", bound=np.generic)

OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class SurfaceProgress:
    """Facets found so far, regions that wait to be visited, and the share of the grid that was looked at before."""

    facets: int
    waiting: int
    searched: float = 1.0


@dataclass(frozen=True, slots=True)
class SurfaceReport:
    """What is known of an extracted surface.

    facets, vertices, components: how many; border_edges: edges where the surface leaves the box
    euler: the Euler characteristic V - E + F of each component (2 - 2 genus where it is closed)
    closed: no edge is on the border, and none is open
    open_edges: edges beyond which the surface goes on but was not found, for rounding
    collapsed: edges, too short to tell from rounding, that were made one vertex; spread: the largest distance between
    what different facets take for one vertex
    flat_regions: regions around points of the grid in which the network equals the level throughout; of those, the
    border towards greater values belongs to the surface
    grid: cells of the grid along each side of the box on which crossings were looked for; seeds: crossings found
    certified: whether every region that the level crosses was found, for certain; None when that was not asked (see
    certify_surface)
    """

    facets: int
    vertices: int
    components: int
    border_edges: int
    euler: tuple[int, ...]
    closed: bool
    open_edges: int
    collapsed: int
    spread: float
    flat_regions: int
    grid: int
    seeds: int
    certified: bool | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Surface:
    """The surface on which a network equals a level, in a box: one convex planar polygon in each region it crosses.

    vertices      (V, 3) float64
    face_offsets  (F + 1,) int32, face_vertices (H,) int32: loops, counter-clockwise seen from where the network is
                  greater than the level; face_edges (H,) int32: the edge from each of them to the next
    gradients     (F, 3) float64: the network's gradient in the facet's region, normal to the facet
    areas         (F,) float64
    signatures    (F, W) uint64: bit r % 64 of word r // 64 tells whether row r is greater than its breakpoint in the
                  facet's region (that on the positive side, where a facet lies between two)
    components    (F,) int32: the connected component of each facet
    edges         (E, 2) int32: from the first to the second, counter-clockwise around the first face
    edge_layer, edge_neuron (E,) int32: the kink and neuron (the first of several) of the crease; layer -1 where the box
                  cuts the surface (neuron: 0 and 1 the lower and upper side in x, 2 and 3 in y, 4 and 5 in z)
    edge_faces    (E, 2) int32: the facets on both sides; -1 outside the box
    level, domain (2, 3) float64
    extremes      the smallest and the largest value of the network on the grid
    seconds       by stage
    """

    network: Network
    vertices: Float
    face_offsets: Int
    face_vertices: Int
    face_edges: Int
    gradients: Float
    areas: Float
    signatures: NDArray[np.uint64]
    components: Int
    edges: Int
    edge_layer: Int
    edge_neuron: Int
    edge_faces: Int
    level: float
    domain: Float
    extremes: tuple[float, float]
    report: SurfaceReport
    seconds: dict[str, float]

    @property
    def facets(self) -> int:
        return len(self.face_offsets) - 1

    @property
    def empty(self) -> bool:
        return self.facets == 0

    @property
    def area(self) -> float:
        return float(self.areas.sum())

    @property
    def normals(self) -> Float:
        """(F, 3) float64: the gradients' directions."""
        return np.asarray(self.gradients / np.linalg.norm(self.gradients, axis=1, keepdims=True))

    def volume(self) -> float | None:
        """The volume of the part of the box where the network is not above the level, by the divergence theorem, as far
        as its surface was found; None when that is not closed.

        A closed surface has one side along all of the box's border: where that is not the one above the level, the
        theorem gives what is above, below zero.
        """
        if not self.report.closed:
            return None
        first = np.repeat(self.face_vertices[self.face_offsets[:-1]], np.diff(self.face_offsets))
        following = np.arange(1, len(self.face_vertices) + 1)
        following[self.face_offsets[1:] - 1] = self.face_offsets[:-1]
        centre = self.domain.mean(axis=0)
        a, b, c = (self.vertices[v] - centre for v in (first, self.face_vertices, self.face_vertices[following]))
        enclosed = float(np.einsum("nd,nd->", a, np.cross(b, c))) / 6.0
        return enclosed if enclosed >= 0.0 else enclosed + float(np.prod(self.domain[1] - self.domain[0]))

    def activation_pattern(self, faces: Int | None = None) -> NDArray[np.int8]:
        """(N, R) int8: 1 or -1 for every row of every kink (by kink, neuron, breakpoint) in the regions of facets."""
        rows = sum(len(kink.row_neuron) for kink in self.network.kinks)
        words = self.signatures if faces is None else self.signatures[faces]
        bits = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, count=rows, bitorder="little")
        return (2 * bits.astype(np.int8) - 1).astype(np.int8)

    def describe(self) -> str:
        """One line for people: how much there is, or why there is nothing."""
        name = "zero level surface" if self.level == 0.0 else f"level surface f = {self.level:g}"
        report = self.report
        if not self.empty:
            parts = f"{report.components:,} component{'s' if report.components > 1 else ''}"
            how = "closed" if report.closed else "open" if report.open_edges else "cut by the box"
            return f"{name}: {report.facets:,} facets, {report.vertices:,} vertices, {parts}, {how}"
        smallest, largest = self.extremes
        if not report.grid:
            return f"no {name} was found along the segments"
        if report.flat_regions:
            return f"no {name} was found in the box: f equals {self.level:g} throughout {report.flat_regions:,} regions"
        name = f"no {name} was found in the box"
        if smallest > self.level:
            return f"{name}: f is above {self.level:g} on the whole grid, smallest value {smallest:.4g}"
        if largest <= self.level:
            return f"{name}: f is not above {self.level:g} on the grid, largest value {largest:.4g}"
        return name


def extract_surface(
    network: Network,
    domain: ArrayLike,
    level: float = 0.0,
    seeds: int | Seeds = 32,
    progress: Callable[[SurfaceProgress], None] | None = None,
    cancel: Cancel = never,
    threads: int | None = None,
) -> Surface:
    """The exact surface network(x) = level in a box, as a mesh of planar convex polygons with shared vertices.

    domain: (2, 3) float64, lower and upper corner.  seeds: where to start: the resolution of a grid, or a Seeds.  Every
    component that crosses an edge of the grid whose ends differ in sign is found, whole.  progress is called on the
    calling thread; once cancel has said True this raises Cancelled.  threads: how many to use, all cores when None.
    Vertices meet the level up to the rounding of what the layers sum: 1e-12 of the field's scale or less, more where
    a layer takes the difference of numbers much larger than its result (1e-9 was seen with weights made for that).
    Raises EngineError when the network is not one of three inputs and one output or the domain is no box,
    MemoryLimitError before memory runs out.

    In a region the network is affine, so the surface there is a plane cut by the half-spaces of the neurons; across an
    edge of that polygon lies the region in which the edge's neuron has changed sign (Lei and Jia, "Analytic Marching:
    An Analytic Meshing Solution from Deep Implicit Surface Networks", ICML 2020, start and go on the same way).
    """
    if network.input_size != 3:
        raise EngineError(f"the network takes {network.input_size} inputs; a level surface needs three dimensions")
    if not math.isfinite(level):
        raise EngineError(f"the level must be a finite number, not {level}")
    if threads is not None and threads < 1:
        raise EngineError(f"the number of threads must be at least 1, not {threads}")
    box = np.stack(checked_box(domain, 3))
    seeds = seeds if isinstance(seeds, Seeds) else Seeds(seeds)
    if seeds.segments is not None and not ((seeds.segments >= box[0]) & (seeds.segments <= box[1])).all():
        raise EngineError("a segment to start from leaves the box; cut it off there, or enlarge the box")
    layers = layers_of(network, level)
    clock = _Clock()

    def searched(share: float) -> None:
        if progress is not None:
            progress(SurfaceProgress(0, 0, share))

    with Workers(threads, cancel) as workers, single_threaded_blas():
        crossings = find_crossings(layers, box, seeds, workers, searched)
        clock.lap("seeds")
        march = March(layers, box, workers)
        march.start(crossings)
        while march.waiting:
            march.visit()
            if progress is not None:
                progress(SurfaceProgress(march.facets, march.waiting))
        clock.lap("facets")
        mesh = stitch(march, workers)
        clock.lap("stitch")
        return _finish(network, layers, box, level, seeds, crossings, march, mesh, clock.seconds)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage], self._last = now - self._last, now


def _finish(
    network: Network,
    layers: Layers,
    box: Float,
    level: float,
    seeds: Seeds,
    crossings: Crossings,
    march: March,
    mesh: Mesh,
    seconds: dict[str, float],
) -> Surface:
    components, count = stitching.label_components(len(mesh.kept), mesh.edge_faces)
    row_layer, row_neuron = layers.layer_of_row()
    crease = mesh.edge_labels >= 0
    edge_layer = np.full(len(crease), -1, np.int32)
    edge_neuron = (-1 - mesh.edge_labels).astype(np.int32)
    edge_layer[crease], edge_neuron[crease] = row_layer[mesh.edge_labels[crease]], row_neuron[mesh.edge_labels[crease]]
    alone = mesh.edge_faces[:, 1] == OUTSIDE
    # a vertex of two components counts in both
    owners = np.repeat(components, np.diff(mesh.face_offsets)).astype(np.int64)
    vertices = np.unique(owners * max(len(mesh.vertices), 1) + mesh.face_vertices) // max(len(mesh.vertices), 1)
    euler = np.bincount(vertices, minlength=count) + np.bincount(components, minlength=count)
    euler = euler - np.bincount(components[mesh.edge_faces[:, 0]], minlength=count)
    report = SurfaceReport(
        facets=len(mesh.kept),
        vertices=len(mesh.vertices),
        components=count,
        border_edges=int(np.count_nonzero(~crease)),
        euler=tuple(euler.tolist()),
        closed=len(mesh.kept) > 0 and not alone.any(),
        open_edges=int(np.count_nonzero(alone & crease)),
        collapsed=mesh.collapsed,
        spread=float(mesh.spread),
        flat_regions=crossings.flat_regions,
        grid=seeds.resolution,
        seeds=len(crossings.points),
    )
    return Surface(
        network=network,
        vertices=_read_only(mesh.vertices),
        face_offsets=_read_only(mesh.face_offsets),
        face_vertices=_read_only(mesh.face_vertices),
        face_edges=_read_only(mesh.face_edges),
        gradients=_read_only(mesh.gradients),
        areas=_read_only(mesh.areas),
        signatures=_read_only(march.signatures[mesh.kept]),
        components=_read_only(components),
        edges=_read_only(mesh.edges),
        edge_layer=_read_only(edge_layer),
        edge_neuron=_read_only(edge_neuron),
        edge_faces=_read_only(mesh.edge_faces),
        level=level,
        domain=_read_only(box),
        extremes=(crossings.extremes[0] + level, crossings.extremes[1] + level),
        report=report,
        seconds=seconds,
    )


def _read_only(array: NDArray[T]) -> NDArray[T]:
    array.setflags(write=False)
    return array
