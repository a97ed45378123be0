"""The tensors of an ONNX file, in the file or beside it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sdf_models.formats.format import LARGEST_FILE, Damaged, Refused

_READ_AS: Final = {"float16": "float32", "uint64": "int64"}


def read_tensor(onnx: Any, tensor: Any, path: Path) -> Tensor:
    """A tensor of the file, once it is certain that the file holds all of it."""
    name = tensor.name[:80]
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"{name!r} is of the unknown type {tensor.data_type}") from error
    if dtype.kind not in "fiub" or dtype.itemsize < 1 or dtype.name not in np.sctypeDict:
        raise Refused(f"{name!r} is of type {dtype}, not float32 or float64", "export the network in float32")
    shape = tuple(tensor.dims)
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize > LARGEST_FILE:
        raise Damaged(f"{name!r} claims the shape {shape!s:.60}")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        array = _external(tensor, path, dtype).reshape(-1)
    elif tensor.HasField("raw_data"):
        if len(tensor.raw_data) % dtype.itemsize:
            raise Damaged(f"{name!r} holds {len(tensor.raw_data)} bytes, no whole number of values")
        array = np.frombuffer(tensor.raw_data, dtype.newbyteorder("<"))
    else:
        array = _typed_data(tensor, dtype)
    if array.size != math.prod(shape):
        raise Damaged(f"{name!r} claims the shape {shape!s:.60} and holds {array.size} values")
    return torch.from_numpy(array.astype(_READ_AS.get(dtype.name, dtype.name)).reshape(shape))


def _typed_data(tensor: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    fields = {"f8": tensor.double_data, "f4": tensor.float_data, "i8": tensor.int64_data, "u8": tensor.uint64_data}
    values = fields.get(f"{dtype.kind}{dtype.itemsize}", tensor.int32_data)
    array = np.array(values)
    return array.astype(np.uint16).view(np.float16) if dtype == np.float16 else array.astype(dtype)


def _external(tensor: Any, path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Data in another file, which must lie in the model's folder or below it."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.absolute().parent.resolve()
    try:
        file = (folder / location).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a null byte, a loop of links
        raise Damaged(f"{location!r:.60} cannot be the name of a data file") from error
    if not location or not file.is_relative_to(folder):
        raise Refused(f"its data is in {location!r:.60}, outside of the file's folder", "export it into one folder")
    try:
        offset = int(entries.get("offset", "0"))
        size = file.stat().st_size
        length = int(entries.get("length", size - offset))
        if offset < 0 or length < 0 or offset + length > size or length > LARGEST_FILE or length % dtype.itemsize:
            raise Damaged(f"{tensor.name[:60]!r} lies outside of {location!r:.60}")
        if not file.is_file():
            raise Refused(f"its data file {location!r:.60} is not a regular file", "export it again")
        return np.fromfile(file, dtype.newbyteorder("<"), length // dtype.itemsize, offset=offset)
    except ValueError as error:
        raise Damaged(f"{tensor.name[:60]!r} has no sensible place in {location!r:.60}") from error
    except OSError as error:
        raise Refused(f"its data file {location!r:.60} cannot be read", "put it beside the model") from error
