"""Arrays as npz files, the same to the byte for the same arrays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.provenance.carriers import KEY

_SAMPLE: Final = 1 << 16  # bytes of an array that tell whether it can be compressed
_WORTH: Final = 0.3  # of its bytes: with 0.75 a file of a million regions is 40 % smaller, and takes 9 times as long
_FASTEST: Final = 1  # of zlib


def write_arrays(arrays: Mapping[str, Any], path: Path, provenance: str = "") -> None:
    """Write arrays by name, to be read by `numpy.load(path)` without pickle, and a text under the name `provenance`.

    Arrays that zlib makes much smaller at once, such as the layers of edges, are compressed; coordinates and numbers of
    vertices are stored as they are, for that would take as long as computing them.
    """
    named = {name: np.asanyarray(array) for name, array in arrays.items()}
    if provenance:
        named[KEY] = np.array(provenance)
    with zipfile.ZipFile(path, "w", compresslevel=_FASTEST) as archive:
        for name, array in named.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980: the time would make every file another
            entry.compress_type = zipfile.ZIP_DEFLATED if _compressible(array) else zipfile.ZIP_STORED
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _compressible(array: NDArray[Any]) -> bool:
    """Tell by bytes from the middle."""
    flat = array.reshape(-1)
    count = _SAMPLE // max(array.itemsize, 1)
    first = max(0, (len(flat) - count) // 2)
    sample = flat[first : first + count].tobytes()
    return len(zlib.compress(sample, _FASTEST)) < _WORTH * len(sample)
