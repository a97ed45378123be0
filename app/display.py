"""The display that windows appear on, examined before Qt is started: Qt ends the process where it cannot use one."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.libraries import advice, missing_for_windows, packages, platform_plugins

_IN_MEMORY = "offscreen"
_VTK_WINDOW = "VTK_DEFAULT_OPENGL_WINDOW"


def window_problem() -> str | None:
    """Say why no window can be opened here; None where one can."""
    if sys.platform != "linux":
        return None
    platforms = _platforms()
    if not platforms:
        return "there is no display to open a window on"
    problems: list[str] = []
    for platform in platforms:
        problem = _problem(platform)
        if problem is None:
            return None
        problems.append(problem)
    return "; ".join(problems)


def has_display() -> bool:
    """Return False on a Linux system that names neither X nor Wayland: Qt is not to look for them there."""
    return sys.platform != "linux" or bool(_platforms())


def missing_libraries() -> list[str]:
    """Libraries that windows lack on the display, or in memory where there is none; of two displays, on the better."""
    return min((missing_for_windows(platform) for platform in _platforms() or [_IN_MEMORY]), key=len)


@contextmanager
def windowless() -> Iterator[None]:
    """Let VTK make render windows of EGL meanwhile, unless the environment names others: it would look for X first, and
    complain where that is missing or without OpenGL."""
    named = os.environ.get(_VTK_WINDOW)
    if sys.platform == "linux" and named is None:
        os.environ[_VTK_WINDOW] = "vtkEGLRenderWindow"
    yield
    if named is None:
        os.environ.pop(_VTK_WINDOW, None)


def draw_in_memory() -> None:
    """Let Qt, which is not started yet, draw windows into memory."""
    os.environ["QT_QPA_PLATFORM"] = _IN_MEMORY


def draws_in_memory() -> bool:
    return _platforms() == [_IN_MEMORY]


def _platforms() -> list[str]:
    """Qt's platforms that it is to try, one after the other; none where neither X nor Wayland is named."""
    named = os.environ.get("QT_QPA_PLATFORM")
    if named:
        return [platform.partition(":")[0] for platform in named.split(";")]
    displays = {"WAYLAND_DISPLAY": "wayland", "DISPLAY": "xcb"}
    return [platform for variable, platform in displays.items() if os.environ.get(variable)]


def _problem(platform: str) -> str | None:
    if not platform_plugins(platform):
        return f"QT_QPA_PLATFORM={platform}: Qt has no such platform"
    missing = missing_for_windows(platform)
    if missing:
        return f"the window cannot be opened: {advice(missing)}"
    if platform == "xcb" and not _reaches_x():
        return f"the X display {os.environ.get('DISPLAY', '')} cannot be reached"
    if platform == "wayland" and not _reaches_wayland():
        return f"the Wayland display {os.environ.get('WAYLAND_DISPLAY', '')} cannot be reached"
    return None


def _reaches_x() -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = (ctypes.c_void_p,)
    connection = xcb.xcb_connect(None, None)  # never null; one that failed is given back as any other
    reached = bool(xcb.xcb_connection_has_error(connection) == 0)
    xcb.xcb_disconnect(connection)
    return reached


def _reaches_wayland() -> bool:
    if os.environ.get("WAYLAND_SOCKET"):  # a connection that is already open, for whoever takes it first
        return True
    path = Path(os.environ.get("XDG_RUNTIME_DIR", ""), os.environ.get("WAYLAND_DISPLAY") or "wayland-0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    print(*packages(missing_libraries()))
