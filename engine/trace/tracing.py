"""Tracing a torch module into a Network, by running a copy of it on tensors that record what is done to them."""

from __future__ import annotations

import copy
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from engine.arrays import Float
from engine.errors import EngineError, TraceError
from engine.network.network import ForwardError, Network
from engine.network.steps import Kink, Linear, Step, sources
from engine.trace.operators import RULES
from engine.trace.recorder import Float64, Recorder
from engine.trace.refusals import reason
from engine.trace.tape import Layer, Tape, fold_scales, fold_sums, live_steps, renumbered

_CHECK_POINTS = 256
_CHECK_SEED = 0
# A trace whose forward differs by more than this, relative to the output, missed something.
_MAX_RELATIVE_ERROR = 1e-6


def trace(module: nn.Module, input_shape: tuple[int, ...] = (3,)) -> Network:
    """See Network.trace."""
    input_shape = _checked_shape(input_shape)
    input_size = int(np.prod(input_shape))
    if input_size < 1:
        raise TraceError(f"the input shape {input_shape} has no features")
    # In the caller's inference mode, operations would arrive whole that are to be seen as their parts.
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]), torch.no_grad():
        native = _copy(module)
        dtype = _native_dtype(native)
        double = _as_double(_copy(native))
        _check_parameters(double)
        batch = next(prime for prime in (7, 11, 13, 17, 19, 23) if prime not in input_shape)
        rng = np.random.default_rng(_CHECK_SEED)
        example = rng.uniform(-1.0, 1.0, (batch, *input_shape))
        _run(native, torch.from_numpy(example).to(dtype))
        tape, output, output_shape, casts = _record(_as_double(_copy(native)), torch.from_numpy(example))
        points = rng.uniform(-1.0, 1.0, (_CHECK_POINTS, *input_shape))
        live = live_steps(tape.steps, output)
        names = _kink_names(tape, live)
        notes = [*_cast_notes(casts), *_dropped_notes(tape, live)]
        named = [replace(s, name=names[s.target]) if isinstance(s, Kink) else s for s in live]
        steps, slots = renumbered(fold_sums(fold_scales(named, output), output))
        network = Network(
            steps=tuple(steps),
            input_shape=input_shape,
            sizes=(input_size, *(tape.sizes[slot] for slot in slots if slot != 0)),
            output=slots[output],
            output_shape=output_shape,
            max_forward_error=ForwardError(0.0, 0.0, _name(dtype)),
            notes=tuple(notes),
        )
        return replace(network, max_forward_error=_forward_error(network, double, native, dtype, points))


def _checked_shape(input_shape: object) -> tuple[int, ...]:
    try:
        return tuple(operator.index(n) for n in input_shape)  # type: ignore[attr-defined]
    except TypeError:
        raise TraceError(
            f"input_shape must be the shape of one input, a tuple of integers such as (3,), not {input_shape!r:.80}"
        ) from None


@contextmanager
def _foreign_code(doing: Callable[[str], str]) -> Iterator[None]:
    """While the module's own code runs, whatever it raises is a TraceError.  doing: its message, from the first line.

    That code is not ours and may raise anything, so that no shorter list than all exceptions is right here.
    """
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise TraceError(doing(_first_line(error))) from error


