"""What each ATen operation does to traced tensors: moves data, records affine steps and kinks, or is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from engine.errors import NotPiecewiseLinearError
from engine.steps import Float
from engine.tape import FIRST_CONSTANT, Cells, Tape

# A code names what an element of a traced tensor is: its row of the batch and its cell.
Codes = NDArray[np.int64]
_ROW = 32
_CELL = (1 << _ROW) - 1


@dataclass(eq=False, slots=True)
class Storage:
    """The elements that a tensor and all its views share; writing in place replaces their codes (T,)."""

    codes: Codes


class Traced(Tensor):
    """A tensor that depends on the input: elements `index` of a storage, and their values for the example batch."""

    storage: Storage
    index: Tensor
    value: Tensor

    @staticmethod
    def __new__(cls, value: Tensor, storage: Storage, index: Tensor) -> Self:
        wrapper = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, value.shape, value.stride(), value.storage_offset(), dtype=torch.float64
        )
        wrapper.value, wrapper.storage, wrapper.index = value, storage, index
        return wrapper  # type: ignore[no-any-return]

    @classmethod
    def from_codes(cls, value: Tensor, codes: Codes) -> Traced:
        index = torch.arange(codes.size).reshape(codes.shape)
        return cls(value.to(torch.float64).contiguous(), Storage(codes.reshape(-1)), index)

    @property
    def codes(self) -> Codes:
        codes: Codes = self.storage.codes[self.index.numpy()]
        return codes

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"Traced(shape={tuple(self.shape)})"

    @classmethod
    def __torch_dispatch__(cls, func: OpOverload, types: object, args: object = (), kwargs: object = None) -> Any:
        raise RuntimeError(f"{func} on a traced tensor outside of its trace")


class Layout:
    """The elements of a tensor row by row of the batch: every row must hold the same cells in the same places."""

    def __init__(self, recorder: Recorder, codes: Codes) -> None:
        self._recorder = recorder
        self._codes = codes
        rows = codes.ravel() >> _ROW
        order = np.argsort(rows, kind="stable")
        batch = recorder.batch
        if not np.array_equal(rows[order], np.repeat(np.arange(batch), codes.size // batch)):
            recorder.refuse_mixed_rows()
        self._order = order.reshape(batch, -1)
        self.cells = self.row(codes & _CELL)

    def row(self, array: NDArray[Any]) -> NDArray[Any]:
        """(m,) what every row of the batch holds of an array of the tensor's shape."""
        rows = array.ravel()[self._order]
        if (rows != rows[0]).any():
            self._recorder.refuse_mixed_rows()
        return rows[0]  # type: ignore[no-any-return]

    def constant(self, value: Any) -> Float:
        """(m,) the row of a constant that is broadcast to the tensor's shape."""
        array = _array(value)
        if np.isnan(array).any():
            self._recorder.refuse("a constant in it is NaN")
        return self.row(np.broadcast_to(array, self._codes.shape))

    def aligned(self, codes: Codes) -> Cells:
        """(m,) the cells of another tensor of the same shape, row by row of the batch too."""
        if ((codes ^ self._codes) >> _ROW).any():
            self._recorder.refuse_mixed_rows()
        return self.row(codes & _CELL)

    def with_cells(self, cells: Cells) -> Codes:
        """The codes of the tensor's shape with other cells (m,) in the same places."""
        codes = self._codes.ravel() & ~_CELL
        codes[self._order] |= cells
        return codes.reshape(self._codes.shape)


