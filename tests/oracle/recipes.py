"""Recipes that make a random layer's rows degenerate, one way each; a kind of network is a choice of recipes.

Weights are float64 with few bits, so that degeneracies (coincident lines, pre-activations that vanish on a region) hold
exactly, not up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Functional = tuple[Float, float]
"""coefficients (m,) and constant: coefficients @ features + constant."""


@dataclass(eq=False)
class Features:
    """What is known of the m features that the next layer reads.

    at_point: (m,) their values at the slice's special point.  Functionals are (coefficients (m,), constant):
    `on_line` vanish along an earlier line, `on_region` throughout a region (where that is not empty).
    twins: pairs of equal features; mirrored: of features that are each other's mirror image in the slice.  unscale:
    (m,) powers of two that undo the scaling of rows.
    """

    at_point: Float
    on_line: list[Functional] = field(default_factory=list)
    on_region: list[Functional] = field(default_factory=list)
    twins: list[tuple[int, int]] = field(default_factory=list)
    mirrored: list[tuple[int, int]] = field(default_factory=list)
    unscale: Float = field(default_factory=lambda: np.empty(0))

    @property
    def size(self) -> int:
        return len(self.at_point)


@dataclass(eq=False)
class Slice:
    """The slice's plane; `point` (D,) is a dyadic point on it, inside the square."""

    origin: Float
    axes: Float
    point: Float