def _copy(module: nn.Module) -> nn.Module:
    """A copy in eval mode on the CPU, of the module as it was before torch.compile."""
    module = getattr(module, "_orig_mod", module)
    if not isinstance(module, nn.Module):
        raise TraceError(f"a torch.nn.Module is needed, not a {type(module).__name__}")
    memo: dict[int, Any] = {}
    for path, part in module.named_modules():
        for name, parameter in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            if is_lazy(parameter):
                where = f"layer '{path}' ({type(part).__name__})" if path else f"the module ({type(part).__name__})"
                raise TraceError(
                    f"{where} is lazy: its '{name}' has no size yet; run the module once on a batch of inputs before"
                )
        if isinstance(part, torch.jit.ScriptModule):
            where = f"layer '{path}'" if path else "the module"
            raise TraceError(
                f"{where} is a TorchScript module, which cannot be traced; build the original Python module and "
                "load its state_dict into it"
            )
        for tensor in _tensors(vars(part)):
            # Only leaves of autograd's graph can be deep-copied; legacy weight_norm keeps a computed weight.
            if not tensor.is_leaf:
                memo[id(tensor)] = tensor.detach().clone()
    with _foreign_code(lambda reason: f"the module cannot be copied: {reason}"):
        result = copy.deepcopy(module, memo).to("cpu").eval()
    for part in list(result.modules()):
        for name, child in part.named_children():
            setattr(part, name, getattr(child, "_orig_mod", child))
    return result


def _as_double(module: nn.Module) -> nn.Module:
    """The module itself, converted to float64 together with the tensors that are plain attributes."""
    with _foreign_code(lambda reason: f"the module cannot be converted to float64: {reason}"):
        module.double()
    for part in module.modules():
        for name, value in list(vars(part).items()):
            if isinstance(value, Tensor) and value.is_floating_point():
                part.__dict__[name] = value.detach().double()
    return module


def _tensors(item: Any) -> Iterator[Tensor]:
    if isinstance(item, Tensor):
        yield item
    elif isinstance(item, dict):
        for value in item.values():
            yield from _tensors(value)
    elif isinstance(item, (list, tuple)):
        for value in item:
            yield from _tensors(value)


def _native_dtype(module: nn.Module) -> torch.dtype:
    parameters = (p.dtype for p in (*module.parameters(), *module.buffers()) if p.is_floating_point())
    return next(parameters, torch.get_default_dtype())


def _check_parameters(module: nn.Module) -> None:
    for name, parameter in module.named_parameters():
        if not torch.isfinite(parameter).all():
            raise TraceError(f"parameter '{name}' holds NaN or infinite values; the file or the training is broken")


def _run(module: nn.Module, x: Tensor) -> Any:
    shape = tuple(x.shape[1:])
    with _foreign_code(
        lambda reason: (
            f"the module's forward fails on a batch of inputs of shape {shape}: {reason}; "
            "give the shape of one input as input_shape"
        )
    ):
        return module(x)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _record(module: nn.Module, example: Tensor) -> tuple[Tape, int, tuple[int, ...], set[str]]:
    """Run the module on a traced batch: the tape, the output's slot and its shape, and the dtypes it casts to."""
    batch = len(example)
    root = Layer("", type(module).__name__, leaf=False, call=0)
    tape = Tape(int(np.prod(example.shape[1:])), root)
    recorder = Recorder(tape, batch, RULES, reason)
    x = recorder.input(example)

    def failed(reason: str) -> str:
        where = f"layer '{tape.layer.path}' ({tape.layer.kind})" if tape.layer.path else f"the module ({root.kind})"
        return f"{where}: cannot be traced: {reason}"

    with _following_layers(module, tape), recorder, _foreign_code(failed):
        result = module(x)
    tape.layer = root
    if not isinstance(result, Tensor):
        raise TraceError(
            f"the module's forward returns a {type(result).__name__}, not a tensor; wrap it in a module that returns "
            "the one output to draw"
        )
    shape = tuple(result.shape)
    if not shape or shape[0] != batch:
        raise TraceError(
            f"the module's output has the shape {shape} for {batch} inputs; its first dimension must be the batch"
        )
    if result.numel() == 0:
        raise TraceError(
            f"the module's output has the shape {shape} for {batch} inputs, which holds no value; nothing can be drawn"
        )
    if not result.is_floating_point():
        raise TraceError(f"the module's output is of type {result.dtype}, not a floating point number")
    return tape, recorder.output(result), shape[1:], recorder.casts


