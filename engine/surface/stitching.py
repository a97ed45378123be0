"""Kernels: polygons that know the regions beyond their edges become a mesh with shared vertices and edges.

No coordinates are compared: two half-edges are one edge when each leads to the other's polygon, and two corners are one
vertex when such edges join them.  An edge that only one of its polygons has is shorter than rounding can tell; it is
collapsed.
"""

from __future__ import annotations

import numpy as np

from engine.machine.jit import inline, kernel
from engine.surface.region_table import OUTSIDE

BORDER = -1
UNMATCHED = -2


@kernel
def match_edges(offsets, beyond, positions, uncertainties, short, sides, labels, owner, twin):
    """twin (H,) int32: the same edge in the other polygon, BORDER, or UNMATCHED; owner (H,): the polygon of each.

    offsets (F + 1,); beyond (H,): polygons, as OUTSIDE and UNKNOWN are; positions (H, 3) of the half-edges' starts, and
    their uncertainties (H,): the ends of one edge in two polygons are no farther apart than these and `short` allow.
    Where an edge lies in a side of the box, sides (H,), and no polygon has it too, the surface leaves the box: that
    side becomes its label, in labels (H,).
    """
    for f in range(len(offsets) - 1):
        for h in range(offsets[f], offsets[f + 1]):
            owner[h] = f
            twin[h] = BORDER if beyond[h] == OUTSIDE else UNMATCHED
    for f in range(len(offsets) - 1):
        for h in range(offsets[f], offsets[f + 1]):
            if twin[h] != UNMATCHED:
                continue
            g = beyond[h]
            best, least = -1, np.inf
            if g >= 0:
                for other in range(offsets[g], offsets[g + 1]):
                    if beyond[other] == f and twin[other] == UNMATCHED and other != h:
                        gap = _gap(h, other, offsets, owner, positions)
                        if gap < least:
                            best, least = other, gap
            if best >= 0 and _may_match(h, best, offsets, owner, positions, uncertainties, short):
                twin[h], twin[best] = best, h
            elif sides[h] != 0:
                twin[h], labels[h] = BORDER, sides[h]


@inline
def _after(h, offsets, owner):
    return h + 1 if h + 1 < offsets[owner[h] + 1] else offsets[owner[h]]


@inline
def _gap(h, other, offsets, owner, positions):
    """How far the middles of two half-edges are apart, squared and fourfold."""
    a, b = _after(h, offsets, owner), _after(other, offsets, owner)
    total = 0.0
    for d in range(3):
        gap = positions[h, d] + positions[a, d] - positions[other, d] - positions[b, d]
        total += gap * gap
    return total


@inline
def _may_be_one(i, j, positions, uncertainties, short):
    """Whether two corners can be the same point."""
    total, allowed = 0.0, uncertainties[i] + uncertainties[j] + short
    for d in range(3):
        total += (positions[i, d] - positions[j, d]) ** 2
    return total <= allowed * allowed


@inline
def _may_match(h, other, offsets, owner, positions, uncertainties, short):
    """Whether two half-edges can be the same edge."""
    after, stop = _after(h, offsets, owner), _after(other, offsets, owner)
    return _may_be_one(h, stop, positions, uncertainties, short) and _may_be_one(
        after, other, positions, uncertainties, short
    )


@inline
def _root(parents, i):
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@inline
def _join(parents, i, j):
    """The smaller number becomes the root, so that numbers come out in order."""
    i, j = _root(parents, i), _root(parents, j)
    if i < j:
        parents[j] = i
    elif j < i:
        parents[i] = j


@inline
def _take_out(h, owner, left, before, following, corners):
    """Take a half-edge out of its loop: its ends become one."""
    after = following[h]
    _join(corners, h, after)
    following[before[h]], before[after] = after, before[h]
    following[h] = -1
    left[owner[h]] -= 1


@inline
def _drop_polygon(f, offsets, labels, twin, left, following, corners, pending, waiting):
    """Drop polygon f where it has less than three edges left: the polygons beyond them meet.  A half-edge that is alone
    thereafter goes to `pending`; returns the new number of those that wait there.
    """
    if left[f] == 0 or left[f] > 2:
        return waiting
    one = offsets[f]
    while following[one] < 0:
        one += 1
    other = following[one]
    s, t = twin[one], twin[other] if other != one else UNMATCHED
    for n in range(2):
        lone, new, across = (s, t, other) if n == 0 else (t, s, one)
        if lone >= 0:
            twin[lone] = new
            if new == BORDER:
                labels[lone] = labels[across]
            elif new == UNMATCHED:
                pending[waiting] = lone
                waiting += 1
    # the corners of the lost polygon hold those of its neighbours together
    if s >= 0:
        _join(corners, one, following[s])
        _join(corners, other, s)
    if t >= 0:
        _join(corners, other, following[t])
        _join(corners, one, t)
    following[one], following[other] = -1, -1
    left[f] = 0
    return waiting


@inline
def _join_matched(twin, following, corners):
    """Join the corners that matched half-edges share."""
    for h in range(len(twin)):
        if following[h] >= 0 and twin[h] >= 0:
            _join(corners, h, following[twin[h]])
            _join(corners, following[h], twin[h])


