"""Lines and regions of a slice as pixels, compiled: they run on any thread, without the interpreter's lock.

Pixel (row i, column j) is the square around (j + 1/2, i + 1/2); a point p of the slice lies at
(scale p[0] + x, -scale p[1] + y), so that the second axis points up.
"""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

from engine import inline, kernel

_FINE, _SHORT = 0.75, 2.0  # pixels


@inline
def cover_segment(cover, ax, ay, bx, by, half, opacity):
    """Raise cover (H, W) to the share of each pixel under a segment, half its width wide each side.

    The share is that of a pixel at the distance of its centre, a ramp of one pixel across the border.  The ends are
    round; but those of a fine segment of a pixel or two, which others continue, are not drawn twice: it covers the
    rows (or columns) whose middle it passes.
    """
    height, width = cover.shape
    reach = half + 0.5
    if max(ax, bx) < -reach or min(ax, bx) > width + reach or max(ay, by) < -reach or min(ay, by) > height + reach:
        return
    dx, dy = bx - ax, by - ay
    length = math.sqrt(dx * dx + dy * dy)
    ux, uy = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
    full = 255.0 * opacity
    steep = abs(uy) > abs(ux)
    # rows of a steep segment, columns of a flat one: `middle` is where it passes them, and pixels within `spread` of it
    if steep:
        low, high, slope, start, other, limit, most = min(ay, by), max(ay, by), ux / uy, ay, ax, height, width
        spread = reach / abs(uy)
    else:
        low, high, slope, start, other, limit, most = min(ax, bx), max(ax, bx), uy / ux, ax, ay, width, height
        spread = reach / abs(ux)
    capped = half > _FINE or length > _SHORT
    first, last = (math.floor(low - reach), math.ceil(high + reach)) if capped else (
        math.ceil(low - 0.5), math.ceil(high - 0.5)
    )  # fmt: skip
    for i in range(max(0, first), min(limit, last)):
        middle = other + slope * (min(max(i + 0.5, low), high) - start)
        for j in range(max(0, math.floor(middle - spread)), min(most, math.ceil(middle + spread))):
            row, column = (i, j) if steep else (j, i)
            px, py = column + 0.5 - ax, row + 0.5 - ay
            along = px * ux + py * uy
            distance = abs(px * uy - py * ux)
            beyond = max(-along, along - length)
            if capped and beyond > 0.0:
                distance = math.sqrt(distance * distance + beyond * beyond)
            share = reach - distance
            if share > 0.0:
                value = int(full * min(share, 1.0) + 0.5)
                cover[row, column] = max(cover[row, column], value)


@kernel
def cover_edges(cover, vertices, edges, first, last, scale, x, y, line_width, opacity):
    """Raise cover (H, W) uint8 by edges[first:last] between vertices (V, 2)."""
    half = 0.5 * line_width
    for e in range(first, last):
        a, b = edges[e, 0], edges[e, 1]
        cover_segment(
            cover, scale * vertices[a, 0] + x, y - scale * vertices[a, 1],
            scale * vertices[b, 0] + x, y - scale * vertices[b, 1], half, opacity,
        )  # fmt: skip


@kernel
def cover_polylines(cover, points, offsets, scale, x, y, line_width, opacity):
    """Raise cover (H, W) uint8 by the polylines through points[offsets[i]:offsets[i + 1]]."""
    half = 0.5 * line_width
    for p in range(len(offsets) - 1):
        for k in range(offsets[p], offsets[p + 1] - 1):
            cover_segment(
                cover, scale * points[k, 0] + x, y - scale * points[k, 1],
                scale * points[k + 1, 0] + x, y - scale * points[k + 1, 1], half, opacity,
            )  # fmt: skip


@kernel
def blend(image, cover, color):
    """Lay a colour (3,) uint8 over image (H, W, 4) uint8 where cover (H, W) uint8 is not 0, and clear cover."""
    height, width = cover.shape
    for i in range(height):
        for j in range(width):
            share = int(cover[i, j])
            if share:
                cover[i, j] = 0
                for c in range(3):
                    below = int(image[i, j, c])
                    image[i, j, c] = below + ((int(color[c]) - below) * share + 127) // 255


@kernel
def fill_faces(ids, values, vertices, vertex_values, offsets, face_vertices, scale, x, y):
    """At each pixel's centre the face that holds it, and the function that is affine on it.

    ids (H, W) int32, left as it is outside all faces; values (H, W) float32; vertex_values (V,) float64.  Convex
    faces: row by row from the edge on the left to the edge on the right.
    """
    height, width = ids.shape
    for f in range(len(offsets) - 1):
        start, stop = offsets[f], offsets[f + 1]
        top, bottom = math.inf, -math.inf
        for k in range(start, stop):
            py = y - scale * vertices[face_vertices[k], 1]
            top, bottom = min(top, py), max(bottom, py)
        first_row, last_row = max(0, math.ceil(top - 0.5)), min(height - 1, math.floor(bottom - 0.5))
        for i in range(first_row, last_row + 1):
            centre = i + 0.5
            left, right, left_value, right_value = math.inf, -math.inf, 0.0, 0.0
            b = face_vertices[stop - 1]
            bx, by = scale * vertices[b, 0] + x, y - scale * vertices[b, 1]
            for k in range(start, stop):
                a, ax, ay = b, bx, by
                b = face_vertices[k]
                bx, by = scale * vertices[b, 0] + x, y - scale * vertices[b, 1]
                if min(ay, by) <= centre <= max(ay, by) and ay != by:
                    t = (centre - ay) / (by - ay)
                    px = ax + t * (bx - ax)
                    value = vertex_values[a] + t * (vertex_values[b] - vertex_values[a])
                    if px < left:
                        left, left_value = px, value
                    if px > right:
                        right, right_value = px, value
            if right < left:
                continue
            step = (right_value - left_value) / (right - left) if right > left else 0.0
            for j in range(max(0, math.ceil(left - 0.5)), min(width - 1, math.floor(right - 0.5)) + 1):
                ids[i, j] = f
                values[i, j] = left_value + (j + 0.5 - left) * step


@kernel
def lay_face_colors(image, ids, colors):
    """image (H, W, 4) uint8 takes colors[ids] (F, 3) uint8 where ids (H, W) is not negative."""
    height, width = ids.shape
    for i in range(height):
        for j in range(width):
            f = ids[i, j]
            if f >= 0:
                for c in range(3):
                    image[i, j, c] = colors[f, c]


@kernel
def lay_value_colors(image, ids, values, low, high, table):
    """image (H, W, 4) uint8 takes the row of table (N, 3) uint8 for the place of values (H, W) from low to high."""
    height, width = ids.shape
    last = len(table) - 1
    factor = last / (high - low) if high > low else 0.0
    for i in range(height):
        for j in range(width):
            if ids[i, j] >= 0:
                k = int(min(max((values[i, j] - low) * factor, 0.0), float(last)) + 0.5)
                for c in range(3):
                    image[i, j, c] = table[k, c]
