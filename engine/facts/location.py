"""Which region holds a point, and which edge is nearest to it."""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.machine.jit import inline, kernel
from engine.planar_map.planar_map import BORDER, OUTSIDE, Partition

_FAN_OUT = 8
_LEVELS = 12  # of the tree: 8 ** 12 faces are more than an int32 counts
_CURVE_BITS = 16


@dataclass(frozen=True, eq=False, slots=True)
class Location:
    """An index of a partition's faces by where they are: a packed tree of boxes.

    Faces are sorted along a Hilbert curve and boxed by eights, these boxes by eights again, and so on (Kamel and
    Faloutsos, "On Packing R-trees", 1993), so that neither tiny nor long thin faces make it larger or deeper.

    order (F,) int32: the faces along the curve; boxes (B, 4) float64: lower and upper corners, those of the groups of
    eight faces first, the box of all last; level_starts (L + 1,) int32: where each level of boxes starts; border (M,)
    int32: the edges of the domain's border.
    """

    partition: Partition
    order: Int
    boxes: Float
    level_starts: Int
    border: Int

    @classmethod
    def build(cls, partition: Partition) -> Self:
        """Index a partition; the index reads its arrays, it does not copy them."""
        count = partition.regions
        face_boxes, keys = np.empty((count, 4)), np.empty(count, np.uint64)
        domain = (partition.vertices.min(axis=0), partition.vertices.max(axis=0))
        _box_faces(partition.face_offsets, partition.face_vertices, partition.vertices, *domain, face_boxes, keys)
        keys.sort()
        order = (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
        sizes = [-(-count // _FAN_OUT)]
        while sizes[-1] > 1:
            sizes.append(-(-sizes[-1] // _FAN_OUT))
        level_starts = np.cumsum([0, *sizes]).astype(np.int32)
        boxes = np.empty((int(level_starts[-1]), 4))
        _pack(face_boxes, order, level_starts, boxes)
        border = np.flatnonzero(partition.edge_layer == BORDER).astype(np.int32)
        for array in (order, boxes, level_starts, border):
            array.setflags(write=False)
        return cls(partition, order, boxes, level_starts, border)

    def region_at(self, points: ArrayLike) -> Int:
        """(N,) int32: the region that holds each point (N, 2) of the plane; -1 outside the domain, which is closed.

        A point on an edge belongs to one of its faces, always the same.  Every point of the domain gets a region, also
        where rounding has bent or turned over small faces.
        """
        where, partition = _points(points), self.partition
        regions = np.empty(len(where), np.int32)
        _locate(
            where, self.order, self.boxes, self.level_starts, partition.face_offsets, partition.face_vertices,
            partition.face_edges, partition.edge_faces, partition.vertices, regions,
        )  # fmt: skip
        return regions

    def nearest_edge(self, points: ArrayLike) -> tuple[Int, Float]:
        """(N,) int32 the edge nearest to each point (N, 2) of the plane, and (N,) float64 how far it is.

        Of several at the same distance, one of the face that holds the point, then the first.  A point that is not
        finite has none: -1, infinitely far.
        """
        # the straight way to the nearest edge crosses no other: it stays in the point's face, or outside the domain
        where = _points(points)
        regions = self.region_at(where)
        edges, distances = np.empty(len(where), np.int32), np.empty(len(where))
        partition = self.partition
        _find_nearest(
            where, regions, self.border, partition.face_offsets, partition.face_edges, partition.edges,
            partition.vertices, edges, distances,
        )  # fmt: skip
        return edges, distances


def _points(points: ArrayLike) -> Float:
    where = np.ascontiguousarray(points, np.float64)
    if where.ndim != 2 or where.shape[1] != 2:
        raise EngineError(f"points of a plane are an array of shape (N, 2), not {where.shape}")
    return where


@inline
def _curve_position(x, y):
    """How far along the Hilbert curve through a square of 2 ** 16 cells a side the cell (x, y) is."""
    position = np.uint64(0)
    side = np.int64(1) << (_CURVE_BITS - 1)
    while side > 0:
        right, up = (x & side) > 0, (y & side) > 0
        position = position * np.uint64(4) + np.uint64(3 * right ^ up)
        if not up:
            if right:
                x, y = ~x, ~y
            x, y = y, x
        side >>= 1
    return position


@kernel
def _box_faces(offsets, face_vertices, vertices, lower, upper, boxes, keys):
    """The box of each face, and the key to sort it by: the place of the box's centre on the curve, then the face."""
    cells = 2.0**_CURVE_BITS
    scale_x, scale_y = cells / (upper[0] - lower[0]), cells / (upper[1] - lower[1])
    for f in range(len(offsets) - 1):
        v = face_vertices[offsets[f]]
        x0, y0 = vertices[v, 0], vertices[v, 1]
        x1, y1 = x0, y0
        for i in range(offsets[f] + 1, offsets[f + 1]):
            v = face_vertices[i]
            x, y = vertices[v, 0], vertices[v, 1]
            x0, x1 = min(x0, x), max(x1, x)
            y0, y1 = min(y0, y), max(y1, y)
        boxes[f, 0], boxes[f, 1], boxes[f, 2], boxes[f, 3] = x0, y0, x1, y1
        column = np.int64(min((0.5 * (x0 + x1) - lower[0]) * scale_x, cells - 1.0))
        row = np.int64(min((0.5 * (y0 + y1) - lower[1]) * scale_y, cells - 1.0))
        keys[f] = _curve_position(column, row) << np.uint64(32) | np.uint64(f)


@inline
def _join(boxes, target, box):
    for side in range(2):
        boxes[target, side] = min(boxes[target, side], box[side])
        boxes[target, 2 + side] = max(boxes[target, 2 + side], box[2 + side])


@kernel
def _pack(face_boxes, order, level_starts, boxes):
    """Box the faces in their order by eights, and level by level the boxes."""
    boxes[:, :2] = np.inf
    boxes[:, 2:] = -np.inf
    for i in range(len(order)):
        _join(boxes, i // _FAN_OUT, face_boxes[order[i]])
    for level in range(1, len(level_starts) - 1):
        below, here = level_starts[level - 1], level_starts[level]
        for i in range(below, here):
            _join(boxes, here + (i - below) // _FAN_OUT, boxes[i])


@kernel
def _locate(points, order, boxes, level_starts, offsets, face_vertices, face_edges, edge_faces, vertices, regions):
    """regions[n] = the first face in the tree around which points[n] has a positive winding number, or -1."""
    top = len(level_starts) - 2
    last_x = boxes[len(boxes) - 1, 2]
    node_stack, level_stack = np.empty((2, _LEVELS * _FAN_OUT), np.int32)
    for n in range(len(points)):
        x, y = points[n, 0], points[n, 1]
        regions[n] = OUTSIDE
        node_stack[0], level_stack[0], depth = 0, top, 1
        while depth > 0 and regions[n] < 0:
            depth -= 1
            node, level = node_stack[depth], level_stack[depth]
            box = boxes[level_starts[level] + node]
            if not (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
                continue
            first = node * _FAN_OUT
            if level > 0:
                size = level_starts[level] - level_starts[level - 1]
                for child in range(first, min(first + _FAN_OUT, size)):
                    node_stack[depth], level_stack[depth] = child, level - 1
                    depth += 1
                continue
            for i in range(first, min(first + _FAN_OUT, len(order))):
                f = order[i]
                if _winding(x, y, last_x, f, offsets, face_vertices, face_edges, edge_faces, vertices) > 0:
                    regions[n] = f
                    break


@inline
def _winding(x, y, last_x, f, offsets, face_vertices, face_edges, edge_faces, vertices):
    """How often the face's loop winds around a point: edges below it that run right less those that run left.

    Summed over all faces, edges inside the domain cancel, since both their faces see the same sign; what remains is 1
    in the domain and 0 outside.  So each point of the domain has a face with a positive number, whatever rounding does.
    """
    start, stop = offsets[f], offsets[f + 1]
    winding = 0
    v = face_vertices[stop - 1]
    bx, by = vertices[v, 0], vertices[v, 1]
    for i in range(start, stop):
        ax, ay = bx, by
        v = face_vertices[i]
        bx, by = vertices[v, 0], vertices[v, 1]
        rightward = ax < bx
        if rightward:
            lx, ly, rx, ry = ax, ay, bx, by
        else:
            lx, ly, rx, ry = bx, by, ax, ay
        # an edge has its left end but not its right one, so that of two that meet one counts; but the last have both
        if not (lx <= x < rx or (x == last_x and lx < x == rx)):
            continue
        # beyond the edge's height, height decides: a point outside the face's box is never between its edges
        if not min(ly, ry) <= y <= max(ly, ry):
            side = y - ly
        elif x == rx:
            side = y - ry
        else:
            side = (rx - lx) * (y - ly) - (ry - ly) * (x - lx)
        if side > 0.0:
            winding += 1 if rightward else -1
        elif side == 0.0:
            # the point counts as above, but the domain's upper border belongs to the domain
            e = face_edges[i - 1 if i > start else stop - 1]
            if rightward:
                winding += 1
            elif edge_faces[e, 0] >= 0 and edge_faces[e, 1] >= 0:
                winding -= 1
    return winding


@kernel
def _find_nearest(points, regions, border, offsets, face_edges, edges, vertices, nearest, distances):
    """The nearest of the edges of each point's face, or of the border where it has none."""
    for n in range(len(points)):
        f = regions[n]
        candidates = border if f < 0 else face_edges[offsets[f] : offsets[f + 1]]
        best, best_squared = -1, np.inf
        for e in candidates:
            ax, ay = vertices[edges[e, 0], 0], vertices[edges[e, 0], 1]
            dx, dy = vertices[edges[e, 1], 0] - ax, vertices[edges[e, 1], 1] - ay
            px, py = points[n, 0] - ax, points[n, 1] - ay
            squared = dx * dx + dy * dy
            t = (px * dx + py * dy) / squared if squared > 0.0 else 0.0
            t = min(max(t, 0.0), 1.0)
            qx, qy = px - t * dx, py - t * dy
            q = qx * qx + qy * qy
            if q < best_squared or (q == best_squared and e < best):
                best, best_squared = e, q
        nearest[n] = best
        distances[n] = np.sqrt(best_squared)
