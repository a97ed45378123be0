"""Help, suggestions and completion."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import _COMMANDS, _parser, _with_command
from app.commands.errors import CommandError
from app.demos import DEMOS, demo_checkpoint
from sdf_models import load_checkpoint
from tests.app.conftest import ROOT, Ran

Run = Callable[..., Ran]


def _command(name: str) -> argparse.ArgumentParser:
    commands = next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    found: argparse.ArgumentParser = commands.choices[name]
    return found


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_default_is_told(name: str) -> None:
    for action in _command(name)._actions:
        if action.option_strings and action.default not in (None, False, [], argparse.SUPPRESS):
            assert "default" in str(action.help), action.option_strings


def test_demos_are_those_that_ship(splinescope: Run) -> None:
    files = {path.stem for path in (ROOT / "resources/checkpoints").glob("*.safetensors")}
    assert set(DEMOS) == files
    ran = splinescope("demos")
    for name, (layers, meaning) in DEMOS.items():
        assert f"{layers}  {meaning}" in next(line for line in ran.out.splitlines() if line.split()[0] == name)
        path = demo_checkpoint(name)
        assert path is not None
        depth, _, width = layers.split()
        parameters = [tuple(parameter.shape) for parameter in load_checkpoint(path).module.parameters()]
        assert sum(len(shape) == 2 for shape in parameters) == int(depth) + 1
        assert (int(width), int(width)) in parameters


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["slcie", "spot"], "slcie: no such file or command; did you mean slice?"),
        (["open", "spto"], "did you mean spot?"),
        (["slice", "gyriod", "--plane", "z=0"], "did you mean gyroid?"),
        (["info", "torus", "more"], "unknown option or argument more; see splinescope info --help"),
    ],
)
def test_what_is_mistyped_is_guessed(splinescope: Run, arguments: list[str], told: str) -> None:
    ran = splinescope(*arguments)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert told in ran.err


def test_a_file_named_like_a_command_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match="did you mean slice"):
        _with_command(["slices"])
    Path("slices").touch()
    assert _with_command(["slices"]) == ["open", "slices"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("splinescope sl", {"slice"}),
        ("splinescope slice to", {"torus"}),
        ("splinescope slice torus --pal", {"--palette"}),
        ("splinescope slice torus --palette du", {"dusk"}),
        ("splinescope completion f", {"fish"}),
    ],
)
def test_shells_are_told_what_may_follow(tmp_path: Path, line: str, offered: set[str]) -> None:
    answer = tmp_path / "answer"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(answer), "COMP_LINE": line}
    asked |= {"COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "app"], env=os.environ | asked, cwd=tmp_path, check=True, timeout=60)
    assert {text.strip() for text in answer.read_text().splitlines()} == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_code_for_shells_is_theirs(splinescope: Run, shell: str) -> None:
    code = splinescope("completion", shell).out
    assert "splinescope" in code
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=code, text=True, check=True)
