"""Kernels: the polygon of the level surface in each region, and the region beyond each of its edges.

A region is handled around a reference point near the polygon.  There the output is an affine function, whose zeros
are a plane; the polygon is that plane cut by the half-spaces of the rows, found in coordinates (s, t) on the plane that
turn counter-clockwise around the gradient.  Only rows that come near the point are tried: those that could meet the
square of half-width r around it.  When a side of that square is left over in the end, r was too small.

A region of a trained 8x64 network takes 8 us on one core (AMD EPYC, Zen 3).  More than half of that are the maps,
two thirds of them the sums of products; a fifth is finding the rows that come near, a fifth cutting.
"""

from __future__ import annotations

import numpy as np

from engine.exactness.predicates import map_tolerance
from engine.machine.growing_arrays import grown, grown_rows
from engine.machine.jit import inline, inner, inner_sum, kernel
from engine.surface.map_builder import maps_of_region, workspace
from engine.tolerances import POINT, QUOTIENT, SMALLEST_SQUARE, UNIT_ROUNDOFF

SQUARE = -16  # label of the square's sides
NO_WALK = -1  # the region beyond an edge has the same signature but for the edge's row
LOST = -2  # the region beyond an edge was not found
EMPTY = 0  # number of corners where there is no polygon
SHARED = 1


@inner
def _clip(polygon, labels, marks, count, near, near_row, rows, spare, signs):
    """Keep s a + t b + z >= 0 of a convex polygon, for each row of near (., 4), which has a, b, z and a tolerance.

    polygon: its corners (s, t, uncertainty); labels of the edges after the corners: rows before sides of the domain,
    and the first of them; marks: 1 (SHARED) where there are several, plus twice the number, 1 to 6, of a side that the
    edge lies in.  Returns the number of corners, whether some row or side vanishes on all of the polygon, and the
    number of such a side, or 0.
    """
    vanishes, lies_in = False, 0
    for n in range(rows):
        a, b, z, tolerance, label = near[n, 0], near[n, 1], near[n, 2], near[n, 3], near_row[n]
        slope = np.sqrt(a * a + b * b)
        best, best_value, below, above = 0, -np.inf, 0, 0
        for i in range(count):
            value = a * polygon[i, 0] + b * polygon[i, 1] + z
            bound = tolerance + slope * polygon[i, 2]
            spare[i, 0], spare[i, 1] = value, bound
            if value > bound:
                signs[i] = 1
                above += 1
            elif value < -bound:
                signs[i] = -1
                below += 1
            else:
                signs[i] = 0
            if value > best_value:
                best, best_value = i, value
        if above == 0:
            if below > 0:
                return 0, vanishes, lies_in
            vanishes = True
            if label < 0 and lies_in == 0:
                lies_in = -label
        elif below == 0:
            if above < count - 1:
                for i in range(count):
                    if signs[i] == 0 and signs[(i + 1) % count] == 0:
                        marks[i] = _marks_of(label, marks[i]) | SHARED
                        labels[i] = _first_label(labels[i], label)
        else:
            count = _cut(polygon, labels, marks, count, best, slope, label, spare, signs)
    return count, vanishes, lies_in


@inline
def _cut(polygon, labels, marks, count, best, slope, label, spare, signs):
    """Replace the corners around those with a sign that is not positive by two on the row; returns their number."""
    # from the corner farthest inside, forward and backward to the first ones that are not
    last = best
    while signs[(last + 1) % count] > 0:
        last = (last + 1) % count
    first = best
    while signs[(first - 1 + count) % count] > 0:
        first = (first - 1 + count) % count
    out, back = (last + 1) % count, (first - 1 + count) % count
    leave, enter = count, count + 1
    _cross(polygon, signs, spare, last, out, slope, leave)
    _cross(polygon, signs, spare, first, back, slope, enter)
    enter_label, enter_marks = labels[back], marks[back]
    size = (last - first + count) % count + 1
    # the corners first..last move to the front; spare's rows from `base` on hold them meanwhile
    base = count + 2
    for n in range(size):
        i = (first + n) % count
        spare[base + n, 0], spare[base + n, 1], spare[base + n, 2] = polygon[i, 0], polygon[i, 1], polygon[i, 2]
        signs[base + n] = labels[i]
        signs[base + size + n] = marks[i]
    for c in range(3):
        polygon[0, c] = spare[enter, c]
        polygon[size + 1, c] = spare[leave, c]
    labels[0], marks[0] = enter_label, enter_marks
    labels[size + 1], marks[size + 1] = label, _marks_of(label, 0)
    for n in range(size):
        for c in range(3):
            polygon[n + 1, c] = spare[base + n, c]
        labels[n + 1], marks[n + 1] = signs[base + n], signs[base + size + n]
    return size + 2


