"""Imports that take seconds: Qt, VTK, numba and torch."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


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


def load_triton() -> None:
    """Import torch's compiler, where torch has one, before anything is drawn in a process that may train later.

    It and Mesa, which VTK may draw with, bring an LLVM each: imported after Mesa's, as by torch's optimisers, triton
    ends the process with a segmentation fault; before, both work.
    """
    with suppress(ImportError):
        importlib.import_module("triton")
