"""Values of the regions of a partition: on which side of the level each lies, and where most of their area does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float
from engine.planar_map.planar_map import Partition


def face_signs(partition: Partition) -> NDArray[np.int8]:
    """The sign (F,) of the network's output less the level in each region; 0 where it is the level all over.

    Of a partition that is cut by the level, by the sum over the corners: none is on the other side.
    """
    values = partition.values if partition.values.ndim == 1 else partition.values[:, 0]
    corners = (values - (partition.level or 0.0))[partition.face_vertices]
    return np.sign(np.add.reduceat(corners, partition.face_offsets[:-1])).astype(np.int8)


def weighted_quantiles(values: Float, weights: Float, shares: tuple[float, ...]) -> tuple[float, ...]:
    """For each share the least of the values (F,) such that it and those below have that share of the weights (F,)."""
    order = np.argsort(values)
    share = np.cumsum(np.maximum(weights[order], 0.0))
    return tuple(float(values[order[np.searchsorted(share, q * share[-1])]]) for q in shares)