@inline
def _first_label(one, other):
    """The square's sides come before rows, earlier ones before later ones, and those before sides of the domain."""
    if min(one, other) == SQUARE:
        return SQUARE
    return min(one, other) if (one < 0) == (other < 0) else max(one, other)


@inline
def _marks_of(label, marks):
    """The marks of an edge that lies in the side of the domain that a label is, too: the side that labels it."""
    return max(marks & ~SHARED, -2 * label) | (marks & SHARED) if label < 0 else marks


@inner
def _cross(polygon, signs, spare, inside, outside, slope, result):
    """Into spare[result]: where the edge between two corners crosses the row, or the outer one if it lies on it."""
    if signs[outside] == 0:
        for c in range(3):
            spare[result, c] = polygon[outside, c]
        return
    z0, z1, bound0, bound1 = spare[inside, 0], spare[outside, 0], spare[inside, 1], spare[outside, 1]
    t = z0 / (z0 - z1)
    ds, dt = polygon[outside, 0] - polygon[inside, 0], polygon[outside, 1] - polygon[inside, 1]
    length = np.sqrt(ds * ds + dt * dt)
    # the bounds hold the corners' own uncertainty, which counts below: along the edge only the row's is new
    new = (1.0 - t) * (bound0 - slope * polygon[inside, 2]) + t * (bound1 - slope * polygon[outside, 2])
    spare[result, 0], spare[result, 1] = polygon[inside, 0] + t * ds, polygon[inside, 1] + t * dt
    uncertainty = (1.0 - t) * polygon[inside, 2] + t * polygon[outside, 2]
    spare[result, 2] = uncertainty + (new / (z0 - z1) + QUOTIENT) * length


@inner
def _basis(g0, g1, g2, size, frame):
    """frame (3, 3): directions s and t in the plane across a gradient of that size, and the gradient's."""
    n0, n1, n2 = g0 / size, g1 / size, g2 / size
    frame[2, 0], frame[2, 1], frame[2, 2] = n0, n1, n2
    least = 0
    for d in range(3):
        if abs(frame[2, d]) < abs(frame[2, least]):
            least = d
    x0, x1, x2 = 1.0 * (least == 0), 1.0 * (least == 1), 1.0 * (least == 2)
    along = n0 * x0 + n1 * x1 + n2 * x2
    x0, x1, x2 = x0 - along * n0, x1 - along * n1, x2 - along * n2
    length = np.sqrt(x0 * x0 + x1 * x1 + x2 * x2)
    x0, x1, x2 = x0 / length, x1 / length, x2 / length
    frame[0, 0], frame[0, 1], frame[0, 2] = x0, x1, x2
    frame[1, 0], frame[1, 1], frame[1, 2] = n1 * x2 - n2 * x1, n2 * x0 - n0 * x2, n0 * x1 - n1 * x0


@inner_sum
def _clearances(lo, hi, maps, sizes, bias, reach, frame, clearances):
    """For the neurons lo..hi at a breakpoint of zero: negative where one is farther than `reach` from the reference
    point on the plane: its value against the change that its gradient can make, squared.
    """
    u0, u1, u2, v0, v1, v2 = frame[0, 0], frame[0, 1], frame[0, 2], frame[1, 0], frame[1, 1], frame[1, 2]
    factor = 1.01 * reach * reach
    for k in range(np.uint64(lo), np.uint64(hi)):  # without a sign, so that no index counts from the end
        a = maps[0, k] * u0 + maps[1, k] * u1 + maps[2, k] * u2
        b = maps[0, k] * v0 + maps[1, k] * v1 + maps[2, k] * v2
        bound = map_tolerance(sizes[0, k], sizes[1, k], reach, abs(bias[k]))
        # the square of a sum is at most 1.01 times the one's plus 101 times the other's
        clearances[k] = factor * (a * a + b * b) + 101.0 * bound * bound - maps[3, k] * maps[3, k]