@kernel
def collapse_edges(offsets, positions, owner, short, labels, twin, following, corners):
    """Take unmatched half-edges up to `short` out of their loops, then edges whose ends became one vertex, with
    polygons of which fewer than three edges are left.

    following (H,) int32: the next half-edge of each loop, -1 for those taken out.  corners (H,) int32: a forest that
    joins the corners that are one vertex.  Returns the number of edges collapsed.
    """
    before = np.empty(len(owner), np.int32)
    left = np.empty(len(offsets) - 1, np.int32)
    pending = np.empty(len(owner) + len(offsets), np.int32)  # each half-edge, and one for each polygon that is dropped
    waiting = 0
    for f in range(len(left)):
        left[f] = offsets[f + 1] - offsets[f]
        for h in range(offsets[f], offsets[f + 1]):
            following[h] = _after(h, offsets, owner)
            before[following[h]] = h
            corners[h] = h
    for h in range(len(owner)):
        if twin[h] == UNMATCHED:
            pending[waiting] = h
            waiting += 1
    collapsed = 0
    while True:
        while waiting > 0:
            waiting -= 1
            h = pending[waiting]
            if following[h] < 0:
                continue
            t = twin[h]
            if _root(corners, h) != _root(corners, following[h]):
                total = 0.0
                for d in range(3):
                    total += (positions[h, d] - positions[following[h], d]) ** 2
                if t != UNMATCHED or total > short * short:
                    continue
            collapsed += 1
            _take_out(h, owner, left, before, following, corners)
            if t >= 0:
                _take_out(t, owner, left, before, following, corners)
                waiting = _drop_polygon(owner[t], offsets, labels, twin, left, following, corners, pending, waiting)
            waiting = _drop_polygon(owner[h], offsets, labels, twin, left, following, corners, pending, waiting)
        _join_matched(twin, following, corners)
        for h in range(len(owner)):
            if following[h] >= 0 and twin[h] < h and _root(corners, h) == _root(corners, following[h]):
                pending[waiting] = h
                waiting += 1
        if waiting == 0:
            return collapsed


@kernel
def number_vertices(following, corners, positions, uncertainties):
    """Numbers of the corners' vertices (H,) int32, and the vertices (V, 3): of each the corner known best.
    Also spread: the largest distance of a corner from its vertex.
    """
    vertex = np.full(len(corners), -1, np.int32)
    best = np.full(len(corners), -1, np.int32)
    for h in range(len(corners)):
        if following[h] < 0:
            continue
        root = _root(corners, h)
        b = best[root]
        if b < 0 or uncertainties[h] < uncertainties[b]:
            best[root] = h
    count = 0
    for h in range(len(corners)):
        if following[h] < 0:
            continue
        root = _root(corners, h)
        if vertex[root] < 0:
            vertex[root] = count
            count += 1
    vertices = np.empty((count, 3))
    spread = 0.0
    for h in range(len(corners)):
        if following[h] >= 0:
            root = _root(corners, h)
            vertex[h] = vertex[root]
            total = 0.0
            for d in range(3):
                vertices[vertex[h], d] = positions[best[root], d]
                total += (positions[h, d] - positions[best[root], d]) ** 2
            spread = max(spread, total)
    return vertex, vertices, np.sqrt(spread)


@kernel
def list_mesh(offsets, owner, twin, following, vertex, labels):
    """The mesh in flat arrays: for the polygons that are left (kept (F',) int32) face_offsets (F' + 1,), face_vertices
    and face_edges (H',); edges (E, 2), edge_faces (E, 2) int32, and edge_labels (E,) int32.
    """
    faces = len(offsets) - 1
    number = np.full(faces, -1, np.int32)
    kept, count, size = np.empty(faces, np.int32), 0, 0
    for f in range(faces):
        corners = 0
        for h in range(offsets[f], offsets[f + 1]):
            corners += following[h] >= 0
        if corners > 0:
            number[f], kept[count] = count, f
            count += 1
            size += corners
    face_offsets, face_vertices = np.zeros(count + 1, np.int32), np.empty(size, np.int32)
    edge_count = 0
    to = 0
    for n in range(count):
        f = kept[n]
        for h in range(offsets[f], offsets[f + 1]):
            if following[h] >= 0:
                face_vertices[to] = vertex[h]
                to += 1
                edge_count += twin[h] < 0 or twin[h] > h
        face_offsets[n + 1] = to
    edges, edge_faces = np.empty((edge_count, 2), np.int32), np.empty((edge_count, 2), np.int32)
    edge_labels = np.empty(edge_count, np.int32)
    face_edges, name = np.empty(size, np.int32), np.empty(len(twin), np.int32)
    e, to = 0, 0
    for n in range(count):
        f = kept[n]
        for h in range(offsets[f], offsets[f + 1]):
            if following[h] < 0:
                continue
            to += 1
            if 0 <= twin[h] < h:
                face_edges[to - 1] = name[twin[h]]
                continue
            face_edges[to - 1] = name[h] = e
            edges[e, 0], edges[e, 1] = vertex[h], vertex[following[h]]
            edge_faces[e, 0] = n
            edge_faces[e, 1] = OUTSIDE
            edge_labels[e] = labels[h]
            if twin[h] >= 0:
                edge_labels[e] = min(labels[h], labels[twin[h]])
                edge_faces[e, 1] = number[owner[twin[h]]]
            e += 1
    return kept[:count], face_offsets, face_vertices, face_edges, edges, edge_faces, edge_labels


@kernel
def label_components(faces, edge_faces):
    """component (F,) int32 of each face, numbered in the order of their first faces; returns it and their number."""
    parents = np.arange(faces).astype(np.int32)
    for e in range(len(edge_faces)):
        if edge_faces[e, 1] >= 0:
            _join(parents, edge_faces[e, 0], edge_faces[e, 1])
    component = np.empty(faces, np.int32)
    count = 0
    for f in range(faces):
        root = _root(parents, f)
        if root == f:
            component[f] = count
            count += 1
        else:
            component[f] = component[root]
    return component, count
