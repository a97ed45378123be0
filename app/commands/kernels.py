"""The engine's kernels are compiled on the first run on a machine; the user is told why it takes longer."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine import Network

_MESSAGE: Final = "splinescope: compiling kernels, once per machine ..."
_SLOW_SECONDS: Final = 3.0  # loading compiled kernels takes less, also on a busy machine


def prepare_kernels() -> None:
    """Slice a tiny network, which loads or compiles every kernel; the message appears when that takes long."""
    import numpy as np

    from engine import SlicePlane, level_set, partition_slice

    with _message_when_slow():
        level_set(partition_slice(_tiny_network(2), SlicePlane.identity(), np.array([[-1.0, -1.0], [1.0, 1.0]])))


def prepare_surface_kernels() -> None:
    """The same for the kernels that extract surfaces."""
    import numpy as np

    from engine import extract_surface

    with _message_when_slow():
        extract_surface(_tiny_network(3), np.array([[-1.0] * 3, [1.0] * 3]), seeds=2)


def _tiny_network(inputs: int) -> Network:
    from torch import nn

    from engine import Network

    module = nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    return Network.trace(module, input_shape=(inputs,))


@contextmanager
def _message_when_slow() -> Iterator[None]:
    timer = threading.Timer(_SLOW_SECONDS, print, [_MESSAGE], {"file": sys.stderr, "flush": True})
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
