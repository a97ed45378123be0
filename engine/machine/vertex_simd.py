"""What is done with all features of one vertex, in vector instructions: written down, as in engine/machine/simd.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.machine.simd import ACCUMULATORS, LANES, check_arrays, integer, load, place, spread, tiles, vector

_KINDS = (LANES, 1), (1, 1)
_FUSED = ("contract",)


def _data(context: Any, builder: Any, signature: Any, arguments: Any, n: int, at: Any = None) -> Any:
    """Where the numbers of array n of the arguments are, from place `at` on."""
    data = context.make_array(signature.args[n])(context, builder, arguments[n]).data
    return data if at is None else builder.gep(data, [at])


def _zero(lanes: int) -> ir.Constant:
    return ir.Constant(vector(lanes), None if lanes > 1 else 0.0)


def _bits(builder: Any, which: Any, lanes: int, at: Any) -> Any:
    """A word with the truth values of some lanes as bits from place `at` on."""
    packed = which if lanes == 1 else builder.bitcast(which, ir.IntType(lanes))
    return builder.shl(builder.zext(packed, ir.IntType(64)), at)


def _add_to(builder: Any, word: Any, bits: Any) -> None:
    builder.store(builder.or_(builder.load(word), bits), word)


def _rectify(
    typing_context: Any, source: Any, start: Any, hidden: Any, units: Any, first: Any, count: Any
) -> tuple[Any, Callable[..., Any]]:
    """hidden[first:][:count] = relu(source.flat[start:][:count]), at most 64; all arrays C-contiguous float64.

    Returns a uint64 with the bits of those that are not zero, and the sum of the squares of hidden * units.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, start, _, _, first, count = arguments
        z = _data(context, builder, signature, arguments, 0, start)
        h, u = (_data(context, builder, signature, arguments, n, first) for n in (2, 3))
        live = cgutils.alloca_once_value(builder, integer(0))
        squares = {lanes: cgutils.alloca_once_value(builder, _zero(lanes)) for lanes, _ in _KINDS}
        for k, lanes, _ in tiles(builder, count, _KINDS):
            value = load(builder, z, k, lanes)
            positive = builder.fcmp_ordered(">", value, _zero(lanes))
            value = builder.select(positive, value, _zero(lanes))
            builder.store(value, place(builder, h, k, lanes), align=8)
            _add_to(builder, live, _bits(builder, positive, lanes, k))
            part = builder.fmul(value, load(builder, u, k, lanes))
            square = builder.fmul(part, part, flags=_FUSED)
            builder.store(builder.fadd(builder.load(squares[lanes]), square, flags=_FUSED), squares[lanes])
        total, several = builder.load(squares[1]), builder.load(squares[LANES])
        for lane in range(LANES):
            total = builder.fadd(total, builder.extract_element(several, integer(lane)), flags=("reassoc",))
        return context.make_tuple(builder, signature.return_type, (builder.load(live), total))

    check_arrays(source, hidden, units)
    result = types.Tuple((types.uint64, types.float64))
    return result(source, types.int64, hidden, units, types.int64, types.int64), codegen


