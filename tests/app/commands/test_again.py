"""splinescope again: files of every format made anew, and records that would do something else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.provenance.carriers import KEY
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, Ran, random_module

Run = Callable[..., Ran]


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a checkpoint of its own, net.safetensors."""
    shutil.copy(checkpoint, tmp_path / "net.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(splinescope: Run, folder: Path) -> Path:
    path = folder / "a.json"
    assert splinescope("slice", "net.safetensors", "--plane", "z=0.1", "--out", path).code == 0
    return path


def other_network(path: Path) -> None:
    save_checkpoint(path, random_module(seed=1), DOMAIN, {"target": "nothing"})


SURFACE = ["surface", "net.safetensors", "--bounds=-0.9,1"]
STATS = ["stats", "net.safetensors", "--plane", "z=0", "--near=0.1"]
FIGURE = ["figure", "net.safetensors", "--plane=z=0.1", "--plane=x=0", "--dpi=40", "--level=0.01"]
SLICE = ["slice", "net.safetensors", "--plane=z=0.1", "--level", "0.01"]


@pytest.mark.parametrize(
    ("command", "option", "name"),
    [
        *((SLICE, "--out", f"a.{kind}") for kind in ("svg", "pdf", "npz", "vtp", "csv", "json")),
        ([*SLICE, "--dpi=50", "--palette=dusk"], "--out", "a.PNG"),
        (["slice", "net.safetensors", "--pose", "origin=0,0,0 normal=1,1,0 half-width=0.3"], "--out", "a.csv"),
        (SLICE, "--regions", "r.csv"),
        *((SURFACE, "--out", f"s.{kind}") for kind in ("ply", "obj", "vtp", "npz")),
        (["surface", "net.safetensors"], "--creases", "c.vtp"),
        (["render", "net.safetensors", "--plane=z=0", "--creases", "--size=300x300"], "--out", "p.png"),
        *(([*FIGURE, "--layout", layout], "--out", name) for layout, name in
          (("method", "f.pdf"), ("grid", "f.svg"), ("stack", "f.png"))),
        *((["compare", "net.safetensors", "net.safetensors", "--plane=z=0", *more], "--out", name)
          for more, name in (([], "c.svg"), (["--palette=grey", "--for", "2", "--flip-sign"], "c.pdf"))),
        *((STATS, "--out", f"t.{kind}") for kind in ("json", "csv", "svg", "pdf")),
    ],
)  # fmt: skip
def test_files_are_made_anew_to_the_byte(
    splinescope: Run, folder: Path, command: list[str], option: str, name: str
) -> None:
    told = [] if command[0] == "figure" else ["--json"]
    ran = splinescope(command[0], option, name, *told, *command[1:])  # --for takes all that follows it
    assert ran.code == 0, ran.err
    before, stamp = (folder / name).read_bytes(), (folder / name).stat().st_mtime_ns
    ran = splinescope("again", name, "--check")
    assert (ran.code, ran.out) == (0, f"{name}: the same to the byte\n"), ran.err
    (folder / "elsewhere").mkdir()
    other = folder / "elsewhere" / f"b{Path(name).suffix}"
    assert splinescope("again", name, "--out", other).code == 0
    assert other.read_bytes() == before
    assert splinescope("again", name).out == f"{name}: the same to the byte\n"
    assert (folder / name).stat().st_mtime_ns == stamp
    assert sorted(path.name for path in folder.rglob("*")) == sorted(["net.safetensors", name, "elsewhere", other.name])


def test_parquet_is_made_anew_to_the_byte(splinescope: Run, folder: Path) -> None:
    pytest.importorskip("pyarrow")
    assert splinescope(*SLICE, "--regions", "r.parquet").code == 0
    assert splinescope("again", "r.parquet", "--check").out == "r.parquet: the same to the byte\n"


def test_a_changed_checkpoint_is_named_with_what_it_changes(splinescope: Run, folder: Path, made: Path) -> None:
    before = made.read_bytes()
    regions = json.loads(before)[KEY]["found"]["regions"]
    other_network(folder / "net.safetensors")
    ran = splinescope("again", made, "--check")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert made.read_bytes() == before
    ran = splinescope("again", made)
    assert ran.code == 0, ran.err
    now = json.loads(made.read_bytes())[KEY]
    assert f"sha256: {json.loads(before)[KEY]['sha256']}, now {now['sha256']}" in ran.out
    assert f"regions: {regions:,}, now {now['found']['regions']:,}" in ran.out
    assert splinescope("again", made).out == f"{made}: the same to the byte\n"


def test_a_file_that_was_changed_is_told(splinescope: Run, made: Path) -> None:
    made.write_text(made.read_text().replace("LineString", "Polygon", 1))
    ran = splinescope("again", made, "--check")
    assert ran.code == 2
    assert "the record is the same, and the content is not" in ran.err


def test_a_checkpoint_is_looked_for(
    splinescope: Run, folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "moved").mkdir()
    away = (folder / "net.safetensors").rename(folder / "moved" / "other-name.safetensors")
    ran = splinescope("again", made)
    assert ran.code == 2
    assert "its checkpoint is at none of net.safetensors, " in ran.err
    assert "--checkpoint" in ran.err
    assert splinescope("again", made, "--checkpoint", away).out == f"{made}: the same to the byte\n"
    shutil.copy(away, folder / "net.safetensors")
    monkeypatch.chdir(folder / "moved")  # it is beside the file
    assert splinescope("again", made).out == f"{made}: the same to the byte\n"
    other_network(Path("net.safetensors"))  # another of its name is nearer
    assert splinescope("again", made).out == f"{made}: the same to the byte\n"


def test_code_of_the_user_is_run_only_when_that_is_said(splinescope: Run, folder: Path) -> None:
    (folder / "again_own.py").write_text(
        "from tests.app.conftest import random_module\n"
        "def make():\n    with open('ran', 'a') as log:\n        log.write('x')\n    return random_module()\n"
    )
    assert splinescope("slice", "--module", "again_own:make", "--plane=z=0", "--out", "a.csv").code == 0
    times = (folder / "ran").read_text()
    ran = splinescope("again", "a.csv")
    assert ran.code == 2
    assert "allow that with --module again_own:make" in ran.err
    assert splinescope("again", "a.csv", "--module", "other:make").code == 2
    assert (folder / "ran").read_text() == times
    assert splinescope("again", "a.csv", "--module", "again_own:make").out == "a.csv: the same to the byte\n"


@pytest.mark.parametrize(
    "command",
    [
        "splinescope train torus(0.6,0.25) --out trained.json",
        "splinescope slice net.safetensors --plane z=0 --out other.svg --out a.json",
        "splinescope slice net.safetensors --plane z=0 --regions other.csv --out a.json",
        "splinescope slice net.safetensors --plane z=0 --out=other.svg --out a.json",
        "splinescope slice --help --out a.json",
        "splinescope slice net.safetensors --plane z=0 --out a.csv",
        "splinescope slice net.safetensors --plane z=0 --json --level a.json",
        "splinescope slice net.safetensors --plane w=0 --out a.json",
        "splinescope slice net.safetensors --unknown --out a.json",
        "sh -c 'touch other.svg' --out a.json",
    ],
)
def test_records_that_would_do_something_else_are_refused(splinescope: Run, made: Path, command: str) -> None:
    data = json.loads(made.read_text())
    data[KEY]["command"] = command
    made.write_text(json.dumps(data))
    before = {path: path.read_bytes() for path in made.parent.iterdir()}
    ran = splinescope("again", made)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("splinescope: ")
    assert {path: path.read_bytes() for path in made.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("missing.json", "No such file"),
        ("net.safetensors", "files of this kind hold no record"),
        ("a.stl", "STL has no room for a record"),
        ("a.json --out b.csv", "end the name with .json"),
        ("a.json --out net.json", "this is the input"),
        ("a.json --out nowhere/b.json", "no folder"),
        ("a.json --check --out b.json", "leave --out out"),
        ("a.json --module json:loads", "was made without one"),
        ("a.json --checkpoint missing.npz", "at none of missing.npz"),
        ("a.json --checkpoint a.json", "a.json"),
    ],
)
def test_what_makes_no_sense_is_one_line(splinescope: Run, made: Path, arguments: str, reason: str) -> None:
    Path("net.json").symlink_to("net.safetensors")
    before = made.read_bytes()
    ran = splinescope("again", *arguments.split())
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert reason in ran.err
    assert made.read_bytes() == before
    assert {path.name for path in made.parent.iterdir()} == {"a.json", "net.json", "net.safetensors"}


def test_stl_names_the_checkpoint_in_its_header(splinescope: Run, folder: Path, made: Path) -> None:
    assert splinescope("surface", "net.safetensors", "--out", "a.stl").code == 0
    sha256 = json.loads(made.read_text())[KEY]["sha256"]
    assert (folder / "a.stl").read_bytes()[:80].decode().strip() == f"made by SplineScope from sha256 {sha256[:32]}"
