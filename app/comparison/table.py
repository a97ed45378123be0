"""Comparisons as tables: CSV with a column for each measure, JSON, and text for people."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.comparison.comparison import Row
from app.comparison.measures import BY_KEY, MEASURES, Group
from app.comparison.slices import Values

_AXES = "xyz"
_TITLES = ("checkpoint", "compared_with", "place")


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write a row for each checkpoint and place, all digits; what has no value is empty.

    Columns are those of measures.md that have a value anywhere; lists are spread out by depth, as lines_0, lines_1.
    """
    flat = [flat_values(row.values) for row in rows]
    present = {column for values in flat for column in values}
    columns = [column for measure in MEASURES for column in _columns(measure.key, flat) if column in present]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*_TITLES, *columns])
        for row, values in zip(rows, flat, strict=True):
            writer.writerow([*_titles(row), *(_text(values.get(column)) for column in columns)])


def _columns(key: str, flat: Sequence[dict[str, Any]]) -> list[str]:
    """Return the columns of a measure, in order."""
    if key == "largest_at":
        longest = max(len([column for column in values if column.startswith("largest_at_")]) for values in flat)
        return [f"largest_at_{_axis(k)}" for k in range(longest)]
    if not BY_KEY[key].per_depth:
        return [key]
    depths = max((sum(_is_of(column, key) for column in values) for values in flat), default=0)
    return [f"{key}_{depth}" for depth in range(depths)]


def _is_of(column: str, key: str) -> bool:
    return column.startswith(f"{key}_") and column[len(key) + 1 :].isdecimal()


def _axis(k: int) -> str:
    return _AXES[k] if k < len(_AXES) else str(k)


def flat_values(values: Values) -> dict[str, Any]:
    """Return values by the names of their columns: lists are spread out by depth, as lines_0, lines_1."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key == "largest_at":
            flat |= {f"{key}_{_axis(k)}": part for k, part in enumerate(value)}
        elif isinstance(value, list):
            flat |= {f"{key}_{depth}": part for depth, part in enumerate(value)}
        else:
            flat[key] = value
    return flat


def _titles(row: Row) -> list[str]:
    return [row.checkpoint, row.compared_with, row.place]


def _text(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def as_json(rows: Sequence[Row], facts: dict[str, Any]) -> str:
    """Return one object: the facts, and `rows`, each with its titles and `measures`."""
    listed = [{**dict(zip(_TITLES, _titles(row), strict=True)), "measures": row.values} for row in rows]
    return json.dumps(facts | {"rows": listed}, indent=2, allow_nan=False, ensure_ascii=False)


def as_text(rows: Sequence[Row]) -> str:
    """Return a table for each place: measures by row, checkpoints by column, with six digits."""
    parts = []
    for place in dict.fromkeys(row.place for row in rows):
        here = [row for row in rows if row.place == place]
        lines = [["", *(row.checkpoint for row in here)]]
        heading = None
        for measure in MEASURES:
            values = [row.values.get(measure.key) for row in here]
            if all(value is None for value in values):
                continue
            if heading is not measure.group and measure.group in (Group.SLICES, Group.SURFACES):
                compared = next(row.compared_with for row in here if row.compared_with)
                lines.append([f"beside {compared}"])
            heading = measure.group
            unit = f" ({measure.unit})" if measure.unit else ""
            if measure.per_depth:
                depths = max(len(value) for value in values if value is not None)
                for depth in range(depths):
                    shown = [_short(value[depth]) if value and depth < len(value) else "" for value in values]
                    lines.append([f"{measure.name}, depth {depth}{unit}", *shown])
            else:
                lines.append([f"{measure.name}{unit}", *(_short(value) for value in values)])
        parts.append("\n".join([place, *_aligned(lines)]))
    return "\n\n".join(parts)


def _short(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return f"({', '.join(_short(part) for part in value)})"
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    columns = max(len(line) for line in lines)
    widths = [max(len(line[k]) for line in lines if k < len(line) and (len(line) > 1)) for k in range(columns)]
    shown = []
    for first, *others in lines:
        cells = [text.rjust(width) for text, width in zip(others, widths[1:], strict=False)]
        shown.append(f"  {'  '.join([first.ljust(widths[0]), *cells])}".rstrip())
    return shown
