"""The .npz files of neural-implicit-queries (Sharp and Jacobson, "Spelunking the Deep", 2022).

A file holds one array for each parameter of a list of operations, named `INDEX.OPERATION.PARAMETER`: `0000.dense.A`
(in, out), `0000.dense.b` (out,), `0001.relu._` (empty), ..., `0017.squeeze_last._` (empty).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sdf_models.architectures import Sine, SqueezeLast, linear
from sdf_models.formats import npz
from sdf_models.formats.format import CheckpointFile, Damaged, Format, Opened, Peek, Refused, TensorUse, check_finite

NAME = "neural-implicit-queries npz"

Arrays = dict[str, NDArray[np.generic]]

_KEY = re.compile(r"(\d{4})\.(\w+)\.(\w+)", re.ASCII)
_ROLES = {"A": "weight", "b": "bias"}
_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sin": Sine,
}


def recognise(peek: Peek) -> bool:
    return npz.recognise(peek) and re.match(rb"\d{4}\.", npz.first_member(peek)) is not None


def open_file(file: CheckpointFile) -> Opened:
    operations = _operations(npz.read(file.data))
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    sizes: list[int] = []
    for index, (operation, arrays) in enumerate(operations):
        name = f"{operation}_{index}"
        if operation == "dense":
            layers[name] = layer = _dense(name, arrays, sizes[-1] if sizes else None)
            sizes += [layer.out_features] if sizes else [layer.in_features, layer.out_features]
            continue
        if set(arrays) != {"_"} or arrays["_"].size:
            raise Damaged(f"{name} must hold one empty array")
        if operation == "squeeze_last":
            if sizes[-1:] != [1] or index < len(operations) - 1:
                raise Damaged(f"{name} is not the last operation, on one feature")
            layers[name] = SqueezeLast()
        else:
            layers[name] = _ACTIVATIONS[operation]()
    if not sizes:
        raise Refused("it holds no dense layer", "open a trained network")
    inputs = sizes[0]
    dtypes = {parameter.dtype for layer in layers.values() for parameter in layer.parameters()}
    module = nn.Sequential(layers).to(max(dtypes, key=lambda dtype: torch.finfo(dtype).bits))
    tensors = tuple(
        TensorUse(f"{index:04d}.{operation}.{name}", array.shape, f"{_ROLES[name]} of {operation}_{index}")
        for index, (operation, arrays) in enumerate(operations)
        for name, array in arrays.items()
        if operation == "dense"
    )
    return Opened(module, inputs, facts={"family": "mlp"}, tensors=tensors, own_forward=False)


def _operations(arrays: Arrays) -> list[tuple[str, Arrays]]:
    """The operations in order, each with its parameters by name."""
    operations: dict[int, tuple[str, Arrays]] = {}
    for key in sorted(arrays):
        match = _KEY.fullmatch(key)
        if match is None:
            raise Refused(
                f"the array {key!r:.60} is not named INDEX.OPERATION.PARAMETER as in neural-implicit-queries",
                "of .npz files only those can be opened",
            )
        index, operation, parameter = int(match[1]), match[2], match[3]
        if operation not in _ACTIVATIONS and operation not in ("dense", "squeeze_last"):
            known = ", ".join(["dense", *_ACTIVATIONS, "squeeze_last"])
            raise Refused(f"the operation {operation!r:.60} of {key!r:.60} is not supported", f"supported are {known}")
        if operations.setdefault(index, (operation, {}))[0] != operation:
            raise Damaged(f"operation {index} is both {operations[index][0]} and {operation}")
        operations[index][1][parameter] = arrays[key]
    missing = set(range(len(operations))) - set(operations)
    if missing:
        raise Damaged(f"operation {min(missing)} is missing")
    return [operations[index] for index in range(len(operations))]


def _dense(name: str, arrays: Arrays, inputs: int | None) -> nn.Linear:
    """inputs is the number of features that the layer must take, None when free."""
    if not {"A"} <= set(arrays) <= {"A", "b"}:
        raise Damaged(f"{name} must hold A and b, not {', '.join(sorted(arrays))}")
    A, b = arrays["A"], arrays.get("b")
    if A.ndim != 2 or 0 in A.shape:
        raise Damaged(f"{name}.A must be a matrix, not of shape {A.shape}")
    if inputs is not None and A.shape[0] != inputs:
        raise Damaged(f"{name}.A takes {A.shape[0]} features where the layer before it gives {inputs}")
    if b is not None and b.shape != (A.shape[1],):
        raise Damaged(f"{name}.b must be of shape {(A.shape[1],)}, not {b.shape}")
    bias = None if b is None else _weights(f"{name}.b", b)
    return linear(_weights(f"{name}.A", A).T.contiguous(), bias)


def _weights(name: str, array: NDArray[np.generic]) -> torch.Tensor:
    native = array.astype(array.dtype.newbyteorder("="), order="C")
    if native.dtype not in (np.float32, np.float64):
        raise Refused(f"{name} is of type {array.dtype}, not float32 or float64", "save the weights in float32")
    check_finite(name, native)
    return torch.from_numpy(native)


FORMAT = Format(NAME, recognise, open_file)