@contextmanager
def _following_layers(module: nn.Module, tape: Tape) -> Iterator[None]:
    """Keep tape.layer at the layer whose forward runs."""
    stack: list[Layer] = []
    calls: Counter[str] = Counter()
    handles = []
    for path, part in module.named_modules():

        def enter(part: nn.Module, args: object, path: str = path) -> None:
            stack.append(tape.layer)
            calls[path] += 1
            tape.layer = Layer(path, type(part).__name__, leaf=not any(part.children()), call=calls[path])

        def leave(part: nn.Module, args: object, result: object) -> None:
            tape.layer = stack.pop()

        handles += [part.register_forward_pre_hook(enter, prepend=True), part.register_forward_hook(leave)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _kink_names(tape: Tape, live: list[Step]) -> dict[int, str]:
    """Unique names for people of the kinks, by target slot.

    A layer of its own goes by its path ("net.1"), one that is called several times by its call and the affine layer
    before it ("act, call 2, after fc2"), an operation in the forward of a larger module by both ("relu after fc2").
    """
    affine: dict[int, int] = {}
    for step in tape.steps:
        affine[step.target] = (
            step.target if isinstance(step, Linear) else max((affine.get(s, 0) for s in sources(step)), default=0)
        )
    kinks = [step for step in live if isinstance(step, Kink)]
    most_calls = Counter(layer.path for layer in {tape.layers[kink.target] for kink in kinks})
    names = {}
    for kink in kinks:
        layer, before = tape.layers[kink.target], tape.layers[affine[kink.target]].path
        after = f"after {before}" if before and before != layer.path else ""
        if layer.leaf and layer.path:
            parts = [layer.path, f"call {layer.call}", after] if most_calls[layer.path] > 1 else [layer.path]
            names[kink.target] = ", ".join(part for part in parts if part)
        else:
            path = f"{layer.path}: " if layer.path and not before.startswith(layer.path) else ""
            names[kink.target] = f"{path}{kink.operation} {after}".strip()
    repeated = {name for name, count in Counter(names.values()).items() if count > 1}
    seen: Counter[str] = Counter()
    for target, name in names.items():
        if name in repeated:
            seen[name] += 1
            names[target] = f"{name}, no. {seen[name]}"
    return names


def _cast_notes(casts: set[str]) -> list[str]:
    return [f"the forward converts values to {', '.join(sorted(casts))}; traced in float64 throughout"] if casts else []


def _dropped_notes(tape: Tape, live: list[Step]) -> list[str]:
    kept = {step.target for step in live}
    dropped = [step for step in tape.steps if isinstance(step, Kink) and step.target not in kept]
    if not dropped:
        return []
    where = ", ".join(sorted({tape.layers[step.target].path or step.operation for step in dropped}))
    return [f"{len(dropped)} nonlinear layer(s) do not influence the output and were left out: {where}"]


def _forward_error(
    network: Network, double: nn.Module, native: nn.Module, dtype: torch.dtype, points: Float
) -> ForwardError:
    exact = network.forward(points)
    with Float64():
        truth = _output(double, torch.from_numpy(points))
    error = _largest_difference(exact, truth)
    if error > _MAX_RELATIVE_ERROR * max(1.0, float(np.abs(truth).max(initial=0.0))):
        raise TraceError(
            f"the traced network differs from the module by {error:.3g} on random inputs; its forward does something "
            "that depends on the batch or on earlier calls and cannot be followed"
        )
    rounded = torch.from_numpy(points).to(dtype)
    native_error = _largest_difference(network.forward(rounded.double().numpy()), _output(native, rounded))
    return ForwardError(error, native_error, _name(dtype))


def _output(module: nn.Module, x: Tensor) -> Float:
    """(N, C) float64 what a module computes."""
    output: Float = _run(module, x).detach().double().reshape(len(x), -1).numpy()
    if not np.isfinite(output).all():
        raise TraceError(f"the module's output is NaN or infinite for inputs in [-1, 1] ({_name(x.dtype)})")
    return output


def _largest_difference(left: Float, right: Float) -> float:
    return float(np.abs(left - right).max(initial=0.0))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
