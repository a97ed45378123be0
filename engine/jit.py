"""Compilation of kernels: cached on disk, without the GIL, with the two bit operations that numba lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function` on first use to machine code that is cached on disk and runs without the GIL.

    `contract` lets a multiplication and an addition become one rounding less; nothing else is reordered, so results do not
    depend on how the work is split.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function))


def inline(function: F) -> F:
    """Compile `function` for use inside kernels."""
    return cast(F, numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})(function))


@intrinsic
def popcount(typing_context: Any, word: Any) -> Any:  # noqa: ARG001
    """Number of set bits of a uint64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), codegen


@intrinsic
def lowest_bit(typing_context: Any, word: Any) -> Any:  # noqa: ARG001
    """Index of the lowest set bit of a uint64 that is not zero."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.uint64(types.uint64), codegen
