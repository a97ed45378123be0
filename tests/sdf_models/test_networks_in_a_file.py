"""Heads, encoders, several networks, several orders of layers, and which inputs are coordinates: asked where open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import Network
from sdf_models import Checkpoint, CheckpointError, Reading, load_checkpoint
from tests.sdf_models.asking import POINTS, RELU, Formula, asked, is_function, refusals, right_ways, saved, ways
from tests.sdf_models.definitions import plain_mlp, randomised


def made(function: Any, **parts: nn.Module) -> Formula:
    module = randomised(Formula(function, **parts)).double()
    assert isinstance(module, Formula)
    return module


def chain(*names: str) -> Any:
    """A forward: the parts of these names one after the other, ReLU between them."""

    def function(parts: Any, x: Tensor) -> Tensor:
        for i, name in enumerate(names):
            x = parts.get_submodule(name)(torch.relu(x) if i else x)
        return x

    return function


# Heads


def beside_colours(*names: str) -> Formula:
    """A chain of three layers of these names, and a head of colours on the second."""
    layers = (nn.Linear(3, 16), nn.Linear(16, 16), nn.Linear(16, 1))
    return made(chain(*names), **dict(zip(names, layers, strict=True)), rgb=nn.Linear(16, 3))


HEADS: dict[str, Formula] = {
    "a module and two layers": made(
        chain("trunk", "sdf_head"), trunk=plain_mlp((3, 16, 16)), sdf_head=nn.Linear(16, 1), feat_head=nn.Linear(16, 8)
    ),
    "numbered layers beside": beside_colours("fc1", "fc2", "sdf"),
    "no numbers at all": beside_colours("inp", "mid", "dist"),
    "deep heads": made(
        chain("trunk", "sdf_head"),
        trunk=plain_mlp((3, 16, 16)),
        sdf_head=plain_mlp((16, 8, 1)),
        color_head=plain_mlp((16, 8, 3)),
    ),
    "three heads, one as wide as the trunk": made(
        chain("trunk", "sdf"),
        trunk=plain_mlp((3, 16, 16, 16)),
        sdf=nn.Linear(16, 1),
        normal=nn.Linear(16, 3),
        feat=nn.Linear(16, 16),
    ),
    "a branch of colours as in NeRF": made(
        chain("pts_linears.0", "pts_linears.1", "alpha_linear"),
        pts_linears=nn.ModuleList([nn.Linear(3, 16), nn.Linear(16, 16)]),
        alpha_linear=nn.Linear(16, 1),
        feature_linear=nn.Linear(16, 16),
        views_linears=nn.ModuleList([nn.Linear(19, 8)]),
        rgb_linear=nn.Linear(8, 3),
    ),
    "geometry and colour under stems": made(
        chain("glin0", "glin1", "glin2"),
        glin0=nn.Linear(3, 16),
        glin1=nn.Linear(16, 16),
        glin2=nn.Linear(16, 1),
        clin0=nn.Linear(20, 16),
        clin1=nn.Linear(16, 3),
    ),
}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("prefix", ["", "pipeline._model.field."])
def test_which_head_is_asked(tmp_path: Path, kind: str, prefix: str) -> None:
    module = HEADS[kind]
    path = saved(tmp_path, {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()})
    assert asked(path) == "network"
    found = right_ways(path, module)
    assert found
    assert found[0][0][0] == "network"
    checkpoint = next(opened for answers, opened in ways(path) if answers == found[0])
    assert isinstance(checkpoint, Checkpoint)
    assert any(use.role.endswith("not drawn") for use in checkpoint.tensors)


# Encoder and decoder


def coded(decoder: str, length: int = 5) -> Any:
    """A forward of the decoder alone, with a code of zeros before the point."""

    def function(parts: Any, x: Tensor) -> Tensor:
        return parts.get_submodule(decoder)(torch.cat([x.new_zeros(len(x), length), x], 1))

    return function


ENCODERS: dict[str, nn.Module] = {
    "of convolutions": nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 5)),
    "that is a network too": plain_mlp((3, 16, 16, 5)),
    "whose output and the point the decoder takes": plain_mlp((30, 16, 5)),
}


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("prefix", ["", "model.", "a.b.c."])
def test_an_encoder_beside_a_decoder_is_asked_about(tmp_path: Path, kind: str, prefix: str) -> None:
    module = made(coded("decoder"), encoder=ENCODERS[kind], decoder=plain_mlp((8, 16, 16, 1)))
    path = saved(tmp_path, {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()})
    assert asked(path) == "network"
    found = right_ways(path, module)
    assert [dict(answers)["network"] for answers in found] == [f"{prefix}decoder"]
    cut_out = load_checkpoint(path, Reading(activation="relu", network="decoder", latent="zeros", coordinates="last"))
    assert is_function(cut_out, module)
    with pytest.raises(CheckpointError, match="no network 'nowhere'"):
        load_checkpoint(path, Reading(activation="relu", network="nowhere"))


# Orders


def test_a_layer_that_is_declared_last_is_asked_about(tmp_path: Path) -> None:
    net = nn.Sequential(*[nn.Sequential(nn.Linear(24 if i else 3, 24), nn.ReLU()) for i in range(5)])
    parts = {
        "net": net,
        "final_layer": nn.Sequential(nn.Linear(24, 1)),
        "skip_layer": nn.Sequential(nn.Linear(24, 21), nn.ReLU()),
    }

    def function(parts: Any, x: Tensor) -> Tensor:
        h = parts.skip_layer(parts.net[:3](x))
        return parts.final_layer(parts.net[3:](torch.cat([h, x], 1)))

    module = made(function, **parts)
    path = saved(tmp_path, module.state_dict())
    assert asked(path) == "order"
    order = "net.0.0..net.2.0,skip_layer.0,net.3.0..net.4.0,final_layer.0"
    assert [answers[0] for answers in right_ways(path, module)] == [("order", order)]


def test_layers_without_numbers_are_asked_about(tmp_path: Path) -> None:
    names = ("first", "red", "green", "blue", "last")
    sizes = (3, 16, 16, 16, 16, 1)
    layers = {name: nn.Linear(sizes[i], sizes[i + 1]) for i, name in enumerate(names)}
    module = made(chain("first", "green", "blue", "red", "last"), **layers)
    path = saved(tmp_path, module.state_dict())
    assert right_ways(path, module) == [(("order", "first,green,blue,red,last"),)]
    assert len(ways(path)) == 6
    for wrong in ("first,red,last", "first,red,red,green,blue,last", "red,first,green,blue,last", "first,x,last"):
        with pytest.raises(CheckpointError, match=r"order|no layer"):
            load_checkpoint(path, Reading(activation="relu", order=wrong))


@pytest.mark.parametrize("count", [3, 14])
def test_numbers_decide_the_order_of_files_that_are_sorted_by_name(tmp_path: Path, count: int) -> None:
    module = randomised(plain_mlp((3, *[8] * count, 1))).double()
    state = module.state_dict()
    assert right_ways(saved(tmp_path, {name: state[name] for name in sorted(state)}), module) == [()]


def test_a_file_whose_order_is_not_that_of_its_numbers_is_asked_about(tmp_path: Path) -> None:
    layers = {f"up{4 - i}": nn.Linear(3 if i == 0 else 8, 8) for i in range(4)}
    module = made(chain("up4", "up3", "up2", "up1", "out"), **layers, out=nn.Linear(8, 1))
    assert right_ways(saved(tmp_path, module.state_dict()), module) == [()]  # up4 alone takes the point
    layers = {f"up{4 - i}": nn.Linear(8, 8) for i in range(4)}
    module = made(chain("inp", "up4", "up3", "up2", "up1", "out"), inp=nn.Linear(3, 8), **layers, out=nn.Linear(8, 1))
    path = saved(tmp_path, module.state_dict())
    assert asked(path) == "order"
    assert [answers[0][1] for answers in right_ways(path, module)] == ["inp,up4,up3,up2,up1,out"]


def test_a_batch_norm_that_fits_after_two_layers_is_asked_about(tmp_path: Path) -> None:
    parts = {f"f{i}": nn.Linear(3 if i == 0 else 8, 1 if i == 3 else 8) for i in range(4)}
    module = made(
        lambda s, x: s.f3(torch.relu(s.f2(torch.relu(s.norm(s.f1(torch.relu(s.f0(x)))))))),
        **parts,
        norm=nn.BatchNorm1d(8),
    )
    path = saved(tmp_path, module.state_dict())
    assert asked(path) == "order"
    assert right_ways(path, module) == [(("order", "f0..f1,norm,f2..f3"), ("norm_order", "before"))]


@pytest.mark.parametrize("prefix", ["sdf.", "head.", "model.feature.density."])
def test_a_chain_in_a_module_that_is_named_like_a_head_is_no_trunk(tmp_path: Path, prefix: str) -> None:
    module = randomised(plain_mlp((3, 16, 16, 1))).double()
    state = {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()}
    assert right_ways(saved(tmp_path, state), module) == [()]


def test_shortcuts_are_named(tmp_path: Path) -> None:
    for name in ("gate", "film", "shortcut", "block.shortcut", "bypass", "skip_proj", "downsample.0"):
        layers = {"a": nn.Linear(3, 16), "b": nn.Linear(16, 16), "c": nn.Linear(16, 1)}
        state = nn.ModuleDict(layers).state_dict() | {f"{name}.weight": torch.rand(16, 16)}
        assert all(f"'{name}.weight'" in line for line in refusals(saved(tmp_path, state)))


# Coordinates


PLACES: dict[str, tuple[int, Any]] = {
    "last": (8, lambda x, code: torch.cat([code, x], 1)),
    "first": (8, lambda x, code: torch.cat([x, code], 1)),
    "2,0,5": (
        8,
        lambda x, code: torch.stack([x[:, 1], code[:, 0], x[:, 0], *code[:, 1:3].T, x[:, 2], *code[:, 3:].T], 1),
    ),
}


@pytest.mark.parametrize("coordinates", PLACES)
@pytest.mark.parametrize("skip", [False, True])
def test_which_inputs_are_coordinates_is_asked(tmp_path: Path, coordinates: str, skip: bool) -> None:
    inputs, join = PLACES[coordinates]
    layers = nn.ModuleList([nn.Linear(inputs, 16), nn.Linear(16, 16), nn.Linear(16 + 3 * skip, 16), nn.Linear(16, 1)])
    code = torch.linspace(-1, 1, inputs - 3, dtype=torch.float64)

    def function(parts: Any, x: Tensor) -> Tensor:
        h = torch.relu(parts.layers[1](torch.relu(parts.layers[0](join(x, code.expand(len(x), -1))))))
        h = torch.relu(parts.layers[2](torch.cat([h, x], 1) if skip else h))
        return parts.layers[3](h)

    module = made(function, layers=layers)
    path = saved(tmp_path, module.state_dict())
    skips = {"skip_scale": 1.0, "skip_order": "last"} if skip else {}
    given = Reading(activation="relu", latent=",".join(map(str, code.tolist())), **skips)
    assert asked(path, given) == "coordinates"
    checkpoint = load_checkpoint(path, given.answered("coordinates", coordinates))
    assert is_function(checkpoint, module)
    traced = Network.trace(checkpoint.module, input_shape=(3,)).forward(POINTS.numpy())[:, 0]
    assert np.abs(traced - module(POINTS).detach().numpy()[:, 0]).max() < 1e-12
    table = saved(tmp_path, {"latent_codes": torch.stack([code * 0, code])}, "codes.pth")
    chosen = Reading(activation="relu", latent=f"{table}:1", coordinates=coordinates, **skips)
    assert is_function(load_checkpoint(path, chosen), module)


def test_a_network_of_space_and_time_is_drawn_at_a_time(tmp_path: Path) -> None:
    module = randomised(plain_mlp((4, 16, 16, 1))).double()
    path = saved(tmp_path, module.state_dict())
    assert asked(path) == "latent"
    for place, at in (("first", lambda x: torch.cat([x, x.new_full((len(x), 1), 0.25)], 1)),
                      ("last", lambda x: torch.cat([x.new_full((len(x), 1), 0.25), x], 1))):  # fmt: skip
        reading = Reading(activation="relu", latent="0.25", coordinates=place)
        assert is_function(load_checkpoint(path, reading), lambda x, at=at: module(at(x)))
    plane = load_checkpoint(path, Reading(activation="relu", latent="0.5,0.25", coordinates="0,2"))
    assert plane.domain.shape == (2, 2)
    points = torch.rand(9, 2, dtype=torch.float64)
    whole = torch.stack([points[:, 0], points[:, 0] * 0 + 0.5, points[:, 1], points[:, 0] * 0 + 0.25], 1)
    assert torch.equal(plane.module(points), module(whole)[:, 0])
    for wrong, words in (("0,1,2,3", "of some of 4 inputs"), ("0,0", "different"), ("5", "different indices")):
        with pytest.raises(CheckpointError, match=words):
            load_checkpoint(path, Reading(activation="relu", latent="zeros", coordinates=wrong))
    with pytest.raises(CheckpointError, match="2 numbers, where 1 inputs are held"):
        load_checkpoint(path, Reading(activation="relu", latent="1,2", coordinates="first"))
    for text in ("middle", "0;1", "-1"):
        with pytest.raises(ValueError, match="is not possible"):
            RELU.answered("coordinates", text)