@inner
def _near_rows(layers, maps, sizes, frame, bits, reach, clearances, near, near_row, count):
    """List the rows that come nearer to the reference point than `reach` on the plane, after the first `count`: their
    a, b, z and tolerance in near (., 4), positive inside the region, and near_row (.,); returns their number.
    clearances (N,): room.
    """
    first_neuron, first_row, row_breakpoint = layers.first_neuron, layers.first_row, layers.row_breakpoint
    bias = layers.bias
    for m in range(len(first_neuron) - 2):
        lo, hi = first_neuron[m], first_neuron[m + 1]
        if layers.rectified[m]:
            _clearances(lo, hi, maps, sizes, bias, reach, frame, clearances)
            row = first_row[lo] - lo
            for k in range(lo, hi):
                if clearances[k] >= 0.0:
                    bound = map_tolerance(sizes[0, k], sizes[1, k], reach, abs(bias[k]))
                    _list_row(row + k, k, 0.0, bound, maps, frame, bits, near, near_row, count)
                    count += 1
        else:
            for r in range(first_row[lo], first_row[hi]):
                k, at = layers.row_neuron[r], row_breakpoint[r]
                bound = map_tolerance(sizes[0, k], sizes[1, k], reach, abs(bias[k]) + abs(at))
                _list_row(r, k, at, bound, maps, frame, bits, near, near_row, count)
                a, b, z = near[count, 0], near[count, 1], near[count, 2]
                count += z * z <= 1.01 * reach * reach * (a * a + b * b) + 101.0 * bound * bound
    return count


@inline
def _list_row(r, k, at, bound, maps, frame, bits, near, near_row, n):
    """List row r, neuron k at a breakpoint, as number n of the near ones."""
    inside = 1.0 if (bits[r >> 6] >> np.uint64(r & 63)) & np.uint64(1) else -1.0
    near[n, 0] = inside * (maps[0, k] * frame[0, 0] + maps[1, k] * frame[0, 1] + maps[2, k] * frame[0, 2])
    near[n, 1] = inside * (maps[0, k] * frame[1, 0] + maps[1, k] * frame[1, 1] + maps[2, k] * frame[1, 2])
    near[n, 2], near[n, 3], near_row[n] = inside * (maps[3, k] - at), bound, r


@inline
def _near_sides(box, point, frame, reach, near, near_row):
    """List the sides of the box in the same way; returns their number."""
    count = 0
    for side in range(6):
        d = side >> 1
        inside = 1.0 if side & 1 == 0 else -1.0
        z = inside * (point[d] - box[side & 1, d])
        if z <= reach:
            near[count, 0], near[count, 1], near[count, 2] = inside * frame[0, d], inside * frame[1, d], z
            near[count, 3] = POINT * max(abs(box[0, d]), abs(box[1, d]))
            near_row[count] = -1 - side
            count += 1
    return count


@inner
def _onto_plane(maps, output, frame, value, size, point):
    """Move the reference point onto the plane on which the output vanishes, with all the maps' values."""
    d0, d1, d2 = -frame[2, 0] * value / size, -frame[2, 1] * value / size, -frame[2, 2] * value / size
    point[0], point[1], point[2] = point[0] + d0, point[1] + d1, point[2] + d2
    for k in range(np.uint64(0), np.uint64(output)):
        maps[3, k] += d0 * maps[0, k] + d1 * maps[1, k] + d2 * maps[2, k]


