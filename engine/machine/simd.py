"""Sums of selected rows of a matrix for a few columns at once, in vector instructions.

LLVM does not vectorise such loops by itself: it would have to check too many arrays for overlaps.  So the instructions
are written down: a tile of the targets stays in registers while all selected rows pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 4  # doubles in a vector; wider ones are split where the processor has none
ACCUMULATORS = 8  # vectors in a tile: enough to hide the latency of an addition, few enough for 16 registers


def check_arrays(*arrays: Any) -> None:
    """Refuse to compile for other arrays than C-contiguous float64: the instructions read their bytes as they lie."""
    if any(array.layout != "C" or array.dtype != types.float64 for array in arrays):
        raise TypingError(f"the arrays must be C-contiguous float64, not {arrays}")


def integer(value: int) -> ir.Constant:
    return ir.Constant(ir.IntType(64), value)


def vector(lanes: int) -> Any:
    """The type of so many doubles."""
    return ir.DoubleType() if lanes == 1 else ir.VectorType(ir.DoubleType(), lanes)


def spread(builder: Any, number: Any, lanes: int) -> Any:
    """A number in every lane."""
    if lanes == 1:
        return number
    kind = vector(lanes)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), number, integer(0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), mask)


def place(builder: Any, data: Any, at: Any, lanes: int) -> Any:
    """Where the numbers data[at : at + lanes] are."""
    return builder.bitcast(builder.gep(data, [at]), vector(lanes).as_pointer())


def load(builder: Any, data: Any, at: Any, lanes: int) -> Any:
    """The numbers data[at : at + lanes]."""
    return builder.load(place(builder, data, at, lanes), align=8)


def tiles(builder: Any, count: Any, kinds: Iterable[tuple[int, int]]) -> Iterator[tuple[Any, int, int]]:
    """Emits loops over 0..count, in steps of lanes x vectors of one kind after the other as far as they go.

    Gives where each step begins, the lanes and the vectors, for what is emitted inside the loop.
    """
    done = integer(0)
    for lanes, vectors in kinds:
        step = integer(lanes * vectors)
        steps = builder.sdiv(builder.sub(count, done), step)
        with cgutils.for_range(builder, steps) as loop:
            yield builder.add(done, builder.mul(loop.index, step)), lanes, vectors
        done = builder.add(done, builder.mul(steps, step))


def _accumulator(columns: int) -> Callable[..., Any]:
    def typing(
        typing_context: Any,
        target: Any,
        to: Any,
        source: Any,
        first: Any,
        weights: Any,
        start: Any,
        width: Any,
        active: Any,
        count: Any,
    ) -> Any:
        """target[:, to : to + width] += source[:, first + i] x weights[start + i width :][: width] for the `count` i in
        active[first:]; target, source: `columns` rows; all arrays C-contiguous float64, active int64.
        """

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            arrays = {n: context.make_array(signature.args[n])(context, builder, arguments[n]) for n in (0, 2, 4, 7)}
            to, first, start, width, count = (arguments[n] for n in (1, 3, 5, 6, 8))
            targets = [_row(builder, arrays[0], c, to) for c in range(columns)]
            sources = [_row(builder, arrays[2], c, first) for c in range(columns)]
            block = builder.gep(arrays[4].data, [start])
            chosen = builder.gep(arrays[7].data, [first])
            tile = _Tile(builder, targets, sources, block, width, chosen, count)
            for k, lanes, vectors in tiles(builder, width, ((LANES, ACCUMULATORS // columns), (LANES, 1), (1, 1))):
                tile.add(k, lanes, vectors)
            return context.get_dummy_value()

        check_arrays(target, source, weights)
        index = types.int64
        return types.void(target, index, source, index, weights, index, index, active, index), codegen

    return cast(Callable[..., Any], intrinsic(typing))


def _row(builder: Any, array: Any, c: int, first: Any) -> Any:
    """Where row c of an array starts at a place."""
    length = builder.extract_value(array.shape, 1)
    return builder.gep(array.data, [builder.add(first, builder.mul(length, integer(c)))])


class _Tile:
    """Emits what adds the selected rows to a few neighbouring targets of every column."""

    def __init__(
        self,
        builder: Any,
        targets: Sequence[Any],
        sources: Sequence[Any],
        block: Any,
        width: Any,
        chosen: Any,
        count: Any,
    ) -> None:
        self.builder, self.targets, self.sources = builder, targets, sources
        self.block, self.width, self.chosen, self.count = block, width, chosen, count

    def add(self, k: Any, lanes: int, vectors: int) -> None:
        builder, kind = self.builder, vector(lanes)
        flags = ("contract",)
        columns = range(len(self.targets))
        at = [builder.add(k, integer(v * lanes)) for v in range(vectors)]
        sums = [[cgutils.alloca_once(builder, kind) for _ in at] for _ in columns]
        for c in columns:
            for v in range(vectors):
                builder.store(load(builder, self.targets[c], at[v], lanes), sums[c][v])
        with cgutils.for_range(builder, self.count) as loop:
            i = builder.load(builder.gep(self.chosen, [loop.index]))
            row = builder.gep(self.block, [builder.mul(i, self.width)])
            weights = [load(builder, row, at[v], lanes) for v in range(vectors)]
            for c in columns:
                factor = spread(builder, builder.load(builder.gep(self.sources[c], [i])), lanes)
                for v in range(vectors):
                    product = builder.fmul(factor, weights[v], flags=flags)
                    builder.store(builder.fadd(builder.load(sums[c][v]), product, flags=flags), sums[c][v])
        for c in columns:
            for v in range(vectors):
                builder.store(builder.load(sums[c][v]), place(builder, self.targets[c], at[v], lanes), align=8)


accumulate_4 = _accumulator(4)
accumulate_2 = _accumulator(2)
