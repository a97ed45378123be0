"""A task of a sweep: one plane through one checkpoint, as plain data, and the row of the table that comes of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.inspection import with_advice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine import Network, Partition
    from sdf_models import Checkpoint

Row = dict[str, Any]
"""Columns by name: text, int or float."""


class TaskError(Exception):
    """Its text is one line: why the task has no result."""


@dataclass(frozen=True, slots=True)
class Task:
    """One plane through one checkpoint.

    name: the checkpoint's as it was given; file: its path; content: SHA-256 of the file and of its side file; reading:
    the choices made, as JSON; plane: a pose as text; bounds: lower and upper corner, the checkpoint's domain when
    None; level: of the file's own output; program: the version that cuts it.
    """

    name: str
    file: str
    content: str
    reading: str
    plane: str
    level: float
    program: str
    bounds: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    @property
    def key(self) -> str:
        """A name of what decides the result, wherever the files are: the same for equal content only."""
        facts = asdict(self)
        del facts["name"], facts["file"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def content_of(file: Path) -> str:
    """SHA-256, hexadecimal, of a checkpoint and of the file beside it that says how it is read.  Raises OSError."""
    from sdf_models.checkpoint import SIDE_FILE_SUFFIX

    found = hashlib.sha256()
    side = file.with_name(file.name + SIDE_FILE_SUFFIX)
    for path in (file, side) if side.is_file() else (file,):
        with path.open("rb") as stream:
            found.update(hashlib.file_digest(stream, "sha256").digest())
    return found.hexdigest()


def run_task(task: Task, threads: int | None) -> Row:
    """Cut the slice and return its row, without the checkpoint's name.  Raises TaskError."""
    from app.state.geometry.poses import Pose
    from engine import EngineError, partition_polygon, plane_box_polygon, square_polygon
    from sdf_models import CheckpointError

    try:
        checkpoint, network = _opened(task.file, task.content, task.reading)
        pose = Pose.parse(task.plane)
        domain = checkpoint.domain if task.bounds is None else np.array(task.bounds)
        polygon = plane_box_polygon(pose.plane, domain) if pose.half_width is None else square_polygon(pose.half_width)
        partition = partition_polygon(network, pose.plane, polygon, checkpoint.level(task.level), threads=threads)
        return slice_row(task, partition, domain)
    except CheckpointError as error:
        raise TaskError(str(error).removeprefix(f"{task.file}: ")) from error
    except EngineError as error:
        raise TaskError(with_advice(error)) from error


@lru_cache(maxsize=1)  # tasks of one checkpoint follow each other
def _opened(file: str, content: str, reading: str) -> tuple[Checkpoint, Network]:
    from engine import Network
    from sdf_models import Reading, load_checkpoint

    path = Path(file)
    try:
        if content_of(path) != content:
            raise TaskError("the file has changed since the sweep began; run the sweep again")
    except OSError as error:
        raise TaskError(f"{error.strerror or error}; run the sweep where the file can be read") from error
    checkpoint = load_checkpoint(path, Reading.from_json(json.loads(reading)))
    return checkpoint, Network.trace(checkpoint.module, input_shape=(checkpoint.domain.shape[1],))


def slice_row(task: Task, partition: Partition, domain: NDArray[np.float64]) -> Row:
    """The measures of one slice, by the names of their columns; those of measures.md among them."""
    from app.comparison.slices import own_values
    from app.comparison.table import flat_values
    from engine import areas

    return {
        "plane": task.plane,
        "level": task.level,
        "area": float(areas(partition).sum()),
        **flat_values(own_values(partition, domain)),
        "vertices": len(partition.vertices),
        "edges": len(partition.edges),
        "unexamined": partition.tie_counts.unexamined,
        "seconds": round(sum(partition.seconds.values()), 4),
    }
