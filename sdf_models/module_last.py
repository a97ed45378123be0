"""The activation that a module of anyone's own ends with, which is left out: found by running the module without it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sdf_models.families.ends import last_activation
from sdf_models.formats.format import Refused
from sdf_models.last_activation import NOTHING, LastActivation
from sdf_models.reading import Choices

_CALLS: Final[Mapping[Any, str]] = {
    **dict.fromkeys((torch.tanh, torch.tanh_, Tensor.tanh, Tensor.tanh_), "tanh"),
    **dict.fromkeys((torch.sigmoid, torch.sigmoid_, torch.special.expit, Tensor.sigmoid, Tensor.sigmoid_), "sigmoid"),
}
_ENDS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Tensor], Tensor]]]] = {
    "tanh-twice": (("tanh", "tanh"), lambda y: torch.tanh(torch.tanh(y))),
    "tanh": (("tanh",), torch.tanh),
    "x+tanh": (("tanh",), lambda y: y + torch.tanh(y)),
    "sigmoid": (("sigmoid",), torch.sigmoid),
}
"""For each last activation: the calls that make it, and what it does to the values before it."""
_POINTS = 256
_ROUNDING = 1e-10


class _Calls(TorchFunctionMode):
    """While active, names the activations that are called and leaves out those from the place `first` on.

    In a sum x + tanh(x), what is left out is 0; elsewhere, it passes its argument on.
    """

    def __init__(self, first: int | None = None, to_zero: bool = False) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._first, self._to_zero = first, to_zero

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = _CALLS.get(func)
        if name is not None:
            self.seen.append(name)
            if self._first is not None and len(self.seen) > self._first:
                x = args[0] if args else (kwargs or {})["input"]
                return torch.zeros_like(x) if self._to_zero else x
        return func(*args, **(kwargs or {}))


class WithoutLast(nn.Module):
    """A module but for the activation at its end."""

    def __init__(self, module: nn.Module, end: str, first: int) -> None:
        super().__init__()
        self.module = module
        self.end, self.first = end, first

    def forward(self, x: Tensor) -> Any:
        with _Calls(self.first, to_zero=self.end == "x+tanh"):
            return self.module(x)


def without_last(module: nn.Module, inputs: int, choices: Choices) -> tuple[nn.Module, LastActivation]:
    """The module without its last activation, unless that is to be kept, and which one was left out."""
    chosen = choices.peek("last_activation")
    if chosen == "none":
        return module, NOTHING
    found = _found(module, inputs)
    name = "none" if found is None else found.end
    if chosen not in (None, name):
        what = "no last activation that could be left out" if found is None else f"{name}"
        raise Refused(f"--last-activation {chosen}: the module ends with {what}", "leave it out")
    last = last_activation(name, True, "the module's forward ends with it", choices)
    return (module if found is None else found), last


def _found(module: nn.Module, inputs: int) -> WithoutLast | None:
    try:
        double = copy.deepcopy(module).eval().double()
        x = torch.from_numpy(np.random.default_rng(0).uniform(-2.0, 2.0, (_POINTS, inputs)))
        with torch.no_grad():
            with _Calls() as calls:
                values = double(x.clone())
            for end, (names, function) in _ENDS.items():
                if tuple(calls.seen[-len(names) :]) != names:
                    continue
                shorter = WithoutLast(double, end, len(calls.seen) - len(names))
                if _is_close(function(shorter(x.clone())), values):
                    return WithoutLast(module, end, shorter.first)
    except Exception:  # it is the user's code, which may raise anything: what it is comes out when it is drawn
        return None
    return None


def _is_close(found: Tensor, values: Tensor) -> bool:
    if found.shape != values.shape:
        return False
    return bool((found - values).abs().max() <= _ROUNDING * values.abs().max())
