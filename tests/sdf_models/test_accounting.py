"""Every tensor of a file is used, asked about or named: none that changes the function is left out in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from engine import Network
from sdf_models import Reading, load_checkpoint
from tests.sdf_models.asking import POINTS, RELU, Formula, is_function, refusals, right_ways, saved, ways
from tests.sdf_models.definitions import plain_mlp, randomised


def mlp(sizes: tuple[int, ...] = (3, 16, 16, 1)) -> nn.Sequential:
    module = randomised(plain_mlp(sizes)).double()
    assert isinstance(module, nn.Sequential)
    return module


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def spectral_norm(layer: nn.Module) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        nn.utils.spectral_norm(layer)


# Applied, since their meaning is certain


@pytest.mark.parametrize("norm", [spectral_norm, parametrizations.spectral_norm])
def test_spectral_norm_in_both_spellings(tmp_path: Path, norm: Any) -> None:
    module = mlp()
    for i in (0, 2, 4):
        norm(module[i])
    module.train()
    module(torch.rand(8, 3, dtype=torch.float64))
    module.eval()
    assert right_ways(saved(tmp_path, module.state_dict()), module) == [()]


@pytest.mark.parametrize("pruned", [(2,), (0, 2, 4)])
def test_masks_of_pruning(tmp_path: Path, pruned: tuple[int, ...]) -> None:
    module = mlp((3, 16, 16, 1))
    for i in pruned:
        prune.random_unstructured(module[i], "weight", 0.5)
        prune.random_unstructured(module[i], "bias", 0.25)
    state = module.state_dict()
    assert right_ways(saved(tmp_path, {"model": state}), module) == [()]
    state["2.weight_mask"] = state["2.weight_mask"].bool()
    path = saved(tmp_path, state)
    assert right_ways(path, module) == [()]
    roles = {use.name: use.role for use in load_checkpoint(path, RELU).tensors}
    assert roles["2.weight_mask"] == "mask of pruning of 2"
    assert roles["2.weight_orig"] == "weight before pruning of 2"


class LowRank(nn.Linear):
    """Hu et al. 2021: W x + (alpha / r) B A x."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.lora_A, self.lora_B = nn.Parameter(torch.randn(2, inputs)), nn.Parameter(torch.randn(outputs, 2))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight + 6.0 / 2 * self.lora_B @ self.lora_A, self.bias)


def test_low_rank_corrections_with_a_scale_that_the_file_says(tmp_path: Path) -> None:
    module = nn.Sequential(LowRank(3, 16), nn.ReLU(), LowRank(16, 16), nn.ReLU(), nn.Linear(16, 1)).double()
    state = module.state_dict()
    peft = {
        "base_model.model."
        + name.replace("0.weight", "0.base_layer.weight")
        .replace("0.bias", "0.base_layer.bias")
        .replace("lora_A", "lora_A.default.weight")
        .replace("lora_B", "lora_B.default.weight"): tensor
        for name, tensor in state.items()
    }
    for content in ({"state": state, "lora_alpha": 6}, {"state": peft, "config": {"lora_alpha": 6.0, "r": 2}}):
        path = saved(tmp_path, content)
        assert right_ways(path, module) == [()]
        assert any("low-rank correction" in note for note in load_checkpoint(path, RELU).notes)
    assert right_ways(saved(tmp_path, {**state, "0.scaling": numbers(3), "2.scaling": numbers(3)}), module) == [()]
    (line,) = refusals(saved(tmp_path, state))
    assert "'0.lora_A' and lora_B are a low-rank correction of its weight, whose scale is not in the file" in line
    (line,) = refusals(saved(tmp_path, {"state": state, "config": {"lora_alpha": 6, "use_rslora": True}}))
    assert "lora_A" in line


# Asked about, with the right function among the answers


