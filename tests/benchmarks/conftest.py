"""The table of measured speeds, printed when the benchmarks are done."""

from __future__ import annotations

import platform

import pytest

from engine.machine.workers import available_cores

ROWS = pytest.StashKey[list[dict[str, str]]]()
SURFACE_ROWS = pytest.StashKey[list[dict[str, str]]]()
MARCHING_ROWS = pytest.StashKey[list[dict[str, str]]]()
WINDOW_ROWS = pytest.StashKey[list[dict[str, str]]]()
TURN_ROWS = pytest.StashKey[list[dict[str, str]]]()


@pytest.fixture
def speed_rows(request: pytest.FixtureRequest) -> list[dict[str, str]]:
    """The rows of the table so far."""
    return request.config.stash.setdefault(ROWS, [])


@pytest.fixture
def surface_rows(request: pytest.FixtureRequest) -> list[dict[str, str]]:
    """The rows of the table of surfaces so far."""
    return request.config.stash.setdefault(SURFACE_ROWS, [])


@pytest.fixture
def marching_rows(request: pytest.FixtureRequest) -> list[dict[str, str]]:
    """The rows of the table that sets surfaces beside marching cubes so far."""
    return request.config.stash.setdefault(MARCHING_ROWS, [])


@pytest.fixture
def window_rows(request: pytest.FixtureRequest) -> list[dict[str, str]]:
    """The rows of the window's table so far."""
    return request.config.stash.setdefault(WINDOW_ROWS, [])


@pytest.fixture
def turn_rows(request: pytest.FixtureRequest) -> list[dict[str, str]]:
    """The rows of the turned camera's table so far."""
    return request.config.stash.setdefault(TURN_ROWS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tables = {
        "speed": ROWS,
        "speed of surfaces": SURFACE_ROWS,
        "marching cubes: time, and distance from the exact surface in halves of the box": MARCHING_ROWS,
        "speed of the window": WINDOW_ROWS,
        "a turned camera: Spot with three slices": TURN_ROWS,
    }
    for title, key in tables.items():
        rows = config.stash.get(key, [])
        if not rows:
            continue
        lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
        terminalreporter.section(title)
        terminalreporter.write_line(f"{_processor()}, {available_cores()} cores, Python {platform.python_version()}")
        for line in lines:
            terminalreporter.write_line("| " + " | ".join(line) + " |")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            return next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
