"""The last steps of opening, on the module of any file: input transform, output, sign, ReLU limit, domain."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sdf_models.architectures import AffineInput, AffineOutput, Negate, OneOutput
from sdf_models.formats.format import Opened, Refused, first_line
from sdf_models.reading import Alternative, Choices, Question

_SIZES = (1e-9, 1e9)
"""Of a domain: beyond them rounding leaves little of a network."""
_SAMPLES = 4_096
_FEW = 64


@dataclass(frozen=True, slots=True)
class Approximation:
    """A module that is not the file's network.

    what: in a few words, for titles; largest_difference: of the two outputs, measured on `samples` random points of the
    domain.
    """

    what: str
    largest_difference: float
    samples: int

    def __str__(self) -> str:
        return (
            f"{self.what}, an approximation: differs by up to {self.largest_difference:.2g} on {self.samples:,} points"
        )


def finished(opened: Opened, choices: Choices) -> tuple[nn.Module, NDArray[np.float64], Approximation | None]:
    """The module as it is drawn, the domain (2, D) float64 read-only, and whether the module is an approximation."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    transform = _input_transform(choices.peek("input_transform"), opened.inputs)
    dtype = next((p.dtype for p in opened.module.parameters() if p.is_floating_point()), torch.float32)
    if transform is not None:
        parts["input_transform"] = transform
        choices.notes.append("the network is applied to A x + t, by --input-transform")
    parts["network"] = opened.module
    index = _output_index(opened.module, opened.inputs, dtype, choices)
    if index is not None:
        parts["output"] = OneOutput(index)
    numbers = choices.peek("output_transform")
    if numbers is not None:
        parts["output_transform"] = _output_transform(numbers, opened, choices)
    if choices.peek("flip_sign"):
        parts["flip_sign"] = Negate()
        choices.notes.append("the output's sign is flipped, by --flip-sign")
    module = opened.module if len(parts) == 1 else nn.Sequential(parts)
    module = module.eval().requires_grad_(False)
    domain = _domain(opened, choices)
    _check_values(module, domain, dtype)
    drawn, approximation = _relu_limit(module, domain, choices)
    return drawn, domain, approximation


def box(bounds: tuple[float, ...], dimension: int) -> NDArray[np.float64]:
    """The corners (2, D) of a box given by a range for all axes, or by its lower and its upper corner."""
    if len(bounds) not in (2, 2 * dimension):
        raise Refused(f"--bounds takes 2 or {2 * dimension} numbers, not {len(bounds)}", "write --bounds=-1,1")
    lower, upper = np.reshape(bounds, (2, -1))
    if not (lower < upper).all():
        raise Refused("--bounds: the lower corner must lie below the upper one", "write --bounds=-1,1")
    low, high = _SIZES
    for size in (upper - lower).tolist():
        if not low <= size <= high:
            raise Refused(
                f"--bounds: a domain of size {size:g} is not sensible", f"choose one from {low:g} to {high:g}"
            )
    return np.stack([np.broadcast_to(lower, dimension), np.broadcast_to(upper, dimension)])


def _domain(opened: Opened, choices: Choices) -> NDArray[np.float64]:
    bounds = choices.peek("bounds")
    domain = opened.domain
    if bounds is not None:
        domain = box(bounds, opened.inputs)
    elif domain is None:
        why = opened.domain_note or "the file does not say its domain"
        choices.notes.append(f"{why}: the box [-1, 1]^{opened.inputs} is assumed; --bounds sets another")
        domain = np.stack([-np.ones(opened.inputs), np.ones(opened.inputs)])
    elif opened.domain_note:
        choices.notes.append(opened.domain_note)
    domain = np.array(domain, dtype=np.float64)
    domain.flags.writeable = False
    return domain


def _input_transform(numbers: tuple[float, ...] | None, dimension: int) -> AffineInput | None:
    if numbers is None:
        return None
    size = dimension
    if len(numbers) in (1, 1 + size):
        matrix = np.eye(size) * numbers[0]
        shift = np.array(numbers[1:] or np.zeros(size))
    elif len(numbers) == size * (size + 1):
        rows = np.reshape(numbers, (size, size + 1))
        matrix, shift = rows[:, :-1], rows[:, -1]
    else:
        raise Refused(
            f"--input-transform takes 1, {1 + size} or {size * (size + 1)} numbers, not {len(numbers)}",
            "give a scale, a scale and the shift t, or the rows of [A | t]",
        )
    if abs(np.linalg.det(matrix)) == 0.0:
        raise Refused("--input-transform: the matrix is singular", "give one that keeps all dimensions")
    return AffineInput(torch.from_numpy(matrix.copy()), torch.from_numpy(shift.copy()))


