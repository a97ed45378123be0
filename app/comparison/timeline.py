"""Checkpoints of a training, one after the other: what is measured of each, and how it differs from the one before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.comparison.comparison import Row
from app.comparison.slices import ComparedSlice, Values, compare_slices
from app.comparison.subjects import ComparisonError, Subject, shared_domain
from app.state.slices import SliceResult
from engine import EngineError, SlicePlane

_STEP_KEYS: Final = ("step", "steps", "global_step", "iteration", "epoch")  # of other programs' metadata
_MOST_HEADER: Final = 1 << 20  # bytes


@dataclass(frozen=True, eq=False, slots=True)
class Moment:
    """A checkpoint of a training: its name, the step that its file or its name tells (its place among the others where
    none does), and the measures on each plane; or the reason why there are none.

    slices: of each plane; rows: a table's; gap: "" where it could be measured.
    """

    name: str
    step: int
    slices: tuple[SliceResult, ...]
    rows: tuple[Row, ...]
    gap: str = ""


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of their names, but for hidden ones and side files of readings.

    Raises OSError.
    """
    paths = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    return in_order([path for path in paths if not path.name.endswith(".reading.json")])


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Return paths by the steps that their files tell, those that tell none where they are by name.

    By their names numbers in them count by value, so that step-900 comes before step-1000.
    """

    def key(path: Path) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", path.name)
        return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts if part]

    named = sorted(paths, key=key)
    told = {path: step for path in named if (step := told_step(path)) is not None}
    ordered = iter(sorted(told, key=lambda path: told[path]))
    return [next(ordered) if path in told else path for path in named]


def steps_of(paths: Sequence[Path]) -> list[int]:
    """Return the step that each file tells, or the last number in each name, where all have one and these ascend; else
    their places, from 1."""
    numbers = [re.findall(r"\d+", path.stem) for path in paths]
    for found in ([told_step(path) for path in paths], [int(each[-1]) if each else None for each in numbers]):
        steps = [step for step in found if step is not None]
        if len(steps) == len(paths) and all(a < b for a, b in pairwise(steps)):
            return steps
    return list(range(1, len(paths) + 1))


def told_step(path: Path) -> int | None:
    """Return the step of the training that the header of a safetensors file tells, None where it tells none."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= _MOST_HEADER:
                return None
            header = json.loads(file.read(size))
        metadata = header.get("__metadata__", {})
        own = json.loads(metadata.get("splinescope", "{}"))
        training = re.search(r" in (\d+)(?: of \d+)? steps", own.get("facts", {}).get("training", ""))
        told = training[1] if training else next((metadata[key] for key in _STEP_KEYS if key in metadata), "")
        return int(told)
    except (OSError, ValueError, AttributeError, TypeError):  # another format, or broken: it is told when it is opened
        return None


def moments(
    paths: Sequence[Path],
    open_: Callable[[Path], Subject],
    planes: Sequence[SlicePlane],
    unreadable: type[Exception],
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Moment]:
    """Yield what is measured of each checkpoint, in order, as soon as it is known.

    open_: raises `unreadable` for what is no checkpoint.  A checkpoint that cannot be read, cut or compared with the
    one before is a gap with its reason; the next is compared with the last that could.  Raises engine.Cancelled.
    """
    before: Subject | None = None
    domain: NDArray[np.float64] | None = None
    for path, step in zip(paths, steps_of(paths), strict=True):
        try:
            subject = open_(path)
            if domain is None:
                domain = shared_domain([subject])
            compared = _compared(before, subject, planes, domain, cancel)
        except (unreadable, ComparisonError, EngineError) as error:
            yield Moment(path.name, step, (), (), " ".join(str(error).split()))
            continue
        yield Moment(
            path.name,
            step,
            tuple(found.slices[-1] for found in compared),
            tuple(
                Row(path.name, before.name if before else "", found.plane.describe(), found.own[-1] | _change(found))
                for found in compared
            ),
        )
        before = subject


def _compared(
    before: Subject | None,
    subject: Subject,
    planes: Sequence[SlicePlane],
    domain: NDArray[np.float64],
    cancel: Callable[[], bool] | None,
) -> list[ComparedSlice]:
    subjects = [subject] if before is None else [before, subject]
    shared_domain(subjects)
    return [compare_slices(subjects, plane, domain, cancel=cancel) for plane in planes]


def _change(compared: ComparedSlice) -> Values:
    return compared.differences[-1] if len(compared.slices) > 1 else {}
