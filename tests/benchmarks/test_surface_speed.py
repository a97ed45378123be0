"""Facets per second of exact surfaces; beside them marching cubes, how long and how far off, in the same run."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from app.export.marching import march_cubes
from app.export.mesh import mesh_of
from engine import Network, SlicePlane, Surface, cut_surface, extract_surface
from sdf_models import Checkpoint, load_checkpoint
from tests.benchmarks.cases import CHECKPOINTS, FOX
from tests.oracle.hausdorff import hausdorff

Row = dict[str, str]

PATHS = {
    "fox.npz (trained 8x32)": FOX,
    "Spot (trained 8x64)": CHECKPOINTS / "spot.safetensors",
    "gyroid (trained 6x48)": CHECKPOINTS / "gyroid.safetensors",
    "torus (trained 3x16)": CHECKPOINTS / "torus.safetensors",
}
_SAMPLES = (64, 128, 256)
_WANTED = 1e-3  # of half the box's width


def _peer(checkpoint: Checkpoint, surface: Surface) -> Row:
    """Marching cubes at a few resolutions: seconds, and how far the two meshes are apart.  For a wanted distance, the
    seconds from the last two resolutions: distances shrink like a power of them, time grows like the cube.
    """
    exact, half = mesh_of(surface), 0.5 * float(np.ptp(checkpoint.domain[:, 0]))
    seconds, errors = [], []
    row: Row = {}
    for samples in _SAMPLES:
        start = perf_counter()
        mesh = march_cubes(checkpoint.module, checkpoint.domain, samples)
        seconds.append(perf_counter() - start)
        errors.append(hausdorff(mesh, exact) / half)
        row[f"{samples}^3"] = f"{1e3 * seconds[-1]:,.0f} ms, {errors[-1]:.1e}"
    power = np.log(errors[-2] / errors[-1]) / np.log(_SAMPLES[-1] / _SAMPLES[-2])
    needed = _SAMPLES[-1] * (errors[-1] / _WANTED) ** (1.0 / power)
    return row | {f"for {_WANTED:g}": f"{seconds[-1] * (needed / _SAMPLES[-1]) ** 3:,.1f} s at {needed:,.0f}^3"}


@pytest.mark.parametrize("name", list(PATHS))
def test_surface(name: str, benchmark: BenchmarkFixture, surface_rows: list[Row], marching_rows: list[Row]) -> None:
    path: Path = PATHS[name]
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    checkpoint = load_checkpoint(path)
    network = Network.trace(checkpoint.module)
    stages: list[dict[str, float]] = []

    def extract() -> Surface:
        surface = extract_surface(network, checkpoint.domain)
        stages.append(surface.seconds)
        return surface

    surface: Surface = benchmark.pedantic(extract, rounds=7, warmup_rounds=1)
    seconds = min(benchmark.stats.stats.data)
    best = min(stages, key=lambda stage: sum(stage.values()))
    cuts = []
    for seed in range(20):
        plane = SlicePlane.random(checkpoint.domain.mean(axis=0), seed)
        start = perf_counter()
        cut_surface(surface, plane)
        cuts.append(perf_counter() - start)
    time = f"{1e3 * seconds:.0f} ms"
    surface_rows.append(
        {
            "surface": name,
            "facets": f"{surface.facets:,}",
            "time": time,
            "facets/s": f"{surface.facets / seconds / 1e3:.0f} k",
            "seeds / facets / stitch": " / ".join(f"{1e3 * s:.0f}" for s in best.values()) + " ms",
            "a cut": f"{1e3 * median(cuts):.1f} ms",
        }
    )
    marching_rows.append({"surface": name, "exact": f"{time}, rounding", **_peer(checkpoint, surface)})
