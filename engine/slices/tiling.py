"""A slice in tiles: each is cut by local networks, and all are glued into one partition.

In a small tile most neurons of a wide network are always on or always off, so that a cell of it is cut in a time that
depends on the few others.  Cells in which a sign is in doubt are cut by the whole network, which decides with exact
numbers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.arrays import Float, Int
from engine.local.fold import PLACE, fold_cell, room_to_fold
from engine.local.program import Program, program_of
from engine.local.tiles import Grid, Pieces, bounds, clip, cut_tile, room_for_tiles
from engine.machine import memory
from engine.machine.workers import Workers
from engine.network.network import Network
from engine.network.steps import Linear
from engine.planar_map.planar_map import BORDER, Partition, Ties
from engine.plane import SlicePlane
from engine.slices.cell_signs import CellSigns
from engine.slices.exact_cells import pieces_of
from engine.slices.gluing import Glued, SeamError, glued, joined
from engine.slices.row_numbers import RowNumbers

WIDE = 60_000
"""Weights of a network above which tiles are faster than cutting the slice as a whole."""
MOST_ROWS = 40
"""Undecided rows up to which a cell is cut: the time of folding and of cutting are about equal there."""
DEPTH = 6
"""Halvings of a tile; a cell that still has too many undecided rows is cut by the whole network."""
_PROBES = 9
_MOST_FOLDED = 1024  # undecided rows: the square of their number is kept
_MOST_TILES = 1 << 8  # a side
_MARGIN = (0.0137, 0.0171, 1.0347)
"""Where the grid begins, and its side, as shares of the polygon's: lines of networks that are symmetric, or have round
weights, do not run along the grid's."""
_BYTES_OF_GLUING = 2.2  # of all that is there when gluing begins
_REPORTS = 40
_SHARE_OF_TILES = 0.8  # of the time; the rest is gluing
_MOST_LEFT, _MOST_SHARE_LEFT = 40, 0.01  # cells that are cut by the whole network, each as long as a hundred others

CutWhole = Callable[[Float], Partition]
Told = Callable[[float], None]


@dataclass(frozen=True, eq=False, slots=True)
class Cut:
    """The cells of a slice: pieces, and ties in those that were cut with exact numbers."""

    pieces: Pieces
    ties: Ties


def is_wide(network: Network) -> bool:
    """Return whether a network is cut in tiles: it has one output and large layers."""
    weights = sum(step.weight.size for step in network.steps if isinstance(step, Linear))
    return network.output_size == 1 and len(network.kinks) > 1 and weights >= WIDE


def partition_in_tiles(
    network: Network, plane: SlicePlane, polygon: Float, level: float | None, cut_whole: CutWhole, told: Told,
    workers: Workers,
) -> Partition:  # fmt: skip
    """Return the partition of a convex polygon, cut in tiles.

    cut_whole: cuts a polygon by the whole network; told: of the share of the work that is
    done.  Raises SeamError where cells cannot be glued: lines run exactly along their borders.
    """
    start = time.perf_counter()
    program = program_of(network, level or 0.0)
    form = np.column_stack([plane.origin, *plane.axes])
    grid, tiles = _tiles(program, form, polygon)
    rows = RowNumbers.of(network, level)
    found = _cut(program, grid, tiles, form, polygon, level is not None, rows, cut_whole, told, workers)
    cut_seconds = time.perf_counter() - start
    whole = glued(found.pieces)
    pieces, ties = found.pieces, found.ties
    del found
    partition = _named(network, plane, level, rows, pieces, whole, ties)
    seconds = {"cut": cut_seconds, "glue": time.perf_counter() - start - cut_seconds}
    partition.seconds.update(seconds)
    return partition


def _tiles(program: Program, form: Float, polygon: Float) -> tuple[Grid, Int]:
    """Return the grid and (T, 3) int64 the tiles: as large as most folds leave few enough rows."""
    lower, size = polygon.min(axis=0), float(np.ptp(polygon, axis=0).max())
    most = most_rows_of_fold(program)
    room = room_to_fold(program, most)
    forms, row, first = np.empty((most + 1, PLACE + most)), np.empty(most, np.int64), np.empty(most + 1, np.int64)
    doubt, (on, zero) = np.empty(most + 1), np.empty((2, program.layers.words), np.uint64)
    levels = 0
    while 1 << levels < _MOST_TILES:
        half = 0.5 * size * _MARGIN[2] / (1 << levels)
        shares = np.linspace(0.1, 0.9, _PROBES)
        folded = 0
        for k in range(_PROBES):
            x, y = lower + size * np.array([shares[k], shares[(4 * k + 2) % _PROBES]])
            place = np.column_stack([form @ [1.0, x, y], half * form[:, 1], half * form[:, 2]])
            folded += fold_cell(program, place, most, forms, row, first, doubt, on, zero, room) >= 0
        if 2 * folded > _PROBES:
            break
        levels += 1
    else:
        raise SeamError("small tiles leave too many rows undecided")
    grid = Grid(
        float(lower[0] - _MARGIN[0] * size), float(lower[1] - _MARGIN[1] * size), _MARGIN[2] * size, levels + DEPTH
    )
    count = 1 << levels
    x, y = np.meshgrid(np.arange(count), np.arange(count))
    tiles = np.stack([x.ravel(), y.ravel(), np.full(count * count, levels)], axis=1)
    return grid, tiles[np.argsort(_interleaved(tiles[:, 0]) + 2 * _interleaved(tiles[:, 1]), kind="stable")]


