"""Sums with earlier layers: batch norms and slopes keep their side of them, and names of blocks are asked about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sdf_models import Reading
from tests.sdf_models.asking import RELU, Formula, asked, refusals, right_ways, saved
from tests.sdf_models.definitions import plain_mlp, randomised


def block(forward: Callable[[Any, Tensor], Tensor], order: str) -> nn.Module:
    """Two linear layers of 8 features and two norms, declared in the order of `order`, "fn" or "nf"."""
    parts: dict[str, nn.Module] = {}
    for i in (1, 2):
        for letter in order:
            parts[f"{'fc' if letter == 'f' else 'bn'}{i}"] = nn.Linear(8, 8) if letter == "f" else nn.BatchNorm1d(8)
    return Formula(forward, **parts)


def of_blocks(kind: Callable[[], nn.Module], forward: Callable[[Any, Tensor], Tensor]) -> nn.Module:
    module = Formula(forward, inp=nn.Linear(3, 8), blocks=nn.ModuleList([kind(), kind()]), out=nn.Linear(8, 1))
    return randomised(module).double()


def after_the_first_layer(s: Any, x: Tensor) -> Tensor:
    h = torch.relu(s.inp(x))
    return s.out(s.blocks[1](s.blocks[0](h)))


def before_the_last(s: Any, x: Tensor) -> Tensor:
    return s.out(torch.relu(s.blocks[1](s.blocks[0](s.inp(x)))))


def resnet(s: Any, x: Tensor) -> Tensor:
    """He et al. 2015."""
    return torch.relu(x + s.bn2(s.fc2(torch.relu(s.bn1(s.fc1(x))))))


def linear_sums(s: Any, x: Tensor) -> Tensor:
    return x + s.bn2(s.fc2(torch.relu(s.bn1(s.fc1(x)))))


def preactivation(s: Any, x: Tensor) -> Tensor:
    """He et al. 2016."""
    return x + s.fc2(torch.relu(s.bn2(s.fc1(torch.relu(s.bn1(x))))))


@pytest.mark.parametrize(
    ("residual", "forward", "order", "around"),
    [
        ("post", resnet, "fn", after_the_first_layer),
        ("sum", linear_sums, "fn", after_the_first_layer),
        ("pre", preactivation, "nf", before_the_last),
    ],
)
def test_batch_norms_in_residual_blocks(
    tmp_path: Path,
    residual: str,
    forward: Callable[[Any, Tensor], Tensor],
    order: str,
    around: Callable[[Any, Tensor], Tensor],
) -> None:
    module = of_blocks(lambda: block(forward, order), around)
    right = right_ways(saved(tmp_path, module.state_dict()), module)
    assert [dict(way)["residual"] for way in right] == [residual]
    assert dict(right[0])["norm_order"] == "before"


def test_a_norm_on_an_unknown_side_of_a_sum_is_refused(tmp_path: Path) -> None:
    module = of_blocks(lambda: block(preactivation, "nf"), before_the_last)
    path = saved(tmp_path, module.state_dict())
    order = "inp," + ",".join(f"blocks.{i}.{name}" for i in (0, 1) for name in ("bn1", "fc1", "bn2", "fc2")) + ",out"
    reading = Reading(activation="relu", norm_order="before", order=order, residual="post")
    assert not right_ways(path, module, reading=reading)
    (found,) = refusals(path, reading)
    assert "on which side of a residual sum the batch norm 'blocks.0.bn1' stands is not in the file" in found


def test_slopes_before_a_block_are_its_own(tmp_path: Path) -> None:
    """x + B(act_b(A(act_a(x)))), where each PReLU has slopes of its own."""

    def forward(s: Any, x: Tensor) -> Tensor:
        return x + s.fc2(s.prelu2(s.fc1(s.prelu1(x))))

    def kind() -> nn.Module:
        parts = {"prelu1": nn.PReLU(8), "fc1": nn.Linear(8, 8), "prelu2": nn.PReLU(8), "fc2": nn.Linear(8, 8)}
        return Formula(forward, **parts)

    def around(s: Any, x: Tensor) -> Tensor:
        return s.out(s.prelu(s.blocks[1](s.blocks[0](s.inp(x)))))

    module = Formula(
        around, inp=nn.Linear(3, 8), blocks=nn.ModuleList([kind(), kind()]), prelu=nn.PReLU(8), out=nn.Linear(8, 1)
    )
    module = randomised(module).double()
    order = ",".join(f"blocks.{i}.{name}" for i in (0, 1) for name in ("prelu1", "fc1", "prelu2", "fc2"))
    reading = Reading(order=f"inp,{order},prelu,out", residual="pre")
    assert right_ways(saved(tmp_path, module.state_dict()), module, reading=reading) == [()]


def test_a_block_may_end_the_network(tmp_path: Path) -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        return x + s.fc2(torch.relu(s.fc1(x)))

    def kind() -> nn.Module:
        return Formula(forward, fc1=nn.Linear(3, 8), fc2=nn.Linear(8, 3))

    module = Formula(lambda s, x: s.blocks[1](s.blocks[0](x))[:, 0], blocks=nn.ModuleList([kind(), kind()]))
    module = randomised(module).double()
    right = right_ways(saved(tmp_path, module.state_dict()), module)
    assert [dict(way)["residual"] for way in right] == ["sum"]


def test_blocks_of_three_layers(tmp_path: Path) -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        return torch.relu(x + s.net[4](torch.relu(s.net[2](torch.relu(s.net[0](x))))))

    module = of_blocks(lambda: Formula(forward, net=plain_mlp((8, 8, 8, 8))), after_the_first_layer)
    state = {name.replace(".net.", "."): tensor for name, tensor in module.state_dict().items()}
    assert right_ways(saved(tmp_path, state), module) == [(("residual", "post"),)]


@pytest.mark.parametrize("name", ["blocks.{}.fc", "res{}", "resblock_{}.linear", "net.residual_{}", "block{}"])
def test_single_layers_named_as_blocks_are_asked_about(tmp_path: Path, name: str) -> None:
    module = of_blocks(lambda: nn.Linear(8, 8), lambda s, x: s.out(_summed(s, torch.relu(s.inp(x)))))
    state = module.state_dict()
    for i in (0, 1):
        for part in ("weight", "bias"):
            state[f"{name.format(i + 1)}.{part}"] = state.pop(f"blocks.{i}.{part}")
    path = saved(tmp_path, state)
    assert (("residual", "layer"),) in right_ways(path, module)


def _summed(s: Any, h: Tensor) -> Tensor:
    for layer in s.blocks:
        h = h + torch.relu(layer(h))
    return h


def test_layers_of_other_names_are_a_chain(tmp_path: Path) -> None:
    module = randomised(plain_mlp((3, 8, 8, 8, 1))).double()
    for name in ("result.{}", "resized.{}", "layers.{}.linear"):
        state = {name.format(k.split(".")[0]) + "." + k.split(".")[1]: v for k, v in module.state_dict().items()}
        assert asked(saved(tmp_path, state), RELU) == ""


@pytest.mark.parametrize("kind", ["pre", "sum", "post", "layer"])
def test_sums_that_fit_nowhere_are_refused(tmp_path: Path, kind: str) -> None:
    file = saved(tmp_path, randomised(plain_mlp((3, 8, 12, 1))).state_dict())
    (line,) = refusals(file, Reading(activation="relu", residual=kind))
    assert f"--residual {kind}: no" in line