@inner
def polygon_of_region(layers, box, bits, point, radius, room, frame, polygon, labels, marks, buffers):
    """Find the polygon of one region: corners in `polygon`, the frame of its plane, and `point` moved onto the plane.

    Returns (corners, whether some row vanishes on all of it, the gradient's size, how many rows are in the buffer
    `near`).  labels, marks: see _clip.
    """
    near, near_row, clearances, spare, signs, identity = buffers
    maps, sizes = room[0], room[5]
    maps_of_region(layers, bits, identity, point, room)
    output = len(layers.bias) - 1
    g0, g1, g2, value = maps[0, output], maps[1, output], maps[2, output], maps[3, output]
    size = np.sqrt(g0 * g0 + g1 * g1 + g2 * g2)
    if size <= map_tolerance(sizes[1, output], 0.0, 0.0, 0.0):
        return EMPTY, False, size, 0
    _basis(g0, g1, g2, size, frame)
    _onto_plane(maps, output, frame, value, size, point)
    diameter = 0.0
    for d in range(3):
        diameter += (box[1, d] - box[0, d]) ** 2
    diameter = np.sqrt(diameter)
    half = min(max(radius, SMALLEST_SQUARE * diameter), diameter)
    while True:
        polygon[0, 0], polygon[1, 0], polygon[2, 0], polygon[3, 0] = -half, half, half, -half
        polygon[0, 1], polygon[1, 1], polygon[2, 1], polygon[3, 1] = -half, -half, half, half
        for i in range(4):
            polygon[i, 2], labels[i], marks[i] = UNIT_ROUNDOFF * half, SQUARE, 0
        reach = 1.4143 * half
        rows = _near_sides(box, point, frame, reach, near, near_row)
        rows = _near_rows(layers, maps, sizes, frame, bits, reach, clearances, near, near_row, rows)
        count, vanishes, lies_in = _clip(polygon, labels, marks, 4, near, near_row, rows, spare, signs)
        if count < 3:
            return EMPTY, vanishes, size, rows
        open_ = False
        for i in range(count):
            open_ |= labels[i] == SQUARE
        if not open_ or half >= diameter:
            if lies_in != 0:
                for i in range(count):
                    if marks[i] <= SHARED:
                        marks[i] += 2 * lies_in
            return count, vanishes, size, rows
        half = min(4.0 * half, diameter)


@inner
def _aside(polygon, count, n, off, near, rows):
    """How uncertain the middle of the edge after corner n is, across the edge: as the rows that vanish on it are there.

    Its ends may be far more uncertain, but along the edge: where a crease crosses it at a small angle to the facet.
    off: how uncertain the facet's plane is.
    """
    following = n + 1 if n + 1 < count else 0
    s, t = 0.5 * (polygon[n, 0] + polygon[following, 0]), 0.5 * (polygon[n, 1] + polygon[following, 1])
    result = UNIT_ROUNDOFF * (abs(s) + abs(t))
    for r in range(rows):
        a, b, z, tolerance = near[r, 0], near[r, 1], near[r, 2], near[r, 3]
        slope = np.sqrt(a * a + b * b)
        on_edge, on_all = True, True
        for i in range(count):
            if abs(a * polygon[i, 0] + b * polygon[i, 1] + z) > tolerance + slope * polygon[i, 2]:
                on_edge, on_all = on_edge and i not in (n, following), False
        if on_edge and not on_all:
            result = max(result, (abs(a * s + b * t + z) + tolerance) / slope)
    return min(result + off, max(polygon[n, 2], polygon[following, 2]))


