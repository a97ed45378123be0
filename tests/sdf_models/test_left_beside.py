"""Tensors beside the layers under names that mislead: tables of codes, masks, slopes for all layers, numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from sdf_models import Reading, load_checkpoint
from tests.sdf_models.asking import (
    POINTS,
    RELU,
    Formula,
    asked,
    is_function,
    refusals,
    right_ways,
    saved,
    ways,
)
from tests.sdf_models.definitions import plain_mlp, randomised


def mlp(sizes: tuple[int, ...] = (3, 16, 16, 1)) -> nn.Module:
    return randomised(plain_mlp(sizes)).double()


# Tables of latent codes


@pytest.mark.parametrize("count", [2, 3, 5, 8, 11, 16])
@pytest.mark.parametrize("path", ["", "net."])
def test_a_table_of_codes_under_any_name(tmp_path: Path, count: int, path: str) -> None:
    """Of some counts the table fits before the layers, as a matrix or its transpose."""
    codes = torch.randn(count, 8, dtype=torch.float64)
    module = mlp((11, 16, 16, 1))
    state = {f"{path}{name}": tensor for name, tensor in module.state_dict().items()}
    file = saved(tmp_path, {"z.weight": codes, **state})

    def forward(x: Tensor) -> Tensor:
        return module(torch.cat([codes[:1].expand(len(x), -1), x], dim=1))

    right = right_ways(file, forward)
    assert ("latent", f"{file.name}:0") in right[0]
    assert asked(file) != "latent" or count in (2, 16)  # where no reading but the right one fits
    reading = RELU
    for choice, answer in right[0]:
        reading = reading.answered(choice, answer)
    assert {use.role for use in load_checkpoint(file, reading).tensors if use.name == "z.weight"} == {"latent codes"}


def test_a_first_layer_without_a_bias_is_still_one(tmp_path: Path) -> None:
    module = mlp((8, 11, 16, 1))
    module[0].bias = None
    x = torch.cat([torch.zeros(len(POINTS), 5, dtype=torch.float64), POINTS], dim=1)
    state = {f"first.{name[2:]}" if name[0] == "0" else name: tensor for name, tensor in module.state_dict().items()}
    file = saved(tmp_path, state)
    assert asked(file) == "network"
    assert any(dict(way)["network"] == "all" for way in right_ways(file, lambda _: module(x)))


# Masks and matrices that are not of real numbers


@pytest.mark.parametrize(
    ("mask", "where"),
    [
        (torch.ones(16, 16, dtype=torch.bool), "2.mask"),
        (torch.ones(16, dtype=torch.bool), "2.mask"),
        (torch.ones(16, dtype=torch.int32), "alive.mask"),
        (torch.ones(16, 16, dtype=torch.uint8), "connections"),
        (torch.ones(16, dtype=torch.complex64), "phases"),
    ],
)
def test_masks_are_named_and_may_be_ignored(tmp_path: Path, mask: Tensor, where: str) -> None:
    module = mlp()
    file = saved(tmp_path, {**module.state_dict(), where: mask})
    (line,) = refusals(file)
    assert f"{where!r} (of {str(mask.dtype)[6:]} beside the " in line
    advice = line.partition("--ignore ")[2].split()[0]
    assert right_ways(file, module, reading=Reading(activation="relu", ignore=advice)) == [()]


def test_sizes_and_counts_are_no_masks(tmp_path: Path) -> None:
    module = mlp()
    beside = {"sizes": torch.tensor([3, 16, 16, 1]), "step": torch.tensor(7), "ids": torch.arange(16)}
    assert right_ways(saved(tmp_path, {**module.state_dict(), **beside}), module) == [()]
    assert right_ways(saved(tmp_path, {**module.state_dict(), **beside}, "net.npz"), module) == [()]


@pytest.mark.parametrize("beside", [{}, {"2.scale": torch.tensor(0.1)}, {"2.weight_scale": torch.rand(16)}])
@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64])
def test_a_layer_whose_weight_is_not_of_real_numbers(
    tmp_path: Path, dtype: torch.dtype, beside: dict[str, Tensor]
) -> None:
    """Its layer must not be left out of the chain, which would still fit."""
    state = mlp().state_dict()
    state["2.weight"] = (10 * state["2.weight"]).to(dtype)
    (line,) = refusals(saved(tmp_path, {**state, **beside}))
    assert "the weight of '2' is not in the file as real numbers, but as " in line
    assert f" of {str(dtype)[6:]}" in line
    assert "--ignore" not in line


def test_tensors_without_numbers_are_named_as_such(tmp_path: Path) -> None:
    module = mlp()
    empty = {"3.weight": torch.zeros(0, 16), "3.bias": torch.zeros(0)}
    file = saved(tmp_path, {**module.state_dict(), **empty})
    (line,) = refusals(file)
    assert "'3.weight' (of shape (0, 16) beside the layers) is not used" in line
    assert right_ways(file, module, reading=Reading(activation="relu", ignore="3.weight,3.bias")) == [()]


def test_a_weight_that_is_computed_by_a_parametrization(tmp_path: Path) -> None:
    module = mlp()
    parametrizations.orthogonal(module[2])
    (line,) = refusals(saved(tmp_path, module.state_dict()))
    assert "the weight of '2' is not in the file as real numbers, but as '2.parametrizations.weight.original'" in line
    assert "--ignore" not in line


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading(activation="relu", ignore="2"), "all tensors that '2' names have a role"),
        (Reading(activation="relu", ignore="2.weight,lost"), "all tensors that '2.weight' names have a role"),
        (Reading(activation="relu", ignore="lost"), "it has no tensor 'lost'"),
        (Reading(activation="relu", latent="zeros"), "all of its 3 inputs are coordinates"),
    ],
)
def test_options_that_change_nothing_are_refused(tmp_path: Path, reading: Reading, words: str) -> None:
    (line,) = refusals(saved(tmp_path, mlp().state_dict()), reading)
    assert words in line


# One PReLU for all layers


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("count", [1, 16])
def test_one_prelu_after_every_layer(tmp_path: Path, first: bool, count: int) -> None:
    parts: dict[str, Any] = {
        f"l{i}": nn.Linear(a, b) for i, (a, b) in enumerate([(3, 16), (16, 16), (16, 16), (16, 1)])
    }
    parts = {"act": nn.PReLU(count), **parts} if first else {**parts, "act": nn.PReLU(count)}
    module = Formula(lambda s, x: s.l3(s.act(s.l2(s.act(s.l1(s.act(s.l0(x))))))), **parts)
    module = randomised(module).double()
    file = saved(tmp_path, module.state_dict())
    assert right_ways(file, module) == []  # an activation that is chosen has no place left
    assert right_ways(file, module, reading=Reading()) == [(("order", "l0,act,l1,act,l2,act,l3"),)]


def test_one_prelu_of_one_place(tmp_path: Path) -> None:
    parts = {f"l{i}": nn.Linear(a, b) for i, (a, b) in enumerate([(3, 16), (16, 16), (16, 1)])}
    module = Formula(lambda s, x: s.l2(s.act(s.l1(torch.relu(s.l0(x))))), act=nn.PReLU(), **parts)
    module = randomised(module).double()
    found = ways(saved(tmp_path, module.state_dict()), Reading())
    orders = [dict(answers).get("order") for answers, _ in found]
    assert not any(order is not None and order.endswith("act") for order in orders)  # nothing follows the last layer
    reading = Reading(activation="relu", order="l0,l1,act,l2")
    assert is_function(load_checkpoint(saved(tmp_path, module.state_dict()), reading), module)


# Numbers


@pytest.mark.parametrize("name", ["time", "score", "decay", "s_val", "err", "k", "c", "val"])
def test_one_number_in_the_state_dict_may_be_multiplied(tmp_path: Path, name: str) -> None:
    module = mlp()
    number = torch.tensor(1.5, dtype=torch.float64)
    (line,) = refusals(saved(tmp_path, {**module.state_dict(), name: number}))
    assert f"{name!r} (1 number beside the layers) is not used by this reading" in line


@pytest.mark.parametrize(
    "name", ["loss", "val_loss", "best_psnr", "epoch", "global_step", "lr", "best_val", "iou_mean"]
)
def test_one_number_of_a_log_is_none_of_the_network(tmp_path: Path, name: str) -> None:
    module = mlp()
    number = torch.tensor(1.5, dtype=torch.float64)
    assert right_ways(saved(tmp_path, {**module.state_dict(), name: number}), module) == [()]
    assert right_ways(saved(tmp_path, {"model": module.state_dict(), name: number, "time": number}), module) == [()]


@pytest.mark.parametrize("names", [("gamma", "beta"), ("scale", "offset"), ("scale", "bias")])
@pytest.mark.parametrize("count", [1, 16])
def test_scale_and_shift_of_the_whole_are_named(tmp_path: Path, names: tuple[str, str], count: int) -> None:
    vector = torch.rand(count, dtype=torch.float64)
    state = {f"net.{name}": tensor for name, tensor in mlp().state_dict().items()} | dict.fromkeys(names, vector)
    (line,) = refusals(saved(tmp_path, state))
    assert f"'{names[0]}' (" in line
    assert f"nor is '{names[1]}'" in line
    assert "norm" not in line


def test_advice_to_draw_a_part_alone_is_given_where_it_helps(tmp_path: Path) -> None:
    module = mlp()
    state = {f"net.{name}": tensor for name, tensor in module.state_dict().items()}
    (line,) = refusals(saved(tmp_path, {**state, "planes": torch.rand(3, 4, 8, 8)}))
    assert "--network" not in line
    shadow = {"shadow_params": list(state.values())}
    file = saved(tmp_path, {"model": state, "ema": shadow})
    (line,) = refusals(file)
    assert "--network model.net to draw that part alone" in line
    assert right_ways(file, module, reading=Reading(activation="relu", network="model.net")) == [()]


# Several trunks


def test_heads_belong_to_the_trunk_beside_them(tmp_path: Path) -> None:
    def part(seed: int) -> nn.Module:
        trunk, head, color = mlp((3, 16, 16)), nn.Linear(16, 1), nn.Linear(16, 3)
        module = Formula(lambda s, x: s.sdf(torch.relu(s.trunk(x))), trunk=trunk, sdf=head, feature=color)
        return randomised(module, seed).double()

    coarse, fine = part(0), part(1)
    file = saved(tmp_path, {"coarse": coarse.state_dict(), "fine": fine.state_dict()})
    names = {dict(answers)["network"] for answers, _ in ways(file)}
    assert not any("coarse" in name and "fine" in name for name in names)
    assert right_ways(file, fine) == [(("network", "fine.trunk+fine.sdf"),)]
