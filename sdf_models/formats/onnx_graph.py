"""An ONNX graph as a torch module: one submodule for each operation on values that depend on the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sdf_models.families.modules import free_name
from sdf_models.formats.format import check_finite
from sdf_models.formats.onnx_program import Evaluated


class Graph(nn.Module):
    """(N, D) -> (N,) or (N, C): a program on N points, each of them as an input of shape `point`.

    Constants of the file become parameters, those that were computed buffers; all are converted to the type of the
    points.
    """

    def __init__(self, run: Evaluated) -> None:
        super().__init__()
        self.point, self.shape = run.point, run.shape
        self._source, self._output = run.program.source, run.program.output
        self._steps: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        self._kept: dict[str, str] = {}
        used: set[str] = set()
        for i, (step, module) in enumerate(run.steps):
            name = (step.name or step.kind)[:80].strip("/").replace("/", "_")
            label = free_name(self, f"{name}_{i}" if name in used else name)
            used.add(name)
            self.add_module(label, module)
            self._steps.append((label, step.inputs, step.outputs))
            for name in step.inputs:
                if name in run.known and name not in self._kept:
                    self._kept[name] = free_name(self, f"constant_{len(self._kept)}")
                    self._keep(self._kept[name], name, run.known[name], name in run.computed)
        self._last_reader = {name: i for i, (_, inputs, _) in enumerate(self._steps) for name in inputs}

    def _keep(self, label: str, name: str, value: Tensor, computed: bool) -> None:
        if value.is_floating_point():
            check_finite(name[:80], value.numpy())
        if value.is_floating_point() and not computed:
            self.register_parameter(label, nn.Parameter(value, requires_grad=False))
        else:
            self.register_buffer(label, value.clone())

    def forward(self, x: Tensor) -> Tensor:
        constants = {name: getattr(self, label) for name, label in self._kept.items()}
        constants = {name: c.to(x.dtype) if c.is_floating_point() else c for name, c in constants.items()}
        values: Tensor = torch.vmap(lambda point: self._of_one(point, constants))(x.reshape(len(x), *self.point))
        flat = values.reshape(len(x), -1)
        return flat.squeeze(1) if flat.shape[1] == 1 else flat

    def _of_one(self, point: Tensor, constants: Mapping[str, Tensor]) -> Tensor:
        values: dict[str, Any] = {**constants, self._source: point}
        for i, (label, inputs, outputs) in enumerate(self._steps):
            result = self.get_submodule(label)(*(values[name] if name else None for name in inputs))
            values |= dict(zip(outputs, result if isinstance(result, (tuple, list)) else (result,), strict=False))
            for name in inputs:
                if self._last_reader.get(name) == i and name != self._output:
                    values.pop(name, None)
        output: Tensor = values[self._output]
        return output
