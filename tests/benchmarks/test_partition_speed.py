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
from engine.slices import tiling
from tests.benchmarks.cases import CASES, STORED, composed

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
    if name in STORED and not STORED[name].exists():
        pytest.skip(f"{STORED[name].name} is not here")
    case = CASES[name]()
    found: list[tuple[int, list[float]]] = []  # regions, seconds of the stages
    names: list[list[str]] = []
    peers: list[tuple[int, float]] = []

    def between() -> None:
        """The peer runs between our first runs, so that both meet the same machine."""
        if case.peer and len(peers) < (1 if case.rounds < 5 else 3):
            peers.append(_peer(composed(case), float(case.domain[1, 0])))

    def run() -> None:
        partition = partition_slice(case.network, case.plane, case.domain)
        found.append((partition.regions, list(partition.seconds.values())))
        names.append(list(partition.seconds))

    benchmark.pedantic(run, setup=between, rounds=case.rounds, warmup_rounds=_WARM_UP)
    seconds = median(benchmark.stats.stats.data)
    stages = [median(stage) for stage in zip(*(stages for _, stages in found[_WARM_UP:]), strict=True)]
    regions = found[-1][0]
    row = {
        "slice": case.name,
        "regions": f"{regions:,}",
        "time": f"{1e3 * seconds:.1f} ms",
        "regions/s": f"{regions / seconds / 1e6:.2f} M",
        "stages": " / ".join(f"{name} {1e3 * s:.1f}" for name, s in zip(names[-1], stages, strict=True)) + " ms",
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


@pytest.mark.parametrize("name", ["random", "igr128"])
def test_tiles_beside_whole(
    name: str, benchmark: BenchmarkFixture, speed_rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same slice cut as a whole, as narrow networks are, in the same run."""
    if name in STORED and not STORED[name].exists():
        pytest.skip(f"{STORED[name].name} is not here")
    case = CASES[name]()
    tiled: list[float] = []

    def between() -> None:
        start = perf_counter()
        partition_slice(case.network, case.plane, case.domain)
        tiled.append(perf_counter() - start)
        monkeypatch.setattr(tiling, "WIDE", float("inf"))

    def run() -> int:
        try:
            return partition_slice(case.network, case.plane, case.domain).regions
        finally:
            monkeypatch.undo()

    regions = benchmark.pedantic(run, setup=between, rounds=3, warmup_rounds=1)
    seconds = median(benchmark.stats.stats.data)
    speed_rows.append(
        {
            "slice": f"{case.name}, as a whole",
            "regions": f"{regions:,}",
            "time": f"{1e3 * seconds:.1f} ms",
            "regions/s": f"{regions / seconds / 1e6:.2f} M",
            "stages": f"in tiles {seconds / median(tiled[1:]):.1f} times as fast",
            "regioncam": "-",
            "ratio": "-",
        }
    )


def test_refinement(benchmark: BenchmarkFixture, speed_rows: list[Row]) -> None:
    """The common refinement of two stages of Spot: to be set beside the slice of one of them."""
    stages = [CASES[name]() for name in ("spot-middle", "spot")]
    alone = [partition_slice(case.network, case.plane, case.domain) for case in stages]
    refined = benchmark.pedantic(lambda: refine(*alone), rounds=5, warmup_rounds=1)
    seconds = median(benchmark.stats.stats.data)
    stage_seconds = " / ".join(f"{name} {1e3 * s:.1f}" for name, s in refined.partition.seconds.items())
    speed_rows.append(
        {
            "slice": "Spot, middle and late",
            "regions": f"{refined.regions:,}",
            "time": f"{1e3 * seconds:.1f} ms",
            "regions/s": f"{refined.regions / seconds / 1e6:.2f} M",
            "stages": f"{stage_seconds} ms",
            "regioncam": "-",
            "ratio": "-",
        }
    )
