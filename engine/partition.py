"""The driver: walk the network's steps, cut the planar map at every kink, publish after each layer."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import map_kernels, memory
from engine.coincidence import Coincidences
from engine.errors import EngineError, MemoryLimitError
from engine.kinks import apply_kink, feature_range, largest_after, restore_breakpoints
from engine.network import Network, evaluate
from engine.planar_map import BORDER, FaceSigns, Partition, Ties
from engine.plane import SlicePlane, convex_polygon, plane_box_polygon
from engine.predicates import weighted_norms
from engine.schedule import Segment, schedule
from engine.steps import Affine, Float, Kink, Linear
from engine.subdivide import Cut, PlanarMap, Rows, cut
from engine.table import Table
from engine.workers import Cancel, Workers, grain, never, single_threaded_blas


@dataclass(frozen=True, eq=False, slots=True)
class Progress:
    """What has been done after a layer: layers done of all (the level counts as one), regions so far.

    snapshot() makes a Partition of the slice by the layers done: exact, and not changed by what follows.
    """

    done: int
    layers: int
    regions: int
    snapshot: Callable[[], Partition]


Report = Callable[[Progress], None]

_MOST_HALF_EDGES = 2**30  # ids of half-edges, two for an edge, are 32 bits
BLOCK_SIZE = (
    1 << 16
)  # numbers in a block of the widest value: blocks depend on the network alone, and stay in the cache


def partition_slice(
    network: Network,
    plane: SlicePlane,
    domain: Float,
    level: float | None = 0.0,
    progress: Report | None = None,
    cancel: Cancel = never,
    threads: int | None = None,
) -> Partition:
    """The exact partition of the slice plane cut by a box into the network's linear regions.

    domain: (2, D) float64, lower and upper corner.  The other arguments and errors are those of partition_polygon; a
    plane that misses the box is a PlaneError.  The method is that of Humayun, Balestriero and Baraniuk, "Exact
    Visualization of Neural Network Geometry and Decision Boundary" (2022; SplineCam, CVPR 2023), by evaluation on
    vertices.
    """
    _check_dimensions(network, plane)
    return _partition(network, plane, plane_box_polygon(plane, domain), level, progress, cancel, threads)


def partition_polygon(
    network: Network,
    plane: SlicePlane,
    polygon: Float,
    level: float | None = 0.0,
    progress: Report | None = None,
    cancel: Cancel = never,
    threads: int | None = None,
) -> Partition:
    """The exact partition of a convex polygon of a slice plane into the network's linear regions.

    polygon: (M, 2) float64, corners in the plane's coordinates, in order.  level: the regions are also cut
    where an output component equals it; None leaves that out.  progress is called after each layer, on the calling
    thread; cancel is asked often, from several threads; once it has said True this raises Cancelled.  threads: how
    many to use, all cores when None. Raises EngineError when the network's input does not fit the plane,
    MemoryLimitError before memory runs out.
    """
    _check_dimensions(network, plane)
    return _partition(network, plane, convex_polygon(polygon), level, progress, cancel, threads)


def _check_dimensions(network: Network, plane: SlicePlane) -> None:
    if network.input_size != len(plane.origin):
        raise EngineError(
            f"the network takes {network.input_size} inputs and the plane lies in {len(plane.origin)} dimensions; "
            "use a plane of the network's input space"
        )


def _partition(
    network: Network,
    plane: SlicePlane,
    polygon: Float,
    level: float | None,
    progress: Report | None,
    cancel: Cancel,
    threads: int | None,
) -> Partition:
    if level is not None and not math.isfinite(level):
        raise EngineError(f"the level must be a finite number, not {level}")
    if threads is not None and threads < 1:
        raise EngineError(f"the number of threads must be at least 1, not {threads}")
    with Workers(threads, cancel) as workers, single_threaded_blas():
        walk = _Walk(network, plane, np.ascontiguousarray(polygon, np.float64), level, workers)
        for layer, segment in enumerate(walk.segments):
            walk.evaluate(segment)
            walk.subdivide(layer, segment)
            workers.check()
            if progress is not None:
                progress(Progress(layer + 1, len(walk.segments), walk.map.faces, walk.frozen().snapshot))
        return walk.finish()


def evaluate_block(step: Affine, block: Mapping[int, Float], target: Float | None) -> Float:
    """The value of a step on a block of vertices, written into `target` when that is given."""
    if isinstance(step, Linear) and step.groups == 1:
        result = np.matmul(block[step.source], step.weight.T, out=target)
        result += step.bias
        return result
    result = evaluate(step, block, len(next(iter(block.values()))))
    if target is None:
        return result
    target[:] = result
    return target


class _Walk:
    """The state of one walk through a network: the map, and every live value at its vertices."""

    def __init__(
        self, network: Network, plane: SlicePlane, polygon: Float, level: float | None, workers: Workers
    ) -> None:
        corners = len(polygon)
        sides = np.arange(corners, dtype=np.int32)
        self.network, self.plane, self.level, self.workers = network, plane, level, workers
        self.segments = schedule(network, level)
        self.diameter = float(np.max(np.hypot(*(polygon[:, None] - polygon[None]).transpose(2, 0, 1))))
        self.map = PlanarMap(
            Table(polygon, corners + 4096),
            Table(np.zeros(corners), corners + 4096),
            np.stack([sides, (sides + 1) % corners], axis=1).astype(np.int32),
            np.full(corners, BORDER, np.int32),
            sides,
            np.array([0, corners], np.int32),
            2 * sides,
        )
        self.values = {0: Table(plane.to_input(polygon), corners + 4096)}
        self.deferred: Kink | None = None
        self.coincidences = Coincidences.none()
        self.face_signs: list[FaceSigns] = []
        self.ties = Ties()
        self.linear_regions = 1
        self.seconds = dict.fromkeys(("evaluate", "cut", "carry", "finish"), 0.0)

    @contextmanager
    def _timed(self, stage: str) -> Any:
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start

    def evaluate(self, segment: Segment) -> None:
        """Run the segment's affine steps on all vertices, block by block; only what is needed later is kept."""
        with self._timed("evaluate"):
            vertices = len(self.map.positions)
            self.rounding = segment.rounding({slot: self._unit(slot) for slot in segment.bases})
            self.norms = np.empty((vertices, len(self.rounding.bases)))
            kept = {
                slot: self._new_value(slot, vertices) for slot in segment.computed & (segment.live | {segment.source})
            }
            read = {slot: table.view for slot, table in self.values.items()}
            deferred, self.deferred = self.deferred, None
            widest = max(self.network.sizes[slot] for slot in (*segment.bases, *segment.computed))
            block_rows = max(64, BLOCK_SIZE // widest)
            scratch = threading.local()

            def run(lo: int, hi: int) -> None:
                block = {slot: value[lo:hi] for slot, value in read.items()}
                if deferred is not None:
                    source = block.pop(deferred.source)
                    if not hasattr(scratch, "buffer"):
                        scratch.buffer = np.empty((block_rows, source.shape[1]))
                    block[deferred.target] = apply_kink(deferred, source, scratch.buffer[: hi - lo])
                for column, (slot, inverse) in enumerate(
                    zip(self.rounding.bases, self.rounding.inverse_units, strict=True)
                ):
                    weighted_norms(block[slot], inverse, self.norms[lo:hi], column)
                for step in segment.steps:
                    target = kept[step.target].view[lo:hi] if step.target in kept else None
                    block[step.target] = evaluate_block(step, block, target)

            self.workers.run(run, vertices, block_rows)
            if not (np.isfinite(self.rounding.scale).all() and np.isfinite(self.norms).all()):
                name = segment.kink.name if segment.kink is not None else "the output"
                raise EngineError(f"values before {name} leave the range of float64; rescale the network or the domain")
            self.values.update(kept)

    def _new_value(self, slot: int, vertices: int) -> Table:
        size = self.network.sizes[slot]
        memory.admit(8.0 * vertices * size, f"a layer of {size} neurons at {vertices:,} vertices")
        return Table.empty(vertices, (size,), np.float64, 2 * vertices + 4096)

    def _unit(self, slot: int) -> Float:
        """The largest magnitude of each feature of a value on the map."""
        deferred = self.deferred
        passing = deferred is not None and slot == deferred.target
        values = self.values[deferred.source if deferred is not None and passing else slot].view
        ranges = np.array(self.workers.run(feature_range, len(values), grain(1 + values.shape[1]), values))
        low, high = ranges[:, 0].min(axis=0), ranges[:, 1].max(axis=0)
        return largest_after(deferred, low, high) if deferred is not None and passing else np.maximum(-low, high)

    def subdivide(self, layer: int, segment: Segment) -> None:
        """Cut the map by the segment's rows, carry every live value to the new vertices, and apply the kink."""
        source = self.values[segment.source]
        self.values = {slot: v for slot, v in self.values.items() if slot in segment.live or slot == segment.source}
        table = source if segment.plain else Table(source.view[:, segment.neuron] - segment.breakpoint)
        if segment.kink is None:
            self.linear_regions = self.map.faces
        with self._timed("cut"):
            norms = Table(self.norms, 2 * len(self.norms) + 1024)
            loose = Table.empty(*self.norms.shape[:1], self.norms.shape[1:], np.float64, len(self.norms) + 1024)
            rows = Rows(table, norms, loose, self.rounding.scale, self.rounding.constant)
            result = cut(self.map, layer, rows, self.diameter, self._admit, self.workers)
        with self._timed("carry"):
            self.coincidences = self.coincidences.after(result, layer, self.workers)
            self.last = result
            self.map = result.map
            self.face_signs.append(
                FaceSigns(result.face_parent, result.face_plus, result.face_minus, len(segment.neuron))
            )
            self.ties = self.ties + result.ties
            for value in self.values.values():
                if value is not table:
                    self._carry(value, result)
            if not segment.plain:
                restore_breakpoints(source.view, table.view, segment.neuron, segment.breakpoint)
            if segment.passing:
                self.deferred = segment.kink
            elif segment.kink is not None:
                self._apply(segment.kink)

    def _carry(self, value: Table, result: Cut) -> None:
        for batch in result.batches:
            first = len(value)
            view = value.grow(len(batch))
            self.workers.run(
                map_kernels.interpolate,
                len(batch),
                grain(10 + 2 * view.shape[1]),
                view,
                first,
                batch.parents,
                batch.weights,
            )

    def _apply(self, kink: Kink) -> None:
        source = self.values[kink.source]
        target = Table.empty(len(source), source.view.shape[1:], np.float64, 0)

        def run(lo: int, hi: int) -> None:
            apply_kink(kink, source.view[lo:hi], target.view[lo:hi])

        self.workers.run(run, len(source), grain(10 + source.view.shape[1]))
        self.values[kink.target] = target

    def _admit(self, vertices: int, edges: int, half_edges: int) -> None:
        """Refuse more vertices than fit: their values, and those of the next layer."""
        if half_edges > _MOST_HALF_EDGES:
            raise MemoryLimitError(
                f"a partition of {half_edges:,} half-edges is beyond 32 bits; slice a smaller domain"
            )
        width = sum(value.view.shape[1] for value in self.values.values())
        total = len(self.map.positions) + vertices
        words = max(1, -(-width // 64))
        needed = 8.0 * (total * (width + 4 + 3 * words) + 6 * edges + 2 * half_edges)
        memory.admit(needed, f"a partition of {total:,} vertices")

    def frozen(self) -> _Walk:
        """The walk as it stands, without its values: what follows does not change it."""
        still = copy(self)
        still.map = replace(self.map, positions=Table(self.map.positions.view))
        still.face_signs, still.values = list(self.face_signs), {}
        still.workers = Workers(1)
        return still

    def snapshot(self) -> Partition:
        """The partition as it stands."""
        return self._partition(self.network.forward(self.plane.to_input(self.map.positions.view)))

    def finish(self) -> Partition:
        with self._timed("finish"):
            partition = self._partition(self.values[self.network.output].view)
        return replace(partition, seconds=dict(self.seconds))

    def _partition(self, values: Float) -> Partition:
        planar_map = self.map
        segments = self.segments
        layer, row = planar_map.edge_layer, planar_map.edge_row
        first_row = np.cumsum([0, *(len(segment.neuron) for segment in segments)])
        neuron = np.concatenate([segment.neuron for segment in segments])
        breakpoint_ = np.concatenate([segment.breakpoint for segment in segments])
        border = layer == BORDER
        flat = np.where(border, 0, first_row[layer] + row)
        also = self.coincidences.entries[np.argsort(self.coincidences.entries[:, 0], kind="stable")]
        also_flat = first_row[also[:, 1]] + also[:, 2]
        loops = np.empty((2, len(planar_map.half_edges)), np.int32)
        self.workers.run(
            map_kernels.vertices_of_loops, loops.shape[1], grain(5), planar_map.edges, planar_map.half_edges, *loops
        )
        finished = len(self.face_signs) == len(segments)
        on_level = self.last.zero_edges() if finished else np.zeros(len(layer), np.bool_)
        return Partition(
            network=self.network,
            plane=self.plane,
            vertices=planar_map.positions.view,
            values=values[:, 0] if values.shape[1] == 1 else values,
            edges=planar_map.edges,
            edge_layer=layer,
            edge_neuron=np.where(border, row, neuron[flat]) if len(neuron) else row,
            edge_breakpoint=np.where(border, 0.0, breakpoint_[flat]) if len(neuron) else np.zeros(len(row)),
            edge_on_level=on_level,
            edge_faces=planar_map.edge_faces(),
            edge_also_offsets=np.cumsum(np.bincount(also[:, 0] + 1, minlength=len(layer) + 1), dtype=np.int32),
            edge_also=np.stack([also[:, 1], neuron[also_flat]], axis=1),
            edge_also_breakpoint=breakpoint_[also_flat],
            face_offsets=planar_map.offsets,
            face_vertices=loops[0],
            face_edges=loops[1],
            face_signs=tuple(self.face_signs),
            linear_regions=self.linear_regions if finished else planar_map.faces,
            level=self.level,
            tie_counts=self.ties,
            seconds=dict(self.seconds),
        )
