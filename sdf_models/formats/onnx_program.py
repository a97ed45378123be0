"""The operations of an ONNX graph, and their evaluation on one point: constants folded, branches taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sdf_models.architectures import LARGEST_WIDTH
from sdf_models.formats.format import Damaged, Refused, first_line
from sdf_models.formats.onnx_movements import OF_SHAPE
from sdf_models.formats.onnx_operators import OPERATORS, UNSUPPORTED
from sdf_models.formats.onnx_rules import Branch, Operation

_MOST_CONSTANTS = 1 << 26
_MOST_WORK = 1 << 28
_PRODUCTS = 32
"""Products that take as long as reading a number."""
RUN_ERRORS = (
    RuntimeError, NotImplementedError, ValueError, TypeError, LookupError, AttributeError, AssertionError,
    ArithmeticError,
)  # fmt: skip
"""The errors that an operation of a graph may raise on values that do not suit it."""


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


@dataclass(frozen=True, eq=False, slots=True)
class Evaluated:
    """A program on a point of shape `point`: without branches, and what its operations make.

    steps: the operations on values that depend on the input, with the constants and values that they take alone, and
    their modules; known: constants by name; computed: the names of those that are not the file's own; shape: of the
    output.
    """

    program: Program
    point: tuple[int, ...]
    steps: Sequence[tuple[Operation, nn.Module]]
    known: Mapping[str, Tensor]
    computed: frozenset[str]
    shape: tuple[int, ...]


def evaluated(program: Program, point: tuple[int, ...]) -> Evaluated:
    """A program on one point.  Raises Refused.

    What depends on constants and shapes alone is computed here, in float64, before any operation is judged; a branch
    whose condition is among it is taken.
    """
    known, constants = dict(program.constants), dict(program.constants)
    computed: set[str] = set()
    made_so_far, work = 0, 0.0
    example: dict[str, Tensor] = {program.source: torch.linspace(-1.0, 1.0, math.prod(point)).reshape(point)}
    steps: list[tuple[Operation, nn.Module]] = []
    taken_operations: list[Operation] = []
    pending = list(reversed(program.operations))
    while pending:
        operation = pending.pop()
        if "then_branch" in operation.attributes:
            branch = _taken(operation, known)
            known |= branch.constants
            constants |= branch.constants
            pending += reversed(branch.operations)
            continue
        taken_operations.append(operation)
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
    whole = replace(program, operations=tuple(taken_operations), constants=constants)
    return Evaluated(whole, point, steps, known, frozenset(computed), tuple(example[program.output].shape))


def _taken(operation: Operation, known: Mapping[str, Tensor]) -> Branch:
    """The branch of an If whose condition is known.  Raises Refused."""
    condition = known.get(operation.inputs[0])
    if condition is None:
        raise unsupported(operation)
    if condition.numel() != 1:
        raise Damaged(f"the condition of its operation {operation} is of shape {tuple(condition.shape)}")
    branch: Branch = operation.attributes["then_branch" if bool(condition) else "else_branch"]
    return branch


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


def needed(operations: Sequence[Operation], known: Iterable[str], outputs: Iterable[str]) -> list[Operation]:
    """The operations that some values need, each after those that make what it takes.  Raises Damaged."""
    makers: dict[str, Operation] = {}
    ready = {*known, ""}
    for operation in operations:
        for name in operation.outputs:
            if name and (name in makers or name in ready):
                raise Damaged(f"two operations make the value {name[:40]!r}")
            makers[name] = operation
    order, entered, stack = list[Operation](), set[int](), [*outputs]
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
