"""The command line from end to end, and every way in which it can fail."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import app.commands.cutting
import app.figures.slice_files
from app.demos import demo_checkpoint
from sdf_models import Checkpoint, save_checkpoint
from tests.app.conftest import DEPTH, DOMAIN, ROOT, WIDTH, Ran, random_module

Run = Callable[..., Ran]


def test_slice_in_a_process(splinescope_process: Run, checkpoint: Path, tmp_path: Path) -> None:
    ran = splinescope_process(
        "slice",
        checkpoint,
        "--plane",
        "z=0",
        "--out",
        "a.svg",
        "--out",
        "a.pdf",
        "--out",
        "a.PNG",
        "--out",
        "a.npz",
        "--json",
    )
    assert ran.code == 0, ran.err
    facts = json.loads(ran.out)
    assert {path.name for path in tmp_path.iterdir()} == {"a.svg", "a.pdf", "a.PNG", "a.npz"}
    with np.load(tmp_path / "a.npz") as data:
        assert facts["regions"] == len(data["face_offsets"]) - 1
        assert facts["linear_regions"] == data["linear_regions"]
        assert facts["edges"] == len(data["edges"])
        assert facts["ties"] == data["ties"]
    assert f"{facts['regions']:,} regions" in (tmp_path / "a.svg").read_text()
    assert facts["max_forward_error"]["float64"] < 1e-12
    assert facts["max_forward_error"]["float32"] < 1e-4
    assert facts["checkpoint"] == str(checkpoint)
    assert facts["level"] == 0.0
    assert all(seconds >= 0 for seconds in facts["seconds"].values())


def test_error_in_a_process(splinescope_process: Run, tmp_path: Path) -> None:
    ran = splinescope_process("slice", "missing.npz", "--plane", "z=0", "--out", "a.svg")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("splinescope: missing.npz: ")
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_and_version_need_no_heavy_import(splinescope_process: Run) -> None:
    assert "slice" in splinescope_process("--help").out
    assert splinescope_process("--version").out.startswith("splinescope ")
    code = "import sys, app.cli; sys.exit(bool({'torch', 'numba', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_several_planes_have_their_facts_in_a_list(splinescope: Run, checkpoint: Path, tmp_path: Path) -> None:
    one = json.loads(splinescope("slice", checkpoint, "--plane", "x=0.25", "--json").out)
    ran = splinescope(
        "slice", checkpoint, "--plane=z=0", "--plane=x=0.25", "--origin=0,0,-0.1", "--normal=1,-1,0.5", "--u=1,1,0",
        "--out", tmp_path / "a.svg", "--json",
    )  # fmt: skip
    facts = json.loads(ran.out)
    planes = [part["plane"] for part in facts["slices"]]
    assert [plane["origin"] for plane in planes] == [[0, 0, 0], [0.25, 0, 0], [0, 0, -0.1]]
    np.testing.assert_allclose(np.cross(*planes[2]["axes"]), np.array([1, -1, 0.5]) / 1.5, atol=1e-15)
    np.testing.assert_allclose(planes[2]["axes"][0], np.array([1, 1, 0]) / np.sqrt(2), atol=1e-15)
    assert {key: facts["slices"][1][key] for key in ("regions", "edges_per_layer", "plane")} == {
        key: one[key] for key in ("regions", "edges_per_layer", "plane")
    }
    assert "slices" not in one


@pytest.mark.parametrize(
    ("option", "lower", "upper"),
    [
        ("--bounds=-0.5,0.25", (-0.5, -0.5), (0.25, 0.25)),
        ("--bounds=-0.5,-1,-1,0.25,1,0.75", (-0.5, -1), (0.25, 1)),
        ("--half-width=3", (-3, -3), (3, 3)),
        ("--level=0.1", (-1, -1), (1, 1)),
    ],
)
def test_domain_options(
    splinescope: Run,
    checkpoint: Path,
    tmp_path: Path,
    option: str,
    lower: tuple[float, float],
    upper: tuple[float, float],
) -> None:
    assert splinescope("slice", checkpoint, "--plane", "z=0", option, "--out", tmp_path / "a.npz").code == 0
    with np.load(tmp_path / "a.npz") as data:
        assert tuple(data["vertices"].min(axis=0)) == pytest.approx(lower, rel=1e-15)
        assert tuple(data["vertices"].max(axis=0)) == pytest.approx(upper, rel=1e-15)
        assert data["level"] == (0.1 if "level" in option else 0.0)


def test_network_of_the_plane_needs_no_plane(splinescope: Run, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "flat.safetensors", random_module(inputs=2), DOMAIN[:, :2])
    ran = splinescope("slice", tmp_path / "flat.safetensors", "--out", tmp_path / "a.png")
    assert ran.code == 0, ran.err
    assert "regions" in ran.out


def test_info(splinescope: Run, checkpoint: Path) -> None:
    facts = json.loads(splinescope("info", checkpoint, "--json").out)
    assert facts["piecewise_linear"]
    assert [(layer["depth"], layer["operation"], layer["neurons"]) for layer in facts["layers"]] == [
        (depth, "relu", WIDTH) for depth in range(DEPTH)
    ]
    assert facts["parameters"] == 4 * WIDTH + (DEPTH - 1) * (WIDTH + 1) * WIDTH + WIDTH + 1
    assert facts["domain"] == DOMAIN.tolist()
    assert facts["provenance"]["target"] == "nothing"
    assert facts["max_forward_error"]["float64"] < 1e-12
    text = splinescope("info", checkpoint).out
    assert "piecewise linear: 24 neurons in 3 nonlinear layers" in text


@pytest.fixture
def smooth(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Softplus(), nn.Linear(4, 1))
    monkeypatch.setattr("sdf_models.load_checkpoint", lambda path, reading: Checkpoint(module, DOMAIN, {}, ()))


@pytest.mark.usefixtures("smooth")
def test_network_that_is_not_piecewise_linear(splinescope: Run, tmp_path: Path) -> None:
    assert "not piecewise linear: layer '1' (Softplus)" in splinescope("info", "smooth.npz").out
    facts = json.loads(splinescope("info", "smooth.npz", "--json").out)
    assert not facts["piecewise_linear"]
    assert "Softplus" in facts["reason"]
    ran = splinescope("slice", "smooth.npz", "--plane", "z=0", "--out", tmp_path / "a.svg")
    assert (ran.code, list(tmp_path.iterdir())) == (2, [])
    assert ran.err.startswith("splinescope: smooth.npz: layer '1' (Softplus)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("slice CHECKPOINT --out a.svg", "no plane"),
        ("slice CHECKPOINT --plane w=0 --out a.svg", "x, y or z"),
        ("slice CHECKPOINT --plane z=nan --out a.svg", "finite"),
        ("render CHECKPOINT --plane z=nan --out a.png", "--plane z=nan: not a plane across an axis; write x, y or z"),
        ("render CHECKPOINT --camera=0,0,0 --out a.png", "--camera=0,0,0 is no direction; give three numbers"),
        ("render CHECKPOINT --camera=0,1 --out a.png", "--camera=0,1 is no direction; give three numbers"),
        ("render CHECKPOINT --origin=0,0,0 --out a.png", "--normal"),
        ("slice CHECKPOINT --plane z --out a.svg", "z=0.25"),
        ("slice CHECKPOINT --plane z=7 --out a.svg", "misses"),
        ("slice CHECKPOINT --origin=0,0,0 --out a.svg", "--normal"),
        ("slice CHECKPOINT --normal=0,0,1 --out a.svg", "--origin"),
        ("slice CHECKPOINT --plane z=0 --u=1,0,0 --out a.svg", "--u"),
        ("slice CHECKPOINT --origin=0,0 --normal=0,0,1 --out a.svg", "--origin=0,0 has 2 numbers; give three"),
        ("slice CHECKPOINT --origin=0,0,0 --normal=0,0,0 --out a.svg", "zero"),
        ("slice CHECKPOINT --origin=0,0,0 --normal=0,0,1 --u=0,0,2 --out a.svg", "parallel"),
        ("slice CHECKPOINT --origin=0,0,zero --normal=0,0,1 --out a.svg", "zero"),
        ("slice CHECKPOINT --origin -1,0,0 --normal=0,0,1 --out a.svg", "--origin=-1,0,0"),
        ("slice CHECKPOINT --plane z=0 --bounds=1,-1 --out a.svg", "below"),
        ("slice CHECKPOINT --plane z=0 --bounds=-1,0,1 --out a.svg", "2 or 6"),
        ("slice CHECKPOINT --plane z=0 --half-width=-1 --out a.svg", "positive"),
        ("slice CHECKPOINT --plane z=0 --half-width=1 --bounds=-1,1 --out a.svg", "not allowed"),
        ("slice CHECKPOINT --plane z=0 --level inf --out a.svg", "finite"),
        ("slice CHECKPOINT --plane z=0 --out a.bmp", ".svg or .pdf"),
        ("slice CHECKPOINT --plane z=0 --out a", ".svg or .pdf"),
        ("slice CHECKPOINT --plane z=0 --out a.svg --out a.svg", "twice"),
        ("slice CHECKPOINT --plane z=0 --out a.svg --out nowhere/a.svg", "no folder"),
        ("slice CHECKPOINT --plane z=0 --out folder.svg", "ordinary file"),
        ("slice CHECKPOINT --plane z=0 --plane x=0 --out a.npz", "one plane"),
        ("slice input.npz --plane z=0 --out input.npz", "input"),
        ("slice input.npz --plane z=0 --out a.svg", "input.npz"),
        ("slice missing.npz --plane z=0 --out a.svg", "no such file"),
        ("slice --plane z=0", "FILE"),
        ("info missing.npz", "no such file"),
        ("info folder.svg", "folder"),
        ("info .", "this is a folder; give the path of a checkpoint in it"),
        ("info CHECKPOINT --bounds=1,2,3", "--bounds takes 2 or 6 numbers"),
        ("info CHECKPOINT --module torch.nn:Identity", "has no weights that the file could hold; leave the file out"),
        ("info --module nowhere.at:all", "ModuleNotFoundError"),
        ("info --module json", "package.module:function"),
        ("info --module os:getcwd", "returned a str; return a torch.nn.Module"),
        ("train torus(0.6,0.25) --out a.npz", ".safetensors"),
        ("train torus(0.6,0.25) --out a.safetensors --width 0", "width"),
        ("train blob(1) --out a.safetensors", "blob"),
        ("train missing.obj --out a.safetensors", "missing.obj"),
        ("polish", "polish: no such file"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.svg").mkdir()
    Path("input.npz").write_bytes(b"not a checkpoint")
    before = sorted(tmp_path.rglob("*"))
    ran = splinescope(*arguments.replace("CHECKPOINT", str(checkpoint)).split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("splinescope: ")
    assert ran.err.count("\n") == 1
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert sorted(tmp_path.rglob("*")) == before
    assert Path("input.npz").read_bytes() == b"not a checkpoint"


_FOREIGN_CODE = """
import torch
from torch import nn

