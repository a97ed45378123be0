"""Results of one computation that was done twice: the same map, its coordinates equal but for rounding.

The last bits of a product of matrices are its library's: they may change with its kernel, with the thread and with
where the operands lie in memory.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from engine import Partition, Surface
from engine.arrays import Float
from engine.network.network import Network


def assert_same_partition(found: Partition, expected: Partition) -> None:
    """Every number of a vertex, edge, face, layer or neuron is equal, every sign, and the ties."""
    _assert_same_fields(found, expected)
    assert (found.level, found.tie_counts) == (expected.level, expected.tie_counts)
    for mine, its in zip(found.face_signs, expected.face_signs, strict=True):
        for name in ("parent", "plus", "minus"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(its, name), err_msg=name)
    assert_same_numbers(found.points, expected.points, "points")


def assert_same_surface(found: Surface, expected: Surface) -> None:
    _assert_same_fields(found, expected)


def assert_same_steps(found: Network, expected: Network) -> None:
    """Equal to the last bit: weights are those of the module, which nothing computes."""
    for mine, its in zip(found.steps, expected.steps, strict=True):
        assert type(mine) is type(its)
        for field in fields(mine):
            np.testing.assert_array_equal(getattr(mine, field.name), getattr(its, field.name), err_msg=field.name)


def assert_same_numbers(found: Float, expected: Float, name: str = "") -> None:
    """Equal but for rounding: products of other bits moved coordinates in [-1, 1] by up to 5e-14."""
    size = max(1.0, np.abs(expected).max(initial=0.0))
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12 * size, err_msg=name)


def _assert_same_fields(found: Partition | Surface, expected: Partition | Surface) -> None:
    for field in fields(expected):
        mine, its = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(its, np.ndarray):
            assert mine.dtype == its.dtype, field.name
            if its.dtype == np.float64:
                assert_same_numbers(mine, its, field.name)
            else:
                np.testing.assert_array_equal(mine, its, err_msg=field.name)
