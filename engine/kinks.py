"""Kinks on the values at vertices, and how large values are."""

from __future__ import annotations

import numpy as np

from engine.jit import kernel
from engine.steps import Float, Kink


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
            z = source[v, k]
            p = 0
            while p < most and breakpoints[k, p] < z:
                p += 1
            target[v, k] = slopes[k, p] * z + intercepts[k, p]


@kernel
def largest(lo, hi, values):
    """(n,): the largest magnitude of each feature at the vertices lo..hi."""
    found = np.zeros(values.shape[1])
    for v in range(lo, hi):
        for k in range(values.shape[1]):
            size = abs(values[v, k])
            if not size <= found[k]:
                found[k] = size
    return found


@kernel
def largest_after_kink(lo, hi, source, breakpoints, slopes, intercepts):
    """(n,): the largest magnitude of phi of each feature at the vertices lo..hi."""
    width, most = breakpoints.shape
    found = np.zeros(width)
    for v in range(lo, hi):
        for k in range(width):
            z = source[v, k]
            p = 0
            while p < most and breakpoints[k, p] < z:
                p += 1
            size = abs(slopes[k, p] * z + intercepts[k, p])
            if not size <= found[k]:
                found[k] = size
    return found


@kernel
def restore_breakpoints(values, rows, neuron, breakpoint_):
    """Where a row is zero, its neuron's pre-activation is the breakpoint itself."""
    for v in range(len(rows)):
        for r in range(len(neuron)):
            if rows[v, r] == 0.0:
                values[v, neuron[r]] = breakpoint_[r]
