"""Kernels: arrays that grow; loops, since assignments of whole slices compile to ten times the code."""

from __future__ import annotations

import numpy as np

from engine.machine.jit import kernel


@kernel
def grown(array, used, length):
    """An array with room for `length` numbers that starts with the first `used` of `array`: itself if it is enough."""
    if length <= len(array):
        return array
    larger = np.empty(2 * length, array.dtype)
    for i in range(used):
        larger[i] = array[i]
    return larger


@kernel
def grown_rows(array, used, length):
    """The same for rows of an array (n, m)."""
    if length <= len(array):
        return array
    larger = np.empty((2 * length, array.shape[1]), array.dtype)
    for i in range(used):
        for j in range(array.shape[1]):
            larger[i, j] = array[i, j]
    return larger
