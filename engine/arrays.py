"""Names of the arrays that cross modules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int32]
Bool = NDArray[np.bool_]
Counts = NDArray[np.int64]
Words = NDArray[np.uint64]
"""Bits, 64 in a word: bit i of a row is bit i % 64 of its word i // 64."""
