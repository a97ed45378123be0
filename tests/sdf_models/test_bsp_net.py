"""BSP-Net's generator, written down again from its definition in each phase (Chen et al. 2020, BSP-NET-pytorch)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import Network
from sdf_models import CheckpointError, Reading, load_checkpoint
from tests.sdf_models.asking import POINTS, asked, is_function, refusals, right_ways, saved
from tests.sdf_models.definitions import Holder, randomised

CODE, PLANES, CONVEXES = 8, 32, 8


class Generator(nn.Module):
    """From points (N, 4), homogeneous, and planes (4, PLANES) to values (N,)."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        connections = (torch.rand(PLANES, CONVEXES, generator=generator) < 0.2) * torch.rand(
            PLANES, CONVEXES, generator=generator
        )
        self.convex_layer_weights = nn.Parameter(connections)
        self.concave_layer_weights = nn.Parameter(torch.rand(CONVEXES, 1, generator=generator))

    def forward(self, points: Tensor, planes: Tensor, phase: int) -> Tensor:
        h1 = torch.clamp(torch.matmul(points, planes), min=0)
        if phase == 0:
            h2 = torch.clamp(1 - torch.matmul(h1, self.convex_layer_weights), min=0, max=1)
            return torch.clamp(torch.matmul(h2, self.concave_layer_weights), min=0, max=1)[:, 0]
        connections = (self.convex_layer_weights > 0.01).to(h1) if phase < 3 else self.convex_layer_weights
        return torch.matmul(h1, connections).min(dim=1)[0]


class BSPNet(nn.Module):
    """The network: an encoder of voxels, a decoder of planes and the generator."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Holder(conv_1=nn.Conv3d(1, 4, 4), conv_2=nn.Conv3d(4, 8, 4))
        sizes = [CODE, 16, 24, 32, 4 * PLANES]
        self.decoder = Holder(**{f"linear_{i}": nn.Linear(sizes[i - 1], sizes[i]) for i in range(1, 5)})
        self.generator = Generator()

    def planes(self, code: Tensor) -> Tensor:
        h = code[None]
        for i in range(1, 5):
            h = self.decoder.get_submodule(f"linear_{i}")(h)
            h = nn.functional.leaky_relu(h, 0.01) if i < 4 else h
        return h.view(-1, 4, PLANES)[0]

    def of(self, planes: Tensor, phase: int) -> Callable[[Tensor], Tensor]:
        return lambda x: self.generator(torch.cat([x, torch.ones_like(x[:, :1])], 1), planes, phase)


def made() -> BSPNet:
    """Random weights, with the connections of `Generator`."""
    network = BSPNet()
    randomised(network.decoder)
    return network.double().eval()


@pytest.mark.parametrize("phase", range(5))
@pytest.mark.parametrize("prefix", ["", "module.bsp_network."])
def test_the_generator_is_rebuilt_in_each_phase(tmp_path: Path, phase: int, prefix: str) -> None:
    network = made()
    code = torch.randn(CODE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    path = saved(tmp_path, {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()})
    opened = load_checkpoint(path, Reading(phase=str(phase), latent=",".join(map(repr, code.tolist()))))
    expected = network.of(network.planes(code), phase)
    assert is_function(opened, expected)
    assert len(expected(POINTS).unique()) > 50
    traced = Network.trace(opened.module, input_shape=(3,)).forward(POINTS.numpy())[:, 0]
    assert np.abs(traced - expected(POINTS).detach().numpy()).max() < 1e-12
    assert opened.provenance["family"] == "bsp-net"
    level = "0.5" if phase == 0 else "0.01"
    assert any(f"its surface is their level {level}" in note for note in opened.notes)
    roles = {use.name.rpartition("bsp_network.")[2]: use.role for use in opened.tensors}
    assert roles["generator.convex_layer_weights"].startswith("connections of planes to convexes of ")
    assert "in phase 0 alone" in roles["generator.concave_layer_weights"]
    assert "not drawn" in roles["encoder.conv_1.weight"]
    assert len(roles) == len(network.state_dict())


def test_the_phase_and_the_code_are_asked_for(tmp_path: Path) -> None:
    network = made()
    path = saved(tmp_path, network.state_dict())
    assert asked(path, Reading()) == "phase"
    for phase in (0, 1, 3):
        planes = network.planes(torch.zeros(CODE, dtype=torch.float64))
        ways = right_ways(path, network.of(planes, phase), reading=Reading())
        assert ways == [(("phase", str(phase)), ("latent", "zeros"))]


@pytest.mark.parametrize("shape", [(4, PLANES), (1, 4, PLANES)])
@pytest.mark.parametrize("name", ["plane_m", "generator.planes"])
def test_planes_may_be_in_the_file(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    network = made()
    planes = network.planes(torch.ones(CODE, dtype=torch.float64)).detach()
    state = Holder(generator=network.generator).state_dict() | {name: planes.reshape(shape)}
    for content in (state, {key.removeprefix("generator."): tensor for key, tensor in state.items()}):
        for phase in (0, 1, 3):
            opened = load_checkpoint(saved(tmp_path, content), Reading(phase=str(phase)))
            assert is_function(opened, network.of(planes, phase))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    state = made().state_dict()
    generator = {name: tensor for name, tensor in state.items() if name.startswith("generator")}
    (line,) = refusals(saved(tmp_path, generator))
    assert "'generator.convex_layer_weights' joins planes to convexes" in line
    wrong = state | {"decoder.linear_2.weight": torch.rand(24, 17)}
    assert all("generator.con" in line for line in refusals(saved(tmp_path, wrong)))
    del state["generator.concave_layer_weights"]
    path = saved(tmp_path, state)
    with pytest.raises(CheckpointError, match="phase 0 takes concave_layer_weights, which the file does not hold"):
        load_checkpoint(path, Reading(phase="0", latent="zeros"))
    assert load_checkpoint(path, Reading(phase="1", latent="zeros")).provenance["layers"].startswith("3 → 32 planes")