class Unusual(Exception):
    pass

class Raises(nn.Module):
    def forward(self, x):
        raise Unusual("no such\\nthing")

class RaisesWhenTraced(nn.Module):
    def forward(self, x):
        if x.dtype == torch.float64:
            raise Unusual("no such\\nthing")
        return x[:, :1]

def fails():
    raise Unusual("no such\\nthing")

forward, traced = Raises, RaisesWhenTraced
"""


@pytest.mark.parametrize("command", [("info",), ("slice", "--plane", "z=0")])
@pytest.mark.parametrize("function", ["forward", "traced", "fails"])
def test_code_of_the_user_that_raises_anything_is_told_in_one_line(
    splinescope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], function: str
) -> None:
    name = f"foreign_{len(command)}_{function}"
    (tmp_path / f"{name}.py").write_text(_FOREIGN_CODE)
    monkeypatch.chdir(tmp_path)
    ran = splinescope(*command, "--module", f"{name}:{function}")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"splinescope: {name}:{function}: ")
    assert "no such" in ran.err


def test_full_disk(splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(app.figures.slice_files, "write_figure", full)
    ran = splinescope("slice", checkpoint, "--plane", "z=0", "--out", tmp_path / "a.npz", "--out", tmp_path / "a.svg")
    assert ran.code == 2
    assert "No space left on device" in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written(
    splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root could write anywhere
    ran = splinescope("slice", checkpoint, "--plane", "z=0", "--out", tmp_path / "a.svg")
    assert ran.code == 2
    assert "cannot be written" in ran.err


def test_interrupt_is_one_line(
    splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = app.commands.cutting.partition_shown
    before = signal.getsignal(signal.SIGINT)

    def interrupted(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return compute(*arguments)

    monkeypatch.setattr(app.commands.cutting, "partition_shown", interrupted)
    ran = splinescope("slice", checkpoint, "--plane", "z=0", "--out", tmp_path / "a.svg")
    assert (ran.code, ran.err) == (130, "splinescope: interrupted\n")
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--dpi", "1e6"], "is not a resolution from 10 to 4800"),
        (["--dpi", "1e-6"], "is not a resolution from 10 to 4800"),
        (["--half-width", "1e20"], "a domain of size 2e+20 is not sensible"),
        (["--bounds=-1e300,1e300"], "a domain of size 2e+300 is not sensible"),
        (["--bounds=-1e-300,1e-300"], "a domain of size 2e-300 is not sensible"),
        (["--pl", "x=0"], "unknown option or argument --pl; did you mean --plane?; see splinescope slice --help"),
        (["--levle=0.1"], "unknown option or argument --levle; did you mean --level?; see splinescope slice --help"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    splinescope: Run, checkpoint: Path, tmp_path: Path, options: list[str], reason: str
) -> None:
    ran = splinescope("slice", checkpoint, "--plane", "z=0", *options, "--out", tmp_path / "a.png")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert reason in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_is_one_line(splinescope: Run, checkpoint: Path, tmp_path: Path) -> None:
    ran = splinescope("slice", checkpoint, "--plane", "z=0", "--out", tmp_path / f"{260 * 'a'}.png")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "the name is too long" in ran.err
    longest = tmp_path / f"{251 * 'b'}.npz"
    assert splinescope("slice", checkpoint, "--plane", "z=0", "--out", longest).code == 0
    assert longest.exists()


def test_reader_that_leaves_early_is_no_error(checkpoint: Path) -> None:
    command = [sys.executable, "-m", "app", "info", str(checkpoint), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


def test_demo_by_name(splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoints").mkdir()
    shutil.copy(checkpoint, tmp_path / "checkpoints" / "demo.safetensors")
    monkeypatch.setattr("app.demos._FOLDERS", (tmp_path,))
    assert splinescope("info", "demo").code == 0
    assert demo_checkpoint("../checkpoints/demo") is None
    assert demo_checkpoint("other") is None
