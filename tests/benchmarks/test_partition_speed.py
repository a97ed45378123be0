"""Regions per second, stage by stage, beside regioncam on the same slice in the same run: `make bench` prints the
table.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

import pytest
import regioncam
from pytest_benchmark.fixture import BenchmarkFixture

from engine import Partition, partition_slice
from tests.benchmarks.cases import CASES, FOX, Case, composed

Row = dict[str, str]

_WARM_UP = 2


def _peer(layers: list[tuple[object, object]], half_width: float) -> tuple[int, float]:
    """Regions and seconds of regioncam on the slice."""
    start = perf_counter()
    regions = regioncam.Regioncam(half_width)
    for i, (weight, bias) in enumerate(layers):
        if i > 0:
            regions.relu()
        regions.linear(weight, bias)
    regions.sign()
    return regions.num_faces, perf_counter() - start


@pytest.mark.parametrize("name", list(CASES))
def test_partition(name: str, benchmark: BenchmarkFixture, speed_rows: list[Row]) -> None:
    if name == "fox" and not FOX.exists():
        pytest.skip(f"{FOX.name} is not here")
    case = CASES[name]()
    partition, stages = _measure(benchmark, case)
    seconds = median(benchmark.stats.stats.data)
    row = {
        "slice": case.name,
        "regions": f"{partition.regions:,}",
        "time": f"{1e3 * seconds:.1f} ms",
        "regions/s": f"{partition.regions / seconds / 1e6:.2f} M",
        "evaluate / cut / carry / finish": " / ".join(f"{1e3 * s:.1f}" for s in stages) + " ms",
        "regioncam": "-",
        "ratio": "-",
    }
    if case.peer:
        half_width = float(case.domain[1, 0])
        counts, times = zip(
            *(_peer(composed(case), half_width) for _ in range(1 if case.rounds < 5 else 3)), strict=True
        )
        row |= {
            "regioncam": f"{1e3 * min(times):.0f} ms ({counts[0]:,} regions)",
            "ratio": f"{min(times) / seconds:.1f}",
        }
    speed_rows.append(row)


def _measure(benchmark: BenchmarkFixture, case: Case) -> tuple[Partition, list[float]]:
    """The partition, and the median seconds of its stages."""
    runs: list[list[float]] = []

    def run() -> Partition:
        partition = partition_slice(case.network, case.plane, case.domain)
        runs.append(list(partition.seconds.values()))
        return partition

    partition: Partition = benchmark.pedantic(run, rounds=case.rounds, warmup_rounds=_WARM_UP)
    return partition, [median(stage) for stage in zip(*runs[_WARM_UP:], strict=True)]
