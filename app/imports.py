"""Imports that take seconds: Qt, VTK, numba and torch."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_imports() -> Iterator[None]:
    """Modules are imported meanwhile without looking for garbage: there is none, and it takes a sixth of the time.

    What is there after that stays; later looks pass over it, which would hold up the window for a tenth of a second.
    """
    known = len(sys.modules)
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        if looking:
            gc.enable()
