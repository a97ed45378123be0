"""Vector instructions on the features of one vertex, beside the same in numpy."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.machine.vertex_simd import rectify, signs_beyond, sum_live

WIDTHS = [0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 63, 64]


@numba.njit
def run_rectify(source, start, hidden, units, first, count):  # type: ignore[no-untyped-def]
    return rectify(source, start, hidden, units, first, count)


@numba.njit
def run_signs(values, start, limits, slopes, norm, first, count):  # type: ignore[no-untyped-def]
    return signs_beyond(values, start, limits, slopes, norm, first, count)


@numba.njit
def run_sum(target, start, hidden, live, weight, bias, found):  # type: ignore[no-untyped-def]
    sum_live(target, start, hidden, live, weight, bias, found)


def bits(flags: NDArray[np.bool_]) -> int:
    return sum(1 << k for k, flag in enumerate(flags.tolist()) if flag)


def numbers(generator: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    """With zeros of both signs among them."""
    found = generator.normal(size=shape)
    return np.where(generator.random(shape) < 0.2, np.copysign(0.0, found), found)


@pytest.mark.parametrize("count", WIDTHS)
def test_features_that_are_positive_their_bits_and_their_norm(count: int) -> None:
    generator = np.random.default_rng(count)
    source, units = numbers(generator, 3, 80), generator.uniform(0.1, 2.0, 80)
    hidden = np.full(80, 7.0)
    live, square = run_rectify(source, 80 + 5, hidden, units, 9, count)
    expected = np.maximum(source[1, 5 : 5 + count], 0.0)
    np.testing.assert_array_equal(hidden[9 : 9 + count], expected)
    assert (np.delete(hidden, np.s_[9 : 9 + count]) == 7.0).all()
    assert live == bits(expected > 0.0)
    assert square == pytest.approx(((expected * units[9 : 9 + count]) ** 2).sum(), rel=1e-14)


@pytest.mark.parametrize("count", WIDTHS)
def test_signs_beyond_limits(count: int) -> None:
    generator = np.random.default_rng(count)
    limits, slopes, norm = generator.uniform(0.1, 0.5, 90), generator.uniform(0.0, 0.5, 90), 0.75
    values = numbers(generator, 2, 90)
    values[1, ::7] = np.nan
    plus, minus = run_signs(values, 90 + 3, limits, slopes, norm, 11, count)
    z, limit = values[1, 3 : 3 + count], limits[11 : 11 + count] + norm * slopes[11 : 11 + count]
    assert (plus, minus) == (bits(z > limit), bits(z < -limit))


def test_a_value_at_its_limit_has_no_sign() -> None:
    values, slopes = np.array([2.0, -2.0, 2.0, -2.0, 2.0]), np.full(5, 0.5)
    limits = np.array([1.0, 1.0, 0.5, 0.5, np.nextafter(1.0, 0.0) - 2**-52])
    assert run_signs(values, 0, limits, slopes, 2.0, 0, 5) == (0b10100, 0b01000)


@pytest.mark.parametrize("width", [1, 3, 4, 6, 31, 32, 35, 64, 70])
@pytest.mark.parametrize("features", [1, 5, 64, 65, 130])
def test_products_with_the_features_that_are_not_zero(features: int, width: int) -> None:
    generator = np.random.default_rng(100 * features + width)
    weight, bias, hidden = generator.normal(size=(features, width)), generator.normal(size=width), np.zeros(features)
    on = generator.random(features) < 0.5
    hidden[on] = generator.uniform(0.1, 1.0, np.count_nonzero(on))
    words = np.zeros(-(-features // 64), np.uint64)
    for n in np.flatnonzero(on):
        words[n // 64] |= np.uint64(1) << np.uint64(n % 64)
    hidden[~on] = np.nan  # they are not read
    target, found = np.full((3, width), 7.0), np.array([np.full(width, 0.5), np.full(width, -0.5)])
    run_sum(target, width, hidden, words, weight.ravel(), bias, found)
    expected = bias + hidden[on] @ weight[on]
    np.testing.assert_allclose(target[1], expected, rtol=0.0, atol=1e-13)
    assert (target[[0, 2]] == 7.0).all()
    np.testing.assert_array_equal(found, [np.minimum(0.5, target[1]), np.maximum(-0.5, target[1])])


def test_arrays_that_are_not_contiguous_are_refused() -> None:
    with pytest.raises(numba.TypingError, match="C-contiguous"):
        run_signs(np.zeros((4, 4)).T, 0, np.zeros(4), np.zeros(4), 0.0, 0, 4)
