"""Matrix products of constants in a traced forward: equal operands give equal results, bit by bit."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import torch
from torch import Tensor

_PRODUCTS = {"mm", "mv", "bmm", "addmm", "addmv", "baddbmm"}


def with_equal_rows(name: str, result: Any, args: tuple[Any, ...]) -> Any:
    """The result of an ATen operation on constants, where a product has the same bits in rows of equal operands.

    BLAS sums rows of a product in an order that depends on where they lie, so that the rows of a constant that was
    repeated for the batch come out with different last digits; the same holds for columns.
    """
    if name not in _PRODUCTS or not result.is_floating_point() or result.numel() == 0:
        return result
    bias = args[0] if len(args) == 3 else torch.zeros(())
    left, right = args[-2:]
    product = result
    if right.dim() == 1:
        product, right = product[:, None], right[:, None]
        bias = bias[:, None] if bias.dim() else bias
    bias = bias.expand(product.shape)
    # A product of matrices is a stack of one.
    product, bias, left, right = (x if x.dim() == 3 else x[None] for x in (product, bias, left, right))
    product = _with_equal_rows(product, bias, left, right)
    product = _with_equal_rows(product.mT, bias.mT, right.mT, left).mT
    return product.reshape(result.shape).contiguous()


def _with_equal_rows(result: Tensor, bias: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """(b, n, m): rows of equal bias (b, n, m), left factor (b, n, k) and right matrix (b, k, m) become the first."""
    matrix = _first(_bits(right))
    owner = [number for number in matrix for _ in range(result.shape[1])]
    first = _first(zip(owner, _bits(bias.flatten(0, 1)), _bits(left.flatten(0, 1)), strict=True))
    return result.flatten(0, 1)[first].reshape(result.shape)


def _bits(parts: Tensor) -> list[bytes]:
    return [part.tobytes() for part in parts.double().numpy()]


def _first(keys: Iterable[Hashable]) -> list[int]:
    """For each key, where it occurs first."""
    seen: dict[Hashable, int] = {}
    return [seen.setdefault(key, i) for i, key in enumerate(keys)]
