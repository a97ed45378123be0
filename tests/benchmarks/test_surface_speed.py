"""Facets per second of exact surfaces, beside marching cubes of the same largest error in the same run."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from app.export.marching import march_cubes
from engine import Network, SlicePlane, Surface, cut_surface, extract_surface
from sdf_models import Checkpoint, load_checkpoint
from tests.benchmarks.cases import CHECKPOINTS, FOX

Row = dict[str, str]

PATHS = {
    "fox.npz (trained 8x32)": FOX,
    "Spot (trained 8x64)": CHECKPOINTS / "spot.safetensors",
    "gyroid (trained 6x48)": CHECKPOINTS / "gyroid.safetensors",
    "torus (trained 3x16)": CHECKPOINTS / "torus.safetensors",
}
_SAMPLES = 192


def _peer(checkpoint: Checkpoint, network: Network, surface: Surface) -> tuple[float, float]:
    """Seconds of marching cubes, and the largest distance of its vertices from the surface, to first order."""
    start = perf_counter()
    mesh = march_cubes(checkpoint.module, checkpoint.domain, _SAMPLES)
    seconds = perf_counter() - start
    values = np.abs(network.forward(mesh.vertices)[:, 0])
    return seconds, float(values.max() / np.median(np.linalg.norm(surface.gradients, axis=1)))


@pytest.mark.parametrize("name", list(PATHS))
def test_surface(name: str, benchmark: BenchmarkFixture, surface_rows: list[Row]) -> None:
    path: Path = PATHS[name]
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    checkpoint = load_checkpoint(path)
    network = Network.trace(checkpoint.module)
    surface: Surface = benchmark.pedantic(extract_surface, (network, checkpoint.domain), rounds=5, warmup_rounds=1)
    seconds = median(benchmark.stats.stats.data)
    cuts = []
    for seed in range(20):
        plane = SlicePlane.random(checkpoint.domain.mean(axis=0), seed)
        start = perf_counter()
        cut_surface(surface, plane)
        cuts.append(perf_counter() - start)
    marching, error = _peer(checkpoint, network, surface)
    surface_rows.append(
        {
            "surface": name,
            "facets": f"{surface.facets:,}",
            "time": f"{1e3 * seconds:.0f} ms",
            "facets/s": f"{surface.facets / seconds / 1e3:.0f} k",
            "seeds / facets / stitch": " / ".join(f"{1e3 * s:.0f}" for s in surface.seconds.values()) + " ms",
            "a cut": f"{1e3 * median(cuts):.1f} ms",
            f"marching cubes, {_SAMPLES}^3": f"{1e3 * marching:.0f} ms, off by {error:.0e}",
        }
    )
