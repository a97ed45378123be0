"""Regions per second, stage by stage, beside regioncam on the same slice in the same run: `make bench` prints the
table.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

import pytest
import regioncam
from pytest_benchmark.fixture import BenchmarkFixture

from engine import partition_slice, refine
from tests.benchmarks.cases import CASES, FOX, composed

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
    found: list[tuple[int, list[float]]] = []  # regions, seconds of the stages
    peers: list[tuple[int, float]] = []

    def between() -> None:
        """The peer runs between our first runs, so that both meet the same machine."""
        if case.peer and len(peers) < (1 if case.rounds < 5 else 3):
            peers.append(_peer(composed(case), float(case.domain[1, 0])))

    def run() -> None:
        partition = partition_slice(case.network, case.plane, case.domain)
        found.append((partition.regions, list(partition.seconds.values())))

    benchmark.pedantic(run, setup=between, rounds=case.rounds, warmup_rounds=_WARM_UP)
    seconds = median(benchmark.stats.stats.data)
    stages = [median(stage) for stage in zip(*(stages for _, stages in found[_WARM_UP:]), strict=True)]
    regions = found[-1][0]
    row = {
        "slice": case.name,
        "regions": f"{regions:,}",
        "time": f"{1e3 * seconds:.1f} ms",
        "regions/s": f"{regions / seconds / 1e6:.2f} M",
        "evaluate / cut / carry / finish": " / ".join(f"{1e3 * s:.1f}" for s in stages) + " ms",
        "regioncam": "-",
        "ratio": "-",
    }
    if peers:
        counts, times = zip(*peers, strict=True)
        row |= {
            "regioncam": f"{1e3 * median(times):.0f} ms ({counts[0]:,} regions)",
            "ratio": f"{median(times) / seconds:.1f}",
        }
    speed_rows.append(row)


def test_refinement(benchmark: BenchmarkFixture, speed_rows: list[Row]) -> None:
    """The common refinement of two stages of Spot: to be set beside the slice of one of them."""
    stages = [CASES[name]() for name in ("spot-middle", "spot")]
    alone = [partition_slice(case.network, case.plane, case.domain) for case in stages]
    refined = benchmark.pedantic(lambda: refine(*alone), rounds=5, warmup_rounds=1)
    seconds = median(benchmark.stats.stats.data)
    stage_seconds = " / ".join(f"{1e3 * s:.1f}" for s in refined.partition.seconds.values())
    speed_rows.append(
        {
            "slice": "Spot, middle and late",
            "regions": f"{refined.regions:,}",
            "time": f"{1e3 * seconds:.1f} ms",
            "regions/s": f"{refined.regions / seconds / 1e6:.2f} M",
            "evaluate / cut / carry / finish": f"{stage_seconds} ms",
            "regioncam": "-",
            "ratio": "-",
        }
    )