NORMALISED: dict[str, tuple[Any, dict[str, Tensor]]] = {
    "center and radius": (
        lambda s, x: s.net((x - s.center) / s.radius),
        {"center": numbers(0.3, -0.2, 0.1), "radius": torch.tensor(2.5, dtype=torch.float64)},
    ),
    "mean and std": (
        lambda s, x: s.net((x - s.mean) / s.std),
        {"mean": numbers(0.1, 0.2, 0.3), "std": numbers(0.5, 2.0, 1.5)},
    ),
    "offset and scale": (
        lambda s, x: s.net(x * s.scale + s.offset),
        {"offset": numbers(0.1, 0.2, 0.3), "scale": numbers(2.0)},
    ),
    "a box": (
        lambda s, x: s.net(2 * (x - s.aabb[0]) / (s.aabb[1] - s.aabb[0]) - 1),
        {"aabb": torch.stack([numbers(-1.5, -1, -2), numbers(1, 2, 1.0)])},
    ),
    "ranges": (
        lambda s, x: s.net((x - s.bounds[:, 0]) / (s.bounds[:, 1] - s.bounds[:, 0])),
        {"bounds": torch.stack([numbers(-1.5, -1, -2), numbers(1, 2, 1.0)], 1)},
    ),
    "two corners": (
        lambda s, x: s.net((x - s.bbox_min) / (s.bbox_max - s.bbox_min)),
        {"bbox_min": numbers(-1.5, -1, -2), "bbox_max": numbers(1, 2, 1)},
    ),
    "a shift": (lambda s, x: s.net(x - s.centroid), {"centroid": numbers(0.3, -0.2, 0.1)}),
}


@pytest.mark.parametrize("kind", NORMALISED)
def test_buffers_that_normalise_the_input(tmp_path: Path, kind: str) -> None:
    function, buffers = NORMALISED[kind]
    module = Formula(function, net=mlp(), **buffers)
    beside = {"state_dict": module.net.state_dict(), **buffers}  # type: ignore[operator,union-attr]
    scaler = {"state_dict": module.net.state_dict(), "scaler": buffers}  # type: ignore[operator,union-attr]
    boxes = "box" in kind or kind == "ranges"
    apart = [] if boxes else [beside, scaler]  # beside the state dict a box is the domain
    for content in (module.state_dict(), {"model": module.state_dict()}, *apart):
        path = saved(tmp_path, content)
        found = right_ways(path, module, 1e-11)
        assert len(found) == 1
        assert found[0][0][0] == "input_transform"
        assert len(ways(path)) > 1


def test_numbers_that_may_normalise_the_input_are_said(tmp_path: Path) -> None:
    content = {"model": mlp().state_dict(), "center": [0.1, 0.2, 0.3], "scale": 2.5, "epoch": 3}
    notes = load_checkpoint(saved(tmp_path, content), RELU).notes
    assert any("the file states center [0.1, 0.2, 0.3], scale 2.5: nothing of it is applied" in note for note in notes)


