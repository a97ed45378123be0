"""What a bug report should say of the program and the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

_PACKAGES = ("torch", "numpy", "numba", "scipy", "PySide6-Essentials", "vtk", "pyvista", "safetensors", "onnx")


def version_report(renderer: str = "") -> str:
    """Lines of names and versions; renderer: of what draws the 3D view, if that is known."""
    lines = [
        f"SplineScope {_version('splinescope')}",
        f"Python {platform.python_version()} on {platform.platform()}",
        f"{os.cpu_count()} cores; Qt {qVersion()} on {QGuiApplication.platformName() or 'no display'}",
    ]
    if renderer:
        lines.append(f"3D drawn by {renderer}")
    return "\n".join([*lines, *(f"{name} {_version(name)}" for name in _PACKAGES)])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
