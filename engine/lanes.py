"""Sums of selected rows of a matrix for a few columns at once, in vector instructions.

LLVM does not vectorise such loops by itself: it would have to check too many arrays for overlaps.  So the instructions
are written down: a tile of the targets stays in registers while all selected rows pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_LANES = 4  # doubles in a vector; wider ones are split where the processor has none
_ACCUMULATORS = 8  # vectors in a tile: enough to hide the latency of an addition, few enough for 16 registers


def _accumulator(columns: int, fresh: bool = False) -> Callable[..., Any]:
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
        active[first:]; target, source: `columns` rows; all arrays C-contiguous float64, active int64.  With one column,
        `to` may count on through further rows of the target.

        fresh: the targets' values before count as zeros.
        """

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            arrays = {n: context.make_array(signature.args[n])(context, builder, arguments[n]) for n in (0, 2, 4, 7)}
            to, first, start, width, count = (arguments[n] for n in (1, 3, 5, 6, 8))
            targets = [_row(builder, arrays[0], c, to) for c in range(columns)]
            sources = [_row(builder, arrays[2], c, first) for c in range(columns)]
            block = builder.gep(arrays[4].data, [start])
            chosen = builder.gep(arrays[7].data, [first])
            tile = _Tile(builder, targets, sources, block, width, chosen, count, fresh)
            done = _int(0)
            for lanes, vectors in ((_LANES, _ACCUMULATORS // columns), (_LANES, 1), (1, 1)):
                step = _int(lanes * vectors)
                tiles = builder.sdiv(builder.sub(width, done), step)
                with cgutils.for_range(builder, tiles) as loop:
                    tile.add(builder.add(done, builder.mul(loop.index, step)), lanes, vectors)
                done = builder.add(done, builder.mul(tiles, step))
            return context.get_dummy_value()

        index = types.int64
        return types.void(target, index, source, index, weights, index, index, active, index), codegen

    return cast(Callable[..., Any], intrinsic(typing))


def _int(value: int) -> ir.Constant:
    return ir.Constant(ir.IntType(64), value)


def _row(builder: Any, array: Any, c: int, first: Any) -> Any:
    """Where row c of an array starts at a place."""
    length = builder.extract_value(array.shape, 1)
    return builder.gep(array.data, [builder.add(first, builder.mul(length, _int(c)))])


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
        fresh: bool,
    ) -> None:
        self.builder, self.targets, self.sources = builder, targets, sources
        self.block, self.width, self.chosen, self.count, self.fresh = block, width, chosen, count, fresh

    def add(self, k: Any, lanes: int, vectors: int) -> None:
        builder, double = self.builder, ir.DoubleType()
        kind = double if lanes == 1 else ir.VectorType(double, lanes)
        flags = ("contract",)
        columns = range(len(self.targets))
        places = [[self._at(self.targets[c], k, v, lanes, kind) for v in range(vectors)] for c in columns]
        sums = [[cgutils.alloca_once(builder, kind) for _ in range(vectors)] for _ in columns]
        for c in columns:
            for v in range(vectors):
                before = ir.Constant(kind, None) if self.fresh else builder.load(places[c][v], align=8)
                builder.store(before, sums[c][v])
        with cgutils.for_range(builder, self.count) as loop:
            i = builder.load(builder.gep(self.chosen, [loop.index]))
            row = builder.gep(self.block, [builder.mul(i, self.width)])
            weights = [builder.load(self._at(row, k, v, lanes, kind), align=8) for v in range(vectors)]
            for c in columns:
                factor = self._spread(builder.load(builder.gep(self.sources[c], [i])), kind, lanes)
                for v in range(vectors):
                    product = builder.fmul(factor, weights[v], flags=flags)
                    builder.store(builder.fadd(builder.load(sums[c][v]), product, flags=flags), sums[c][v])
        for c in columns:
            for v in range(vectors):
                builder.store(builder.load(sums[c][v]), places[c][v], align=8)

    def _at(self, row: Any, k: Any, v: int, lanes: int, kind: Any) -> Any:
        place = self.builder.gep(row, [self.builder.add(k, _int(v * lanes))])
        return self.builder.bitcast(place, kind.as_pointer())

    def _spread(self, number: Any, kind: Any, lanes: int) -> Any:
        if lanes == 1:
            return number
        vector = self.builder.insert_element(ir.Constant(kind, ir.Undefined), number, _int(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        return self.builder.shuffle_vector(vector, ir.Constant(kind, ir.Undefined), mask)


accumulate_4 = _accumulator(4)
accumulate_2 = _accumulator(2)
sum_rows = _accumulator(1, fresh=True)
