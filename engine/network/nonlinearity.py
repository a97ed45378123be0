"""Kinks on the values at vertices, and how large values are."""

from __future__ import annotations

import numpy as np

from engine.arrays import Float
from engine.machine.jit import comparing_kernel, inline, kernel
from engine.network.steps import Kink


@inline
def phi(z, k, breakpoints, slopes, intercepts):
    """The kink of feature k at z."""
    p = 0
    while p < breakpoints.shape[1] and breakpoints[k, p] < z:
        p += 1
    return slopes[k, p] * z + intercepts[k, p]


def apply_kink(kink: Kink, source: Float, target: Float) -> Float:
    """target = phi(source), feature by feature; both (N, n) float64, maybe the same array.  Returns target."""
    _apply(source, target, kink.breakpoints, kink.slopes, kink.intercepts)
    return target


@kernel
def _apply(source, target, breakpoints, slopes, intercepts):
    width, most = breakpoints.shape
    if most == 1:
        at, low, high = breakpoints[:, 0].copy(), slopes[:, 0].copy(), slopes[:, 1].copy()
        low_shift, high_shift = intercepts[:, 0].copy(), intercepts[:, 1].copy()
        if not (at.any() or low.any() or low_shift.any() or high_shift.any() or (high != 1.0).any()):
            for v in range(len(source)):
                for k in range(width):
                    z = source[v, k]
                    target[v, k] = z if z > 0.0 else 0.0
            return
        for v in range(len(source)):
            for k in range(width):
                z = source[v, k]
                right = z > at[k]
                target[v, k] = (high[k] if right else low[k]) * z + (high_shift[k] if right else low_shift[k])
        return
    for v in range(len(source)):
        for k in range(width):
            target[v, k] = phi(source[v, k], k, breakpoints, slopes, intercepts)


def largest_after(kink: Kink, low: Float, high: Float) -> Float:
    """(n,): the largest |phi| of each feature between low and high (n,): phi is extreme there or at a breakpoint."""
    largest = np.empty(len(low))
    _largest(low, high, kink.breakpoints, kink.slopes, kink.intercepts, largest)
    return largest


@kernel
def _largest(low, high, breakpoints, slopes, intercepts, largest):
    for k in range(len(low)):
        most = abs(phi(low[k], k, breakpoints, slopes, intercepts))
        for p in range(breakpoints.shape[1] + 1):
            z = high[k] if p == 0 else min(max(breakpoints[k, p - 1], low[k]), high[k])
            size = abs(phi(z, k, breakpoints, slopes, intercepts))
            if not size <= most:
                most = size
        largest[k] = most


@comparing_kernel
def feature_range(values):
    """(2, n): minus the smallest value, and the largest one, of each feature of a block (N, n): ranges of blocks are
    joined by maxima alone.
    """
    width = values.shape[1]
    found = np.full((2, width), -np.inf)
    for v in range(len(values)):
        for k in range(width):
            found[0, k] = max(-values[v, k], found[0, k])
            found[1, k] = max(values[v, k], found[1, k])
    return found


@kernel
def restore_breakpoints(lo, hi, values, rows, neuron, breakpoint_):
    """Make pre-activations at the vertices lo..hi agree with the signs of their rows: where a row is zero they are the
    breakpoint itself, and where an exact decision has put a row on the other side, as far beyond it as the row.  Of
    several rows of a neuron, which follow each other, the one with the nearest breakpoint counts.
    """
    count = len(neuron)
    for v in range(lo, hi):
        for r in range(count):
            row, k, at = rows[v, r], neuron[r], breakpoint_[r]
            if row == 0.0:
                values[v, k] = at
                continue
            if (values[v, k] > at) == (row > 0.0):
                continue
            if r > 0 and neuron[r - 1] == k and abs(rows[v, r - 1]) < abs(row):
                continue
            if r + 1 < count and neuron[r + 1] == k and abs(rows[v, r + 1]) < abs(row):
                continue
            values[v, k] = at + row