def _interleaved(numbers: Int) -> Int:
    """Spread the bits of numbers below 2^16 to the even places."""
    result = np.zeros_like(numbers)
    for bit in range(16):
        result |= ((numbers >> bit) & 1) << (2 * bit)
    return result


def most_rows_of_fold(program: Program) -> int:
    """Return how many undecided rows a fold may leave: where they are more, smaller tiles are faster."""
    widest = int(np.diff(program.layers.first_neuron).max())
    return min(program.layers.rows, max(256, 2 * widest), _MOST_FOLDED)


def _cut(
    program: Program, grid: Grid, tiles: Int, form: Float, polygon: Float, level: bool, rows: RowNumbers,
    cut_whole: CutWhole, told: Told, workers: Workers,
) -> Cut:  # fmt: skip
    most, polygon = most_rows_of_fold(program), np.ascontiguousarray(polygon)
    of_thread = threading.local()

    def run(lo: int, hi: int) -> list[Pieces]:
        if not hasattr(of_thread, "room"):
            of_thread.room = room_for_tiles(program, most, DEPTH, len(polygon))
        return [
            Pieces(*cut_tile(tuple(tile), tuple(grid), form, polygon, program, level, most, MOST_ROWS, of_thread.room))
            for tile in tiles[lo:hi].tolist()
        ]

    parts: list[Pieces] = []
    ties = Ties()
    for lo, hi in _batches(len(tiles), workers.threads):
        for found in workers.run(lambda a, b, lo=lo: run(lo + a, lo + b), hi - lo, 1):
            parts += found
        memory.admit(
            _BYTES_OF_GLUING * _bytes(parts) * len(tiles) / hi, f"a partition of so many regions in {hi} tiles"
        )
        _check_doubts(parts)
        told(_SHARE_OF_TILES * hi / len(tiles))
    left = np.concatenate([part.left for part in parts])
    for x, y, size in left.tolist():
        corners, codes = _polygon_of(grid, (x, y, size), polygon)
        partition = cut_whole(corners)
        ties += partition.tie_counts
        parts.append(pieces_of(partition, codes, (x, y, size), rows))
        told(_SHARE_OF_TILES)
    return Cut(joined(parts), ties)


def _check_doubts(parts: list[Pieces]) -> None:
    """Give up tiles where signs are in doubt nearly everywhere: whole, the slice is cut faster."""
    left, cells = sum(len(part.left) for part in parts), sum(len(part.cells) for part in parts)
    if left > _MOST_LEFT + _MOST_SHARE_LEFT * cells:
        raise SeamError("signs are in doubt in too many cells of the slice")


def _batches(count: int, threads: int) -> Iterator[tuple[int, int]]:
    """Ranges of tiles between which progress is told, each enough work for all threads."""
    size = max(4 * threads, -(-count // _REPORTS))
    for lo in range(0, count, size):
        yield lo, min(count, lo + size)


def _bytes(parts: list[Pieces]) -> int:
    return sum(array.nbytes for part in parts for array in part)


def _polygon_of(grid: Grid, cell: tuple[int, int, int], polygon: Float) -> tuple[Float, Int]:
    """Return the polygon's part in a cell, and the codes of its sides."""
    x, y, size = cell
    room = len(polygon) + 8
    corners, spare = np.empty((2, room, 2))
    codes, spare_codes = np.empty((2, room), np.int64)
    x0, x1, y0, y1 = bounds(tuple(grid), x, y, size)
    count = clip(polygon, x0, x1, y0, y1, corners, codes, spare, spare_codes)
    return corners[:count].copy(), codes[:count].astype(np.int32)


def _named(
    network: Network, plane: SlicePlane, level: float | None, rows: RowNumbers, pieces: Pieces, whole: Glued,
    ties: Ties,
) -> Partition:  # fmt: skip
    edge_count, border = len(whole.edges), whole.edge_row < 0
    layer = np.where(border, BORDER, rows.layer[whole.edge_row])
    neuron = np.where(border, -1 - whole.edge_row, rows.neuron[whole.edge_row])
    breakpoint_ = np.where(border, 0.0, rows.breakpoint[whole.edge_row])
    also = pieces.also.copy()
    also[:, 0] = whole.edge[also[:, 0]]
    also = np.unique(also, axis=0)
    on_level = layer == rows.layers
    on_level[whole.edge[pieces.level_edges]] = True
    signs = CellSigns(
        rows.first, pieces.bits[whole.face], pieces.face_cell[whole.face],
        np.append(pieces.cells[:, 3], len(pieces.rows)), pieces.rows, pieces.on, pieces.zeros, layer, whole.edge_faces,
    )  # fmt: skip
    return Partition(
        network=network, plane=plane, vertices=whole.vertices, output=whole.output + (level or 0.0), edges=whole.edges,
        edge_layer=layer, edge_neuron=neuron, edge_breakpoint=breakpoint_, edge_on_level=on_level,
        edge_faces=whole.edge_faces,
        edge_also_offsets=np.searchsorted(also[:, 0], np.arange(edge_count + 1)).astype(np.int32),
        edge_also=np.stack([rows.layer[also[:, 1]], rows.neuron[also[:, 1]]], axis=1),
        edge_also_breakpoint=rows.breakpoint[also[:, 1]],
        face_offsets=whole.face_offsets, face_vertices=whole.face_vertices, face_edges=whole.face_edges,
        face_signs=signs, linear_regions=len(whole.face) - int(np.count_nonzero(layer == rows.layers)), level=level,
        tie_counts=ties, seconds={},
    )  # fmt: skip
