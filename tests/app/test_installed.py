"""The program as its users have it: installed from a wheel, run from a folder of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.machine.jit import cache_folder
from tests.app.conftest import ROOT, Ran

PACKAGES = ("app", "engine", "sdf_models")


@dataclass(frozen=True)
class Installed:
    """wheel: what was installed; scripts, site: folders of its environment; work: an empty one; cache: of kernels."""

    wheel: Path
    scripts: Path
    site: Path
    work: Path
    cache: Path

    def run(self, program: str, *arguments: str) -> Ran:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= {"NUMBA_CACHE_DIR": str(self.cache), "QT_QPA_PLATFORM": "offscreen"}
        command = [str(self.scripts / program), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=self.work, env=environment, check=False)
        return Ran(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new environment with the wheel and nothing else of its own: what the program needs is taken from this one."""
    top = tmp_path_factory.mktemp("installed")
    _pip("wheel", "--no-build-isolation", "--wheel-dir", str(top), str(ROOT))
    (wheel,) = top.glob("*.whl")
    home = top / "environment"
    venv.create(home, symlinks=os.name != "nt")
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    _pip("--python", str(scripts / "python"), "install", "--no-compile", str(wheel))
    (site,) = {found.parent for found in home.rglob("sdf_models")}
    (site / "others.pth").write_text("".join(f"{path}\n" for path in sys.path if Path(path).name == "site-packages"))
    _reuse_kernels(site, top / "cache")
    work = top / "elsewhere"
    work.mkdir()
    return Installed(wheel, scripts, site, work, top / "cache")


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments[:-1], "--no-deps", "--no-index", arguments[-1]]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def _reuse_kernels(site: Path, cache: Path) -> None:
    """Compiling takes minutes: what numba keeps for a folder of sources serves its copy if their times are the same."""
    rooms = [path.parent for path in (ROOT / "engine").rglob("__init__.py")]
    for home in (*rooms, ROOT / "app" / "views" / "scene", ROOT / "app" / "views" / "slice"):
        copy = site / home.relative_to(ROOT)
        for source in home.glob("*.py"):
            times = source.stat()
            os.utime(copy / source.name, ns=(times.st_atime_ns, times.st_mtime_ns))
        kept = cache_folder() if home in rooms else cache_folder(home)
        if (kept / _named_by_numba(home)).is_dir():
            shutil.copytree(kept / _named_by_numba(home), cache / "kernels" / kept.name / _named_by_numba(copy))


def _named_by_numba(folder: Path) -> str:
    return f"{folder.name}_{hashlib.sha1(str(folder).encode()).hexdigest()}"


def test_wheel_holds_every_module_and_every_demo(installed: Installed) -> None:
    modules = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    demos = {f"app/resources/checkpoints/{path.name}" for path in (ROOT / "resources" / "checkpoints").iterdir()}
    with zipfile.ZipFile(installed.wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == modules | demos


def test_what_runs_is_what_was_installed(installed: Installed) -> None:
    code = """
import sys, app, engine, sdf_models
print(*sys.path, app.__file__, engine.__file__, sdf_models.__file__, sep="\\n")
"""
    ran = installed.run("python", "-c", code)
    assert ran.code == 0, ran.err
    found = ran.out.splitlines()
    assert found[-3:] == [str(installed.site / package / "__init__.py") for package in PACKAGES]
    assert str(ROOT) not in found


@pytest.mark.parametrize(
    "arguments",
    [
        "info spot",
        "slice torus --plane z=0 --palette dusk --out slice.svg",
        "render torus --plane z=0 --palette grey --size 400x300 --out render.png",
        "open torus --screenshot window.png",
    ],
)
def test_commands_find_demos_palettes_and_marks(installed: Installed, arguments: str) -> None:
    ran = installed.run("splinescope", *arguments.split())
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    if "info" in arguments:
        assert "piecewise linear: 512 neurons in 8 nonlinear layers" in ran.out
    else:
        assert ran.out.endswith(f"wrote {arguments.rsplit(maxsplit=1)[-1]}\n")
        assert (installed.work / arguments.rsplit(maxsplit=1)[-1]).stat().st_size > 1000
