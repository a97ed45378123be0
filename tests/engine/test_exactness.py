"""The engine's regions are those of exact rational arithmetic, on degenerate networks as on generic ones.

SPLINESCOPE_NETWORKS sets the number of random networks for each pair of nonlinearity and kind (50 when unset).
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from engine.plane import SlicePlane

from engine.network import Network
from engine.partition import partition_polygon
from tests.oracle.networks import SQUARE, Sample, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.rational import partition
from tests.oracle.recipes import KINDS

NETWORKS = int(os.environ.get("SPLINESCOPE_NETWORKS", "50"))


def difference(sample: Sample) -> str:
    """How the engine's regions differ from the oracle's: empty when they are the same."""
    exact = partition(sample.spec, SQUARE, sample.origin.tolist(), sample.axes.tolist(), sample.level)
    network = Network.trace(sample.module, input_shape=(len(sample.origin),))
    plane = SlicePlane(sample.origin, sample.axes)
    found = partition_polygon(network, plane, np.array(SQUARE), level=sample.level)
    signs = {tuple(row) for row in found.activation_pattern().tolist()}
    expected = exact.sign_vectors
    same_counts = found.regions == len(exact.regions) and found.linear_regions == exact.linear_regions
    if same_counts and signs == expected:
        return ""
    return (
        f"regions {found.regions}, exactly {len(exact.regions)}; "
        f"linear regions {found.linear_regions}, exactly {exact.linear_regions}; "
        f"{len(expected - signs)} sign vectors missing, {len(signs - expected)} wrong; ties {found.tie_counts}"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_regions_and_sign_vectors_are_those_of_exact_arithmetic(kink: str, kind: str) -> None:
    differences = {seed: difference(random_sample(kink, kind, seed)) for seed in range(NETWORKS)}
    assert {seed: text for seed, text in differences.items() if text} == {}
