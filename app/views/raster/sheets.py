"""Slices in space as pixels, compiled: sheets are drawn each in its own plane, then laid over a backdrop by depth.

A plane's point (u, v) is seen at the pixel (X / W, Y / W), (X, Y, W) = H (u, v, 1), row at the top first; W is the
distance from the eye along the line of sight.  The inverse distance is affine in the pixel, for each plane: so the
depth of a sheet takes three numbers, not a buffer.
"""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from app.views.raster.slices import cover_segment
from app.views.raster.tiles import EMPTY, SIDE
from engine import inline, kernel

_SAME = 1e-9  # inverse distances that differ by less are those of one place


@kernel
def project(vertices, homography, seen):
    """seen (V, 3) takes homography (3, 3) times (u, v, 1) of vertices (V, 2)."""
    h = homography
    a, b, c, d, e, f = h[0, 0], h[0, 1], h[0, 2], h[1, 0], h[1, 1], h[1, 2]
    g, i, j = h[2, 0], h[2, 1], h[2, 2]
    for k in range(len(vertices)):
        u, v = vertices[k, 0], vertices[k, 1]
        seen[k, 0] = a * u + b * v + c
        seen[k, 1] = d * u + e * v + f
        seen[k, 2] = g * u + i * v + j


@inline
def _cover_seen(cover, seen, a, b, near, half, opacity):
    """The part of a segment that is farther than `near`."""
    ax, ay, aw = seen[a, 0], seen[a, 1], seen[a, 2]
    bx, by, bw = seen[b, 0], seen[b, 1], seen[b, 2]
    if aw < near and bw < near:
        return
    if aw < near or bw < near:
        t = (near - aw) / (bw - aw)
        cx, cy = ax + t * (bx - ax), ay + t * (by - ay)
        if aw < near:
            ax, ay, aw = cx, cy, near
        else:
            bx, by, bw = cx, cy, near
    cover_segment(cover, ax / aw, ay / aw, bx / bw, by / bw, half, opacity)


@kernel
def cover_seen_edges(cover, seen, edges, first, last, near, line_width, opacity):
    """Raise cover (H, W) uint8 by edges[first:last] between projected vertices (V, 3)."""
    half = 0.5 * line_width
    for e in range(first, last):
        _cover_seen(cover, seen, edges[e, 0], edges[e, 1], near, half, opacity)


@kernel
def cover_seen_polylines(cover, seen, offsets, near, line_width, opacity):
    """Raise cover (H, W) uint8 by the polylines through seen[offsets[i]:offsets[i + 1]] (K, 3)."""
    half = 0.5 * line_width
    for p in range(len(offsets) - 1):
        for k in range(offsets[p], offsets[p + 1] - 1):
            _cover_seen(cover, seen, k, k + 1, near, half, opacity)


@kernel
def blend_sheet(sheet, raised, cover, color, lift):
    """Lay a colour (3,) uint8 over sheet (h, w, 4), premultiplied, where cover (h, w) is not 0, and clear cover.

    raised (h, w) uint8 becomes 1 there when lift is.
    """
    height, width = cover.shape
    red, green, blue = int(color[0]), int(color[1]), int(color[2])
    for i in range(height):
        for j in range(width):
            share = int(cover[i, j])
            if share:
                cover[i, j] = 0
                rest = 255 - share
                sheet[i, j, 0] = (red * share + int(sheet[i, j, 0]) * rest + 127) // 255
                sheet[i, j, 1] = (green * share + int(sheet[i, j, 1]) * rest + 127) // 255
                sheet[i, j, 2] = (blue * share + int(sheet[i, j, 2]) * rest + 127) // 255
                sheet[i, j, 3] = (255 * share + int(sheet[i, j, 3]) * rest + 127) // 255
                if lift:
                    raised[i, j] = 1


@inline
def _lay(picture, i, j, pixels, tile, y, x, strength):
    """A tile's pixel over that of the picture."""
    rest = 255 - (int(pixels[tile, y, x, 3]) * strength + 127) // 255
    for c in range(4):
        laid = (int(pixels[tile, y, x, c]) * strength + 127) // 255
        picture[i, j, c] = laid + (int(picture[i, j, c]) * rest + 127) // 255


@kernel
def compose(picture, inverse, charts, pixels, raised, planes, strengths, slack):
    """Lay sheets over picture (H, W, 4), where it does not hide them: the farther first, in their own order where they
    are in the same place.

    inverse (H, W) float32: of the distance of what the picture shows, 0 where there is nothing.  charts (N, h, w): the
    maps of the sheets' tiles, of which pixels (T, SIDE, SIDE, 4) are the colours, premultiplied, and raised (T, SIDE,
    SIDE) uint8 the pixels that are hidden only by what is nearer by a factor 1 + slack.  planes (N, 3): the inverse
    distance of sheet n at pixel (i, j) is planes[n] (j + 1/2, i + 1/2, 1).  strengths (N,) int: 255 lays a sheet as it
    is, less fades it.
    """
    height, width = inverse.shape
    sheets, rows, columns = charts.shape
    here, tiles, order = np.empty(sheets, np.int64), np.empty(sheets, np.int64), np.empty(sheets, np.int64)
    nearness = np.empty(sheets)
    for ti in range(rows):
        for tj in range(columns):
            some = 0
            for n in range(sheets):
                if charts[n, ti, tj] != EMPTY:
                    here[some], tiles[some] = n, charts[n, ti, tj]
                    some += 1
            if some == 0:
                continue
            for i in range(ti * SIDE, min((ti + 1) * SIDE, height)):
                y = i % SIDE
                for j in range(tj * SIDE, min((tj + 1) * SIDE, width)):
                    x, count = j % SIDE, 0
                    for s in range(some):
                        tile = tiles[s]
                        if pixels[tile, y, x, 3] == 0:
                            continue
                        n = here[s]
                        near = planes[n, 0] * (j + 0.5) + planes[n, 1] * (i + 0.5) + planes[n, 2]
                        if near * (1.0 + slack * raised[tile, y, x]) < inverse[i, j]:
                            continue
                        k = count
                        while k > 0 and nearness[k - 1] > near * (1.0 + _SAME):
                            nearness[k], order[k] = nearness[k - 1], order[k - 1]
                            k -= 1
                        nearness[k], order[k] = near, s
                        count += 1
                    for k in range(count):
                        s = order[k]
                        _lay(picture, i, j, pixels, tiles[s], y, x, strengths[here[s]])
