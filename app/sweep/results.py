"""The results of a sweep's tasks: one file each, written whole, and the table that is made of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from app.files import written_together
from app.sweep.task import Row, Task


def results_folder(table: Path) -> Path:
    """The folder of the tasks' files, beside the table."""
    return table.with_name(f"{table.name}.tasks")


def write_result(folder: Path, task: Task, row: Row) -> None:
    """Write the file of a task, whole or not at all.  Raises OSError."""
    with written_together([_file(folder, task)]) as (temporary,):
        temporary.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


def read_result(folder: Path, task: Task) -> Row | None:
    """The row of a task that was done before, in whatever run; None where there is none, or something else."""
    try:
        row = json.loads(_file(folder, task).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if isinstance(row, dict) and row.get("plane") == task.plane else None


def write_table(table: Path, tasks: Sequence[Task], rows: Sequence[Row]) -> None:
    """Write a table (CSV) with a row for each task, in their order.  Raises OSError.

    Columns are those of all rows, in the order of the row with most of them; a cell that a row lacks is empty.  The
    last column, `error`, is there where a task has one.
    """
    widest = max(rows, key=len)
    columns = ["checkpoint", *widest, *sorted({name for row in rows for name in row} - widest.keys() - {"error"})]
    if any("error" in row for row in rows):
        columns = [*(name for name in columns if name != "error"), "error"]
    with written_together([table]) as (temporary,), temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        for task, row in zip(tasks, rows, strict=True):
            writer.writerow({"checkpoint": task.name, **row})


def _file(folder: Path, task: Task) -> Path:
    return folder / f"{task.key}.json"
