"""Tensors that stand for a batch of inputs while a module is traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.arrays import Float
from engine.trace.tape import FIRST_CONSTANT, FIRST_OPAQUE, Cells, Number, Tape

# A code says what an element of a traced tensor is: its row of the batch, shifted by ROW bits, and its cell.
Codes = NDArray[np.int64]
ROW = 32
CELL = (1 << ROW) - 1

MIXED_ROWS = (
    "mixes the rows of the batch or treats them differently; keep the batch as the first dimension and every input on "
    "its own"
)
INDEX = "an index depends on the input"


@dataclass(eq=False, slots=True)
class Storage:
    """The elements that a tensor and all its views share; writing in place replaces their codes (T,)."""

    codes: Codes


class Traced(Tensor):
    """A tensor that depends on the input: the elements at `places` of a storage, with values for an example batch."""

    elements: Storage
    places: Tensor
    example: Tensor

    @staticmethod
    def __new__(cls, example: Tensor, elements: Storage, places: Tensor) -> Self:
        wrapper = torch.Tensor._make_wrapper_subclass(
            cls, example.shape, example.stride(), example.storage_offset(), dtype=example.dtype
        )
        wrapper.example, wrapper.elements, wrapper.places = example, elements, places
        return wrapper

    @classmethod
    def from_codes(cls, example: Tensor, codes: Codes) -> Traced:
        """A tensor with a storage of its own."""
        places = torch.arange(codes.size).reshape(codes.shape)
        example = example.double() if example.is_floating_point() else example
        return cls(example.contiguous(), Storage(codes.reshape(-1)), places)

    @property
    def codes(self) -> Codes:
        codes: Codes = self.elements.codes[self.places.numpy()]
        return codes

    def __repr__(self, *, tensor_contents: object = None) -> str:  # type: ignore[override]
        return f"Traced(shape={tuple(self.shape)})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        raise RuntimeError(f"{func} on a traced tensor outside of its trace")


class Layout:
    """The elements of a tensor row by row of the batch: every row must hold the same cells in the same places."""

    def __init__(self, tape: Tape, batch: int, codes: Codes) -> None:
        self._tape = tape
        self._codes = codes
        rows = codes.ravel() >> ROW
        order = np.argsort(rows, kind="stable")
        if not np.array_equal(rows[order], np.repeat(np.arange(batch), codes.size // batch)):
            self._refuse()
        self._order = order.reshape(batch, -1)
        self.cells = self.row(codes & CELL)

    def row(self, array: NDArray[Number]) -> NDArray[Number]:
        """(m,) what every row of the batch holds of an array of the tensor's shape."""
        rows = array.ravel()[self._order]
        if (rows != rows[0]).any():
            self._refuse()
        first: NDArray[Number] = rows[0]
        return first

    def constant(self, value: Any) -> Float:
        """(m,) the row of a constant that is broadcast to the tensor's shape."""
        constant = as_array(value)
        if np.isnan(constant).any():
            self._tape.refuse("a constant in it is NaN")
        return self.row(np.broadcast_to(constant, self._codes.shape))

    def aligned(self, codes: Codes) -> Cells:
        """(m,) the cells of another tensor, which is broadcast to this one's shape, in the same order."""
        codes = np.broadcast_to(codes, self._codes.shape)
        if ((codes ^ self._codes) >> ROW).any():
            self._refuse()
        return self.row(codes & CELL)

    def with_cells(self, cells: Cells) -> Codes:
        """The codes of the tensor's shape with other cells (m,) in the same places."""
        codes = self._codes.ravel() & ~CELL
        codes[self._order] |= cells
        return codes.reshape(self._codes.shape)

    def _refuse(self) -> NoReturn:
        self._tape.refuse(MIXED_ROWS)


def made(shape: tuple[int, ...], codes: Codes) -> Traced:
    """A tensor of these codes, as an operand of a further rule: none reads its values."""
    return Traced.from_codes(torch.zeros(shape), codes.reshape(shape))


def as_array(value: Any) -> NDArray[Any]:
    if isinstance(value, Tensor):
        value = value.detach().to("cpu", torch.float64).numpy()
    return np.asarray(value, dtype=np.float64)


def mapped(change: Callable[[Any], Any], item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return type(item)([mapped(change, part) for part in item])
    if isinstance(item, dict):
        return {key: mapped(change, part) for key, part in item.items()}
    return change(item)


def leaves(item: Any) -> list[Any]:
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, (list, tuple)):
        return [leaf for part in item for leaf in leaves(part)]
    return [item]


def example_of(leaf: Any) -> Any:
    return leaf.example if isinstance(leaf, Traced) else leaf


def folded(leaf: Any) -> Any:
    """A traced tensor that holds only constants is one."""
    if isinstance(leaf, Traced):
        cells = leaf.codes & CELL
        if ((cells >= FIRST_CONSTANT) & (cells < FIRST_OPAQUE)).all():
            return leaf.example
    return leaf
