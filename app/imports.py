"""Imports that take seconds: Qt, VTK, numba and torch."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


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


def load_torch_library() -> None:
    """Begin to load torch's machine code, a fifth of its import, on a thread that Python does not wait for.

    Where it is not found, `import torch` will say so.
    """
    if "torch" not in sys.modules:
        threading.Thread(target=_load_torch_library, name="splinescope-loading").start()


def _load_torch_library() -> None:
    found = find_spec("torch")
    if found is None or found.origin is None:
        return
    folder = Path(found.origin).parent / "lib"
    for name, mode in (("libtorch_global_deps.so", ctypes.RTLD_GLOBAL), ("libtorch_python.so", ctypes.RTLD_LOCAL)):
        try:
            ctypes.CDLL(str(folder / name), mode)
        except OSError:
            return
