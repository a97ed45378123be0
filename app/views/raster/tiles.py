"""Sheets cut into square tiles, compiled: those in which nothing is drawn take no memory.

A sheet's map (h, w) int32 says for each square of SIDE pixels the number of its tile, or -1: nothing is there.
"""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from engine import kernel

SIDE = 16
EMPTY = -1


@kernel
def find_used(pixels, box, used):
    """used (h, w) uint8 becomes 1 where a square of pixels (H, W, 4) has one with some opacity.

    box (4,): first and last rows and columns in which there may be any, the last ones excluded.
    """
    for i in range(box[0], box[1]):
        for j in range(box[2], box[3]):
            if pixels[i, j, 3] != 0:
                used[i // SIDE, j // SIDE] = 1


@kernel
def cut(pixels, raised, chart, tile_pixels, tile_raised):
    """Copy the squares of pixels (H, W, 4) and raised (H, W) to the tiles (T, SIDE, SIDE, 4), (T, SIDE, SIDE) that
    their map names; what lies beyond the picture stays as it was, and is never read."""
    height, width = raised.shape
    for row in range(chart.shape[0]):
        for column in range(chart.shape[1]):
            tile = chart[row, column]
            if tile == EMPTY:
                continue
            top, left = row * SIDE, column * SIDE
            for i in range(top, min(top + SIDE, height)):
                for j in range(left, min(left + SIDE, width)):
                    tile_raised[tile, i - top, j - left] = raised[i, j]
                    for c in range(4):
                        tile_pixels[tile, i - top, j - left, c] = pixels[i, j, c]
