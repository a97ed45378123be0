"""The engine's kernels are compiled on the first run on a machine; the user is told why it takes longer.

Compilation is not interrupted: signals that come meanwhile end the program between two kernels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from app.commands.interrupt import cancelled_by_interrupt

if TYPE_CHECKING:
    from engine import Network

_WIDE: Final = 256
_MESSAGE: Final = "splinescope: compiling kernels, once per machine ..."


def prepare_kernels(*networks: Network) -> None:
    """Slice a tiny network and chain its lines, which loads or compiles every kernel that slices and figures need; of
    tiles too where one of the networks is wide.
    """
    import numpy as np

    from engine import SlicePlane, chain_lines, is_wide, level_set, partition_slice, tiny_network

    box = np.array([[-1.0, -1.0], [1.0, 1.0]])
    with _compiling() as cancel:
        partition = partition_slice(tiny_network(2), SlicePlane.identity(), box, 0.0, None, cancel)
        level_set(partition)
        chain_lines(partition, 0)
        if any(map(is_wide, networks)):
            partition_slice(tiny_network(2, width=_WIDE), SlicePlane.identity(), 0.01 * box, 0.0, None, cancel)


def prepare_surface_kernels() -> None:
    """The same for the kernels that extract surfaces."""
    import numpy as np

    from engine import extract_surface, tiny_network

    with _compiling() as cancel:
        extract_surface(tiny_network(3), np.array([[-1.0] * 3, [1.0] * 3]), seeds=2, cancel=cancel)


def prepare_certificate_kernels() -> None:
    """The same for the kernels that certify surfaces."""
    import numpy as np

    from engine import certify_surface, extract_surface, tiny_network

    with _compiling() as cancel:
        surface = extract_surface(tiny_network(3), np.array([[-1.0] * 3, [1.0] * 3]), seeds=2, cancel=cancel)
        certify_surface(surface, 1, cancel=cancel)


@contextmanager
def _compiling() -> Iterator[Callable[[], bool]]:
    """Tells when a kernel is compiled and not loaded; yields what the engine asks whether to go on."""
    from numba.core.event import Event, Listener, install_listener

    from engine import Cancelled

    class Teller(Listener):
        told = False

        def on_start(self, event: Event) -> None:
            if not self.told:
                self.told = True
                print(_MESSAGE, file=sys.stderr, flush=True)

        def on_end(self, event: Event) -> None:
            pass

    with install_listener("numba:compile", Teller()), cancelled_by_interrupt() as cancel:
        try:
            yield cancel
        except Cancelled as error:
            raise KeyboardInterrupt from error
