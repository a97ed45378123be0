"""Every command where the output's encoding lacks what it says."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from app.__main__ import run
from app.cli import _COMMANDS
from sdf_models import training
from tests.app.conftest import Ran

PLACE = "d\N{LATIN SMALL LETTER E WITH ACUTE}\N{RIGHTWARDS ARROW}\N{MINUS SIGN}\N{MATHEMATICAL BOLD SMALL X}"
IN_ASCII = r"d\xe9->-\U0001d431"
SUCCEED = [
    f"info {PLACE}/a.safetensors",
    f"info {PLACE}/a.safetensors --json",
    f"slice {PLACE}/a.safetensors --plane z=0 --out {PLACE}/b.svg --out {PLACE}/b.npz",
    f"figure {PLACE}/a.safetensors --layout grid --plane z=0 --out {PLACE}/b.svg",
    f"animate {PLACE}/a.safetensors --plane z=0 --travel --count 3 --width 40 --dpi 50 --out {PLACE}/b.gif",
    f"surface {PLACE}/a.safetensors --out {PLACE}/b.ply --creases {PLACE}/c.vtp --certify",
    f"render {PLACE}/a.safetensors --plane z=0 --out {PLACE}/b.png --size 200x200",
    f"sweep {PLACE}/a.safetensors --plane z=0 --out {PLACE}/b.csv --workers 1",
    f"stats {PLACE}/a.safetensors --plane z=0 --out {PLACE}/b.csv",
    f"compare {PLACE}/a.safetensors {PLACE}/d.safetensors --plane z=0 --out {PLACE}/b.csv",
    f"timeline {PLACE} --plane z=0 --out {PLACE}/b.csv",
    f"again {PLACE}/c.csv --out {PLACE}/b.csv",
    f"train sphere(0.5) --out {PLACE}/b.safetensors --width 4 --depth 1 --steps 2 --batch 64",
]
FAIL = [
    f"{command} {PLACE}/none.safetensors {options}"
    for command, options in [
        ("open", f"--screenshot {PLACE}/b.png"),
        ("info", ""),
        ("slice", "--plane z=0"),
        ("figure", f"--layout grid --plane z=0 --out {PLACE}/b.svg"),
        ("animate", f"--plane z=0 --travel --out {PLACE}/b.gif"),
        ("surface", ""),
        ("render", f"--plane z=0 --out {PLACE}/b.png"),
        ("stats", "--plane z=0"),
        ("compare", f"{PLACE}/a.safetensors --plane z=0 --table"),
        ("timeline", "--plane z=0"),
        ("again", ""),
        ("sweep", f"--plane z=0 --out {PLACE}/b.csv"),
        ("train", f"--out {PLACE}/b.safetensors --batch 64"),
    ]
]


@pytest.fixture(autouse=True)
def place(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(PLACE).mkdir()
    for name in ("a", "d"):
        shutil.copy(checkpoint, Path(PLACE, f"{name}.safetensors"))
    monkeypatch.setattr(training, "SAMPLES", 1 << 8)
    monkeypatch.setattr(training, "_REPORT_SAMPLES", 100)


def ran_with(monkeypatch: pytest.MonkeyPatch, arguments: str, encoding: str) -> Ran:
    """The program's entry with standard streams as Python opens them."""
    out, err = io.BytesIO(), io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["splinescope", *arguments.split()])
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding, "strict"))
        patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding, "backslashreplace"))
        code = run()
        sys.stdout.flush()
        sys.stderr.flush()
        return Ran(code, out.getvalue().decode(encoding), err.getvalue().decode(encoding))


def test_all_commands_are_tried() -> None:
    with_files = set(_COMMANDS) - {"demos", "completion"}
    assert {arguments.split()[0] for arguments in FAIL} == with_files
    assert {arguments.split()[0] for arguments in SUCCEED} == with_files - {"open"}  # whose success is pictures


@pytest.mark.parametrize("arguments", SUCCEED, ids=lambda arguments: arguments.split()[0])
def test_commands_succeed_in_ascii(monkeypatch: pytest.MonkeyPatch, arguments: str) -> None:
    if arguments.startswith("again"):
        ran_with(monkeypatch, f"slice {PLACE}/a.safetensors --plane z=0 --out {PLACE}/c.csv", "utf-8")
    ran = ran_with(monkeypatch, arguments, "ascii")
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    if "--out" in arguments:
        assert f"wrote {IN_ASCII}/b." in ran.out
    elif "--json" not in arguments:
        assert "3 -> 3 x 8 -> 1, relu" in ran.out
        assert f"{IN_ASCII}/a.safetensors" in ran.out


@pytest.mark.parametrize("arguments", FAIL, ids=lambda arguments: arguments.split()[0])
def test_errors_are_one_line_in_ascii(monkeypatch: pytest.MonkeyPatch, arguments: str) -> None:
    ran = ran_with(monkeypatch, arguments, "ascii")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"splinescope: {IN_ASCII}/none.safetensors: ")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp437", "utf-16"])
def test_an_encoding_lacks_only_what_it_lacks(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    ran = ran_with(monkeypatch, SUCCEED[0], encoding)
    assert ran.code == 0, ran.err
    assert ("d\N{LATIN SMALL LETTER E WITH ACUTE}" in ran.out, IN_ASCII in ran.out) == (True, False)
    assert (PLACE in ran.out) == encoding.startswith("utf")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are text on this system")
def test_names_that_are_no_text_are_written_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a\udcff.npz"  # as Python reads the byte 0xff in it
    ran = ran_with(monkeypatch, f"slice {PLACE}/a.safetensors --plane z=0 --out {name}", "utf-8")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, r"wrote a\udcff.npz")
    assert Path(name).exists()