def _output_transform(numbers: tuple[float, ...], opened: Opened, choices: Choices) -> AffineOutput:
    if len(numbers) > 2 or numbers[0] == 0:
        raise Refused("--output-transform takes a scale that is not 0, and a shift", "write --output-transform=2,0.5")
    if opened.last_activation.name not in ("none", "abs"):
        raise Refused(
            f"--output-transform does not go with the last activation {opened.last_activation.name}, which is left out",
            "open it with --module package.module:function",
        )
    choices.notes.append("the output f becomes s f + t, by --output-transform")
    return AffineOutput(numbers[0], numbers[1] if len(numbers) > 1 else 0.0)


def _output_index(module: nn.Module, inputs: int, dtype: torch.dtype, choices: Choices) -> int | None:
    """The index of the output to draw, None when there is but one."""
    shape = tuple(_evaluated(module.eval(), torch.zeros(2, inputs, dtype=dtype)).shape)
    if not shape or shape[0] != 2:
        raise Refused(
            f"for two points the network gives an output of shape {shape}", "make it give one value for each point"
        )
    count = math.prod(shape[1:])
    if count < 2:
        return None
    index = choices.settle(
        Question(
            "output",
            f"the network has {count} outputs, of which one is drawn",
            (Alternative("0", "the first, as where features follow the distance"),),
            other="INDEX",
        )
    )
    if index >= count:
        raise Refused(f"there is no output {index}", f"choose one from 0 to {count - 1}")
    return int(index)


def _check_values(module: nn.Module, domain: NDArray[np.float64], dtype: torch.dtype) -> None:
    """Refuse a network whose values overflow in its own dtype, though its weights are finite."""
    values = _evaluated(module, torch.from_numpy(_points(domain)[:_FEW]).to(dtype))
    bad = int((~values.isfinite()).reshape(len(values), -1).any(dim=1).sum())
    if bad:
        raise Refused(
            f"its output is NaN or infinite at {bad} of {len(values)} points of the domain",
            "train it again, or choose a smaller domain with --bounds if it is that of small inputs",
        )


def _points(domain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Random ones of the domain, the same in every run."""
    return np.random.default_rng(0).uniform(domain[0], domain[1], (_SAMPLES, domain.shape[1]))


def _relu_limit(
    module: nn.Module, domain: NDArray[np.float64], choices: Choices
) -> tuple[nn.Module, Approximation | None]:
    """Softplus as ReLU, which it tends to as beta grows: 0 <= softplus - relu <= ln 2 / beta for each unit."""
    if not choices.peek("relu_limit"):
        return module, None
    smooth = [part for part in module.modules() if isinstance(part, nn.Softplus)]
    if not smooth:
        raise Refused("--relu-limit needs a network of Softplus, and this one has none", "leave it out")
    limit = copy.deepcopy(module)
    for part in list(limit.modules()):
        for name, child in part.named_children():
            if isinstance(child, nn.Softplus):
                setattr(part, name, nn.ReLU())
    x = torch.from_numpy(_points(domain))
    difference = _evaluated(copy.deepcopy(module).double(), x) - _evaluated(copy.deepcopy(limit).double(), x)
    betas = ", ".join(sorted({f"{part.beta:g}" for part in smooth}))
    found = Approximation(f"ReLU limit of Softplus({betas})", float(difference.abs().max()), _SAMPLES)
    choices.notes.append(f"{found} of the domain")
    return limit, found


def _evaluated(module: nn.Module, x: Tensor) -> Tensor:
    with torch.inference_mode():
        try:
            result = torch.cat([module(part) for part in torch.split(x, 2048)])
        except Exception as error:  # the forward may be anyone's code, which may raise anything
            raise Refused(
                f"the network does not run on points of {x.shape[1]} coordinates ({first_line(error)})",
                "it must take points (N, D); say D by --bounds with corners of D numbers",
            ) from error
    return result
