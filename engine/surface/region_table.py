"""Kernels: the table of the regions that the surface was found to cross, and the next ones to visit."""

from __future__ import annotations

import numpy as np

from engine.machine.jit import inline, kernel
from engine.surface.facets import LOST, NO_WALK

OUTSIDE = -1
UNKNOWN = -2


@inline
def _slot(bits, signatures, table):
    """Where the table has the region with this signature, or where it would go."""
    key = np.uint64(0x9E3779B97F4A7C15)
    for w in range(len(bits)):
        key = (key ^ bits[w]) * np.uint64(0xBF58476D1CE4E5B9)
        key ^= key >> np.uint64(29)
    key = (key * np.uint64(0x94D049BB133111EB)) >> np.uint64(7)
    mask = np.uint64(len(table) - 1)
    slot = key & mask
    while table[slot] >= 0:
        known, same = table[slot], True
        for w in range(len(bits)):
            if signatures[known, w] != bits[w]:
                same = False
                break
        if same:
            return slot
        slot = (slot + np.uint64(1)) & mask
    return slot


@inline
def is_known(bits, signatures, table):
    """Whether the table has the region with this signature."""
    return table[_slot(bits, signatures, table)] >= 0


@kernel
def insert_regions(signatures, found, count, table):
    """Add the signatures found (n, W) to the first `count` of `signatures`; fresh (n,) bool: which were new.  Returns
    the new count.
    """
    fresh = np.zeros(len(found), np.bool_)
    for i in range(len(found)):
        slot = _slot(found[i], signatures, table)
        if table[slot] < 0:
            for w in range(found.shape[1]):
                signatures[count, w] = found[i, w]
            table[slot] = count
            fresh[i] = True
            count += 1
    return count, fresh


@kernel
def rebuild_table(signatures, count, table):
    """Enter the first `count` regions into an empty table (-1 throughout), whose size is a power of two."""
    for i in range(count):
        table[_slot(signatures[i], signatures, table)] = i


@kernel
def visit_neighbours(counts, radii, positions, labels, walks, walked, first, signatures, count, table, beyond):
    """Name the region beyond every edge of the polygons of the regions first..first + n, and list those not yet known.

    beyond (H,) int32: the regions, OUTSIDE or UNKNOWN.  Returns the new number of regions, and the reference points
    (., 3) and radii (.,) of the new ones.
    """
    points, new_radii = np.empty((len(labels), 3)), np.empty(len(labels))
    bits = np.empty(signatures.shape[1], np.uint64)
    h, old = 0, count
    for i in range(len(counts)):
        corners = max(counts[i], 0)
        for n in range(corners):
            label, walk = labels[h + n], walks[h + n]
            if label < 0:
                beyond[h + n] = OUTSIDE
                continue
            if walk == LOST:
                beyond[h + n] = UNKNOWN
                continue
            if walk == NO_WALK:
                for w in range(len(bits)):
                    bits[w] = signatures[first + i, w]
                bits[label >> 6] ^= np.uint64(1) << np.uint64(label & 63)
            else:
                for w in range(len(bits)):
                    bits[w] = walked[walk, w]
            slot = _slot(bits, signatures, table)
            if table[slot] < 0:
                for w in range(len(bits)):
                    signatures[count, w] = bits[w]
                table[slot] = count
                following = h + n + 1 if n + 1 < corners else h
                for d in range(3):
                    points[count - old, d] = 0.5 * (positions[h + n, d] + positions[following, d])
                new_radii[count - old] = radii[i]
                count += 1
            beyond[h + n] = table[slot]
        h += corners
    return count, points[: count - old], new_radii[: count - old]
