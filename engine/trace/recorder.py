"""Following the operations of a forward: moves data, writes in place, and asks the rules about all the rest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from engine.trace.constant_products import with_equal_rows
from engine.trace.tape import Tape
from engine.trace.traced import (
    CELL,
    INDEX,
    MIXED_ROWS,
    ROW,
    Codes,
    Layout,
    Traced,
    as_array,
    example_of,
    folded,
    leaves,
    mapped,
)

# Movements of data that make a new tensor; those that make a view are known by their schema.
_COPIES = {
    "_to_copy", "_unsafe_view", "cat", "clone", "constant_pad_nd", "flip", "gather", "index", "index_select", "repeat",
    "roll", "stack", "take",
}  # fmt: skip
# Movements of data that torch does on floating point numbers only.
_PADDINGS = {
    "reflection_pad1d", "reflection_pad2d", "reflection_pad3d", "replication_pad1d", "replication_pad2d",
    "replication_pad3d",
}  # fmt: skip
_MOVEMENTS = _COPIES | _PADDINGS
_RESHAPES = {"as_strided", "resize", "squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"}
_FACTORIES = {
    "empty", "full", "ones", "zeros", "empty_like", "full_like", "ones_like", "zeros_like", "new_empty", "new_full",
    "new_ones", "new_zeros",
}  # fmt: skip

Rule = Callable[..., Codes]
Reason = Callable[[str, bool, str], str]


class DispatchMode(TorchDispatchMode):
    """A dispatch mode that leaves torch's compiler alone: importing it would take longer than any trace."""

    def __init__(self) -> None:
        super().__init__()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class Recorder(DispatchMode):
    """While active, records every operation on traced tensors on a tape; all others just run.

    rules: for the name of an ATen operation, the function from the recorder, the result's shape and the operation's
    arguments to the codes of the result.  reason: why an operation without a rule is refused, by its name, whether
    it is random, and the layer's class.  `casts` collects the floating point types that the forward asks for.
    """

    def __init__(self, tape: Tape, batch: int, rules: Mapping[str, Rule], reason: Reason) -> None:
        super().__init__()
        self.tape = tape
        self.batch = batch
        self._rules = rules
        self._reason = reason
        self.casts: set[str] = set()

    def input(self, value: Tensor) -> Traced:
        """The traced tensor of the input batch (batch, *input_shape)."""
        rows = np.arange(self.batch)[:, None] << ROW
        return Traced.from_codes(value, (rows | self.tape.cells(0)).reshape(value.shape))

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error that names the layer."""
        self.tape.refuse(reason)

    def layout(self, x: Traced, shape: tuple[int, ...]) -> Layout:
        """The layout of a tensor that is broadcast to a shape."""
        return Layout(self.tape, self.batch, np.broadcast_to(x.codes, shape))

    def lifted(self, value: Any, rows: NDArray[np.int64]) -> Codes:
        """Codes of a constant whose elements belong to the given rows of the batch (broadcast against it)."""
        return self.tape.constants(as_array(value)) | (rows << ROW)

    def __torch_dispatch__(self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._overloadpacket.__name__
        if torch.Tag.nondeterministic_seeded in func.tags and name != "rrelu_with_noise":
            self.refuse(self._reason(name, True, self.tape.layer.kind))
        if not any(isinstance(leaf, Traced) for leaf in leaves((args, kwargs))):
            result = with_equal_rows(name, run_in_float64(func, args, kwargs), args)
            if name in _FACTORIES and result.dim() and len(result) == self.batch and result.is_floating_point():
                # Such a tensor may be filled in place with traced values later on.
                return self._filled(name, result, np.arange(self.batch).reshape(-1, *[1] * (result.dim() - 1)))
            return result
        written = [a.name for a in func._schema.arguments if a.alias_info is not None and a.alias_info.is_write]
        returned = func._schema.returns[0].alias_info if func._schema.returns else None
        if "out" in written:
            self.refuse(f"{name} writes into a given tensor (out=...); use its result instead")
        if written:
            return self._in_place(func, name, args, kwargs)
        if name in _MOVEMENTS or (returned is not None and name not in ("view_as_complex", "view_as_real")):
            if func is torch.ops.aten.view.dtype:
                self.refuse("reads the bits of a value as another type")
            return self._move(func, name, args, kwargs, shared=returned is not None)
        if name in _FACTORIES:
            like = args[0]
            result = func(like.example, *args[1:], **kwargs)
            if result.shape == like.shape:
                return self._filled(name, result, like.codes >> ROW)
            rows = np.arange(self.batch).reshape(-1, *[1] * max(result.dim() - 1, 0))
            return self._filled(name, result, rows) if result.dim() and len(result) == self.batch else result
        args, kwargs = mapped(folded, args), mapped(folded, kwargs)
        if not any(isinstance(leaf, Traced) for leaf in leaves((args, kwargs))):
            args, kwargs = widened(func, args, kwargs)
            return with_equal_rows(name, func(*args, **kwargs), args)
        value = run_in_float64(func, mapped(example_of, args), mapped(example_of, kwargs))
        first = value[0] if isinstance(value, tuple) else value
        traced = Traced.from_codes(first, self._codes(name, first, args, kwargs))
        if isinstance(value, tuple):
            return (traced, *(self._index(v, traced) if v.dtype == torch.int64 else v for v in value[1:]))
        return traced

    def output(self, result: Tensor) -> int:
        """The slot that holds the rows of a result (batch, ...)."""
        rows = np.arange(self.batch).reshape(-1, *[1] * (result.dim() - 1))
        codes = result.codes if isinstance(result, Traced) else self.lifted(result, rows)
        if ((codes >> ROW) != rows).any():
            self.refuse(MIXED_ROWS)
        return self.tape.slot(Layout(self.tape, self.batch, codes).cells)

    def _index(self, value: Tensor, of: Traced) -> Traced:
        """The indices (of the shape of `of`) at which values that depend on the input were found."""
        return Traced.from_codes(value, (of.codes & ~CELL) | self.tape.opaque(INDEX))

    def _filled(self, name: str, value: Tensor, rows: NDArray[np.int64]) -> Traced:
        if name.endswith(("empty", "empty_like")):
            value.zero_()
        return Traced.from_codes(value, self.lifted(value, rows))

    def _codes(self, name: str, value: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Codes:
        """The codes of an operation's result."""
        rule = self._rules.get(name)
        if rule is None:
            self.refuse(self._reason(name, False, self.tape.layer.kind))
        try:
            bound = inspect.signature(rule).bind(self, tuple(value.shape), *args, **kwargs)
        except TypeError:
            self.refuse(f"{name} with these options is not supported")
        return rule(*bound.args, **bound.kwargs).reshape(value.shape)

    def _move(self, func: OpOverload, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], shared: bool) -> Any:
        """Run a movement of data on the elements' indices as well; views share their storage."""
        if name == "_to_copy":
            dtype = kwargs.get("dtype") or torch.float64
            if not isinstance(folded(args[0]), Traced):
                return run_in_float64(func, (args[0].example,), kwargs)
            if not dtype.is_floating_point:
                self.refuse(f"converts a value that depends on the input to {dtype}, which is a jump")
            if args[0].is_floating_point():
                self.casts.add(str(dtype).removeprefix("torch."))
            return Traced.from_codes(args[0].example.to(torch.float64, copy=True), args[0].codes)
        value = func(*mapped(example_of, args), **kwargs)
        if shared:
            places, elements = func(args[0].places, *args[1:], **kwargs), args[0].elements
            if isinstance(value, Tensor):
                return Traced(value, elements, places)
            return [Traced(v, elements, p) for v, p in zip(value, places, strict=True)]
        if name in ("cat", "stack"):
            codes = self._joined(func, *args, **kwargs)
        elif name == "constant_pad_nd":
            x, pad, fill = (*args, 0.0)[:3]
            # Padding may not touch the batch, so that the row of an element can be read off along dimension 0.
            positions = func(torch.arange(x.places.numel()).reshape(x.shape), pad, -1).numpy()
            rows = np.arange(self.batch).reshape(-1, *[1] * (value.dim() - 1))
            codes = np.where(positions < 0, self.lifted(fill, rows), x.codes.ravel()[positions])
        elif name in _PADDINGS:
            positions = func(torch.arange(args[0].numel(), dtype=torch.float64).reshape(args[0].shape), *args[1:])
            codes = args[0].codes.ravel()[positions.long().numpy()]
        elif any(isinstance(leaf, Traced) for leaf in leaves(args[1:])):
            self.refuse(INDEX)
        else:
            codes = func(torch.from_numpy(args[0].codes), *args[1:], **kwargs).numpy()
        return Traced.from_codes(value, codes)

    def _joined(self, func: OpOverload, tensors: Sequence[Tensor], dim: int = 0) -> Codes:
        """Codes of cat and stack; a constant among the tensors belongs to the rows of the traced ones beside it."""
        like = next(tensor for tensor in tensors if isinstance(tensor, Traced))
        rows = torch.from_numpy(like.codes >> ROW)
        if func._overloadpacket.__name__ == "cat":
            rows = rows.narrow(dim, 0, 1)
        parts = []
        for tensor in tensors:
            part = folded(tensor)
            if isinstance(part, Traced):
                parts.append(part.codes)
            else:
                parts.append(self.lifted(part, rows.expand(part.shape).numpy()))
        joined: Codes = func([torch.from_numpy(part) for part in parts], dim).numpy()
        return joined

    def _in_place(self, func: OpOverload, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run an operation that overwrites its first argument: the elements' codes are replaced for all its views."""
        target, operation = args[0], name.removesuffix("_")
        if operation in _RESHAPES:
            self.refuse(f"changes the shape of a value in place ({name}); use {operation} instead")
        if not isinstance(target, Traced):
            operands = mapped(folded, (args, kwargs))
            if not any(isinstance(leaf, Traced) for leaf in leaves(operands)):
                return run_in_float64(func, *operands)
            self.refuse(
                "writes a value that depends on the input into a constant tensor in place; "
                "use torch.cat or torch.stack, or create the tensor with x.new_zeros(len(x), ...)"
            )
        if operation == "index_put":
            index, values, accumulate = (*args[1:], False)[:3]
            if not accumulate and self._is_mask(index, target, values):
                return self._in_place(torch.ops.aten.masked_fill_.Tensor, "masked_fill_", (target, *index, values), {})
            if accumulate or any(isinstance(leaf, Traced) for leaf in leaves(index)):
                self.refuse("accumulates into, or at, elements that depend on the input")
            place = torch.ops.aten.index.Tensor(target.places, index)
            codes = self._copied(values, target.elements.codes[place.numpy()])
        else:
            place = target.places
            operands = mapped(folded, args)
            if operation in ("copy", "fill", "zero"):
                codes = self._copied(args[1] if operation != "zero" else 0.0, target.codes)
            elif any(isinstance(leaf, Traced) for leaf in leaves(operands)):
                codes = self._codes(operation, target, operands, kwargs)
            else:
                codes = None
        run_in_float64(func, mapped(example_of, args), kwargs)
        if codes is None:
            codes = self.lifted(target.example, target.codes >> ROW)
        if ((codes ^ target.elements.codes[place.numpy()]) >> ROW).any():
            self.refuse(MIXED_ROWS)
        target.elements.codes[place.numpy()] = codes
        return target

    def _is_mask(self, index: Sequence[Any], target: Traced, values: Tensor) -> bool:
        """Return whether an assignment x[mask] = value has a mask that depends on the input, by a comparison."""
        mask = index[0]
        if len(index) != 1 or not isinstance(mask, Traced) or isinstance(values, Traced):
            return False
        return mask.dtype == torch.bool and mask.shape == target.shape and values.numel() == 1

    def _copied(self, source: Any, target: Codes) -> Codes:
        source = folded(source)
        codes = source.codes if isinstance(source, Traced) else self.lifted(source, np.zeros((), dtype=np.int64))
        codes = np.broadcast_to(codes, target.shape)
        return codes if isinstance(source, Traced) else codes | (target & ~CELL)


def run_in_float64(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operation on plain tensors so that no floating point result is rounded to a narrower type."""
    name = func._overloadpacket.__name__
    if name == "_to_copy" and (kwargs.get("dtype") or torch.float64).is_floating_point and args[0].is_floating_point():
        kwargs = {**kwargs, "dtype": torch.float64}
    args, kwargs = widened(func, args, kwargs)
    result = func(*args, **kwargs)
    fresh = name == "lift_fresh" or all(returned.alias_info is None for returned in func._schema.returns)
    if fresh and isinstance(result, Tensor) and result.is_floating_point():
        return result.double()
    return result


def widened(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The operands of an operation, narrower floating point ones in float64 where another one is.

    A module that runs in its own type may hold tensors of that type that no conversion of the module finds: globals,
    items of lists.  What the operation writes, or returns a view of, stays the tensor that it is.
    """
    if not any(isinstance(leaf, Tensor) and leaf.dtype == torch.float64 for leaf in leaves((args, kwargs))):
        return args, kwargs
    shared = {argument.name for argument in func._schema.arguments if argument.alias_info is not None}
    names = [argument.name for argument in func._schema.arguments]
    return (
        tuple(arg if name in shared else mapped(_wide, arg) for name, arg in zip(names, args, strict=False)),
        {name: arg if name in shared else mapped(_wide, arg) for name, arg in kwargs.items()},
    )


def _wide(leaf: Any) -> Any:
    return leaf.double() if isinstance(leaf, Tensor) and leaf.is_floating_point() else leaf


class Float64(DispatchMode):
    """While active, a forward that asks for narrower floating point types gets float64 all the same."""

    def __torch_dispatch__(self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run_in_float64(func, args, kwargs or {})
