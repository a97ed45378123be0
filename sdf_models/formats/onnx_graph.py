"""An ONNX graph as a torch module: one submodule for each operation on values that depend on the input."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from sdf_models.architectures import LARGEST_WIDTH
from sdf_models.families.modules import free_name
from sdf_models.formats.format import Damaged, Refused, check_finite, first_line
from sdf_models.formats.onnx_movements import OF_SHAPE
from sdf_models.formats.onnx_operators import OPERATORS, UNSUPPORTED
from sdf_models.formats.onnx_rules import Operation

_MOST_CONSTANTS = 1 << 26
_MOST_WORK = 1 << 28
_PRODUCTS = 32
"""Products that take as long as reading a number."""
RUN_ERRORS = (
    RuntimeError, NotImplementedError, ValueError, TypeError, LookupError, AttributeError, AssertionError,
    ArithmeticError,
)  # fmt: skip
"""What an operation of a graph may raise on values that do not suit it."""


@dataclass(frozen=True, eq=False, slots=True)
class Program:
    """The operations that make the value `output` of the value `source`, in order, and the constants by name.

    evaluate: gives the results of an operation on constants that has no torch module, None when that is not possible.
    """

    operations: Sequence[Operation]
    constants: Mapping[str, Tensor]
    source: str
    output: str
    evaluate: Callable[[Operation, Sequence[Tensor | None]], list[Tensor] | None]


class Graph(nn.Module):
    """(N, D) -> (N,) or (N, C): a program on N points, each of them as an input of shape `point`.

    What depends on constants and shapes alone is computed here, in float64, before any operation is judged.  Constants
    of the file become parameters, those that were computed buffers; all are converted to the type of the points.
    """

    def __init__(self, program: Program, point: tuple[int, ...]) -> None:
        super().__init__()
        self.point = point
        self._source, self._output = program.source, program.output
        known = dict(program.constants)
        computed: set[str] = set()
        made_so_far, work = 0, 0.0
        example: dict[str, Tensor] = {program.source: torch.linspace(-1.0, 1.0, math.prod(point)).reshape(point)}
        steps: list[tuple[Operation, nn.Module]] = []
        for operation in program.operations:
            if operation.kind in OF_SHAPE and operation.inputs[:1] and operation.inputs[0] in example:
                value = example[operation.inputs[0]]
                known |= _results(operation, _made(operation, [None])[0], [value])
                continue
            arguments = [known.get(name) if name else None for name in operation.inputs]
            work += _work(operation, [known.get(name, example.get(name)) for name in operation.inputs])
            if work > _MOST_WORK:
                raise Refused("its operations would take too long", "export the network alone")
            if all(not name or name in known for name in operation.inputs):
                made = _folded(program, operation, arguments)
                made_so_far += sum(value.numel() for value in made.values())
                if made_so_far > _MOST_CONSTANTS:
                    raise Refused(f"its constants make more than {_MOST_CONSTANTS:,} numbers", "export it again")
                known |= made
                computed |= made.keys()
                continue
            module, taken = _made(operation, arguments)
            inputs = tuple(name for name, take in zip(operation.inputs, taken, strict=True) if take)
            values = [_narrow(known.get(name, example.get(name))) if name else None for name in inputs]
            results = _results(operation, module, values)
            widest = max((value.numel() for value in results.values()), default=0)
            if widest > LARGEST_WIDTH:
                raise Refused(
                    f"its operation {operation} makes {widest:,} numbers of one point",
                    f"at most {LARGEST_WIDTH:,} are possible",
                )
            example |= results
            steps.append((replace(operation, inputs=inputs), module))
        if program.output not in example or program.output == program.source:
            raise Refused("its output does not depend on its input", "export the network again")
        self.shape = tuple(example[program.output].shape)
        self._steps: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        self._kept: dict[str, str] = {}
        used: set[str] = set()
        for i, (step, module) in enumerate(steps):
            name = (step.name or step.kind)[:80].strip("/").replace("/", "_")
            label = free_name(self, f"{name}_{i}" if name in used else name)
            used.add(name)
            self.add_module(label, module)
            self._steps.append((label, step.inputs, step.outputs))
            for name in step.inputs:
                if name in known and name not in self._kept:
                    self._kept[name] = free_name(self, f"constant_{len(self._kept)}")
                    self._keep(self._kept[name], name, known[name], name in computed)
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


def _work(operation: Operation, values: Sequence[Tensor | None]) -> float:
    """The numbers that an operation reads, and the products that it makes of them."""
    sizes = [value.numel() for value in values if value is not None]
    last = values[1] if len(values) > 1 else None
    columns = last.shape[-1] if operation.kind in ("MatMul", "Gemm") and last is not None and last.dim() > 1 else 0
    return sum(sizes) + sizes[0] * columns / _PRODUCTS if sizes else 0.0


def _made(operation: Operation, arguments: Sequence[Tensor | None]) -> tuple[nn.Module, tuple[bool, ...]]:
    rule = OPERATORS.get(operation.kind) if not operation.domain else None
    if rule is None:
        raise unsupported(operation)
    try:
        module, taken = rule(operation, arguments)
        if len(taken) != len(arguments):
            raise ValueError(f"it has {len(arguments)} inputs")
        return module, taken
    except RUN_ERRORS as error:
        raise Refused(
            f"its operation {operation} cannot be read: {first_line(error)}", "export it with other operations"
        ) from error


def _results(operation: Operation, module: nn.Module, values: Sequence[Tensor | None]) -> dict[str, Tensor]:
    try:
        with torch.no_grad():
            result = module(*values)
        results = result if isinstance(result, (tuple, list)) else (result,)
        if not all(isinstance(value, Tensor) for value in results):
            raise ValueError("an input is missing")
    except RUN_ERRORS as error:
        raise Refused(
            f"its operation {operation} does not run on one point: {first_line(error)}",
            "export it with an input of shape (1, 3)",
        ) from error
    return {name: value for name, value in zip(operation.outputs, results, strict=False) if name}


def _folded(program: Program, operation: Operation, arguments: Sequence[Tensor | None]) -> dict[str, Tensor]:
    """The results of an operation on constants."""
    wide = [_wide(argument) for argument in arguments]
    if operation.kind in OPERATORS and not operation.domain:
        module, taken = _made(operation, wide)
        return _results(operation, module, [value for value, take in zip(wide, taken, strict=True) if take])
    results = program.evaluate(operation, wide)
    if results is None:
        raise unsupported(operation)
    return {name: value for name, value in zip(operation.outputs, results, strict=False) if name}


def _narrow(value: Tensor | None) -> Tensor | None:
    return value.float() if value is not None and value.is_floating_point() else value


def _wide(value: Tensor | None) -> Tensor | None:
    return value.double() if value is not None and value.is_floating_point() else value


def unsupported(operation: Operation) -> Refused:
    """The refusal of an operation that has no torch module."""
    reason = f": {UNSUPPORTED[operation.kind]}" if operation.kind in UNSUPPORTED and not operation.domain else ""
    return Refused(
        f"its operation {operation} is not supported{reason}",
        "export the network with plain operations, or open it with --module package.module:function",
    )


def needed(operations: Sequence[Operation], known: Sequence[str], output: str) -> list[Operation]:
    """The operations that a value needs, each after those that make what it takes.  Raises Damaged."""
    makers: dict[str, Operation] = {}
    ready = {*known, ""}
    for operation in operations:
        for name in operation.outputs:
            if name and (name in makers or name in ready):
                raise Damaged(f"two operations make the value {name[:40]!r}")
            makers[name] = operation
    order, entered, stack = list[Operation](), set[int](), [output]
    while stack:
        name = stack[-1]
        if name in ready:
            stack.pop()
            continue
        maker = makers.get(name)
        if maker is None:
            raise Damaged(f"its graph uses the value {name[:60]!r}, which nothing makes")
        missing = [value for value in maker.inputs if value not in ready]
        if not missing:
            order.append(maker)
            ready.update(maker.outputs)
        elif id(maker) in entered:
            raise Damaged(f"the value {name[:60]!r} of its graph depends on itself")
        else:
            entered.add(id(maker))
            stack.extend(missing)
    return order
