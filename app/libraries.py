"""Shared libraries and fonts that Qt and VTK want of a Linux system, and the packages that hold what it lacks.

Qt ends the process where its plugin for the display cannot be loaded, and VTK crashes without OpenGL: whoever needs
them asks here before.  `python -m app.libraries` prints the packages that are missing, for the Makefile.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_OPENGL: Final = ("libEGL.so.1", "libGL.so.1")  # VTK opens them when it draws
_FONTCONFIG: Final = "libfontconfig.so.1"
_FONT: Final = "a font"
_PACKAGES: Final = {  # those that the rule for names does not give
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libz.so.1": "zlib1g",
    _FONT: "fonts-dejavu-core",
}


def missing_for_pictures() -> list[str]:
    """Libraries that VTK needs to draw and the loader does not find, by their file names."""
    return [name for name in _OPENGL if _load(name) is None] if sys.platform == "linux" else []


def missing_for_windows(platform: str) -> list[str]:
    """The same, and what Qt needs besides on one of its platforms ("xcb", "wayland", "offscreen"), a font included.

    Empty for platforms that have no plugin here.
    """
    plugins = platform_plugins(platform)
    if not plugins:
        return []
    missing = {*missing_for_pictures(), *_not_found([_package_folder("PySide6") / "QtWidgets.abi3.so", *plugins])}
    if _has_no_font():
        missing.add(_FONT)
    return sorted(missing)


def platform_plugins(platform: str) -> list[Path]:
    """The files of the plugins that Qt has for a platform: none unless this is Linux."""
    if sys.platform != "linux":
        return []
    folder = _package_folder("PySide6") / "Qt" / "plugins" / "platforms"
    family = platform.partition("-")[0]  # as of wayland-egl
    return [path for name in (family, f"{family}-generic") if (path := folder / f"libq{name}.so").is_file()]


def packages(missing: Sequence[str]) -> list[str]:
    """The packages of Debian, each once, that hold libraries; named after them as Debian's policy has it (8.1)."""
    return sorted({_PACKAGES.get(name, _named_after(name)) for name in missing})


def advice(missing: Sequence[str]) -> str:
    """Return the missing packages and the command that installs them, for the end of an error's line."""
    verb, them = ("is", "it") if len(missing) == 1 else ("are", "them")
    command = f"apt-get install {' '.join(packages(missing))}"
    return f"{', '.join(missing)} {verb} missing here; install the packages that hold {them} (on Debian: {command})"


def _named_after(library: str) -> str:
    """libxcb-icccm.so.4: libxcb-icccm4; libX11.so.6: libx11-6."""
    name = re.sub(r"(\d)\.so\.", r"\1-", library).replace(".so.", "").replace("_", "-")
    return name.lower()


def _not_found(files: Sequence[Path]) -> set[str]:
    """All that files are linked to, directly or not, and the loader does not find; none where it cannot be asked.

    Loading them costs nothing, as Qt is about to; only where that fails ldd takes its time to name everything.
    """
    if all(_load(str(file)) is not None for file in files):
        return set()
    try:
        told = subprocess.run(["ldd", *files], capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return set()
    return set(re.findall(r"^\s*(\S+) => not found", told.stdout, re.MULTILINE))


def _load(library: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(library)
    except OSError:
        return None


def _has_no_font() -> bool:
    """Qt writes boxes then.  False as well where fontconfig itself is missing, which is told by its own name."""
    fontconfig = _load(_FONTCONFIG)
    if fontconfig is None:
        return False
    fontconfig.FcInit()
    fontconfig.FcConfigGetFonts.argtypes = (ctypes.c_void_p, ctypes.c_int)
    fontconfig.FcConfigGetFonts.restype = ctypes.POINTER(ctypes.c_int)  # a struct that begins with their number
    fonts = fontconfig.FcConfigGetFonts(None, 0)
    return not fonts or fonts[0] == 0


def _package_folder(name: str) -> Path:
    """A package's folder, without importing it; raises ImportError where it is not installed."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"No module named {name!r}", name=name)
    return Path(spec.origin).parent
