"""Kernels that apply a kink to the values at the vertices."""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from engine.jit import kernel


@kernel
def apply_kink(lo, hi, source, target, breakpoints, slopes, intercepts):
    """target = phi(source) at the vertices lo..hi; both may be the same array.  The tables are those of a Kink step."""
    width, most = breakpoints.shape
    if most == 1:
        for v in range(lo, hi):
            for k in range(width):
                z = source[v, k]
                low = slopes[k, 0] * z + intercepts[k, 0]
                high = slopes[k, 1] * z + intercepts[k, 1]
                target[v, k] = high if z > breakpoints[k, 0] else low
        return
    for v in range(lo, hi):
        for k in range(width):
            z = source[v, k]
            p = 0
            while p < most and breakpoints[k, p] < z:
                p += 1
            target[v, k] = slopes[k, p] * z + intercepts[k, p]


@kernel
def restore_breakpoints(values, rows, neuron, breakpoint_):
    """Where a row is zero, its neuron's pre-activation is the breakpoint itself."""
    for v in range(len(rows)):
        for r in range(len(neuron)):
            if rows[v, r] == 0.0:
                values[v, neuron[r]] = breakpoint_[r]
