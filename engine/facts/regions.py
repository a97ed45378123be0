"""Facts about the regions of a partition: areas, centroids and the affine map of the network in each."""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.machine import memory
from engine.machine.jit import kernel
from engine.machine.workers import Workers, single_threaded_blas
from engine.network.steps import Gather, Kink, Linear, Scale, Sum
from engine.planar_map.planar_map import Partition

_BLOCK = 1 << 19  # numbers in the widest value of a block of faces


def areas(partition: Partition) -> Float:
    """(F,) float64: the areas of the faces; as exact as the vertices, so a sliver's may be 0 or less."""
    return _measure(partition)[0]


def centroids(partition: Partition) -> Float:
    """(F, 2) float64: the faces' centres of mass in the plane's coordinates, inside the face also for slivers."""
    return _measure(partition)[1]


@dataclass(frozen=True, eq=False, slots=True)
class AffineMaps:
    """The affine map x -> A x + b of the network on each of N regions, in its input space of D dimensions.

    With one output component: gradient (N, D) and offset (N,) float64; with C: gradient (N, C, D) and offset (N, C).
    """

    gradient: Float
    offset: Float

    def values(self, x: Float) -> Float:
        """(N,) or (N, C) float64: the i-th map at the i-th point; x: (N, D) float64."""
        subscripts = "nd,nd->n" if self.gradient.ndim == 2 else "ncd,nd->nc"
        return np.asarray(np.einsum(subscripts, self.gradient, x) + self.offset)


