"""Measures of slices against what is known, in closed form or by sampling."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import (
    CommonRefinement,
    EngineError,
    Network,
    SlicePlane,
    areas,
    common_refinement,
    level_set,
    local_complexity,
    neuron_statistics,
    partition_slice,
    pattern_agreement,
    slice_differences,
    slice_measures,
)
from sdf_models import load_checkpoint

CHECKPOINTS = Path(__file__).parents[3] / "resources" / "checkpoints"
CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
Z0 = SlicePlane.from_axis("z", 0.0)
CLOSE = 1e-12


class Box(nn.Module):
    """scale * (|x - centre| - half) + offset, in the maximum norm."""

    def __init__(self, centre: tuple[float, float, float] = (0.0, 0.0, 0.0), scale: float = 1.0, offset: float = 0.0):
        super().__init__()
        self.centre = nn.Parameter(torch.tensor(centre, dtype=torch.float64))
        self.scale, self.offset = scale, offset

    def forward(self, x: Tensor) -> Tensor:
        norm = (x - self.centre).abs().amax(dim=1, keepdim=True)
        return self.scale * (norm - 0.5) + self.offset


def refined(first: nn.Module, second: nn.Module) -> CommonRefinement:
    return common_refinement(Network.trace(first), Network.trace(second), Z0, CUBE)


def mlp(seed: int, width: int = 12) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
    ).double()


@pytest.fixture(scope="module")
def stages() -> CommonRefinement:
    early, late = (load_checkpoint(CHECKPOINTS / f"{name}.safetensors") for name in ("torus", "spot-early"))
    return common_refinement(Network.trace(early.module), Network.trace(late.module), Z0, late.domain)


def test_a_network_is_no_different_from_itself() -> None:
    found = refined(mlp(0), mlp(0))
    measured = slice_differences(found)
    assert (measured.largest, measured.mean, measured.mean_size, measured.root_mean_square) == (0.0, 0.0, 0.0, 0.0)
    assert (measured.sign_area, measured.angle, measured.iou) == (0.0, 0.0, 1.0)
    sets = measured.level_sets
    assert (sets.to_second, sets.to_first, sets.mean_to_second, sets.mean_to_first) == (0.0, 0.0, 0.0, 0.0)
    assert slice_measures(found.first, 0.02) == slice_measures(found.second, 0.02)
    agreement = pattern_agreement(found)
    assert (agreement.layers, agreement.whole) == ((1.0, 1.0), 1.0)
    assert not any(shares.any() for shares in agreement.changed)


def test_a_moved_box_is_as_far_as_it_was_moved() -> None:
    t = (0.1, 0.05, 0.0)
    measured = slice_differences(refined(Box(), Box(t)))
    assert measured.level_sets.hausdorff == pytest.approx(math.hypot(*t), abs=CLOSE)
    assert measured.level_sets.to_first == pytest.approx(math.hypot(*t), abs=CLOSE)
    assert measured.largest == pytest.approx(0.1, abs=CLOSE)
    overlap = 0.9 * 0.95
    assert measured.intersection == pytest.approx(overlap, abs=CLOSE)
    assert measured.iou == pytest.approx(overlap / (2.0 - overlap), abs=CLOSE)
    assert measured.sign_area == pytest.approx(2.0 - 2.0 * overlap, abs=CLOSE)


def test_the_mean_distance_of_moved_boxes_is_a_closed_form() -> None:
    # two sides move in themselves: only the ends that stick out, of length t, are off, by t / 2 in the mean; the two
    # others are off by t, but where the side that moved in itself is nearer: from their ends on, up to t
    t = 0.1
    sets = slice_differences(refined(Box(), Box((t, 0.0, 0.0)))).level_sets
    total = 2 * t * t / 2 + 1.0 * t + (1.0 * t - 2 * t * t / 2)
    assert sets.mean_to_second == pytest.approx(total / 4.0, abs=1e-8)
    assert sets.mean_to_first == pytest.approx(sets.mean_to_second, abs=1e-8)


def test_an_offset_is_the_difference_everywhere() -> None:
    measured = slice_differences(refined(Box(), Box(offset=0.125)))
    for found in (measured.largest, measured.mean, measured.mean_size, measured.root_mean_square):
        assert found == pytest.approx(0.125, abs=CLOSE)
    assert measured.angle == pytest.approx(0.0, abs=1e-6)
    assert measured.level_sets.hausdorff == pytest.approx(0.125 * math.sqrt(2.0), abs=CLOSE)
    assert measured.iou == pytest.approx(0.75**2, abs=CLOSE)


def test_a_scaled_network_differs_by_itself() -> None:
    found = refined(Box(), Box(scale=2.0))
    measured = slice_differences(found)
    assert measured.largest == pytest.approx(0.5, abs=CLOSE)
    # over the square of side 2, of which 8 r dr is at norm r
    assert measured.mean_size == pytest.approx((1 / 6 + 5 / 6) / 4, abs=CLOSE)
    assert measured.mean == pytest.approx((8 / 3 - 2) / 4, abs=CLOSE)
    assert measured.root_mean_square == pytest.approx(math.sqrt((2 - 8 / 3 + 1) / 4), abs=CLOSE)
    assert measured.level_sets.hausdorff == pytest.approx(0.0, abs=CLOSE)
    assert measured.sign_area == pytest.approx(0.0, abs=CLOSE)
    assert measured.iou == pytest.approx(1.0, abs=CLOSE)
    assert slice_measures(found.first, 0.1).residual == pytest.approx(0.0, abs=CLOSE)
    second = slice_measures(found.second, 0.1)
    assert second.residual == pytest.approx(1.0, abs=CLOSE)
    assert second.residual_quantiles == pytest.approx((1.0, 1.0, 1.0), abs=CLOSE)
    assert second.inside == pytest.approx(1.0, abs=CLOSE)
    assert second.level_length == pytest.approx(4.0, abs=CLOSE)


def test_symmetric_measures_are_symmetric(stages: CommonRefinement) -> None:
    there = slice_differences(stages)
    back = slice_differences(common_refinement(stages.second.network, stages.first.network, Z0, CUBE))
    for field in fields(there):
        if field.name in ("place", "level_sets", "mean"):
            continue
        assert getattr(back, field.name) == pytest.approx(getattr(there, field.name), rel=1e-10), field.name
    assert back.mean == pytest.approx(-there.mean, rel=1e-10)
    np.testing.assert_allclose(back.place, there.place, atol=1e-12)
    assert back.level_sets.hausdorff == pytest.approx(there.level_sets.hausdorff, rel=1e-10)
    assert back.level_sets.to_first == pytest.approx(there.level_sets.to_second, rel=1e-10)
    assert back.level_sets.mean == pytest.approx(there.level_sets.mean, rel=1e-10)


def test_integrals_are_those_of_a_fine_grid(stages: CommonRefinement) -> None:
    side = (np.arange(400) + 0.5) / 200.0 - 1.0
    points = np.stack(np.meshgrid(side, side, [0.0]), axis=-1).reshape(-1, 3)
    f, g = (own.network.forward(points)[:, 0] for own in (stages.first, stages.second))
    measured = slice_differences(stages)
    assert measured.mean == pytest.approx((g - f).mean(), abs=5e-5)
    assert measured.mean_size == pytest.approx(np.abs(g - f).mean(), abs=5e-5)
    assert measured.root_mean_square == pytest.approx(np.sqrt(((g - f) ** 2).mean()), abs=5e-5)
    assert measured.sign_area == pytest.approx(4.0 * ((f < 0) != (g < 0)).mean(), abs=1e-2)
    assert measured.iou == pytest.approx(((f < 0) & (g < 0)).sum() / ((f < 0) | (g < 0)).sum(), abs=1e-2)
    assert np.abs(g - f).max() <= measured.largest
    at_place = [own.network.forward(measured.place[None])[0, 0] for own in (stages.first, stages.second)]
    assert abs(at_place[1] - at_place[0]) == pytest.approx(measured.largest, abs=CLOSE)


def test_lines_are_those_of_the_neurons(stages: CommonRefinement) -> None:
    partition = stages.second
    measured, neurons = slice_measures(partition, 0.05), neuron_statistics(partition)
    for depth in range(len(partition.network.kinks)):
        own = neurons.lengths[neurons.layer == depth]
        assert measured.lengths[depth] == pytest.approx(own.sum(), rel=1e-12)
        assert measured.lines[depth] == np.count_nonzero(own)
    assert measured.level_length == pytest.approx(level_set(partition).length, rel=1e-12)
    assert measured.region_density == measured.regions / measured.area
    assert measured.area == pytest.approx(4.0, abs=CLOSE)


def test_regions_near_the_level_set_are_those_with_a_sample_near_it(stages: CommonRefinement) -> None:
    partition = stages.first
    everything = slice_measures(partition, 10.0)
    assert everything.near == partition.regions
    touching = slice_measures(partition, 1e-9).near
    on_level = np.isin(np.arange(partition.regions), partition.edge_faces[partition.edge_on_level])
    assert touching >= np.count_nonzero(on_level)
    counts = [slice_measures(partition, reach).near for reach in (0.0, 0.01, 0.1, 0.5)]
    assert counts == sorted(counts)


def test_a_band_around_a_line_is_counted_by_regions() -> None:
    # the level set is x = 0; the lines are x = k / 16
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 19), nn.ReLU(), nn.Linear(19, 1)).double()
    with torch.no_grad():
        module[0].weight[:] = torch.tensor([1.0, 0.0, 0.0])
        module[0].bias[:] = torch.arange(-9, 10) / 16
        module[2].weight[:] = 1.0
        module[2].bias[:] = -45 / 16
    partition = partition_slice(Network.trace(module), Z0, CUBE)
    assert partition.linear_regions == partition.regions == 20
    assert slice_measures(partition, 2.5 / 16).near == 6
    assert slice_measures(partition, 3.5 / 16).near == 8


def test_patterns_agree_where_signs_do() -> None:
    module = mlp(3)
    flipped = mlp(3)
    with torch.no_grad():
        flipped[0].weight[4] *= -1.0
        flipped[0].bias[4] *= -1.0
        flipped[2].weight[:, 4] = 0.0
    agreement = pattern_agreement(refined(module, flipped))
    assert agreement.changed[0][4] == pytest.approx(1.0, abs=CLOSE)
    assert np.delete(agreement.changed[0], 4).max() == 0.0
    assert agreement.most_changed(1)[0][:2] == (0, 4)
    assert agreement.layers[0] == 0.0
    assert agreement.whole == 0.0
    with pytest.raises(EngineError, match="different layers"):
        pattern_agreement(refined(mlp(0), mlp(1, width=13)))


def test_changed_shares_are_those_of_points() -> None:
    found = refined(mlp(5), mlp(6))
    agreement = pattern_agreement(found)
    points = np.column_stack([np.random.default_rng(0).uniform(-1.0, 1.0, (40_000, 2)), np.zeros(40_000)])
    signs = []
    for seed in (5, 6):
        first, _, second, _, _ = mlp(seed)
        with torch.no_grad():
            z0 = first(torch.from_numpy(points))
            signs.append([z0.numpy() > 0, second(torch.relu(z0)).numpy() > 0])
    for layer in range(2):
        np.testing.assert_allclose(
            agreement.changed[layer], (signs[0][layer] != signs[1][layer]).mean(axis=0), atol=0.02
        )
        same = (signs[0][layer] == signs[1][layer]).all(axis=1).mean()
        assert agreement.layers[layer] == pytest.approx(same, abs=0.02)


def test_sampled_complexity_is_a_lower_bound_of_the_exact_one(stages: CommonRefinement) -> None:
    for partition in (stages.first, stages.second):
        found = local_complexity(partition, points=200)
        assert 0.9 * found.exact <= found.sampled <= found.exact
        assert found == local_complexity(partition, points=200)


def test_the_exact_complexity_of_one_line_is_the_share_of_its_band() -> None:
    module = nn.Sequential(nn.Linear(3, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        module[0].weight[:] = torch.tensor([1.0, 0.0, 0.0])
        module[0].bias[:] = 0.25
    partition = partition_slice(Network.trace(module), Z0, CUBE)
    radius, points = 0.1, 4000
    found = local_complexity(partition, radius, points)
    share = 2 * radius / (2 - 2 * radius)
    assert found.exact == pytest.approx(share, abs=4 * math.sqrt(share / points))
    with pytest.raises(EngineError, match="too small for neighbourhoods of radius 1"):
        local_complexity(partition, 1.0)
    assert areas(partition).sum() == pytest.approx(4.0)
