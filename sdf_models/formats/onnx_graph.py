"""An ONNX graph as a torch module: one submodule for each operation, run in the graph's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from sdf_models.families.modules import free_name
from sdf_models.formats.onnx_operators import OPERATORS


@dataclass(frozen=True, eq=False, slots=True)
class Operation:
    """A node: its name, its kind (op_type), the names of what it takes ("" for none) and makes, and its attributes."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    opset: int


class Graph(nn.Module):
    """The part of a graph that the value `output` needs: (N, D) -> that value.

    constants: by name; those of floating point become parameters.  batch: the number of points that shapes in the graph
    are made for, which then stands for any number.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        constants: Mapping[str, Tensor],
        source: str,
        output: str,
        batch: int | None,
    ) -> None:
        super().__init__()
        self.source, self._output = source, output
        known = dict(constants)
        steps: list[tuple[Operation, nn.Module]] = []
        made: set[str] = set()
        for operation in _needed(operations, output):
            missing = [name for name in operation.inputs if name and name not in known and name != source]
            if any(name not in made for name in missing):
                raise KeyError(next(name for name in missing if name not in made))
            arguments = [known.get(name) if name else None for name in operation.inputs]
            module, taken = OPERATORS[operation.kind](operation, arguments, batch)
            if all(not name or name in known for name in operation.inputs):
                known |= _folded(operation, module, [a for a, t in zip(arguments, taken, strict=True) if t])
                continue
            if made.union(known, [source]).intersection(operation.outputs):
                raise ValueError(f"two operations make the value {operation.outputs[0][:40]!r}")
            made.update(name for name in operation.outputs if name)
            inputs = tuple(name for name, take in zip(operation.inputs, taken, strict=True) if take)
            steps.append((replace(operation, inputs=inputs), module))
        if output not in known and output not in made:
            raise KeyError(output)
        if output in known or output == source:
            raise ValueError("its output does not depend on its input")
        self._steps: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        self._kept: dict[str, str] = {}
        self._readers: dict[str, int] = {}
        for step, module in steps:
            label = free_name(self, step.name.strip("/").replace("/", "_"))
            self.add_module(label, module)
            self._steps.append((label, step.inputs, step.outputs))
            for name in step.inputs:
                if name in known and name not in self._kept:
                    self._kept[name] = free_name(self, f"constant_{len(self._kept)}")
                    self._keep(self._kept[name], known[name])
        for i, (_, inputs, _) in enumerate(self._steps):
            self._readers |= dict.fromkeys(inputs, i)

    def _keep(self, label: str, value: Tensor) -> None:
        if value.is_floating_point():
            self.register_parameter(label, nn.Parameter(value.clone(), requires_grad=False))
        else:
            self.register_buffer(label, value.clone())

    def forward(self, x: Tensor) -> Tensor:
        values: dict[str, Any] = {name: getattr(self, label) for name, label in self._kept.items()}
        values[self.source] = x
        for i, (label, inputs, outputs) in enumerate(self._steps):
            result = self.get_submodule(label)(*(values[name] if name else None for name in inputs))
            results = result if isinstance(result, (tuple, list)) else (result,)
            values |= dict(zip(outputs, results, strict=False))
            for name in inputs:
                if self._readers.get(name) == i and name != self._output:
                    values.pop(name, None)
        output: Tensor = values[self._output]
        return output.squeeze(-1) if output.dim() == 2 and output.shape[1] == 1 else output


def _needed(operations: Sequence[Operation], output: str) -> list[Operation]:
    needed, kept = {output}, []
    for operation in reversed(operations):
        if needed.intersection(operation.outputs):
            needed.update(operation.inputs)
            kept.append(operation)
    return kept[::-1]


def _folded(operation: Operation, module: nn.Module, arguments: list[Tensor | None]) -> dict[str, Tensor]:
    with torch.no_grad():
        result = module(*arguments)
    results = result if isinstance(result, (tuple, list)) else (result,)
    return dict(zip(operation.outputs, results, strict=False))
