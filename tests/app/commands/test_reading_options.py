"""The options that choose how a file is read, from the command line to the figure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, ROOT, Ran, random_module
from tests.sdf_models.definitions import DeepSDFDecoder, ImplicitNet, plain_mlp, randomised

Run = Callable[..., Ran]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A state dict that does not say its activation."""
    torch.save(randomised(plain_mlp()).state_dict(), tmp_path / "net.pth")
    return tmp_path / "net.pth"


@pytest.fixture
def decoder(tmp_path: Path) -> Path:
    module = randomised(DeepSDFDecoder(4, [12] * 6, latent_in=[3]))
    torch.save({"epoch": 1, "model_state_dict": nn.DataParallel(module).state_dict()}, tmp_path / "deepsdf.pth")
    return tmp_path / "deepsdf.pth"


def test_an_open_question_is_one_line_that_names_the_option(splinescope: Run, weights: Path) -> None:
    for command in (["info", weights], ["slice", weights, "--plane", "z=0"]):
        ran = splinescope(*command)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert ran.err.startswith(f"splinescope: {weights}: ")
        assert "say --activation with one of: relu, " in ran.err


def test_info_shows_family_assumptions_verdict_and_tensors(splinescope: Run, decoder: Path) -> None:
    text = splinescope("info", decoder, "--latent", "zeros").out
    for words in (
        "architecture   3 → 2 x 12 → 5 → 3 x 12 → 1, relu",
        "family         deepsdf",
        "piecewise linear: 65 neurons in 6 nonlinear layers",
        "note           activation relu: DeepSDF's definition",
        "note           latent zeros, by --latent",
        "the last activation, tanh, is left out",
        "lengths of weight norm of model_state_dict.lin0",
    ):
        assert words in text
    facts = json.loads(splinescope("info", decoder, "--latent", "zeros", "--json").out)
    assert facts["provenance"]["family"] == "deepsdf"
    assert facts["last_activation"] == "unknown"
    assert facts["reference"] is None  # a reading of tensors has no forward beside it
    assert "reference" not in text
    roles = {use["name"]: use["role"] for use in facts["tensors"]}
    assert len(roles) == 20
    assert roles["model_state_dict.lin0.weight_v"] == "directions of weight norm of model_state_dict.lin0"
    assert roles["model_state_dict.lin6.bias"] == "bias of model_state_dict.lin6"
    assert facts["approximation"] is None
    verdicts = {part["name"]: part["verdict"] for part in facts["modules"]}
    assert verdicts["network.relu0"] == "piecewise linear"
    assert verdicts["network.lin1"].startswith("affine, 12 → ")


def test_bounds_and_transform_reach_the_slice(splinescope: Run, weights: Path, tmp_path: Path) -> None:
    options = ["--activation", "relu", "--input-transform", "0.5"]
    assert (
        splinescope("slice", weights, "--plane", "z=0", *options, "--bounds=-2,2", "--out", tmp_path / "a.npz").code
        == 0
    )
    assert (
        splinescope("slice", weights, "--plane", "z=0", "--activation", "relu", "--out", tmp_path / "b.npz").code == 0
    )
    with np.load(tmp_path / "a.npz") as scaled, np.load(tmp_path / "b.npz") as plain:
        assert len(scaled["face_offsets"]) == len(plain["face_offsets"])
        np.testing.assert_allclose(np.sort(scaled["values"]), np.sort(plain["values"]), atol=1e-6)
    facts = json.loads(splinescope("info", weights, *options, "--bounds=-2,2", "--json").out)
    assert facts["domain"] == [[-2.0] * 3, [2.0] * 3]


def test_levels_are_those_of_the_file(splinescope: Run, decoder: Path) -> None:
    base = ["slice", decoder, "--plane", "z=0", "--latent", "zeros", "--json"]
    ran = splinescope(*base, "--level", "0.01")
    assert ran.code == 2
    assert "--last-activation" in ran.err
    facts = json.loads(splinescope(*base, "--level", "0.01", "--last-activation", "tanh").out)
    assert facts["level_in_file"] == 0.01
    assert facts["level"] == pytest.approx(np.arctanh(0.01), rel=1e-12)
    assert facts["last_activation"] == "tanh"
    assert splinescope(*base, "--level", "2", "--last-activation", "tanh").code == 2
    assert json.loads(splinescope(*base).out)["last_activation"] == "unknown"