class Recorder(TorchDispatchMode):
    """While active, records every operation on traced tensors on a tape; all others just run."""

    def __init__(self, tape: Tape, batch: int) -> None:
        super().__init__()
        self.tape = tape
        self.batch = batch
        self.casts: set[str] = set()

    def input(self, value: Tensor) -> Traced:
        """The traced tensor of the input batch (batch, *input_shape)."""
        rows = np.arange(self.batch)[:, None] << _ROW
        return Traced.from_codes(value, (rows | self.tape.cells(0)).reshape(value.shape))

    def refuse(self, reason: str) -> Any:
        layer = self.tape.layer
        raise NotPiecewiseLinearError(layer.path, layer.kind, reason)

    def refuse_mixed_rows(self) -> Any:
        self.refuse(
            "mixes the rows of the batch or treats them differently; keep the batch as the first dimension and each "
            "input on its own"
        )

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func._overloadpacket.__name__
        if torch.Tag.nondeterministic_seeded in func.tags and name != "rrelu_with_noise":
            self.refuse(f"{_words(name)} is random; a network must be a fixed function")
        if not any(isinstance(leaf, Traced) for leaf in _leaves((args, tuple(kwargs.values())))):
            result = run_in_float64(func, args, kwargs)
            if name in _FACTORIES and result.dim() and len(result) == self.batch and result.is_floating_point():
                # Such a tensor may be filled in place with traced values later on.
                return self._filled(name, result, np.arange(self.batch).reshape(-1, *[1] * (result.dim() - 1)))
            return result
        written = [a.name for a in func._schema.arguments if a.alias_info is not None and a.alias_info.is_write]
        returned = func._schema.returns[0].alias_info if func._schema.returns else None
        if "out" in written:
            self.refuse(f"{_words(name)} writes into a given tensor (out=...); use its result instead")
        if written:
            return self._in_place(func, name, args, kwargs)
        if name in _COPIES or (returned is not None and name not in ("view_as_complex", "view_as_real")):
            if func is torch.ops.aten.view.dtype:
                self.refuse("reads the bits of a value as another type")
            return self._move(func, name, args, kwargs, shared=returned is not None)
        if name in _FACTORIES:
            like = args[0]
            result = func(like.value, *args[1:], **kwargs)
            if result.shape == like.shape:
                return self._filled(name, result, like.codes >> _ROW)
            rows = np.arange(self.batch).reshape(-1, *[1] * max(result.dim() - 1, 0))
            return self._filled(name, result, rows) if result.dim() and len(result) == self.batch else result
        args, kwargs = _mapped(_folded, args), {key: _mapped(_folded, value) for key, value in kwargs.items()}
        if not any(isinstance(leaf, Traced) for leaf in _leaves((args, tuple(kwargs.values())))):
            return func(*args, **kwargs)
        value = func(*_mapped(_value, args), **{key: _mapped(_value, item) for key, item in kwargs.items()})
        first = value[0] if isinstance(value, tuple) else value
        traced = Traced.from_codes(first, self._codes(name, first, args, kwargs))
        return (traced, *value[1:]) if isinstance(value, tuple) else traced

    def output(self, result: Tensor) -> int:
        """The slot that holds the rows of a result (batch, ...)."""
        rows = np.arange(self.batch).reshape(-1, *[1] * (result.dim() - 1))
        codes = result.codes if isinstance(result, Traced) else self.lifted(result, rows)
        if ((codes >> _ROW) != rows).any():
            self.refuse_mixed_rows()
        return self.tape.slot(Layout(self, codes).cells)

    def _filled(self, name: str, value: Tensor, rows: NDArray[np.int64]) -> Traced:
        if name.endswith(("empty", "empty_like")):
            value.zero_()
        return Traced.from_codes(value, self.lifted(value, rows))

    def lifted(self, value: Any, rows: NDArray[np.int64]) -> Codes:
        """Codes of a constant whose elements belong to the given rows of the batch (broadcast against it)."""
        return self.tape.constants(_array(value)) | (rows << _ROW)

    def _codes(self, name: str, value: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Codes:
        """The codes of an operation's result."""
        if name not in RULES:
            self.refuse(_reason(name))
        rule = RULES[name]
        try:
            bound = inspect.signature(rule).bind(self, tuple(value.shape), *args, **kwargs)
        except TypeError:
            return self.refuse(f"{_words(name)} with these options is not supported")  # type: ignore[no-any-return]
        return rule(*bound.args, **bound.kwargs).reshape(value.shape)

    def _move(self, func: OpOverload, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], shared: bool) -> Any:
        """Run a movement of data on the elements' indices as well; views share their storage."""
        if name == "_to_copy":
            dtype = kwargs.get("dtype") or torch.float64
            if not dtype.is_floating_point:
                self.refuse(f"converts a value that depends on the input to {dtype}, which is a jump")
            self.casts.add(str(dtype).removeprefix("torch."))
            return Traced.from_codes(args[0].value.clone(), args[0].codes)
        value = func(*_mapped(_value, args), **kwargs)
        if shared:
            index = func(*_mapped(lambda leaf: leaf.index if isinstance(leaf, Traced) else leaf, args), **kwargs)
            storage = args[0].storage
            if isinstance(value, Tensor):
                return Traced(value, storage, index)
            return [Traced(v, storage, i) for v, i in zip(value, index, strict=True)]
        if name in ("cat", "stack"):
            codes = self._joined(func, *args, **kwargs)
        elif name == "constant_pad_nd":
            x, pad, fill = (*args, 0.0)[:3]
            # Padding may not touch the batch, so that the row of an element can be read off along dimension 0.
            positions = func(torch.arange(x.index.numel()).reshape(x.shape), pad, -1).numpy()
            rows = np.arange(self.batch).reshape(-1, *[1] * (value.dim() - 1))
            codes = np.where(positions < 0, self.lifted(fill, rows), x.codes.ravel()[positions])
        elif any(isinstance(leaf, Traced) for leaf in _leaves(args[1:])):
            return self.refuse("an index depends on the input")
        else:
            codes = func(torch.from_numpy(args[0].codes), *args[1:], **kwargs).numpy()
        return Traced.from_codes(value, codes)

    def _joined(self, func: OpOverload, tensors: Sequence[Tensor], dim: int = 0) -> Codes:
        """Codes of cat and stack; a constant among the tensors belongs to the rows of the traced ones beside it."""
        like = next(tensor for tensor in tensors if isinstance(tensor, Traced))
        rows = torch.from_numpy(like.codes >> _ROW)
        if func._overloadpacket.__name__ == "cat":
            rows = rows.narrow(dim, 0, 1)
        parts = []
        for tensor in tensors:
            folded = _folded(tensor)
            if isinstance(folded, Traced):
                parts.append(folded.codes)
            else:
                parts.append(self.lifted(folded, rows.expand(folded.shape).numpy()))
        joined: Codes = func([torch.from_numpy(part) for part in parts], dim).numpy()
        return joined

    def _in_place(self, func: OpOverload, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run an operation that overwrites its first argument: the elements' codes are replaced for all its views."""
        target, operation = args[0], name.removesuffix("_")
        if not isinstance(target, Traced):
            return self.refuse(
                "writes a value that depends on the input into a constant tensor in place; "
                "use torch.cat or torch.stack, or create the tensor with x.new_zeros(len(x), ...)"
            )
        if operation == "index_put":
            index, values, accumulate = (*args[1:], False)[:3]
            if accumulate or any(isinstance(leaf, Traced) for leaf in _leaves(index)):
                self.refuse("accumulates into, or at, elements that depend on the input")
            place = torch.ops.aten.index.Tensor(target.index, index)
            codes = self._copied(values, target.storage.codes[place.numpy()])
        else:
            place = target.index
            folded = (_mapped(_folded, args), {key: _mapped(_folded, item) for key, item in kwargs.items()})
            if operation in ("copy", "fill", "zero"):
                codes = self._copied(args[1] if operation != "zero" else 0.0, target.codes)
            elif any(isinstance(leaf, Traced) for leaf in _leaves((folded[0], tuple(folded[1].values())))):
                codes = self._codes(operation, target, *folded)
            else:
                codes = None
        func(*_mapped(_value, args), **kwargs)
        if codes is None:
            codes = self.lifted(target.value, target.codes >> _ROW)
        if ((codes ^ target.storage.codes[place.numpy()]) >> _ROW).any():
            self.refuse_mixed_rows()
        target.storage.codes[place.numpy()] = codes
        return target

    def _copied(self, source: Any, target: Codes) -> Codes:
        source = _folded(source)
        codes = source.codes if isinstance(source, Traced) else self.lifted(source, np.zeros((), dtype=np.int64))
        codes = np.broadcast_to(codes, target.shape)
        return codes if isinstance(source, Traced) else codes | (target & ~_CELL)

    # What the rules are made of.

    def layout(self, x: Traced, shape: tuple[int, ...]) -> Layout:
        return Layout(self, np.broadcast_to(x.codes, shape))

    def affine(self, shape: tuple[int, ...], x: Traced, factor: Any = 1.0, shift: Any = 0.0) -> Codes:
        """Codes of x * factor + shift, by elements."""
        layout = self.layout(x, shape)
        cells = self.tape.scale(layout.cells, layout.constant(factor), layout.constant(shift))
        return layout.with_cells(cells)

    def kink(
        self,
        shape: tuple[int, ...],
        x: Traced,
        operation: str,
        breakpoints: Sequence[Any],
        slopes: Sequence[Any],
        intercepts: Sequence[Any] | None = None,
    ) -> Codes:
        """Codes of a piecewise linear function of x, by elements; breakpoints and pieces are broadcast."""
        layout = self.layout(x, shape)
        columns = [
            np.stack([layout.constant(value) for value in part], axis=1)
            for part in (breakpoints, slopes, intercepts or [0.0] * len(slopes))
        ]
        return layout.with_cells(self.tape.kink(layout.cells, operation, *columns))

    def rows_times(self, codes: Codes, weight: Float, bias: Float | None = None) -> Codes:
        """Codes (R, m) of the rows (R, n) of codes times weight (n, m) or (R, n, m), plus bias (R, m)."""
        owner = codes >> _ROW
        if codes.shape[1] == 0 or (owner != owner[:, :1]).any():
            self.refuse_mixed_rows()
        order = np.argsort(owner[:, 0], kind="stable")
        groups = len(codes) // self.batch
        if not np.array_equal(owner[order, 0], np.repeat(np.arange(self.batch), groups)):
            self.refuse_mixed_rows()

        def row(array: NDArray[Any]) -> NDArray[Any]:
            rows = array[order].reshape(self.batch, groups, *array.shape[1:])
            if (rows != rows[0]).any():
                self.refuse_mixed_rows()
            return rows[0]  # type: ignore[no-any-return]

        cells = row(codes & _CELL)
        m = weight.shape[-1]
        shift = np.zeros((groups, m)) if bias is None else row(bias)
        if weight.ndim == 2:  # noqa: PLR2004  one matrix for all rows
            weights = np.broadcast_to(weight, (1, *weight.shape))
        else:
            weights = row(weight)
        if len(weights) > 1 and (weights == weights[0]).all():
            weights = weights[:1]
        result = np.empty((len(codes), m), dtype=np.int64)
        result[order] = np.tile(self._groups_times(cells, weights, shift).reshape(groups, m), (self.batch, 1))
        return result | (owner[:, :1] << _ROW)

    def _groups_times(self, cells: Cells, weights: Float, shift: Float) -> Cells:
        """Cells of every group of cells (g, n) times its weights (g or 1, n, m) plus its shift (g, m)."""
        groups, n = cells.shape
        if len(weights) > 1:
            dense = np.zeros((groups, weights.shape[2], groups, n))
            dense[np.arange(groups), :, np.arange(groups)] = weights.transpose(0, 2, 1)
            one = dense.reshape(1, -1, groups * n).transpose(0, 2, 1)
            return self._groups_times(cells.reshape(1, -1), one, shift.reshape(1, -1))
        weight, constant = weights[0], cells >= FIRST_CONSTANT
        if (constant == constant[0]).all() and constant[0].any() and not constant.all():
            # What the constants contribute belongs in the bias.
            shift = shift + self.tape.constant_values(cells[:, constant[0]]) @ weight[constant[0]]
            cells, weight = cells[:, ~constant[0]], weight[~constant[0]]
        shared = (shift == shift[0]).all()
        bias = shift[0] if shared else np.zeros(shift.shape[1])
        result = self.tape.linear(cells.ravel(), weight.T, bias, groups)
        return result if shared else self.tape.scale(result, np.ones(shift.size), shift.ravel())


def run_in_float64(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operation on plain tensors so that no floating point result is rounded to a narrower type."""
    name = func._overloadpacket.__name__
    if name == "_to_copy" and (kwargs.get("dtype") or torch.float64).is_floating_point and args[0].is_floating_point():
        kwargs = {**kwargs, "dtype": torch.float64}
    result = func(*args, **kwargs)
    fresh = name == "lift_fresh" or all(returned.alias_info is None for returned in func._schema.returns)
    if fresh and isinstance(result, Tensor) and result.is_floating_point():
        return result.double()
    return result


class Float64(TorchDispatchMode):
    """While active, a forward that asks for narrower floating point types gets float64 all the same."""

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return run_in_float64(func, args, kwargs or {})


def _array(value: Any) -> NDArray[Any]:
    if isinstance(value, Tensor):
        value = value.detach().to("cpu", torch.float64).numpy()
    return np.asarray(value, dtype=np.float64)


def _mapped(change: Callable[[Any], Any], item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return type(item)([_mapped(change, part) for part in item])
    return change(item)


def _leaves(item: Any) -> list[Any]:
    if isinstance(item, (list, tuple)):
        return [leaf for part in item for leaf in _leaves(part)]
    return [item]


def _value(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, Traced) else leaf


def _folded(leaf: Any) -> Any:
    """A traced tensor that holds only constants is one."""
    if isinstance(leaf, Traced) and ((leaf.codes & _CELL) >= FIRST_CONSTANT).all():
        return leaf.value
    return leaf


# Rules: the codes of an operation's result.  Their parameters are named as in ATen's schemas.


def _add(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    if not isinstance(other, Traced):
        return r.affine(shape, left, 1.0, alpha * _array(other))
    if not isinstance(left, Traced):
        return r.affine(shape, other, alpha, left)
    layout = r.layout(left, shape)
    right = layout.aligned(np.broadcast_to(other.codes, shape))
    if abs(alpha) != 1:
        right = r.tape.scale(right, np.full(len(right), abs(float(alpha))), np.zeros(len(right)))
    return layout.with_cells(r.tape.sum(layout.cells, right, 1.0 if alpha > 0 else -1.0))


def _sub(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    return _add(r, shape, left, other, -alpha)


def _rsub(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    return _add(r, shape, other, left, -alpha)


def _neg(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return r.affine(shape, x, -1.0)


def _mul(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    if isinstance(left, Traced) and isinstance(other, Traced):
        r.refuse("multiplies two values that depend on the input; the product is not piecewise linear")
    return r.affine(shape, left, other) if isinstance(left, Traced) else r.affine(shape, other, left)


def _div(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    if isinstance(other, Traced):
        r.refuse("divides by a value that depends on the input; the quotient is not piecewise linear")
    if (_array(other) == 0).any():
        r.refuse("divides by zero")
    return r.affine(shape, left, 1.0 / _array(other))


def _mm(r: Recorder, shape: tuple[int, ...], left: Any, right: Any) -> Codes:
    return _addmm(r, shape, 0.0, left, right)


def _addmm(
    r: Recorder, shape: tuple[int, ...], bias: Any, left: Any, right: Any, *, beta: Any = 1, alpha: Any = 1
) -> Codes:
    if isinstance(left, Traced) and isinstance(right, Traced):
        return _product(r)
    if isinstance(bias, Traced):
        return r.refuse("adds a value that depends on the input inside a matrix product; add it afterwards")  # type: ignore[no-any-return]
    shift = np.broadcast_to(float(beta) * _array(bias), shape)
    if isinstance(left, Traced):
        return r.rows_times(left.codes, float(alpha) * _array(right), shift)
    return r.rows_times(right.codes.T, float(alpha) * _array(left).T, shift.T).T


def _mv(r: Recorder, shape: tuple[int, ...], left: Any, vector: Any) -> Codes:
    if not isinstance(left, Traced):
        return r.refuse_mixed_rows()  # type: ignore[no-any-return]
    if isinstance(vector, Traced):
        return _product(r)
    return r.rows_times(left.codes, _array(vector)[:, None])


def _bmm(r: Recorder, shape: tuple[int, ...], left: Any, right: Any) -> Codes:
    if isinstance(left, Traced) and isinstance(right, Traced):
        return _product(r)
    if not isinstance(left, Traced):
        batch, rows, columns = shape
        codes, matrices = right.codes.transpose(0, 2, 1), _array(left).transpose(0, 2, 1)
        swapped = _stacked_rows(r, (batch, columns, rows), codes, matrices)
        return swapped.reshape(batch, columns, rows).transpose(0, 2, 1)
    return _stacked_rows(r, shape, left.codes, _array(right))


def _stacked_rows(r: Recorder, shape: tuple[int, ...], codes: Codes, matrices: Float) -> Codes:
    rows = codes.reshape(-1, codes.shape[2])
    if (matrices == matrices[0]).all():
        return r.rows_times(rows, matrices[0])
    return r.rows_times(rows, np.repeat(matrices, shape[1], axis=0))


def _product(r: Recorder) -> Any:
    return r.refuse("multiplies two values that depend on the input; the product is not piecewise linear")


def _reduced(r: Recorder, x: Traced, dim: Any, mean: bool) -> Codes:
    codes = x.codes
    dims = range(codes.ndim) if dim is None or dim == [] else [d % codes.ndim for d in _leaves(dim)]
    kept = [d for d in range(codes.ndim) if d not in dims]
    rows = codes.transpose(*kept, *dims).reshape(int(np.prod([codes.shape[d] for d in kept])), -1)
    size = rows.shape[1]
    return r.rows_times(rows, np.full((size, 1), 1.0 / size if mean else 1.0))


def _sum(r: Recorder, shape: tuple[int, ...], x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Codes:
    return _reduced(r, x, dim, mean=False)


def _mean(r: Recorder, shape: tuple[int, ...], x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Codes:
    return _reduced(r, x, dim, mean=True)


def _batch_norm(
    r: Recorder, shape: tuple[int, ...], x: Any, weight: Any, bias: Any, mean: Any, var: Any,
    training: bool, momentum: float, eps: float,
) -> Codes:  # fmt: skip
    if training or mean is None or var is None:
        r.refuse("normalises with statistics of the batch; only batch norm with running statistics is affine")
    if any(isinstance(item, Traced) for item in (weight, bias, mean, var)):
        _product(r)
    channels = (shape[1], *[1] * (len(shape) - 2))
    factor = (1.0 if weight is None else _array(weight)) / np.sqrt(_array(var) + eps)
    shift = (0.0 if bias is None else _array(bias)) - _array(mean) * factor
    return r.affine(shape, x, factor.reshape(channels), shift.reshape(channels))


def _where(r: Recorder, shape: tuple[int, ...], condition: Any, left: Any, right: Any) -> Codes:
    rows = next(item for item in (left, right) if isinstance(item, Traced)).codes & ~_CELL
    parts = [item.codes if isinstance(item, Traced) else r.lifted(item, rows >> _ROW) for item in (left, right)]
    return np.where(condition.numpy(), *parts)


def _masked_fill(r: Recorder, shape: tuple[int, ...], x: Any, mask: Any, value: Any) -> Codes:
    if isinstance(mask, Traced):
        r.refuse("a mask depends on the input")
    return _where(r, shape, mask, value, x)


def _relu(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return r.kink(shape, x, "relu", [0.0], [0.0, 1.0])


def _leaky_relu(r: Recorder, shape: tuple[int, ...], x: Any, negative_slope: float = 0.01) -> Codes:
    return r.kink(shape, x, "leaky_relu", [0.0], [negative_slope, 1.0])


def _rrelu(
    r: Recorder, shape: tuple[int, ...], x: Any, noise: Any, lower: float = 1 / 8, upper: float = 1 / 3,
    training: bool = False, generator: Any = None,
) -> Codes:  # fmt: skip
    if training:
        r.refuse("rrelu is random in training mode; a network must be a fixed function")
    return r.kink(shape, x, "rrelu", [0.0], [(lower + upper) / 2, 1.0])


def _prelu(r: Recorder, shape: tuple[int, ...], x: Any, weight: Any) -> Codes:
    if isinstance(weight, Traced):
        _product(r)
    return r.kink(shape, x, "prelu", [0.0], [weight, 1.0])


def _abs(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return r.kink(shape, x, "abs", [0.0], [-1.0, 1.0])


def _clamp(r: Recorder, shape: tuple[int, ...], x: Any, min: Any = None, max: Any = None) -> Codes:
    return _clamped(r, shape, x, min, max, "clamp")


def _clamp_min(r: Recorder, shape: tuple[int, ...], x: Any, min: Any) -> Codes:
    return _clamped(r, shape, x, min, None, "clamp")


def _clamp_max(r: Recorder, shape: tuple[int, ...], x: Any, max: Any) -> Codes:
    return _clamped(r, shape, x, None, max, "clamp")


def _hardtanh(r: Recorder, shape: tuple[int, ...], x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Codes:
    return _clamped(r, shape, x, min_val, max_val, "hardtanh")


def _clamped(r: Recorder, shape: tuple[int, ...], x: Any, lower: Any, upper: Any, operation: str) -> Codes:
    """min(max(x, lower), upper), as torch clamps: where lower > upper, the result is upper."""
    if any(isinstance(item, Traced) for item in (lower, upper)) or not isinstance(x, Traced):
        r.refuse("clamps to bounds that depend on the input; write it with torch.maximum and torch.minimum")
    low, high = -np.inf if lower is None else _array(lower), np.inf if upper is None else _array(upper)
    low = np.minimum(low, high)
    flat = low == high
    slope = np.where(flat, 0.0, 1.0)
    # The two bounds of a flat clamp coincide and there is nothing between them.
    intercept = np.where(flat, high, 0.0)
    return r.kink(shape, x, operation, [low, high], [0.0, slope, 0.0], [low, intercept, high])


def _maximum(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _extremum(r, shape, left, other, "maximum")


def _minimum(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _extremum(r, shape, left, other, "minimum")


def _extremum(r: Recorder, shape: tuple[int, ...], left: Any, right: Any, operation: str) -> Codes:
    """max(a, b) = b + relu(a - b) and min(a, b) = a - relu(a - b)."""
    if not isinstance(left, Traced) or not isinstance(right, Traced):
        x, bound = (left, right) if isinstance(left, Traced) else (right, left)
        lower, upper = (bound, None) if operation == "maximum" else (None, bound)
        return _clamped(r, shape, x, lower, upper, operation)
    layout = r.layout(left, shape)
    a, b = layout.cells, layout.aligned(np.broadcast_to(right.codes, shape))
    zero, one = np.zeros((len(a), 1)), np.ones((len(a), 1))
    difference = r.tape.sum(a, b, -1.0)
    excess = r.tape.kink(difference, operation, zero, np.hstack([zero, one]), np.hstack([zero, zero]))
    cells = r.tape.sum(b, excess, 1.0) if operation == "maximum" else r.tape.sum(a, excess, -1.0)
    return layout.with_cells(cells)


def _threshold(r: Recorder, shape: tuple[int, ...], x: Any, threshold: float, value: float) -> Codes:
    if threshold != value:
        r.refuse(f"threshold jumps at {threshold:g} (to the value {value:g}); only a continuous one can be drawn")
    return r.kink(shape, x, "threshold", [threshold], [0.0, 1.0], [threshold, 0.0])


def _hardsigmoid(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return r.kink(shape, x, "hardsigmoid", [-3.0, 3.0], [0.0, 1 / 6, 0.0], [0.0, 0.5, 1.0])


def _softshrink(r: Recorder, shape: tuple[int, ...], x: Any, lambd: float = 0.5) -> Codes:
    if lambd == 0:
        return r.affine(shape, x)
    return r.kink(shape, x, "softshrink", [-lambd, lambd], [1.0, 0.0, 1.0], [lambd, 0.0, -lambd])


RULES: dict[str, Callable[..., Codes]] = {
    "add": _add,
    "sub": _sub,
    "rsub": _rsub,
    "neg": _neg,
    "mul": _mul,
    "div": _div,
    "mm": _mm,
    "addmm": _addmm,
    "mv": _mv,
    "bmm": _bmm,
    "sum": _sum,
    "mean": _mean,
    "native_batch_norm": _batch_norm,
    "where": _where,
    "masked_fill": _masked_fill,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "rrelu_with_noise": _rrelu,
    "_prelu_kernel": _prelu,
    "abs": _abs,
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
    "hardtanh": _hardtanh,
    "maximum": _maximum,
    "minimum": _minimum,
    "threshold": _threshold,
    "hardsigmoid": _hardsigmoid,
    "softshrink": _softshrink,
}

# Movements of data that make a new tensor; those that make a view are known by their schema.
_COPIES = frozenset(
    "_to_copy _unsafe_view cat clone constant_pad_nd flip gather index index_select repeat roll stack take".split()
)
_FACTORIES = frozenset(
    "empty full ones zeros empty_like full_like ones_like zeros_like new_empty new_full new_ones new_zeros".split()
)
_COMPARISONS = frozenset("eq ge gt le lt ne logical_and logical_not logical_or isnan isinf".split())
_BRANCHES = frozenset("_local_scalar_dense equal is_nonzero item nonzero".split())
_JUMPS = frozenset("ceil floor frac hardshrink heaviside round sgn sign trunc fmod remainder argmax argmin sort".split())
_NORMS = frozenset("native_layer_norm native_group_norm _fused_rms_norm rms_norm".split())
_POOLS = frozenset("amax amin max min max_pool2d_with_indices max_pool3d_with_indices topk cummax cummin".split())
_AFFINE = frozenset("convolution avg_pool2d avg_pool3d _adaptive_avg_pool2d cumsum index_add scatter_add lerp".split())


def _words(name: str) -> str:
    return {"_softmax": "softmax", "_log_softmax": "log softmax", "log_sigmoid_forward": "logsigmoid"}.get(name, name)


def _reason(name: str) -> str:
    """Why an operation without a rule is refused."""
    words = _words(name)
    if name in _COMPARISONS:
        return (
            f"compares a value that depends on the input ({words}); "
            "write the function with torch.relu, torch.abs, torch.clamp, torch.maximum or torch.minimum"
        )
    if name in _BRANCHES:
        return f"decides by a value that depends on the input ({words}); the branches of a network must be fixed"
    if name in _JUMPS:
        return f"{words} jumps; only continuous piecewise linear functions can be drawn"
    if name in _NORMS:
        return f"{words.removeprefix('native_')} divides by a quantity that depends on the input; not piecewise linear"
    if name in _POOLS:
        return f"{words} over several values (max pooling) is not supported yet; use torch.maximum or torch.minimum"
    if name in _AFFINE:
        return f"{words} is affine, but not supported yet"
    if name in ("tanh", "sigmoid"):
        return (
            f"{words} is not piecewise linear; as the last layer it can be left out: it is increasing, so that the "
            "regions stay the same and the level set moves to another level"
        )
    return f"{words} is not piecewise linear, or not supported"
