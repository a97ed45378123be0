"""What the first seconds consist of: processes of their own, in which nothing is imported or compiled yet."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from app.imports import many_imports
from tests.app.conftest import ROOT


def in_a_process(code: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=folder, env=environment,
        check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.fixture(scope="module")
def first_seconds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Facts of a process with a window that opens a file, and then one that fails; kernels that are loaded, by name."""
    code = f"""
        import json, sys
        from pathlib import Path
        from numba.core.dispatcher import Dispatcher
        from app.application import application, photograph
        from app.jobs.opening_process import OpeningProcess
        from app.window.main_window import MainWindow
        from tests.app.waiting import let_run

        def loaded():
            modules = [module for name, module in sys.modules.items() if name.startswith(("engine.", "app."))]
            return {{f"{{module.__name__}}.{{name}}": len(thing.signatures) for module in modules
                     for name, thing in vars(module).items() if isinstance(thing, Dispatcher)}}

        running, reader = application(), OpeningProcess()
        window = MainWindow(open_file=reader.open_file)
        window.show()
        prepared, said = [], {{}}
        surface = window.surface.prepare
        window.surface.prepare = lambda: (surface(), prepared.append(True))
        window.prepare()
        while not prepared or window.surface._worker.busy:
            let_run(10)
        said["prepared"] = loaded()
        window.open_path(Path({str(ROOT / "resources" / "checkpoints" / "torus.safetensors")!r}))
        while not window.settled:
            let_run(10)
        said["hovered"] = window.hover.at(window.store.session.active, 0.1, 0.2, 0.05) is not None
        said["used"] = loaded()
        said["torch"] = "torch" in sys.modules
        window.close()

        def fail(window):
            raise RuntimeError("no picture")

        MainWindow.grab = fail
        try:
            missing = Path("missing.npz")
            photograph(lambda it: it.open_path(missing), Path("a.png"), (1000, 700), reader.open_file, lambda: False)
        except RuntimeError as error:
            said["failure"] = str(error)
        reader.close()
        print(json.dumps(said))
    """
    return dict(json.loads(in_a_process(code, tmp_path_factory.mktemp("start"))))


def test_torch_stays_out_of_the_window(first_seconds: dict[str, Any]) -> None:
    """Importing it takes seconds, in which other threads of a process stand still most of the time."""
    assert first_seconds["torch"] is False


def test_everything_finds_its_kernels_loaded(first_seconds: dict[str, Any]) -> None:
    """While a file is read they are loaded: what is exact comes sooner, and the first look holds up no window."""
    assert first_seconds["hovered"]
    assert first_seconds["used"] == first_seconds["prepared"]


def test_a_window_that_fails_does_not_keep_the_process(first_seconds: dict[str, Any]) -> None:
    """It has ended by itself."""
    assert first_seconds["failure"] == "no picture"


def test_imports_leave_the_collector_as_it_was() -> None:
    frozen = gc.get_freeze_count()
    with many_imports():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen  # nothing was imported
    gc.disable()
    try:
        with many_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
