"""Numbers of numpy in a pickle, made without numpy's own reconstruction: nothing of the file is called."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np

_KINDS = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f[248]|U\d{1,4})")


class _Kind:
    """A stand-in for numpy.dtype: its arguments and its state, not yet looked at."""

    def __init__(self, text: Any, *flags: Any) -> None:
        self.text, self.order = text, "="

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|"):
            self.order = state[1]


def _scalar(kind: Any, content: Any) -> bool | int | float | str:
    """A stand-in for numpy's scalar: the plain value.  Raises UnpicklingError for other kinds."""
    if not isinstance(kind, _Kind) or not isinstance(kind.text, str) or _KINDS.fullmatch(kind.text) is None:
        raise pickle.UnpicklingError("Unsupported scalar of numpy, of no plain kind")
    dtype = np.dtype(kind.text)
    dtype = dtype.newbyteorder(">") if kind.order == ">" else dtype
    if not isinstance(content, bytes) or len(content) != dtype.itemsize or not content:
        raise pickle.UnpicklingError("Unsupported scalar of numpy, with another number of bytes than its kind")
    value: bool | int | float | str = np.frombuffer(content, dtype)[0].item()
    return value


SAFE: Final[list[Callable[..., Any] | tuple[Callable[..., Any], str]]] = [
    (_Kind, "numpy.dtype"),
    (_scalar, "numpy._core.multiarray.scalar"),
    (_scalar, "numpy.core.multiarray.scalar"),  # as numpy before 2.0 called it
]
"""For torch.serialization.safe_globals."""
