"""Compilation of kernels: cached on disk, without the GIL, with three operations that numba lacks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

_ENGINE = Path(__file__).parents[1]


def kernel(function: F) -> F:
    """Compile `function` on first use to machine code that is cached on disk and runs without the GIL.

    `contract` lets a multiplication and an addition become one rounding less; nothing else is reordered, so results do
    not depend on how the work is split.
    """
    return _compiled(function, {"contract"})


def summing_kernel(function: F) -> F:
    """Like kernel, for sums whose order does not matter: they may be vectorised, the same way in every run."""
    return _compiled(function, {"contract", "reassoc", "nsz"})


def comparing_kernel(function: F) -> F:
    """Like kernel, for minima and maxima of finite numbers; what it gives for others is not said."""
    return _compiled(function, {"contract", "nnan", "nsz"})


def _compiled(function: F, fastmath: set[str]) -> F:
    # numba decides where to cache when it decorates; elsewhere in the process its own setting stays in force.
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(_cache_folder(function))
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(function)
    finally:
        config.CACHE_DIR = before
    return cast(F, compiled)


def _cache_folder(function: Callable[..., Any]) -> Path:
    home = Path(function.__code__.co_filename).parent
    return cache_folder() if home.is_relative_to(_ENGINE) else cache_folder(home)


@cache
def cache_folder(*others: Path) -> Path:
    """Where compiled kernels are kept: the user's cache folder, one subfolder for each state of the engine's sources.

    numba itself notices only changes of the file that a kernel is written in, not of those that it takes functions
    from.  others: folders of kernels outside the engine.
    """
    base = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "splinescope"
    return folder / "kernels" / digest_of(_ENGINE, *others)


def digest_of(*folders: Path) -> str:
    """Return a short name of all Python sources in some folders and those below them."""
    digest = hashlib.sha256()
    for folder in folders:
        for source in sorted(folder.rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def inner(function: F) -> F:
    """Compile `function` for kernels to call: it allocates nothing, so it need not count the references to its arrays,
    which would cost as much as a short loop each time, more when threads share the arrays.  No wrapper for Python is
    made.
    """
    return _inner(function, {"contract"}, False)


def inner_sum(function: F) -> F:
    """Like inner, as summing_kernel is like kernel."""
    return _inner(function, {"contract", "reassoc", "nsz"}, False)


def inline(function: F) -> F:
    """Like inner, compiled into the kernels that call it: a call would copy the descriptors of all its arrays."""
    return _inner(function, {"contract"}, True)


def _inner(function: F, fastmath: set[str], forceinline: bool) -> F:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath, "forceinline": forceinline}
    options |= {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, numba.njit(**options)(function))


def _popcount(typing_context: Any, word: Any) -> Any:
    """Number of set bits of a uint64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), codegen


def _lowest_bit(typing_context: Any, word: Any) -> Any:
    """Index of the lowest set bit of a uint64 that is not zero."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.uint64(types.uint64), codegen


def _index(typing_context: Any, number: Any) -> Any:
    """An integer that is not negative, said to be so to the compiler: at every access numba counts a negative index
    from the end, which takes as long as the access.  What happens with a negative number is not said.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (given,) = arguments
        function_type = ir.FunctionType(ir.VoidType(), [ir.IntType(1)])
        assume = builder.module.declare_intrinsic("llvm.assume", (), function_type)
        builder.call(assume, [builder.icmp_signed(">=", given, ir.Constant(given.type, 0))])
        return given

    return number(number), codegen


index = cast(Callable[[Any], Any], intrinsic(_index))
popcount = cast(Callable[[Any], Any], intrinsic(_popcount))
lowest_bit = cast(Callable[[Any], Any], intrinsic(_lowest_bit))
