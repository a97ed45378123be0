"""Decisions that were left to rounding are said wherever a slice is shown, and made once a hand rests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.export.data import slice_facts, write_npz
from app.figures.slice_files import draw_slices
from app.figures.writing import write_figure
from app.jobs.slicing import SliceAnswer, SliceRequest, compute_slice
from app.state.slices import SliceResult
from engine import Network, SlicePlane, level_set, partition_slice
from tests.oracle.networks import random_sample

SAMPLE = random_sample("prelu", "through one point", 83)
PLANE = SlicePlane(SAMPLE.origin, SAMPLE.axes)
BOX = np.array([[-1.0] * 3, [1.0] * 3])


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.trace(SAMPLE.module)


def _result(network: Network, examined: int | None) -> SliceResult:
    partition = partition_slice(network, PLANE, BOX, examined=examined)
    return SliceResult("degenerate.pth", partition, level_set(partition))


def test_figures_and_data_say_what_was_left(network: Network, tmp_path: Path) -> None:
    left, examined = _result(network, 0), _result(network, None)
    for result, count in (left, left.partition.tie_counts.unexamined), (examined, 0):
        write_figure(draw_slices([result]), tmp_path / "a.svg", "svg")
        write_npz(result, tmp_path / "a.npz")
        assert f"{count} decisions left to rounding" in (tmp_path / "a.svg").read_text("utf-8") or count == 0
        assert slice_facts(result)["tie_counts"]["unexamined"] == count
        assert np.load(tmp_path / "a.npz")["tie_unexamined"] == count
        assert (f"{count} of them unexamined" in result.partition.tie_counts.describe()) == (count > 0)
    assert left.partition.tie_counts.unexamined > 0
    assert "left to rounding" not in (tmp_path / "a.svg").read_text("utf-8")


def test_a_slice_that_follows_a_hand_is_complete_only_if_nothing_was_left(network: Network) -> None:
    request = SliceRequest(1, 1, network, PLANE, BOX, live=True, budget=np.inf)
    live, whole = (_answer(part) for part in (request, replace(request, live=False)))
    assert live.done == live.layers
    assert not live.complete
    assert whole.complete
    assert whole.partition.tie_counts.unexamined == 0


def _answer(request: SliceRequest) -> SliceAnswer:
    return compute_slice(request, lambda: False, lambda _: None)
