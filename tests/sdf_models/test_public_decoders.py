"""Decoders of public codes, written down again from their definitions, with random weights in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sdf_models import Reading, load_checkpoint
from tests.sdf_models.asking import is_function, saved
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
