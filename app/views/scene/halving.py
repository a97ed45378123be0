"""A smooth picture from one with twice as many pixels each way."""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from engine import kernel


@kernel
def halve(fine, coarse):
    """coarse (H, W, 4) uint8 takes the means of 2 x 2 pixels of fine (2 H, 2 W, 4)."""
    height, width = coarse.shape[:2]
    for i in range(height):
        for j in range(width):
            for c in range(4):
                total = int(fine[2 * i, 2 * j, c]) + int(fine[2 * i, 2 * j + 1, c])
                total += int(fine[2 * i + 1, 2 * j, c]) + int(fine[2 * i + 1, 2 * j + 1, c])
                coarse[i, j, c] = (total + 2) >> 2
