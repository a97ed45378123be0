"""Kernels: the region in which the level surface goes on across an edge on which several rows vanish."""

from __future__ import annotations

import numpy as np

from engine.exactness.predicates import map_tolerance
from engine.machine.jit import inline, inner, kernel
from engine.surface.map_builder import maps_beside, workspace
from engine.tolerances import FULL_TURN, SAME_DIRECTION

_TURNS = 4096  # sectors around an edge


@inner
def _beyond_edge(layers, point, uncertainty, inward, normal, along, room, frame, bits):
    """The signature of the region in which the surface goes on across an edge on which several rows vanish.

    Around the edge, regions are sectors.  From the polygon, which runs `inward` from a point of the edge, we turn
    through those where the output is positive (on the side of its normal) until it vanishes again.  Returns whether
    that was found.
    """
    maps, sizes = room[0], room[5]
    kinks, output = len(layers.first_neuron) - 2, len(layers.bias) - 1
    for d in range(3):
        frame[0, d], frame[1, d], frame[2, d] = inward[d], normal[d], along[d]
    turned = 0.0
    for _ in range(_TURNS):
        maps_beside(layers, frame, point, uncertainty, room, bits)
        tilt = map_tolerance(sizes[1, output], 0.0, 0.0, 0.0)
        end = _first_zero(maps[0, output], maps[1, output], tilt)
        nearest = np.inf
        for m in range(kinks):
            for k in range(layers.first_neuron[m], layers.first_neuron[m + 1]):
                for r in range(layers.first_row[k], layers.first_row[k + 1]):
                    z = maps[3, k] - layers.row_breakpoint[r]
                    slope = np.sqrt(maps[0, k] ** 2 + maps[1, k] ** 2)
                    bound = map_tolerance(sizes[0, k], 0.0, 0.0, abs(layers.bias[k]))
                    if abs(z) > bound + uncertainty * slope:
                        continue
                    tilt = map_tolerance(sizes[1, k], 0.0, 0.0, 0.0)
                    if slope > tilt:
                        inside = 1.0 if (bits[r >> 6] >> np.uint64(r & 63)) & np.uint64(1) else -1.0
                        nearest = min(nearest, _first_zero(inside * maps[0, k], inside * maps[1, k], tilt))
        if end <= nearest + SAME_DIRECTION:
            return True
        turned += nearest
        if turned > 2.0 * np.pi + FULL_TURN or nearest <= 0.0:
            return False
        c, s = np.cos(nearest), np.sin(nearest)
        for d in range(3):
            x, y = frame[0, d], frame[1, d]
            frame[0, d], frame[1, d] = c * x + s * y, c * y - s * x
    return False


@inline
def _first_zero(x, y, tilt):
    """The angle in (0, pi] at which x cos + y sin, positive just after the angle 0, vanishes."""
    return np.pi if abs(x) <= tilt else np.arctan2(abs(x), -y)


@kernel
def turn_around(lo, hi, layers, edges):
    """The signatures (n, W) of the regions beyond the edges lo..hi on which several rows vanish, and whether they were
    found (n,) bool.  edges (Q, 13): a point, directions inward, along the normal and along the edge, an uncertainty.
    """
    room = workspace(layers, 4)
    point, inward, normal, along = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    frame, beyond = np.empty((3, 3)), np.empty(max(1, (len(layers.row_neuron) + 63) >> 6), np.uint64)
    signatures, found = np.empty((hi - lo, len(beyond)), np.uint64), np.empty(hi - lo, np.bool_)
    for i in range(lo, hi):
        for d in range(3):
            point[d], inward[d], normal[d], along[d] = edges[i, d], edges[i, 3 + d], edges[i, 6 + d], edges[i, 9 + d]
        found[i - lo] = _beyond_edge(layers, point, edges[i, 12], inward, normal, along, room, frame, beyond)
        for w in range(len(beyond)):
            signatures[i - lo, w] = beyond[w]
    return signatures, found
