"""Files of tensors that are no network, and what they are told to be."""

from __future__ import annotations

import shlex
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from app.cli import main
from sdf_models import Reading, load_checkpoint
from tests.sdf_models.definitions import plain_mlp, randomised
from tests.sdf_models.files import npz_bytes, own_bytes
from tests.sdf_models.test_families import deepsdf_experiment, question, refusal, saved

STATE = plain_mlp().state_dict()
RELU = Reading(activation="relu")


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.complex64, torch.bool])
def test_weights_that_are_not_real_numbers_are_named(tmp_path: Path, dtype: torch.dtype) -> None:
    line = refusal(saved(tmp_path, {name: tensor.to(dtype) for name, tensor in STATE.items()}), RELU)
    assert f"its tensors do not hold real numbers as weights must ('0.weight' is {str(dtype)[6:]})" in line
    assert "save the network's weights in float32" in line


@pytest.mark.parametrize("content", [list(STATE.values()), {"shadow_params": list(STATE.values()), "decay": 0.99}])
def test_weights_in_a_list_are_told_to_lack_names(tmp_path: Path, content: Any) -> None:
    line = refusal(saved(tmp_path, content), RELU)
    assert "its weights are in a list" in line
    assert "without the names of their layers; save the network's state_dict" in line


def test_the_same_in_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", W0=np.ones((3, 4), np.int32), W1=np.ones((4, 1), np.int32))
    assert "'W0' is int32" in refusal(tmp_path / "a.npz", RELU)
    np.savez(tmp_path / "b.npz", name=np.array("text"))
    assert "no arrays of numbers" in refusal(tmp_path / "b.npz")
    np.savez(tmp_path / "d.npz", **{name: t.numpy() for name, t in STATE.items()}, activation=np.array("relu"))
    assert load_checkpoint(tmp_path / "d.npz").notes[0] == "activation relu: the file's activation says so"
    np.savez(tmp_path / "c.npz")
    assert "the archive holds no arrays; save" in refusal(tmp_path / "c.npz")


@pytest.mark.parametrize(
    "content",
    [
        {"epoch": 1, "latent_codes": OrderedDict(weight=torch.ones(7, 256))},
        {"epoch": 1, "latent_codes": torch.ones(7, 1, 256)},
        torch.ones(7, 1, 256),
        nn.Embedding(7, 256).state_dict() | {"latent_codes.weight": torch.ones(7, 256)},
    ],
)
def test_latent_codes_are_told_from_networks(tmp_path: Path, content: Any) -> None:
    line = refusal(saved(tmp_path, content, "codes.pth"))
    assert "it holds 7 latent codes of 256 numbers, which pick shapes, not a network" in line
    assert f"DECODER.pth --latent {tmp_path / 'codes.pth'}:0" in line


def test_the_command_that_codes_are_told_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deepsdf_experiment(tmp_path)
    monkeypatch.chdir(tmp_path)
    line = refusal(Path("LatentCodes/latest.pth"))
    assert main(shlex.split(line.partition("splinescope ")[2])) == 0
    assert "piecewise linear: " in capsys.readouterr().out


def test_an_optimiser_is_told(tmp_path: Path) -> None:
    module = plain_mlp()
    optimiser = torch.optim.Adam(module.parameters())
    module(torch.ones(2, 3)).sum().backward()
    optimiser.step()
    states = {f"adam.{i}": state for i, state in optimiser.state_dict()["state"].items()}
    line = refusal(saved(tmp_path, {i: {key: s[key] for key in ("exp_avg",)} for i, s in states.items()}), RELU)
    assert "the state of an optimiser" in line


class NeRF(nn.Module):
    """Mildenhall et al. 2020, as its torch ports name the layers: the input is concatenated first after layer 4."""

    def __init__(self, inputs: int, width: int = 32) -> None:
        super().__init__()
        self.pts_linears = nn.ModuleList(
            [nn.Linear(inputs, width)] + [nn.Linear(width + inputs if i == 4 else width, width) for i in range(7)]
        )
        self.output_linear = nn.Linear(width, 4)


def test_a_nerf_is_refused_as_a_positional_encoding_before_any_question(tmp_path: Path) -> None:
    for inputs, frequencies in ((63, 10), (39, 6), (27, 4)):
        words = f"it takes {inputs} inputs, x, y, z in a positional encoding of {frequencies} frequencies as in NeRF"
        state = randomised(NeRF(inputs)).state_dict()
        assert words in refusal(saved(tmp_path, state))
        renamed = {name.replace("pts_linears", "layers"): tensor for name, tensor in state.items()}
        assert words in refusal(saved(tmp_path, renamed))
        both = {"network_fn_state_dict": state, "network_fine_state_dict": state}
        assert words in refusal(saved(tmp_path, both, "nerf.tar"))
    assert question(saved(tmp_path, state), Reading(latent="zeros")).question.choice == "activation"
    assert question(saved(tmp_path, randomised(NeRF(3)).state_dict())).question.choice == "activation"


def test_an_output_that_overflows_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, {name: tensor * 1e30 for name, tensor in randomised(plain_mlp()).state_dict().items()})
    line = refusal(path, RELU)
    assert "its output is NaN or infinite at " in line
    assert "--bounds" in line


@pytest.mark.parametrize("legacy", [False, True])
def test_the_first_bytes_of_a_file_are_told_to_be_cut_off(tmp_path: Path, legacy: bool) -> None:
    whole = saved(tmp_path, dict(STATE), legacy=legacy).read_bytes()
    for data in (whole[:10], npz_bytes({"W0": np.ones((3, 4), np.float32)})[:10], own_bytes()[:10]):
        (tmp_path / "cut.pth").write_bytes(data)
        assert "damaged: copy or download it again" in refusal(tmp_path / "cut.pth")


def test_an_error_in_a_side_file_is_not_cut_within_a_word(tmp_path: Path) -> None:
    path = saved(tmp_path, dict(STATE))
    (tmp_path / "net.pth.reading.json").write_text('{"activation": "rectified"}')
    assert "hardtanh, abs, softplus, sine, tanh, sigmoid, elu, gelu, silu); correct or remove it" in refusal(path)
    (tmp_path / "net.pth.reading.json").write_text('{"activation": "relu"}')
    assert load_checkpoint(path).notes[0] == "activation relu, by net.pth.reading.json"