OUTPUTS: dict[str, tuple[Any, dict[str, Tensor]]] = {
    "scale, then shift": (
        lambda s, x: s.net(x) * s.out_scale + s.out_shift,
        {"out_scale": torch.tensor(0.5).double(), "out_shift": torch.tensor(-0.3).double()},
    ),
    "shift, then scale": (
        lambda s, x: (s.net(x) + s.output_bias) * s.output_gain,
        {"output_bias": numbers(0.25), "output_gain": numbers(3)},
    ),
    "an offset of the distance": (lambda s, x: s.net(x) + s.sdf_offset, {"sdf_offset": numbers(0.25)}),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_scale_and_shift_of_the_output(tmp_path: Path, kind: str) -> None:
    function, tensors = OUTPUTS[kind]
    module = Formula(function, net=mlp(), **{name: nn.Parameter(value) for name, value in tensors.items()})
    found = right_ways(saved(tmp_path, module.state_dict()), module)
    assert [answers[0][0] for answers in found] == ["output_transform"]


def test_a_factor_of_the_input_or_the_output_is_named_and_chosen(tmp_path: Path) -> None:
    factor = torch.tensor(2.5, dtype=torch.float64)
    before = Formula(lambda s, x: s.net(x * s.scale), net=mlp(), scale=factor)
    after = Formula(lambda s, x: s.net(x) * s.scale, net=mlp(), scale=factor)
    path = saved(tmp_path, before.state_dict())
    (line,) = refusals(path)
    assert "'scale' (1 number beside the layers)" in line
    assert "say what it does by --input-transform or --output-transform" in line
    for choice, module in (("input_transform", before), ("output_transform", after)):
        opened = load_checkpoint(path, RELU.answered(choice, "2.5"))
        assert is_function(opened, module)
        traced = Network.trace(opened.module, input_shape=(3,)).forward(POINTS.numpy())
        assert np.abs(traced - module(POINTS).detach().numpy()).max() < 1e-12
        assert f"--{choice.replace('_', '-')}" in {use.name: use.role for use in opened.tensors}["scale"]


class Bounded(nn.Linear):
    """Liu et al. 2022: rows of W scaled down to the absolute sum softplus(c)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.c = nn.Parameter(torch.rand(1))

    def forward(self, x: Tensor) -> Tensor:
        factors = (nn.functional.softplus(self.c) / self.weight.abs().sum(1)).clamp(max=1.0)
        return nn.functional.linear(x, self.weight * factors[:, None], self.bias)


def test_lipschitz_bounds_are_asked_about(tmp_path: Path) -> None:
    module = nn.Sequential(Bounded(3, 16), nn.ReLU(), Bounded(16, 16), nn.ReLU(), Bounded(16, 1)).double()
    path = saved(tmp_path, module.state_dict())
    assert right_ways(path, module) == [(("row_bounds", "softplus"),)]
    del (state := module.state_dict())["2.c"]
    (line,) = refusals(saved(tmp_path, state))
    assert "'0.c' (1 number beside the weight and bias of '0') is not used by this reading, nor is '4.c'" in line


# Named


class Beside(nn.Linear):
    """A layer with a tensor beside its weight and bias."""

    def __init__(self, inputs: int, outputs: int, name: str, tensor: Tensor) -> None:
        super().__init__(inputs, outputs)
        self.register_parameter(name, nn.Parameter(tensor))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("gain", (16,)), ("w_scale", ()), ("mask", (16, 3)), ("alpha", (1,)), ("gamma", (16,)), ("weight_u", (16,))],
)
@pytest.mark.parametrize("prefix", ["", "module.", "net.0.linear."])
def test_tensors_beside_a_layer_are_named(tmp_path: Path, name: str, shape: tuple[int, ...], prefix: str) -> None:
    state = {f"{prefix}{key}": tensor for key, tensor in mlp().state_dict().items()}
    path = saved(tmp_path, {**state, f"{prefix}0.{name}": torch.rand(shape)})
    lines = refusals(path)
    assert all(f"0.{name}'" in line or f"'{prefix}0'" in line for line in lines)


@pytest.mark.parametrize(
    "tensors",
    [
        {"a": (1,)},
        {"gamma.0": (16,), "gamma.1": (16,), "shift.0": (16,)},
        {"shifts": (2, 16)},
        {"resweight": ()},
        {"alphas": (2,)},
        {"scale": ()},
        {"weight": (1,)},
        {"bias": (1,)},
        {"1.a": (16,)},
        {"1.beta": ()},
        {"1.slope": (16,)},
        {"film.0.weight": (32, 7), "film.0.bias": (32,)},
        {"shortcut.weight": (1, 3)},
    ],
)
def test_tensors_beside_the_layers_are_named(tmp_path: Path, tensors: dict[str, tuple[int, ...]]) -> None:
    state = mlp().state_dict() | {name: torch.rand(shape) for name, shape in tensors.items()}
    for content in (state, {"epoch": 3, "state_dict": state}, {"net": {"decoder": state}}):
        path = saved(tmp_path, content)
        (line,) = refusals(path)
        assert "is not used by this reading" in line
        assert all(name.removesuffix(".bias") in line for name in list(tensors)[:4])
        short = line.partition("say --ignore ")[2].partition(" if ")[0]
        opened = load_checkpoint(path, Reading(activation="relu", ignore=short))
        assert is_function(opened, mlp())
        roles = {use.name.rpartition("decoder.")[2].removeprefix("state_dict."): use.role for use in opened.tensors}
        assert {roles[name] for name in tensors} == {"left out, by --ignore"}


@pytest.mark.parametrize("name", ["embed.weight", "code.weight", "embedding"])
def test_a_matrix_that_is_named_like_codes_and_is_none_is_named(tmp_path: Path, name: str) -> None:
    state = mlp((16, 16, 1)).state_dict() | {name: torch.rand(16, 3)}
    assert all(f"'{name}' (of shape (16, 3)" in line for line in refusals(saved(tmp_path, state)))
    codes = mlp((16, 16, 1)).state_dict() | {name: torch.rand(7, 13)}
    opened = load_checkpoint(saved(tmp_path, codes), Reading(activation="relu", latent="mean", coordinates="last"))
    assert {use.role for use in opened.tensors if use.name == name} == {"latent codes"}


def test_weights_of_another_meaning_are_named(tmp_path: Path) -> None:
    state = mlp().state_dict()
    for name in ("weight_orig", "weight_bar", "parametrizations.weight.original"):
        one = {key.replace("2.weight", f"2.{name}"): tensor for key, tensor in state.items()}
        every = {key.replace("weight", name): tensor for key, tensor in state.items()}
        for content, first in ((one, "2"), (every, "0")):
            assert all(f"'{first}.{name}'" in line for line in refusals(saved(tmp_path, content)))


def test_norms_without_statistics_are_named_for_what_they_may_be(tmp_path: Path) -> None:
    for norm in (nn.GroupNorm(4, 16), nn.LayerNorm(16)):
        module = nn.Sequential(nn.Linear(3, 16), norm, nn.ReLU(), nn.Linear(16, 1))
        (line,) = refusals(saved(tmp_path, module.state_dict()))
        assert "'1' has a scale and a shift of 16 features" in line
        assert "a layer norm or a group norm" in line


@pytest.mark.parametrize("front", ["0", "conv1", "features.0"])
def test_convolutions_are_named(tmp_path: Path, front: str) -> None:
    linear = {f"classifier.{name}": tensor for name, tensor in mlp((8, 16, 1)).state_dict().items()}
    state = {f"{front}.weight": torch.rand(4, 1, 3, 3), f"{front}.bias": torch.rand(4), **linear}
    (line,) = refusals(saved(tmp_path, {"state_dict": state}))
    assert f"'state_dict.{front}' is a convolution (weight of shape (4, 1, 3, 3))" in line
    alone = {name: tensor for name, tensor in state.items() if name.startswith(front)}
    (line,) = refusals(saved(tmp_path, alone))
    assert "convolution" in line


def test_slope_like_vectors_are_asked_about_unless_their_name_decides(tmp_path: Path) -> None:
    slopes = {"1.alpha": torch.rand(16) + 0.5, "3.alpha": torch.rand(16) + 0.5}
    state = mlp().state_dict()

    def forward(activation: Any) -> Any:
        layers = mlp()

        def function(x: Tensor) -> Tensor:
            h = activation(layers[0](x), slopes["1.alpha"].double())
            return layers[4](activation(layers[2](h), slopes["3.alpha"].double()))

        return function

    def right(content: Any, activation: Any) -> Any:
        return right_ways(saved(tmp_path, content), forward(activation), reading=Reading())

    content = {**state, **slopes}
    assert right(content, nn.functional.prelu) == [(("slopes", "prelu"),)]
    assert right(content, lambda x, a: x + torch.sin(a * x) ** 2 / a) == [(("slopes", "snake"),)]
    lines = [found for _, found in ways(tmp_path / "net.pth", Reading()) if isinstance(found, str)]
    assert ["'1.alpha' is a parameter of a function" in line for line in lines] == [True]
    fcs = {f"fc{int(name[0]) // 2}{name[1:]}": tensor for name, tensor in state.items()}
    for first, second in (("act1.weight", "act2.weight"), ("p_re_lu.alpha", "p_re_lu_1.alpha")):
        named = {first: slopes["1.alpha"], second: slopes["3.alpha"]}
        assert right({**fcs, **named}, nn.functional.prelu) == [()]


# Not a part of the network


def test_only_weights_that_are_used_must_be_finite(tmp_path: Path) -> None:
    module = mlp()
    state = module.state_dict()
    nan, infinite = torch.tensor(float("nan")), torch.tensor(float("inf"))
    for beside in (
        {"best_val": infinite},
        {"losses": nan.expand(7).clone(), "best_metric": -infinite},
        {"anything": {"x": nan}},
        {"optimizer": {"state": {0: {"exp_avg": nan.expand(3).clone()}}}},
    ):
        assert right_ways(saved(tmp_path, {"model": state, "epoch": 0, **beside}), module) == [()]
    other = {name: tensor * nan for name, tensor in state.items()}
    path = saved(tmp_path, {"model": state, "target": other})
    assert right_ways(path, module) == [(("network", "model"),)]
    assert any("'target.0.weight'" in str(found) or "target.0.weight are NaN" in str(found) for _, found in ways(path))
    state["2.weight"][0, 0] = nan
    (line,) = refusals(saved(tmp_path, {"model": state}))
    assert "1 of the 256 weights of model.2.weight are NaN or infinite" in line


def test_states_of_the_training_have_a_role(tmp_path: Path) -> None:
    module = mlp()
    optimiser = torch.optim.Adam(module.parameters())
    module(torch.rand(4, 3, dtype=torch.float64)).sum().backward()
    optimiser.step()
    content = {"model": module.state_dict(), "optimizer_state_dict": optimiser.state_dict(), "lr": torch.tensor(1e-3)}
    roles = {use.name: use.role for use in load_checkpoint(saved(tmp_path, content), RELU).tensors}
    assert roles["optimizer_state_dict.state.0.exp_avg"] == "state of the training"
    assert roles["lr"] == "a logged value"
    assert roles["model.4.bias"] == "bias of model.4"
