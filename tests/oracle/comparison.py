"""The engine's regions beside the oracle's, on random networks."""

from __future__ import annotations

import gc
from collections.abc import Iterable

import numpy as np
import torch

from engine.network.network import Network
from engine.plane import SlicePlane
from engine.slices.partition import partition_polygon
from tests.oracle.networks import SQUARE, Sample, random_sample
from tests.oracle.rational import partition


def prepare_worker() -> None:
    """For worker processes: on small networks more threads only get in each other's way, and the objects of libraries
    are not looked through for garbage again and again.
    """
    torch.set_num_threads(1)
    gc.freeze()


def differences(kink: str, kind: str, seeds: Iterable[int]) -> dict[int, str]:
    """How the engine's regions differ from the oracle's, for the seeds where they do."""
    found = {seed: difference(random_sample(kink, kind, seed)) for seed in seeds}
    return {seed: text for seed, text in found.items() if text}


def difference(sample: Sample) -> str:
    """How the engine's regions differ from the oracle's: empty when they are the same."""
    exact = partition(sample.spec, SQUARE, sample.origin.tolist(), sample.axes.tolist(), sample.level)
    network = Network.trace(sample.module, input_shape=(len(sample.origin),))
    plane = SlicePlane(sample.origin, sample.axes)
    found = partition_polygon(network, plane, np.array(SQUARE), level=sample.level, threads=1)
    signs = {tuple(row) for row in found.activation_pattern().tolist()}
    expected = exact.sign_vectors
    same_counts = found.regions == len(exact.regions) and found.linear_regions == exact.linear_regions
    if same_counts and signs == expected:
        return ""
    return (
        f"regions {found.regions}, exactly {len(exact.regions)}; "
        f"linear regions {found.linear_regions}, exactly {exact.linear_regions}; "
        f"{len(expected - signs)} sign vectors missing, {len(signs - expected)} wrong; {found.tie_counts}"
    )
