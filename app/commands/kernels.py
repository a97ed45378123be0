"""The engine's kernels are compiled on the first run on a machine; the user is told why it takes longer."""

from __future__ import annotations

import sys
import threading
from typing import Final

_MESSAGE: Final = "splinescope: compiling kernels, once per machine ..."
_SLOW_SECONDS: Final = 3.0  # loading compiled kernels takes less, also on a busy machine


def prepare_kernels() -> None:
    """Slice a tiny network, which loads or compiles every kernel; the message appears when that takes long."""
    import numpy as np
    from torch import nn

    from engine import Network, SlicePlane, partition_slice
    from engine.level_set import level_set

    timer = threading.Timer(_SLOW_SECONDS, print, [_MESSAGE], {"file": sys.stderr, "flush": True})
    timer.start()
    try:
        module = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
        network = Network.trace(module, input_shape=(2,))
        level_set(partition_slice(network, SlicePlane.identity(), np.array([[-1.0, -1.0], [1.0, 1.0]])))
    finally:
        timer.cancel()
