"""What the system lacks for windows and pictures is told before Qt and VTK find out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import app
from app import libraries
from app.commands import open as opening
from app.display import draws_in_memory, has_display, missing_libraries, window_problem
from app.libraries import missing_for_pictures, missing_for_windows, packages
from tests.app.conftest import ROOT, Ran

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems have one kind of display, and its libraries"
)

Run = Callable[..., Ran]
NO_SERVER = ":65000"
VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "QT_QPA_PLATFORM", "VTK_DEFAULT_OPENGL_WINDOW")


@pytest.fixture(autouse=True)
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A machine without a display, whose loader finds every library but those that it is told to miss."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    load = libraries._load

    def miss(*names: str) -> None:
        monkeypatch.setattr(libraries, "_load", lambda name: None if names and "/" in name else load(name))
        said = "".join(f"echo '\t{name} => not found'\n" for name in names)
        (tmp_path / "ldd").write_text(f"#!/bin/sh\necho '\tlibxcb.so.1 => /usr/lib/libxcb.so.1 (0x0)'\n{said}")
        (tmp_path / "ldd").chmod(0o755)

    miss()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return miss


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libEGL.so.1", "libegl1"),
        ("libGL.so.1", "libgl1"),
        ("libX11.so.6", "libx11-6"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libdbus-1.so.3", "libdbus-1-3"),
        ("libfontconfig.so.1", "libfontconfig1"),
        ("libfreetype.so.6", "libfreetype6"),
        ("libgcc_s.so.1", "libgcc-s1"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
        ("libgthread-2.0.so.0", "libglib2.0-0"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libwayland-cursor.so.0", "libwayland-cursor0"),
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libxcb-icccm.so.4", "libxcb-icccm4"),
        ("libxcb-render-util.so.0", "libxcb-render-util0"),
        ("libxcb.so.1", "libxcb1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libz.so.1", "zlib1g"),
        ("a font", "fonts-dejavu-core"),
    ],
)
def test_packages_have_the_names_that_debian_gave_them(library: str, package: str) -> None:
    assert packages([library, library]) == [package]


def test_the_loader_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loader: Callable[..., None]) -> None:
    program = [sys.executable, "-m", "app.display"]
    assert subprocess.check_output(program, cwd=ROOT, text=True) == "\n"  # or these tests could open no window
    loader("libxcb-cursor.so.0")
    assert missing_for_windows("xcb") == ["libxcb-cursor.so.0"]
    (tmp_path / "ldd").unlink()
    monkeypatch.setenv("PATH", "")  # nobody to ask: Qt will say it
    assert missing_for_windows("xcb") == []


@pytest.mark.parametrize(("variable", "value"), [("DISPLAY", NO_SERVER), ("QT_QPA_PLATFORM", "xcb")])
def test_missing_libraries_are_one_line_with_their_packages(
    splinescope: Run, checkpoint: Path, loader: Callable[..., None], monkeypatch, variable: str, value: str
) -> None:
    loader("libxcb-keysyms.so.1", "libxcb-icccm.so.4", "libxcb-icccm.so.4")
    monkeypatch.setenv(variable, value)
    ran = splinescope("open", checkpoint)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(
        "splinescope: the window cannot be opened: libxcb-icccm.so.4, libxcb-keysyms.so.1 are missing here; install "
        "the packages that hold them (on Debian: apt-get install libxcb-icccm4 libxcb-keysyms1); use --screenshot"
    )
    assert packages(missing_libraries()) == ["libxcb-icccm4", "libxcb-keysyms1"]


def test_a_font_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_has_no_font", lambda: True)
    assert packages(missing_for_windows("xcb")) == ["fonts-dejavu-core"]


def test_pictures_need_opengl(splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch) -> None:
    assert missing_for_pictures() == []
    monkeypatch.setattr(libraries, "_OPENGL", ("libEGL.so.77",))
    ran = splinescope("render", checkpoint, "--out", tmp_path / "a.png")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "pictures cannot be drawn: libEGL.so.77 is missing here" in ran.err
    assert "libegl77" in ran.err


def test_no_display_is_told() -> None:
    assert not has_display()
    assert window_problem() == "there is no display to open a window on"
    with pytest.raises(OSError, match="there is no display to open a window on"):
        app.show(None)  # type: ignore[arg-type]


def test_displays_that_cannot_be_reached_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISPLAY", NO_SERVER)
    assert has_display()
    assert window_problem() == "the X display :65000 cannot be reached"
    monkeypatch.setenv("WAYLAND_DISPLAY", str(tmp_path / "none"))
    assert (
        window_problem()
        == f"the Wayland display {tmp_path / 'none'} cannot be reached; the X display :65000 cannot be reached"
    )
    monkeypatch.setenv("QT_QPA_PLATFORM", "nonesuch")
    assert window_problem() == "QT_QPA_PLATFORM=nonesuch: Qt has no such platform"


def test_one_display_that_serves_is_enough(monkeypatch, tmp_path: Path, loader: Callable[..., None]) -> None:
    monkeypatch.setenv("DISPLAY", NO_SERVER)
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    monkeypatch.setenv("XDG_RUNTIME_DIR", ".")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind("wayland-7")
        server.listen()
        assert window_problem() is None
        assert missing_libraries() == []
        loader("libwayland-cursor.so.0")
        assert "libwayland-cursor0" in str(window_problem())
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb;offscreen:size=800x600")
    loader()
    assert window_problem() is None


def test_a_picture_of_the_window_needs_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", NO_SERVER)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")  # and is put back after the test
    opening._check_display(seen=False)
    assert draws_in_memory()


def test_vtk_draws_without_a_word_whatever_display_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
from app.views.scene.studio import Studio
studio = Studio()
studio.rehearse()
print(studio._window.GetClassName())
studio.close()
"""
    monkeypatch.setenv("DISPLAY", NO_SERVER)
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "vtkEGLRenderWindow\n", "")