@dataclass(eq=False)
class Draft:
    """A layer's rows z = weight @ features + bias; row j is meant to bend at z = target[j].

    mirrored: pairs of rows that are each other's mirror image in the slice.
    """

    rng: np.random.Generator
    depth: int
    slice: Slice
    features: Features
    weight: Float
    bias: Float
    target: Float
    scale: Float
    mirrored: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.bias)

    def some(self, share: float = 0.5) -> list[int]:
        """At least one row."""
        return np.flatnonzero(self.rng.random(self.size) < share).tolist() or [int(self.rng.integers(self.size))]

    def pairs(self) -> list[tuple[int, int]]:
        """Disjoint pairs (from, to) of rows; (2, 3) is one of them, neurons that are alike for every nonlinearity."""
        others = [j for j in range(self.size) if j not in (2, 3)]
        order = [2, 3, *self.rng.permutation(others).tolist()]
        pairs = list(zip(order[::2], order[1::2], strict=False))
        return pairs[: max(1, self.size // 3)]


def coarse(rng: np.random.Generator, shape: int | tuple[int, ...], bits: int = 3, reach: float = 1.5) -> Float:
    """Multiples of 2^-bits in [-reach, reach]."""
    steps: Float = np.round(rng.uniform(-reach, reach, shape) * 2**bits)
    steps /= 2**bits
    return steps


def fine(numbers: Float) -> Float:
    """Rounded to multiples of 2^-25."""
    return np.round(numbers * 2**25) / 2**25


def nonzero(rng: np.random.Generator) -> float:
    return float(rng.choice([-1.0, 1.0]) * rng.choice([0.25, 0.5, 0.75, 1.0, 1.5]))


def generic(draft: Draft) -> None:
    """About 25 random bits in every weight."""
    gain = 1.5 / np.sqrt(draft.features.size)
    draft.weight[:] = fine(draft.rng.normal(0.0, gain, draft.weight.shape))
    draft.bias[:] = fine(draft.rng.normal(0.0, 0.4, draft.size)) + draft.rng.choice([0.0, 1.0]) * draft.target


def no_bias(draft: Draft) -> None:
    generic(draft)
    draft.bias[:] = 0.0


def duplicate(draft: Draft) -> None:
    for i, j in draft.pairs():
        draft.weight[j] = draft.weight[i]
        draft.bias[j] = draft.bias[i] - draft.target[i] + draft.target[j]


def opposite(draft: Draft) -> None:
    for i, j in draft.pairs():
        draft.weight[j] = -draft.weight[i]
        draft.bias[j] = draft.target[j] + draft.target[i] - draft.bias[i]


def parallel(draft: Draft) -> None:
    """The same direction, another length and offset; sometimes the same line."""
    for i, j in draft.pairs():
        factor = float(draft.rng.choice([-2.0, -0.5, 0.5, 1.0, 4.0]))
        draft.weight[j] = factor * draft.weight[i]
        shift = draft.rng.choice([0.0, 0.125, -0.25, 0.5])
        draft.bias[j] = draft.target[j] + factor * (draft.bias[i] - draft.target[i] + shift)


def shifted(draft: Draft) -> None:
    """Pairs z, z + c: where both are on the same piece, their difference after the kink is constant."""
    for i, j in draft.pairs():
        draft.weight[j] = draft.weight[i]
        draft.bias[j] = draft.bias[i] + draft.rng.choice([-0.5, -0.25, 0.25, 0.5])


def later_coincidence(draft: Draft) -> None:
    """Rows that vanish along an earlier layer's line, or at the crossing of two of them."""
    known = draft.features.on_line
    if not known:
        return
    for j in draft.some(0.7):
        chosen = draft.rng.choice(len(known), size=min(len(known), int(draft.rng.integers(1, 3))), replace=False)
        _combine(draft, j, [known[k] for k in chosen])


def zero_on_region(draft: Draft) -> None:
    """Rows that are identically at their breakpoint throughout a region."""
    known = draft.features.on_region
    if known:
        for j in draft.some():
            _combine(draft, j, [known[draft.rng.integers(len(known))]])
    shifted(draft)


def _combine(draft: Draft, row: int, functionals: list[Functional]) -> None:
    draft.weight[row] = 0.0
    draft.bias[row] = draft.target[row]
    for coefficients, constant in functionals:
        factor = nonzero(draft.rng)
        draft.weight[row] += factor * coefficients
        draft.bias[row] += factor * constant


def integer(draft: Draft) -> None:
    draft.weight[:] = draft.rng.integers(-2, 3, draft.weight.shape)
    draft.bias[:] = draft.rng.integers(-2, 3, draft.size)


def axis_aligned(draft: Draft) -> None:
    draft.weight[:] = 0.0
    columns = draft.rng.integers(draft.features.size, size=draft.size)
    draft.weight[np.arange(draft.size), columns] = [nonzero(draft.rng) for _ in range(draft.size)]
    draft.bias[:] = draft.target + draft.rng.choice([0.0, 0.25, -0.25, 0.5, -0.5], draft.size)


def slice_in_hyperplane(draft: Draft) -> None:
    """First layer: rows at their breakpoint on the whole slice."""
    if draft.depth > 0:
        return
    u, v = draft.slice.axes
    for j in draft.some(0.3):
        row = draft.weight[j]
        row -= (row @ u) * u + (row @ v) * v
        draft.bias[j] = draft.target[j] - row @ draft.slice.origin


def on_border(draft: Draft) -> None:
    """First layer: lines along the square's sides and through its corners."""
    if draft.depth > 0:
        return
    u, v = draft.slice.axes
    directions = [u, -u, v, -v]
    corners = [u + v, u - v, v - u, -u - v]
    for j in draft.some(0.7):
        if draft.rng.random() < 0.7:
            at = directions[draft.rng.integers(4)]
            normal = nonzero(draft.rng) * at
        else:
            at = corners[draft.rng.integers(4)]
            normal = nonzero(draft.rng) * u + nonzero(draft.rng) * v
        draft.weight[j] = normal
        draft.bias[j] = draft.target[j] - normal @ (draft.slice.origin + at)


def through_point(draft: Draft) -> None:
    for j in draft.some(0.8):
        draft.bias[j] = draft.target[j] - draft.weight[j] @ draft.features.at_point


def near_parallel(draft: Draft) -> None:
    """First layer: lines at angles of 1e-3 to 1e-6 through the point; every layer: most rows at their breakpoint there.

    Few bits in all weights would make angles of 1e-12 (products of small tilts, the rest cancelled), beyond float64.
    """
    rows = draft.some(0.8)
    if draft.depth == 0:
        base = coarse(draft.rng, draft.features.size)
        base[np.flatnonzero(draft.slice.axes[0])] = 1.0
        for j in rows:
            tilt = coarse(draft.rng, draft.features.size, bits=4)
            length = float(draft.rng.choice([-1.0, 0.5, 1.0, 2.0]))
            draft.weight[j] = length * (base + tilt * 2.0 ** -int(draft.rng.integers(10, 21)))
    else:
        draft.weight[rows] = fine(draft.rng.normal(size=(len(rows), draft.features.size)))
    draft.bias[rows] = (draft.target - draft.weight @ draft.features.at_point)[rows]


def cancelling(draft: Draft) -> None:
    """Large opposite columns on features that are equal."""
    for i, j in draft.features.twins:
        large = coarse(draft.rng, draft.size) * 2.0 ** int(draft.rng.integers(8, 17))
        draft.weight[:, i] += large
        draft.weight[:, j] -= large
    duplicate(draft)


def cancelling_in_threes(draft: Draft) -> None:
    """Three times a feature less one that is three times as large, enlarged: what is left is rounding.

    In some networks a row of each layer is shorter by 2^30, so that the noise is not of its size.
    """
    if draft.depth == 0:
        generic(draft)
        draft.weight[3], draft.bias[3] = 3.0 * draft.weight[2], 3.0 * draft.bias[2]
    elif draft.depth == 1:
        large = coarse(draft.rng, draft.size) * 2.0 ** int(draft.rng.integers(10, 27))
        draft.weight[:, 2] += 3.0 * large
        draft.weight[:, 3] -= large
    else:
        later_coincidence(draft)
    if draft.slice.origin[0] + draft.slice.point[0] > 0.0:
        draft.weight[1] *= 2.0**-30
        draft.bias[1] *= 2.0**-30
    through_point(draft)


def scaled(draft: Draft) -> None:
    """Rows longer or shorter by 2^20, about their breakpoint; the next layer undoes it where it can.

    Away from breakpoint 0 it cannot: there the first layer only, one way, so that what remains is within reach of
    float64.
    """
    generic(draft)
    draft.weight *= draft.features.unscale
    factors = [2.0**-20, 1.0, 2.0**20]
    if draft.target.any():
        factors = [1.0, float(draft.rng.choice(factors))] if draft.depth == 0 else [1.0]
    draft.scale[:] = draft.rng.choice(factors, draft.size)
    draft.weight *= draft.scale[:, None]
    draft.bias[:] = draft.target + draft.scale * (draft.bias - draft.target)


def uneven(draft: Draft) -> None:
    """First layer: rows of very different lengths, which no later layer undoes; no biases in half of the layers.

    Where the long ones are off, the short ones are all that is left.  At breakpoints other than 0, which would make
    those lines nearly one, the first layer is as others are.
    """
    generic(draft)
    if draft.rng.random() < 0.5:
        draft.bias[:] = draft.target
    if draft.depth == 0 and not draft.target.any():
        draft.scale[:] = 2.0 ** draft.rng.integers(-15, 16, draft.size)
        draft.weight *= draft.scale[:, None]
        draft.bias *= draft.scale


def dead(draft: Draft) -> None:
    """Whole layers, or most rows of them, far to one side of every breakpoint."""
    share = float(draft.rng.choice([0.0, 0.7, 1.0]))
    rows = draft.some(share) if share else []
    draft.bias[rows] = draft.rng.choice([-16.0, -16.0, 16.0], len(rows))


def mirrored(draft: Draft) -> None:
    """Pairs of rows that are each other's mirror image in the slice, where they are equal."""
    generic(draft)
    draft.mirrored = draft.pairs()
    for i, j in draft.mirrored:
        draft.weight[j] = draft.weight[i]
        draft.bias[j] = draft.bias[i]
        if draft.depth == 0:
            normal = np.cross(*draft.slice.axes)
            across = float(draft.weight[i] @ normal)
            draft.weight[j] -= 2.0 * across * normal
            draft.bias[j] += 2.0 * across * float(normal @ draft.slice.origin)
        for a, b in draft.features.mirrored:
            draft.weight[j, [a, b]] = draft.weight[i, [b, a]]


def any_of_them(draft: Draft) -> None:
    """Another recipe in every layer."""
    (generic, no_bias, shifted, *MIXED)[draft.rng.integers(3 + len(MIXED))](draft)


def mixture(draft: Draft) -> None:
    recipes = draft.rng.choice(len(MIXED), size=3, replace=False)
    for k in recipes:
        MIXED[k](draft)


MIXED: tuple[Callable[[Draft], None], ...] = (
    duplicate,
    opposite,
    parallel,
    later_coincidence,
    zero_on_region,
    integer,
    slice_in_hyperplane,
    on_border,
    through_point,
    dead,
)


def denormal(draft: Draft) -> None:
    """A mixture; first layer, where breakpoints are at 0: rows so short that values have few digits, or none."""
    mixture(draft)
    if draft.depth == 0 and not draft.target.any():
        factor = 2.0 ** draft.rng.integers(-1070, -1000, draft.size)
        draft.weight *= factor[:, None]
        draft.bias *= factor


KINDS: dict[str, Callable[[Draft], None]] = {
    "generic": generic,
    "no bias": no_bias,
    "duplicate": duplicate,
    "opposite": opposite,
    "parallel": parallel,
    "later coincidence": later_coincidence,
    "zero on a region": zero_on_region,
    "integer": integer,
    "axis-aligned": axis_aligned,
    "level on a face": shifted,
    "slice in a hyperplane": slice_in_hyperplane,
    "line on the border": on_border,
    "through one point": through_point,
    "near-parallel": near_parallel,
    "cancelling": cancelling,
    "scaled": scaled,
    "uneven": uneven,
    "dead": dead,
    "mixture": mixture,
    "mirrored": mirrored,
    "deep": any_of_them,
    "wide": integer,
}
"""Every kind starts from random rows and applies its recipe to each layer."""

NOISY: dict[str, Callable[[Draft], None]] = {"cancelling in threes": cancelling_in_threes, "denormal": denormal}
"""Kinds whose values at a point are little but rounding: only exact decisions have a meaning."""

SHAPES = {"deep": ((8, 12), (4, 5)), "wide": ((2, 2), (64, 64))}
"""Kinds with fewest and most layers, and neurons in each, of their own; both inclusive."""

FEW_BITS = ("through one point", "near-parallel", "mixture")
"""Kinds that start from rows of few bits always, the others in half of the layers: sums of products must stay exact."""