def test_a_relu_limit_is_labelled_everywhere(splinescope: Run, tmp_path: Path) -> None:
    module = randomised(ImplicitNet(3, [12] * 4, activation=nn.Softplus(100)))
    torch.save(module.state_dict(), tmp_path / "igr.pth")
    options = ["--family", "igr", "--activation", "softplus:100"]
    ran = splinescope("slice", tmp_path / "igr.pth", "--plane", "z=0", *options)
    assert ran.code == 2
    assert "layer 'softplus0' (Softplus)" in ran.err
    assert "--relu-limit" in ran.err
    text = splinescope("info", tmp_path / "igr.pth", *options).out
    assert "softplus0 (Softplus): NOT piecewise linear" in text
    assert "lin0 (Linear): affine, 3 → 12" in text

    outputs = ["--out", tmp_path / "a.svg", "--out", tmp_path / "a.npz"]
    ran = splinescope("slice", tmp_path / "igr.pth", "--plane", "z=0", *options, "--relu-limit", *outputs)
    assert ran.code == 0, ran.err
    label = "ReLU limit of Softplus(100), an approximation: differs by up to "
    assert label in ran.out
    svg = (tmp_path / "a.svg").read_text()
    assert '<g id="notes">' in svg
    assert "ReLU limit of Softplus(100), an approximation" in svg
    with np.load(tmp_path / "a.npz") as data:
        assert str(data["approximation"]).startswith(label)
    ran = splinescope("slice", tmp_path / "igr.pth", "--plane", "z=0", *options, "--relu-limit", "--json")
    facts = json.loads(ran.out)
    assert facts["approximation"].startswith(label)
    assert facts["relu_limit"]["largest_difference"] > 0
    assert "APPROXIMATION" in splinescope("info", tmp_path / "igr.pth", *options, "--relu-limit").out


def test_a_module_of_ones_own(
    splinescope: Run, splinescope_process: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from torch import nn\ndef f():\n    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))\n"
    (tmp_path / "mine.py").write_text(code)
    ran = splinescope_process("info", "--module", "mine:f")
    assert ran.code == 0, ran.err
    assert "your own code" in ran.out
    monkeypatch.chdir(tmp_path)
    ran = splinescope("slice", "--module", "mine:g", "--plane", "z=0")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    del sys.modules["mine"]


def test_info_prints_no_escapes_of_a_file(splinescope: Run, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "own.safetensors", random_module(), DOMAIN, {"fitted_to": "\x1b[2Ja torus\n"})
    ran = splinescope("info", tmp_path / "own.safetensors")
    assert "\\x1b[2Ja torus" in ran.out
    assert "\x1b" not in ran.out
    ran = splinescope("info", "a" * 300)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "longer than file names can be" in ran.err


def test_recipes_follow_the_line(splinescope: Run, tmp_path: Path) -> None:
    torch.save(plain_mlp(), tmp_path / "whole.pth")
    ran = splinescope("info", tmp_path / "whole.pth")
    first, *rest = ran.err.splitlines()
    assert first.startswith("splinescope: ")
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert "weights_only=False" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--activation", "magic"], "not an activation"),
        (["--skip-scale", "zero"], "not a finite number"),
        (["--family", "unet"], "deepsdf, sal"),
        (["--latent"], "expected one argument"),
        (["--output", "-1"], "--output"),
        (["--input-transform", "1,nan"], "not a finite number"),
    ],
)
def test_senseless_choices_are_one_line(splinescope: Run, weights: Path, arguments: list[str], message: str) -> None:
    ran = splinescope("info", weights, *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert message in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plane", "z=nan"], "--plane z=nan: "),
        (["--plane", "z=nan"], "z=0.25"),
        (["--origin=0,0,0", "--normal=0,0,0"], "--normal=0,0,1"),
        (["--origin=0,0,0", "--normal=0,0,1", "--u=0,0,0"], "not all zero"),
    ],
)
def test_planes_get_advice_of_their_own(splinescope: Run, checkpoint: Path, arguments: list[str], message: str) -> None:
    ran = splinescope("slice", checkpoint, *arguments)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert message in ran.err
    assert str(checkpoint) not in ran.err


def test_a_flat_network_with_a_plane_is_told_to_leave_it_out(splinescope: Run, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "flat.safetensors", random_module(inputs=2), DOMAIN[:, :2])
    ran = splinescope("slice", tmp_path / "flat.safetensors", "--plane", "z=0")
    assert ran.code == 2
    assert "leave out --plane" in ran.err
    for command in ("surface", "render"):
        ran = splinescope(
            command, tmp_path / "flat.safetensors", "--out", tmp_path / f"a.{'png' if command == 'render' else 'ply'}"
        )
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert "takes 2 inputs, and surfaces need three, x, y, z; splinescope slice draws all of it" in ran.err


def test_a_slice_given_as_a_checkpoint_is_named(splinescope: Run, checkpoint: Path, tmp_path: Path) -> None:
    assert splinescope("slice", checkpoint, "--plane", "z=0", "--out", tmp_path / "a.npz").code == 0
    ran = splinescope("info", tmp_path / "a.npz")
    assert ran.code == 2
    assert "the partition of a slice" in ran.err


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    """The figure is being written when the signal comes."""
    code = (
        "import sys, time\n"
        "import app.figures.slice_files as figure\n"
        "def slow(*arguments):\n    print('writing', flush=True)\n    time.sleep(60)\n"
        "figure.write_figure = slow\n"
        "from app.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    save_checkpoint(tmp_path / "net.safetensors", random_module(), DOMAIN)
    command = [sys.executable, "-c", code, "slice", str(tmp_path / "net.safetensors"), "--plane", "z=0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "a.svg")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"writing\n"
        assert len(list(tmp_path.iterdir())) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 143
        assert process.stderr.read() == b"splinescope: interrupted\n"
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]
