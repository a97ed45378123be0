"""How much memory a computation may still take, and one clear error when there is no more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.errors import MemoryLimitError

_GIGABYTE = 1e9
_NOT_WORTH_ASKING = 64e6
_RESERVE = 0.05  # of what is left, for everything else that runs
_ADVICE = "slice a smaller domain or a smaller network"


def available() -> float:
    """Bytes that can still be allocated: the machine's, or the container's limit when that is lower; inf if unknown."""
    limits = [_machine(), _container("memory.max", "memory.current"), _container_v1()]
    return min(limits)


def worth_asking(needed: float) -> bool:
    """Whether so many bytes are enough to ask the system for."""
    return needed >= _NOT_WORTH_ASKING


def admit(needed: float, what: str, advice: str | None = None) -> None:
    """Refuse what would not fit.  needed: bytes; what: the thing that needs them, for the message; advice: what to do.

    Without it, that is to slice a domain of which as many vertices lie in as there is memory for.
    """
    if not worth_asking(needed):
        return
    left = available() * (1.0 - _RESERVE)
    if needed > left:
        share = math.sqrt(max(left, 0.0) / needed)
        advice = advice or f"slice a domain at most {share:.0%} as wide, or a smaller network"
        raise MemoryLimitError(
            f"{what} needs {needed / _GIGABYTE:.1f} GB of memory and {left / _GIGABYTE:.1f} GB are left; {advice}"
        )


def allocate(shapes: Sequence[tuple[int, ...]], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """An array, not yet written, of the first of the shapes that fits; MemoryLimitError when none does."""
    for shape in shapes[:-1]:
        try:
            return np.empty(shape, dtype)
        except MemoryError:
            continue
    with refusing():
        return np.empty(shapes[-1], dtype)


@contextmanager
def refusing() -> Iterator[None]:
    """Memory that runs out inside is a MemoryLimitError."""
    try:
        yield
    except MemoryError as error:
        raise MemoryLimitError(f"{str(error) or 'no memory is left'}; {_ADVICE}") from error


def _machine() -> float:
    info = Path("/proc/meminfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * float(line.split()[1])
    return float("inf")


def _container(limit: str, usage: str, folder: str = "/sys/fs/cgroup") -> float:
    try:
        most = (Path(folder) / limit).read_text().strip()
        used = (Path(folder) / usage).read_text().strip()
        details = (Path(folder) / "memory.stat").read_text().split()
    except OSError:
        return float("inf")
    # What the system only caches of files, it gives back.
    cached = float(details[details.index("inactive_file") + 1]) if "inactive_file" in details else 0.0
    return float("inf") if most == "max" else float(most) - float(used) + cached


def _container_v1() -> float:
    return _container("memory.limit_in_bytes", "memory.usage_in_bytes", "/sys/fs/cgroup/memory")