@kernel
def find_polygons(lo, hi, layers, box, signatures, points, radii):
    """The polygons of the regions lo..hi, around their reference points (n, 3), guessing their radii (n,).

    Returns counts (n,) int32 of corners (EMPTY), gradients (n, 3), areas (n,), radii (n,) found, then for all
    corners in order: positions (H, 3), uncertainties (H,), labels (H,) int32 of the edges that follow them (a row; -1
    to -6: a side of the box), sides (H,) int8 (a side of the box that the edge lies in, whatever its label; 0: none),
    walks (H,) int32, and (Q, 13) the edges, as turn_around takes them, where walks is >= 0.
    """
    rows, neurons, words = len(layers.row_neuron), len(layers.bias), signatures.shape[1]
    room = workspace(layers, 4)
    sizes, output = room[5], neurons - 1
    most = rows + 16
    polygon, labels, marks = np.empty((most, 3)), np.empty(most, np.int32), np.empty(most, np.int32)
    spare, signs = np.empty((2 * most + 2, 3)), np.empty(3 * most + 2, np.int32)
    near, near_row, clearances = np.empty((rows + 7, 4)), np.empty(rows + 7, np.int64), np.empty(neurons)
    buffers = (near, near_row, clearances, spare, signs, np.eye(3))
    frame, point, bits = np.empty((3, 3)), np.empty(3), np.empty(words, np.uint64)
    counts, gradients = np.empty(hi - lo, np.int32), np.zeros((hi - lo, 3))
    areas, found_radii = np.zeros(hi - lo), np.zeros(hi - lo)
    room_for = 6 * (hi - lo) + most
    positions, uncertainties = np.empty((room_for, 3)), np.empty(room_for)
    edge_labels, walks = np.empty(room_for, np.int32), np.empty(room_for, np.int32)
    sides = np.empty(room_for, np.int8)
    edges = np.empty((16, 13))
    h, q = 0, 0
    for i in range(lo, hi):
        for d in range(3):
            point[d] = points[i, d]
        for w in range(words):
            bits[w] = signatures[i, w]
        count, vanishes, size, rows_near = polygon_of_region(
            layers, box, bits, point, radii[i], room, frame, polygon, labels, marks, buffers
        )  # fmt: skip
        counts[i - lo] = count
        if count < 3:
            continue
        for d in range(3):
            gradients[i - lo, d] = size * frame[2, d]
        positions, uncertainties = grown_rows(positions, h, h + count), grown(uncertainties, h, h + count)
        edge_labels, walks = grown(edge_labels, h, h + count), grown(walks, h, h + count)
        sides = grown(sides, h, h + count)
        twice, radius = 0.0, 0.0
        for n in range(count):
            s, t = polygon[n, 0], polygon[n, 1]
            following = n + 1 if n + 1 < count else 0
            twice += s * polygon[following, 1] - t * polygon[following, 0]
            radius = max(radius, s * s + t * t)
            for d in range(3):
                x = point[d] + (s * frame[0, d] + t * frame[1, d])
                positions[h + n, d] = min(max(x, box[0, d]), box[1, d])
            uncertainties[h + n], edge_labels[h + n], walks[h + n] = polygon[n, 2], labels[n], NO_WALK
        areas[i - lo], found_radii[i - lo] = 0.5 * twice, np.sqrt(radius)
        off = map_tolerance(sizes[0, output], sizes[1, output], found_radii[i - lo], abs(layers.bias[output])) / size
        for n in range(count):
            following = n + 1 if n + 1 < count else 0
            sides[h + n] = -(marks[n] >> 1)
            if marks[n] > SHARED:
                side = (marks[n] >> 1) - 1
                for v in (n, following):
                    positions[h + v, side >> 1] = box[side & 1, side >> 1]
            if labels[n] >= 0 and (vanishes or marks[n] & SHARED):
                s, t = 0.5 * (polygon[n, 0] + polygon[following, 0]), 0.5 * (polygon[n, 1] + polygon[following, 1])
                x, y = polygon[following, 0] - polygon[n, 0], polygon[following, 1] - polygon[n, 1]
                length = np.sqrt(x * x + y * y)
                walks[h + n] = LOST
                if length == 0.0:
                    continue
                edges = grown_rows(edges, q, q + 1)
                for d in range(3):
                    edges[q, d] = point[d] + (s * frame[0, d] + t * frame[1, d])
                    edges[q, 3 + d] = (x * frame[1, d] - y * frame[0, d]) / length
                    edges[q, 6 + d] = frame[2, d]
                    edges[q, 9 + d] = (x * frame[0, d] + y * frame[1, d]) / length
                edges[q, 12] = _aside(polygon, count, n, off, near, rows_near)
                walks[h + n] = q
                q += 1
        h += count
    return (
        counts, gradients, areas, found_radii,
        positions[:h], uncertainties[:h], edge_labels[:h], sides[:h], walks[:h], edges[:q],
    )  # fmt: skip
