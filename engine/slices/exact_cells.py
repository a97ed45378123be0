"""A cell that was cut whole, by the network itself, as pieces to be glued to others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Int
from engine.local.cell import FIRST_SIDE
from engine.local.tiles import NOTHING, Pieces
from engine.planar_map.planar_map import BORDER, Partition
from engine.slices.gluing import SeamError
from engine.slices.row_numbers import RowNumbers


def pieces_of(partition: Partition, codes: Int, cell: tuple[int, int, int], rows_of: RowNumbers) -> Pieces:
    """Return the pieces of a partition of a cell's polygon; codes: of its sides, see FIRST_SIDE; cell: x, y, size.

    Raises SeamError where a vertex lies exactly on the cell's own border.
    """
    x, y, size = cell
    edges, vertices = partition.edges, len(partition.vertices)
    border = partition.edge_layer == BORDER
    code = np.where(border, codes[np.where(border, partition.edge_neuron, 0)], -1)
    own = (code >= 0) & (code < FIRST_SIDE)
    at_border = np.zeros(vertices, np.bool_)
    at_border[edges[own]] = True
    number = np.where(at_border, 0 - np.cumsum(at_border), np.cumsum(~at_border) - 1).astype(np.int32)
    kept = np.flatnonzero(~own)
    new = np.where(own, NOTHING, np.cumsum(~own) - 1).astype(np.int32)

    port_edge = np.full(np.count_nonzero(at_border), NOTHING, np.int32)
    ends = number[edges[kept]]
    meeting = -1 - ends[ends < 0]
    if len(np.unique(meeting)) != len(meeting):
        raise SeamError("lines cross exactly on the border of two cells")
    port_edge[meeting] = np.nonzero(ends < 0)[0]

    start, stop = partition.face_offsets[:-1], partition.face_offsets[1:]
    loop = partition.face_edges
    half = 2 * loop + (edges[loop, 0] != partition.face_vertices)
    next_at = np.arange(len(loop)) + 1
    next_at[stop - 1] = start
    following = np.full(2 * len(edges), NOTHING, np.int32)
    following[half] = half[next_at]
    to = following.reshape(-1, 2)[kept].reshape(-1)
    after = np.where((to >= 0) & (new[to >> 1] >= 0), 2 * new[to >> 1] + (to & 1), NOTHING).astype(np.int32)

    row = rows_of.of_edges(partition.edge_layer[kept], partition.edge_neuron[kept], partition.edge_breakpoint[kept])
    edge_row = np.where(code[kept] >= FIRST_SIDE, -1 - (code[kept] - FIRST_SIDE), row).astype(np.int32)
    sides, tokens = _sides(partition, code, number, port_edge, cell)
    faces = partition.regions
    signs = partition.activation_pattern()
    on, zeros = signs > 0, np.argwhere(signs == 0).astype(np.int32)
    level_rows = signs.shape[1] - rows_of.count
    words = -(-rows_of.count // 64)
    packed = np.zeros((faces, 8 * words), np.uint8)
    bytes_ = np.packbits(on[:, : rows_of.count], axis=1, bitorder="little")
    packed[:, : bytes_.shape[1]] = bytes_
    level = on[:, rows_of.count].astype(np.uint64) if level_rows else np.zeros(faces, np.uint64)
    also_row = rows_of.of_edges(partition.edge_also[:, 0], partition.edge_also[:, 1], partition.edge_also_breakpoint)
    also_edge = new[np.repeat(np.arange(len(edges)), np.diff(partition.edge_also_offsets))]
    on_level = partition.edge_on_level & (partition.edge_layer != rows_of.layers)
    values = partition.values - (partition.level or 0.0)
    return Pieces(
        vertices=np.ascontiguousarray(np.column_stack([partition.vertices, values])[~at_border]),
        edges=ends,
        edge_row=edge_row,
        following=after,
        edge_faces=partition.edge_faces[kept],
        bits=level,
        face_cell=np.arange(faces, dtype=np.int32),
        port_edge=port_edge,
        sides=sides,
        tokens=tokens,
        cells=np.repeat(np.array([[x, y, size, 0]], np.int64), faces, axis=0),
        rows=np.empty(0, np.int32),
        on=packed.view(np.uint64),
        zeros=zeros,
        also=np.column_stack([also_edge, also_row]).astype(np.int32)[also_edge >= 0],
        level_edges=new[on_level & ~own],
        left=np.empty((0, 3), np.int64),
    )


def _sides(
    partition: Partition, code: Int, number: Int, port_edge: Int, cell: tuple[int, int, int]
) -> tuple[NDArray[np.int64], Int]:
    x, y, size = cell
    sides, tokens = [], [np.empty(0, np.int32)]
    for side in range(FIRST_SIDE):
        edges = np.flatnonzero(code == side)
        if not len(edges):
            continue
        axis = 1 if side < 2 else 0
        ends = partition.edges[edges]
        place = partition.vertices[ends, axis]
        ends = np.where((place[:, 0] <= place[:, 1])[:, None], ends, ends[:, ::-1])
        order = np.argsort(place.sum(axis=1), kind="stable")
        edges, ends = edges[order], ends[order]
        faces = partition.edge_faces[edges].max(axis=1)
        ports = number[np.append(ends[:, 0], ends[-1, 1])]
        along = np.empty(2 * len(edges) + 1, np.int32)
        along[::2], along[1::2] = ports, faces
        along = along[(along >= 0) | (port_edge[np.where(along < 0, -1 - along, 0)] >= 0)]
        begin = sum(map(len, tokens))
        line = (x if side == 0 else x + size) if side < 2 else (y if side == 2 else y + size)
        first = y if side < 2 else x
        sides.append((0 if side < 2 else 1, line, first, int(side % 2 == 0), begin, begin + len(along), first + size))
        tokens.append(along)
    return np.array(sides, np.int64).reshape(-1, 7), np.concatenate(tokens)
