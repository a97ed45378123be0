"""The activation that an ONNX graph ends with, which is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sdf_models.families.ends import last_activation
from sdf_models.formats.format import Refused
from sdf_models.formats.onnx_movements import OF_SHAPE
from sdf_models.formats.onnx_rules import Operation
from sdf_models.last_activation import MEANINGS, LastActivation
from sdf_models.reading import Choices

_LAST: Final = {"Tanh": "tanh", "Sigmoid": "sigmoid"}
_MOVEMENTS: Final = (
    "Cast", "Dropout", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile",
    "Transpose", "Unsqueeze",
)  # fmt: skip
"""Operators that may stand behind an activation: they move values, and compute nothing."""


def without_last(
    operations: Sequence[Operation], output: str, choices: Choices
) -> tuple[list[Operation], LastActivation]:
    """The operations without the last activation, unless it was chosen to be kept, and which one was left out."""
    name, changed = _found(operations, output)
    chosen = choices.peek("last_activation")
    if chosen == "none" and name != "none":
        choices.notes.append(f"the last activation, {name}, is kept, by --last-activation")
        return list(operations), LastActivation("none", True)
    if chosen not in (None, name):
        raise Refused(f"--last-activation {chosen}: of the graph it is known that {_MEANING[name]}", "leave it out")
    last = last_activation(name, True, "the graph ends with it", choices)
    return [changed.get(operation.outputs, operation) for operation in operations], last


_MEANING: Final = {name: meaning if name == "none" else f"it ends with {meaning}" for name, meaning in MEANINGS.items()}


def _found(operations: Sequence[Operation], output: str) -> tuple[str, dict[tuple[str, ...], Operation]]:
    """The name of the last activation, and what takes the place of its operations, by their outputs."""
    makers = {name: operation for operation in operations for name in operation.outputs if name}
    readers = Counter(name for operation in operations if operation.kind not in OF_SHAPE for name in operation.inputs)
    kinds: list[str] = []
    changed: dict[tuple[str, ...], Operation] = {}
    value = output
    while value in makers and readers[value] <= (value != output):
        operation = makers[value]
        if operation.domain:
            break
        if operation.kind in _LAST and len(kinds) < 2 and set(kinds) <= ({"Tanh"} & {operation.kind}):
            kinds.append(operation.kind)
            changed[operation.outputs] = replace(operation, kind="Identity", attributes={})
        elif operation.kind == "Add" and len(operation.inputs) == 2 and not kinds:
            sides = operation.inputs
            x = next((s for s, t in (sides, sides[::-1]) if t in makers and _is_tanh_of(makers[t], s)), None)
            if x is None:
                break
            return "x+tanh", {operation.outputs: replace(operation, kind="Identity", inputs=(x,), attributes={})}
        elif operation.kind not in _MOVEMENTS:
            break
        value = operation.inputs[0]
    if not kinds:
        return "none", {}
    return _LAST[kinds[0]] + ("-twice" if len(kinds) == 2 else ""), changed


def _is_tanh_of(operation: Operation, value: str) -> bool:
    return operation.kind == "Tanh" and not operation.domain and operation.inputs[0] == value
