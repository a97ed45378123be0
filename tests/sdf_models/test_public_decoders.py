"""Decoders of public codes, written down again from their definitions, with random weights in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sdf_models import Reading, load_checkpoint
from tests.sdf_models.asking import POINTS, is_function, refusals, saved, ways
from tests.sdf_models.definitions import (
    DeepSDFDecoder,
    Holder,
    ImplicitNet,
    new_weight_norm,
    old_weight_norm,
    randomised,
)

DIMS = [24] * 8


def with_code(module: Any, length: int) -> Any:
    return lambda x: module.linear_part(torch.cat([x.new_zeros(len(x), length), x], 1))


def double(module: nn.Module) -> Any:
    return randomised(module).double()


@pytest.mark.parametrize("norm", [old_weight_norm, new_weight_norm])
@pytest.mark.parametrize("latent_in", [(), (4,)])
@pytest.mark.parametrize("everywhere", [False, True])
def test_deepsdf(tmp_path: Path, norm: Any, latent_in: tuple[int, ...], everywhere: bool) -> None:
    decoder = double(DeepSDFDecoder(5, DIMS, latent_in=latent_in, norm=norm, xyz_in_all=everywhere))
    path = saved(tmp_path, {"epoch": 7, "model_state_dict": nn.DataParallel(decoder).state_dict()})
    checkpoint = load_checkpoint(path, Reading(latent="zeros"))
    assert is_function(checkpoint, with_code(decoder, 5))
    assert len(checkpoint.tensors) == len(decoder.state_dict())


@pytest.mark.parametrize("skip", [(), (4,)])
def test_sal(tmp_path: Path, skip: tuple[int, ...]) -> None:
    decoder = double(ImplicitNet(7, DIMS, skip_in=skip))
    encoder = Holder(fc_pos=nn.Linear(3, 16), fc_0=nn.Linear(16, 8), fc_mean=nn.Linear(8, 4), fc_std=nn.Linear(8, 4))
    state = nn.DataParallel(Holder(decoder=decoder, encoder=encoder)).state_dict()
    path = saved(tmp_path, {"epoch": 5, "model_state_dict": state})
    assert is_function(load_checkpoint(path, Reading(latent="zeros")), with_code(decoder, 4))


def test_igr(tmp_path: Path) -> None:
    net = double(ImplicitNet(7, DIMS, skip_in=(4,)))
    path = saved(tmp_path, {"epoch": 5, "model_state_dict": net.state_dict()})
    reading = Reading(family="igr", activation="relu", latent="zeros")
    assert is_function(load_checkpoint(path, reading), with_code(net, 4))


@pytest.mark.parametrize("norm", [old_weight_norm, new_weight_norm])
def test_idr_and_its_kin(tmp_path: Path, norm: Any) -> None:
    """VolSDF's density has a learned beta, NeuS's variance network one number."""
    field = double(ImplicitNet(3, DIMS, skip_in=(4,), outputs=9, norm=norm))
    for name, beside in (
        ("implicit_network", {"rendering_network": Holder(lin0=nn.Linear(17, 16), lin1=nn.Linear(16, 3))}),
        ("implicit_network", {"density": nn.ParameterDict({"beta": torch.rand(1)})}),
        ("sdf_network", {"deviation_network": nn.ParameterDict({"variance": torch.rand(())})}),
    ):
        state = Holder(**{name: field}, **beside).state_dict()  # type: ignore[arg-type]
        path = saved(tmp_path, {"epoch": 5, "model_state_dict": state})
        checkpoint = load_checkpoint(path, Reading(activation="relu"))
        assert is_function(checkpoint, lambda x: field.linear_part(x)[:, 0])
        assert len(checkpoint.tensors) == len(state)


# Occupancy networks (Mescheder et al. 2019, im2mesh/onet/models/decoder.py and layers.py)


class Block(nn.Module):
    """ResnetBlockFC, or ResnetBlockConv1d with conditional batch norms of a code of `code` numbers."""

    def __init__(self, width: int, code: int = 0) -> None:
        super().__init__()
        layer = (lambda a, b: nn.Conv1d(a, b, 1)) if code else nn.Linear
        if code:
            self.bn_0, self.bn_1 = ConditionalBatchNorm(code, width), ConditionalBatchNorm(code, width)
        self.fc_0, self.fc_1 = layer(width, width), layer(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fc_1(torch.relu(self.fc_0(torch.relu(x))))


class ConditionalBatchNorm(nn.Module):
    def __init__(self, code: int, width: int) -> None:
        super().__init__()
        self.conv_gamma, self.conv_beta = nn.Conv1d(code, width, 1), nn.Conv1d(code, width, 1)
        self.bn = nn.BatchNorm1d(width, affine=False)


class OccupancyDecoder(nn.Module):
    """Decoder: fc_p, five blocks, fc_out, and with codes fc_z and fc_c, whose values are added after fc_p."""

    def __init__(self, z: int = 0, c: int = 0, width: int = 16) -> None:
        super().__init__()
        self.fc_p, self.fc_out = nn.Linear(3, width), nn.Linear(width, 1)
        if z:
            self.fc_z = nn.Linear(z, width)
        if c:
            self.fc_c = nn.Linear(c, width)
        for i in range(5):
            setattr(self, f"block{i}", Block(width))

    def forward(self, p: Tensor) -> Tensor:
        h = self.fc_p(p)
        for i in range(5):
            h = getattr(self, f"block{i}")(h)
        return self.fc_out(torch.relu(h))


def conditional(kind: str, width: int = 16, code: int = 6) -> nn.Module:
    """DecoderCBatchNorm, ...2 and ...NoResnet."""
    parts: dict[str, nn.Module] = {"fc_p": nn.Conv1d(3, width, 1), "fc_out": nn.Conv1d(width, 1, 1)}
    parts["conv_p" if kind == "2" else "fc_p"] = nn.Conv1d(3, width, 1)
    if kind == "NoResnet":
        parts |= {f"fc_{i}": nn.Conv1d(width, width, 1) for i in range(5)}
        parts |= {f"bn_{i}": ConditionalBatchNorm(code, width) for i in range(5)}
    else:
        parts |= {f"block{i}": Block(width, code) for i in range(5)}
    return Holder(**parts, bn=ConditionalBatchNorm(code, width))


def test_the_unconditional_decoder_of_occupancy_networks(tmp_path: Path) -> None:
    decoder = double(OccupancyDecoder())
    path = saved(tmp_path, {"model": Holder(decoder=decoder).state_dict(), "optimizer": {}, "epoch_it": 3})
    checkpoint = load_checkpoint(path, Reading(activation="relu", residual="pre"))
    assert is_function(checkpoint, decoder)


@pytest.mark.parametrize(
    ("decoder", "names"),
    [
        (OccupancyDecoder(z=4), ("fc_z",)),
        (OccupancyDecoder(z=4, c=6), ("fc_z", "fc_c")),
        (conditional(""), ("conv_gamma", "conv_beta")),
        (conditional("2"), ("conv_gamma", "conv_beta")),
        (conditional("NoResnet"), ("conv_gamma", "conv_beta")),
    ],
    ids=["Decoder", "Decoder with z and c", "CBatchNorm", "CBatchNorm2", "CBatchNormNoResnet"],
)
def test_conditioned_decoders_of_occupancy_networks_are_refused_by_name(
    tmp_path: Path, decoder: nn.Module, names: tuple[str, ...]
) -> None:
    path = saved(tmp_path, {"model": Holder(decoder=randomised(decoder)).state_dict()})
    assert all(any(name in line for name in names) for line in refusals(path))


class BSPGenerator(nn.Module):
    """Chen et al. 2020, BSP-NET-pytorch: a decoder of planes, and a generator of convexes from them."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Holder(conv_1=nn.Conv3d(1, 4, 4), conv_2=nn.Conv3d(4, 8, 4))
        self.decoder = Holder(**{f"linear_{i + 1}": nn.Linear(8 * 2**i, 16 * 2**i) for i in range(4)})
        self.generator = nn.ParameterDict(
            {"convex_layer_weights": torch.rand(32, 8), "concave_layer_weights": torch.rand(8, 1)}
        )


def test_bsp_net_is_refused_by_name(tmp_path: Path) -> None:
    network = randomised(BSPGenerator())
    for state in (network.state_dict(), {k: v for k, v in network.state_dict().items() if "encoder" not in k}):
        assert all("generator.con" in line or "convolution" in line for line in refusals(saved(tmp_path, state)))


def test_no_decoder_opens_as_another_function(tmp_path: Path) -> None:
    """Whatever is answered, what opens of a conditioned decoder says what it left out."""
    state = Holder(decoder=randomised(OccupancyDecoder(z=4, c=6))).state_dict()
    for _, found in ways(saved(tmp_path, state)):
        assert isinstance(found, str)
    assert len(POINTS) == 100