def _signs_beyond(
    typing_context: Any, values: Any, start: Any, limits: Any, slopes: Any, norm: Any, first: Any, count: Any
) -> tuple[Any, Callable[..., Any]]:
    """Two uint64: the bits of values.flat[start:][:count] above the limits t = limits[first:] + norm slopes[first:],
    and those below -t; at most 64, all arrays C-contiguous float64.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, start, _, _, norm, first, count = arguments
        z = _data(context, builder, signature, arguments, 0, start)
        constant, scale = (_data(context, builder, signature, arguments, n, first) for n in (2, 3))
        plus, minus = (cgutils.alloca_once_value(builder, integer(0)) for _ in range(2))
        for k, lanes, _ in tiles(builder, count, _KINDS):
            value = load(builder, z, k, lanes)
            part = builder.fmul(spread(builder, norm, lanes), load(builder, scale, k, lanes), flags=_FUSED)
            limit = builder.fadd(load(builder, constant, k, lanes), part, flags=_FUSED)
            _add_to(builder, plus, _bits(builder, builder.fcmp_ordered(">", value, limit), lanes, k))
            _add_to(builder, minus, _bits(builder, builder.fcmp_ordered("<", value, builder.fneg(limit)), lanes, k))
        return context.make_tuple(builder, signature.return_type, (builder.load(plus), builder.load(minus)))

    check_arrays(values, limits, slopes)
    index = types.int64
    return types.UniTuple(types.uint64, 2)(values, index, limits, slopes, types.float64, index, index), codegen


def _sum_live(
    typing_context: Any, target: Any, start: Any, hidden: Any, live: Any, weight: Any, bias: Any, found: Any
) -> tuple[Any, Callable[..., Any]]:
    """target.flat[start:][:m] = bias + hidden @ weight, of which only the features n count whose bits are set in the
    words `live` (N,) uint64; hidden (n,), weight (n * m,), bias (m,), found (2, m): the smallest and the largest value
    of each feature so far.  All arrays C-contiguous, float64 but for `live`.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to = _data(context, builder, signature, arguments, 0, arguments[1])
        h, words, rows, shift, ranges = (_data(context, builder, signature, arguments, n) for n in range(2, 7))
        count, width = (
            builder.extract_value(context.make_array(signature.args[n])(context, builder, arguments[n]).shape, 0)
            for n in (3, 5)
        )
        for k, lanes, vectors in tiles(builder, width, ((LANES, ACCUMULATORS), *_KINDS)):
            at = [builder.add(k, integer(v * lanes)) for v in range(vectors)]
            sums = [cgutils.alloca_once_value(builder, load(builder, shift, a, lanes)) for a in at]
            with cgutils.for_range(builder, count) as loop:
                word = builder.load(builder.gep(words, [loop.index]))
                for bit in _set_bits(builder, word):
                    n = builder.add(builder.mul(loop.index, integer(64)), bit)
                    row = builder.gep(rows, [builder.mul(n, width)])
                    factor = spread(builder, builder.load(builder.gep(h, [n])), lanes)
                    for v in range(vectors):
                        product = builder.fmul(factor, load(builder, row, at[v], lanes), flags=_FUSED)
                        builder.store(builder.fadd(builder.load(sums[v]), product, flags=_FUSED), sums[v])
            for v in range(vectors):
                value = builder.load(sums[v])
                builder.store(value, place(builder, to, at[v], lanes), align=8)
                for name, extreme in (("minnum", at[v]), ("maxnum", builder.add(width, at[v]))):
                    chosen = _either(builder, name, value, load(builder, ranges, extreme, lanes), lanes)
                    builder.store(chosen, place(builder, ranges, extreme, lanes), align=8)
        return context.get_dummy_value()

    check_arrays(target, hidden, weight, bias, found)
    return types.void(target, types.int64, hidden, live, weight, bias, found), codegen


def _set_bits(builder: Any, word: Any) -> Iterator[Any]:
    """Emits a loop over the set bits of a word; gives their places, for what is emitted inside."""
    left = cgutils.alloca_once(builder, ir.IntType(64))
    builder.store(word, left)
    condition, body, end = (builder.append_basic_block(name) for name in ("bits.cond", "bits.body", "bits.end"))
    builder.branch(condition)
    builder.position_at_end(condition)
    bits = builder.load(left)
    builder.cbranch(builder.icmp_unsigned("!=", bits, integer(0)), body, end)
    builder.position_at_end(body)
    builder.store(builder.and_(bits, builder.sub(bits, integer(1))), left)
    yield builder.cttz(bits, ir.Constant(ir.IntType(1), 1))
    builder.branch(condition)
    builder.position_at_end(end)


def _either(builder: Any, name: str, one: Any, other: Any, lanes: int) -> Any:
    """The smaller or the larger of two: a choice by a comparison would become a store of some lanes, which is slow."""
    kind = vector(lanes)
    full_name = f"llvm.{name}.{'f64' if lanes == 1 else f'v{lanes}f64'}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind, kind]), full_name)
    return builder.call(function, [one, other], fastmath=("nnan", "nsz"))


rectify = cast(Callable[..., Any], intrinsic(_rectify))
signs_beyond = cast(Callable[..., Any], intrinsic(_signs_beyond))
sum_live = cast(Callable[..., Any], intrinsic(_sum_live))
