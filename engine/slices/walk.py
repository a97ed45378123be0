"""One walk through a network: a map that is cut by one layer after the other, and every live value at its vertices."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int, Words
from engine.errors import EngineError
from engine.exactness.error_estimate import Rounding
from engine.exactness.inherited_error import noise_after, noise_after_kink, noise_of_inputs
from engine.machine.table import Recycler, Table
from engine.machine.workers import Workers, grain
from engine.network.coincident_lines import lines_on_slice
from engine.network.network import Network
from engine.network.nonlinearity import apply_kink, largest_after, restore_breakpoints
from engine.network.steps import Kink
from engine.planar_map import map_kernels
from engine.planar_map.new_vertices import interpolate
from engine.planar_map.planar_map import BORDER, FaceSigns, Partition, Ties
from engine.planar_map.unfinished_map import PlanarMap
from engine.plane import SlicePlane
from engine.slices.coincidence import Coincidences
from engine.slices.evaluation import ChordRows, Deferred, Evaluation, Range, evaluate_segment, find_signs, unit_of
from engine.slices.examination import Examination
from engine.slices.memory_plan import Admission
from engine.slices.schedule import Segment, schedule
from engine.slices.subdivide import Cut, cut, examine_zeros, tolerance
from engine.tolerances import NEGLIGIBLE_UNCERTAINTY

_OUT_OF_RANGE = "{} leave the range of float64; rescale the network or the domain"
_ROOM = 4096  # vertices and edges that small maps may grow by without being copied


@dataclass(frozen=True, eq=False, slots=True)
class Progress:
    """Layers done of all (the level counts as one) and regions after them; examined: decisions so far, in the layer
    after these, that rounding had left in doubt; told where there are many.  share: of all the work, what is done.

    snapshot() makes a Partition of the slice by the layers done: exact, and not changed by what follows.  Where a wide
    network is cut in tiles, these are a few first layers, and the share grows while tiles are cut by all.
    """

    done: int
    layers: int
    regions: int
    snapshot: Callable[[], Partition]
    share: float
    examined: int = 0


class Walk:
    """The state of one walk through a network: the map, and every live value at its vertices."""

    def __init__(
        self, network: Network, plane: SlicePlane, polygon: Float, level: float | None, examined: int | None,
        examining: Callable[[int], None], workers: Workers,
    ) -> None:  # fmt: skip
        corners = len(polygon)
        sides = np.arange(corners, dtype=np.int32)
        inputs = plane.to_input(polygon)
        diameter = float(np.max(np.hypot(*(polygon[:, None] - polygon[None]).transpose(2, 0, 1))))
        self.network, self.plane, self.level, self.workers = network, plane, level, workers
        self.segments = schedule(network, level)
        self.map = PlanarMap(
            positions=Table(polygon, corners + _ROOM),
            uncertainty=Table(np.zeros(corners), corners + _ROOM),
            edges=np.stack([sides, (sides + 1) % corners], axis=1).astype(np.int32),
            edge_layer=Table(np.full(corners, BORDER, np.int32), corners + _ROOM),
            edge_row=Table(sides, corners + _ROOM),
            offsets=np.array([0, corners], np.int32),
            half_edges=2 * sides,
            negligible=NEGLIGIBLE_UNCERTAINTY * diameter,
        )
        self.values = {0: Table(inputs, corners + _ROOM)}
        self.ranges: dict[int, Range] = {0: (inputs.min(axis=0), inputs.max(axis=0))}
        self.noise: dict[int, Float] = {0: noise_of_inputs(unit_of(0, self.ranges, None))}
        self.input_noise = float(np.linalg.norm(self.noise[0]))
        self.deferred: Deferred | None = None
        self.recycler = Recycler()
        self.coincidences = Coincidences.none()
        self.face_signs: list[tuple[Int, Words, Words, int]] = []  # what each FaceSigns will be made of
        self.ties = Ties()  # of the cuts
        self.snapped = self.unexamined = 0  # between them
        on_slice = np.column_stack([*plane.axes, plane.origin])
        lines = lines_on_slice(network.coincident_lines, network.steps, on_slice)
        self.examination = Examination(plane, polygon, self.segments, lines, self.face_signs, examined, examining)
        self.linear_regions = 1
        self.seconds = dict.fromkeys(("evaluate", "cut", "carry", "finish"), 0.0)

    def cut(self, layer: int, segment: Segment) -> None:
        """Cut the map by a layer's rows."""
        self.evaluate(segment)
        self.subdivide(layer, segment)
        self.workers.check()

    def progress(self, done: int) -> Progress:
        """Return how far the walk is, after so many layers."""
        return Progress(done, len(self.segments), self.map.faces, self.frozen().snapshot, done / len(self.segments))

    def _took(self, stage: str, start: float) -> float:
        """Count the time since `start` for a stage; returns the time now."""
        now = time.perf_counter()
        self.seconds[stage] += now - start
        return now

    def evaluate(self, segment: Segment) -> None:
        """Run the segment's affine steps on all vertices, and find the signs of its rows there."""
        start = time.perf_counter()
        vertices = len(self.map.positions)
        units = {slot: unit_of(slot, self.ranges, self.deferred) for slot in segment.bases}
        rounding = segment.rounding(units)
        self.noise.update(noise_after(segment.steps, self.noise, units, self.network.twins))
        uncertainty = float(self.map.uncertainty.view.max())
        of_position = 1.0 + min(uncertainty, self.map.negligible) / self.input_noise
        self.row_noise = of_position * self.noise[segment.source][segment.neuron]
        norms = Table.empty(vertices, (len(rounding.bases),), np.float64, 0)
        uncertain = not uncertainty <= self.map.negligible
        self.bound = tolerance(self.map, uncertain, norms, rounding.scale, rounding.constant)
        found = self._evaluated(segment, rounding)
        if found.snapped:
            found = self._with_exact_chords(segment, rounding)
            self.unexamined = self.examination.unexamined
        self.deferred = None
        self.values.update(found.values)
        self.ranges.update(found.ranges)
        self.signs = found.signs
        # A norm that is not finite leaves all signs open.
        doubtful = norms.view if self.signs is None else norms.view[self.signs.undecided]
        if not (np.isfinite(rounding.scale).all() and np.isfinite(doubtful).all()):
            name = segment.kink.name if segment.kink is not None else "the output"
            raise EngineError(_OUT_OF_RANGE.format(f"values before {name}"))
        self._took("evaluate", start)

    def subdivide(self, layer: int, segment: Segment) -> None:
        """Cut the map by the segment's rows, carry every live value to the new vertices, and apply the kink."""
        start = time.perf_counter()
        source = self.values[segment.source]
        for slot in self.values.keys() - segment.live - {segment.source}:
            self.recycler.take_back(self.values.pop(slot))
        rows = source
        if not segment.plain:
            rows = Table(np.take(source.view, segment.neuron, axis=1))
            rows.view[:] -= segment.breakpoint
        if segment.kink is None:
            self.linear_regions = self.map.faces
        old_vertices = len(self.map.positions)
        signs = self.signs or find_signs(rows.view, self.bound, self.row_noise, self.workers)
        self.passing = segment.passing and segment.plain
        self.examination.start(layer, self.map)
        admission = self._admission(layer, rows)
        result = cut(
            self.map, layer, rows, signs, self.bound, self.row_noise, self.examination, admission, self.workers
        )
        start = self._took("cut", start)
        if len(self.coincidences):
            self.coincidences = self.coincidences.on_pieces(result.edge_origin())
        self.coincidences = self.coincidences.and_of(layer, result.coincident)
        self.map = result.map
        self.face_signs.append((result.face_parent, result.face_plus, result.face_minus, len(segment.neuron)))
        self.ties += result.ties
        on_chords = ChordRows(result.on_chords, result.on_edges, result.bound, old_vertices)
        if not self.passing:
            self._store_rows(rows, on_chords)
        for value in self.values.values():
            if value is not rows:
                self._carry(value, result)
        if not segment.plain:
            self.workers.run(
                restore_breakpoints, len(source), grain(10 + rows.view.shape[1]), source.view, rows.view,
                segment.neuron, segment.breakpoint,
            )  # fmt: skip
        if segment.kink is not None:
            self.noise[segment.kink.target] = noise_after_kink(segment.kink, self.noise[segment.source])
        if segment.kink is None:
            self.on_level = self._zero_edges(rows.view)
        elif segment.passing:
            self.deferred = Deferred(segment.kink, on_chords if self.passing else None)
        else:
            self._apply(segment.kink)
        self.unexamined = self.examination.unexamined
        self._took("carry", start)

    def _admission(self, layer: int, rows: Table) -> Admission:
        segment, following = self.segments[layer], self.segments[layer + 1] if layer + 1 < len(self.segments) else None
        values = tuple(self.values.values())
        return Admission(self.map, rows, values, self.passing, segment, following, self.recycler)

    def _evaluated(self, segment: Segment, rounding: Rounding) -> Evaluation:
        return evaluate_segment(
            segment, self.network, self.values, self.deferred, len(self.map.positions), rounding, self.bound,
            self.row_noise, self.recycler, self.workers,
        )  # fmt: skip

    def _with_exact_chords(self, segment: Segment, rounding: Rounding) -> Evaluation:
        """Evaluate anew, with the rows at vertices on chords that rounding made zero as they exactly are."""
        assert self.deferred is not None
        assert self.deferred.on_chords is not None
        self._store_rows(self.values[self.deferred.kink.source], self.deferred.on_chords)
        self.deferred = Deferred(self.deferred.kink, None)
        return self._evaluated(segment, rounding)

    def _store_rows(self, rows: Table, on_chords: ChordRows) -> None:
        first, count = len(rows), len(on_chords.new.parents)
        view = rows.grow(count)
        snapped = self.workers.run(on_chords.fill, count, grain(20 + 2 * view.shape[1]), view, view, first)
        if sum(snapped):
            self.snapped += examine_zeros(view, first, on_chords.new, self.examination)

    def _carry(self, value: Table, result: Cut) -> None:
        for new in (result.on_edges, result.on_chords):
            first, count = len(value), len(new.parents)
            view = value.grow(count)
            self.workers.run(interpolate, count, grain(10 + 2 * view.shape[1]), view, first, tuple(new))

    def _apply(self, kink: Kink) -> None:
        source = self.values[kink.source]
        target = Table.empty(len(source), source.view.shape[1:], np.float64, 0)

        def run(lo: int, hi: int) -> None:
            apply_kink(kink, source.view[lo:hi], target.view[lo:hi])

        self.workers.run(run, len(source), grain(10 + source.view.shape[1]))
        self.values[kink.target] = target
        largest = largest_after(kink, *self.ranges[kink.source])
        self.ranges[kink.target] = (-largest, largest)

    def _zero_edges(self, rows: Float) -> NDArray[np.bool_]:
        zero = np.empty(len(self.map.edges), np.bool_)
        self.workers.run(
            map_kernels.find_zero_edges, len(zero), grain(10 + 2 * rows.shape[1]), self.map.edges, rows, zero
        )
        return zero

    def frozen(self) -> Walk:
        """The walk as it stands, with the map alone of all that is large: what follows does not change it."""
        still = Walk.__new__(Walk)  # copy.copy takes ten times longer, after every layer
        vars(still).update(vars(self), map=self.map.frozen(), values={}, deferred=None)
        still.face_signs, still.seconds = list(self.face_signs), dict(self.seconds)
        del still.bound, still.row_noise, still.signs, still.examination, still.recycler, still.workers
        return still

    def snapshot(self) -> Partition:
        """The partition as it stands."""
        self.recycler, self.workers = Recycler(), Workers(1)
        return self._partition(None)

    def finish(self) -> Partition:
        start = time.perf_counter()
        values = self.values[self.network.output].view
        if not np.isfinite(values).all():
            raise EngineError(_OUT_OF_RANGE.format("values of the output"))
        partition = self._partition(values[:, 0] if values.shape[1] == 1 else values)
        self._took("finish", start)
        return replace(partition, seconds=dict(self.seconds))

    def _partition(self, output: Float | None) -> Partition:
        planar_map, segments, run = self.map, self.segments, self.workers.run
        needed = 8 * len(planar_map.half_edges) + 32 * len(planar_map.edges)
        self.recycler.admit(needed, f"a partition of {len(planar_map.positions):,} vertices")
        layer, row = planar_map.edge_layer.view, planar_map.edge_row.view
        first_row = np.cumsum([0, *(len(segment.neuron) for segment in segments)])
        neurons = np.concatenate([segment.neuron for segment in segments])
        breakpoints = np.concatenate([segment.breakpoint for segment in segments])
        neuron, breakpoint_ = np.empty(len(layer), np.int32), np.empty(len(layer))
        run(
            map_kernels.name_edges,
            len(layer),
            grain(5),
            layer,
            row,
            first_row,
            neurons,
            breakpoints,
            neuron,
            breakpoint_,
        )
        also = self.coincidences.entries[np.argsort(self.coincidences.entries[:, 0], kind="stable")]
        runs = np.diff(also[:, 0], prepend=-1, append=len(layer))  # of edges with as many entries before them
        also_flat = first_row[also[:, 1]] + also[:, 2]
        loops = np.empty((2, len(planar_map.half_edges)), np.int32)
        starts = planar_map.edges.reshape(-1)
        run(map_kernels.vertices_of_loops, loops.shape[1], grain(5), starts, planar_map.half_edges, *loops)
        finished = len(self.face_signs) == len(segments)
        return Partition(
            network=self.network,
            plane=self.plane,
            vertices=planar_map.positions.view,
            output=output,
            edges=planar_map.edges,
            edge_layer=layer,
            edge_neuron=neuron,
            edge_breakpoint=breakpoint_,
            edge_on_level=self.on_level if finished else np.zeros(len(layer), np.bool_),
            edge_faces=planar_map.edge_faces(self.workers),
            edge_also_offsets=np.repeat(np.arange(len(runs), dtype=np.int32), runs),
            edge_also=np.stack([also[:, 1], neurons[also_flat]], axis=1),
            edge_also_breakpoint=breakpoints[also_flat],
            face_offsets=planar_map.offsets,
            face_vertices=loops[0],
            face_edges=loops[1],
            face_signs=tuple(FaceSigns(*signs) for signs in self.face_signs),
            linear_regions=self.linear_regions if finished else planar_map.faces,
            level=self.level,
            tie_counts=self.ties + Ties(snapped=self.snapped, unexamined=self.unexamined),
            seconds=dict(self.seconds),
        )