def affine_maps(partition: Partition, faces: Int | None = None) -> AffineMaps:
    """The network's affine maps on regions; faces: (N,) region numbers, all when None.

    Follows each region's activation pattern back from the output to the input, as reverse-mode differentiation does,
    and with its rounding: large weights that cancel lose digits once for every layer that has them.  Where a
    pre-activation equals its breakpoint throughout a region, the map is that of the piece to the breakpoint's left:
    equal to the other piece's on the slice, not off it.  Raises EngineError for a snapshot of an unfinished partition
    and for numbers that no region has, MemoryLimitError before memory runs out.
    """
    network = partition.network
    if len(partition.face_signs) <= len(network.kinks):
        raise EngineError("the partition is not finished, so its affine maps are not known; wait for the last layer")
    face = partition.face_numbers(faces)
    C, D = network.output_size, network.input_size
    memory.admit(8.0 * len(face) * C * (D + 1), f"the affine maps of {len(face):,} regions")
    gradient, offset = np.empty((len(face), C, D)), np.empty((len(face), C))
    tables = {kink.target: _kink_tables(kink) for kink in network.kinks}

    def run(lo: int, hi: int) -> None:
        gradient[lo:hi], offset[lo:hi] = _pull_back(partition, face[lo:hi], tables)

    with Workers() as workers, single_threaded_blas():
        workers.run(run, len(face), max(1, _BLOCK // (C * max(network.sizes))))
    return AffineMaps(gradient[:, 0], offset[:, 0]) if C == 1 else AffineMaps(gradient, offset)


def gradient_norms(partition: Partition) -> Float:
    """(F,) or, with several output components, (F, C) float64: Euclidean norms of the gradients in input space."""
    return np.asarray(np.linalg.norm(affine_maps(partition).gradient, axis=-1))


def _measure(partition: Partition) -> tuple[Float, Float]:
    area, centroid = np.empty(partition.regions), np.empty((partition.regions, 2))
    with Workers() as workers:
        workers.run(
            _measure_faces, partition.regions, 1 << 15, partition.face_offsets, partition.face_vertices,
            partition.vertices, area, centroid,
        )  # fmt: skip
    return area, centroid


_KinkTables = tuple[Int, Int, Float, Float]
"""first_row (n + 1,): where a neuron's rows start; row_piece (R,): the piece right of a row; slopes; intercepts."""


def _kink_tables(kink: Kink) -> _KinkTables:
    first_row = np.searchsorted(kink.row_neuron, np.arange(len(kink.breakpoints) + 1)).astype(np.int32)
    row_piece = (kink.breakpoints[kink.row_neuron] <= kink.row_breakpoint[:, None]).sum(axis=1).astype(np.int32)
    return first_row, row_piece, kink.slopes, kink.intercepts


def _pull_back(partition: Partition, face: Int, tables: Mapping[int, _KinkTables]) -> tuple[Float, Float]:
    """Gradient (N, C, D) and offset (N, C) of the output on each face: adjoints of the steps, from last to first."""
    network = partition.network
    N, C = len(face), network.output_size
    offset = np.zeros((N, C))
    adjoints: dict[int, Float] = {network.output: np.broadcast_to(np.eye(C), (N, C, C))}
    layers, each = partition.signs_of(face)[: len(network.kinks)], np.arange(N, dtype=np.int32)

    def add(slot: int, adjoint: Float) -> None:
        adjoints[slot] = adjoints[slot] + adjoint if slot in adjoints else adjoint

    for step in reversed(network.steps):
        if isinstance(step, Kink):
            signs = layers.pop()
        adjoint = adjoints.pop(step.target, None)
        if adjoint is None:
            continue
        match step:
            case Linear():
                blocks = adjoint.reshape(-1, len(step.bias))
                offset += (blocks @ step.bias).reshape(N, C, step.groups).sum(axis=2)
                add(step.source, (blocks @ step.weight).reshape(N, C, -1))
            case Scale():
                offset += adjoint @ step.shift
                add(step.source, adjoint * step.factor)
            case Sum():
                add(step.left, adjoint)
                add(step.right, adjoint if step.sign > 0 else -adjoint)
            case Gather():
                parts = _scatter(step, adjoint, [network.sizes[slot] for slot in step.sources])
                offset += parts.pop() @ step.constants
                for slot, part in zip(step.sources, parts, strict=True):
                    add(slot, part)
            case Kink():
                source = np.empty(adjoint.shape)
                _pull_back_kink(each, signs.plus, *tables[step.target], adjoint, source, offset)
                add(step.source, source)
    return adjoints.get(0, np.zeros((N, C, network.input_size))), offset


def _scatter(step: Gather, adjoint: Float, sizes: list[int]) -> list[Float]:
    """The adjoints of a Gather's sources, and last that of its constants."""
    ends = np.cumsum([*sizes, len(step.constants)])
    joined = np.zeros((*adjoint.shape[:2], int(ends[-1])))
    order = np.argsort(step.index, kind="stable")
    read, first = np.unique(step.index[order], return_index=True)
    joined[..., read] = np.add.reduceat(adjoint[..., order], first, axis=2)
    return np.split(joined, ends[:-1], axis=2)


@kernel
def _pull_back_kink(faces, plus, first_row, row_piece, slopes, intercepts, adjoint, source, offset):
    """source = adjoint * slope and offset += adjoint . intercept, on the piece of each neuron in each face."""
    components, width = adjoint.shape[1:]
    for i in range(len(faces)):
        signs = plus[faces[i]]
        for j in range(width):
            piece = 0
            for r in range(first_row[j], first_row[j + 1]):
                if (signs[r // 64] >> np.uint64(r % 64)) & np.uint64(1):
                    piece = row_piece[r]
            slope, intercept = slopes[j, piece], intercepts[j, piece]
            for c in range(components):
                offset[i, c] += adjoint[i, c, j] * intercept
                source[i, c, j] = adjoint[i, c, j] * slope


@kernel
def _measure_faces(lo, hi, offsets, face_vertices, vertices, area, centroid):
    """Areas and centroids by the fan of triangles from each face's first vertex.

    Coordinates relative to it keep the digits of small faces.  A triangle that rounding turned over has no weight in
    the centroid, which so stays among the vertices.
    """
    for f in range(lo, hi):
        start, stop = offsets[f], offsets[f + 1]
        x0, y0 = vertices[face_vertices[start], 0], vertices[face_vertices[start], 1]
        twice, weight, x, y, mean_x, mean_y = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        ax, ay = 0.0, 0.0
        for i in range(start + 1, stop):
            bx, by = vertices[face_vertices[i], 0] - x0, vertices[face_vertices[i], 1] - y0
            cross = ax * by - ay * bx
            twice += cross
            if cross > 0.0:
                weight += cross
                x += cross * (ax + bx)
                y += cross * (ay + by)
            mean_x += bx
            mean_y += by
            ax, ay = bx, by
        area[f] = 0.5 * twice
        if weight > 0.0:
            centroid[f, 0], centroid[f, 1] = x0 + x / (3.0 * weight), y0 + y / (3.0 * weight)
        else:
            count = stop - start
            centroid[f, 0], centroid[f, 1] = x0 + mean_x / count, y0 + mean_y / count
