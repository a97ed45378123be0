"""The lines of a slice as straight strokes: edges of one neuron that continue each other without a bend are one.

Lines of deeper layers cut those of earlier ones into edges, half of which end where nothing bends.
"""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine import kernel

if TYPE_CHECKING:
    from engine import Partition

Int = NDArray[np.int32]

_STRAIGHT: Final = 1e-7  # the sine of an angle that is none


@dataclass(frozen=True, eq=False, slots=True)
class Strokes:
    """ends (S, 2) int32, vertices of the partition; depth, neuron (S,) int32: of each stroke; ordered by depth."""

    ends: Int
    depth: Int
    neuron: Int


def strokes_of(partition: Partition, edges: Int, order: NDArray[np.intp]) -> Strokes:
    """Join edges (E, 2) of neurons; order (E,): where the partition has them, by layer."""
    depth, neuron = (known[order].astype(np.int32) for known in (partition.edge_layer, partition.edge_neuron))
    names = depth * (np.int64(1) << 32) + neuron
    ends, first = np.empty_like(edges), np.empty(len(edges), np.int32)
    count = _join(partition.vertices, edges, names, _STRAIGHT * _STRAIGHT, ends, first)
    first = first[:count]
    return Strokes(ends[:count].copy(), depth[first], neuron[first])


@kernel
def _join(vertices, edges, names, bend, ends, first):
    """Fill ends (S, 2) with the strokes' ends and first (S,) with an edge of each; return how many there are.

    names (E,): edges of one name may be joined; bend: the square of the sine up to which two continue each other.
    """
    count = len(edges)
    newest = np.full(len(vertices), -1, np.int32)  # half-edge 2 e + s starts at edges[e, s]; those of a vertex, linked
    earlier = np.empty(2 * count, np.int32)
    mate = np.full(2 * count, -1, np.int32)
    for half in range(2 * count):
        e, side = half // 2, half % 2
        v, w = edges[e, side], edges[e, 1 - side]
        x, y = vertices[w, 0] - vertices[v, 0], vertices[w, 1] - vertices[v, 1]
        other = newest[v]
        while other >= 0:
            f = other // 2
            if names[f] == names[e] and mate[other] < 0 and f != e:
                u = edges[f, 1 - other % 2]
                p, q = vertices[u, 0] - vertices[v, 0], vertices[u, 1] - vertices[v, 1]
                cross = x * q - y * p
                if x * p + y * q < 0.0 and cross * cross <= bend * (x * x + y * y) * (p * p + q * q):
                    mate[other], mate[half] = half, other
                    break
            other = earlier[other]
        earlier[half] = newest[v]
        newest[v] = half
    joined = np.zeros(count, np.uint8)
    found = 0
    for e in range(count):
        if joined[e]:
            continue
        joined[e] = 1
        for side in range(2):
            half = 2 * e + side
            while mate[half] >= 0:
                half = mate[half] ^ 1
                if joined[half // 2]:
                    break
                joined[half // 2] = 1
            ends[found, side] = edges[half // 2, half % 2]
        first[found] = e
        found += 1
    return found
