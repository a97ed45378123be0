"""How a figure is made again: the words of its command, and the record that its files carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.figures.spec import FigureSpec, SlicePanel
from app.figures.spec_text import spec_text
from app.provenance.record import Provenance, command_line, versions
from app.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.state.slices import SliceResult
    from sdf_models import Reading


def figure_words(
    files: Sequence[str], spec: FigureSpec, reading: Reading | None, level: float, drawn_level: float | None
) -> list[str]:
    """Return the words after the program's name, which say all of a figure, so that no other file is needed.

    level: of the file's own output; drawn_level: of the values that are drawn, instead of it.
    """
    choices = [] if reading is None else _choices(reading)
    words = ["figure", *files, f"--spec={spec_text(spec)}", *choices]
    if drawn_level is not None:
        return [*words, f"--drawn-level={drawn_level!r}"]
    return [*words, f"--level={level!r}"] if level else words


def _choices(reading: Reading) -> list[str]:
    from sdf_models.reading import as_text, option

    made = reading.made().items()
    return [option(name) if value is True else f"{option(name)}={as_text(value)}" for name, value in made]


def figure_record(
    words: Sequence[str],
    checkpoint: str,
    hashes: Sequence[str],
    reading: Reading | None,
    notes: Sequence[str],
    domain: NDArray[np.float64],
    level: float,
    spec: FigureSpec,
    slices: Sequence[SliceResult | None],
) -> Provenance:
    """Return the record of a figure; checkpoint: the first one's name; hashes: SHA-256 of all of them."""
    partitions = [result.partition for result in slices if result is not None]
    others = {f"sha256 of {number}": found for number, found in enumerate(hashes[1:], 2)}
    return Provenance(
        command=command_line(list(words)),
        checkpoint=checkpoint,
        sha256=hashes[0],
        reading={} if reading is None else reading.to_json(),
        notes=tuple(notes),
        planes=tuple(panel.plane for panel in spec.panels if isinstance(panel, SlicePanel)),
        domain=tuple(tuple(corner) for corner in domain.tolist()),
        level=level,
        settings={"figure": spec_text(spec), **others},
        found={
            "regions": sum(partition.regions for partition in partitions),
            "edges": sum(len(partition.edges) for partition in partitions),
        },
        versions=versions(__version__),
    )


def slices_found(slices: Sequence[SliceResult]) -> dict[str, float]:
    """Return numbers that tell slices apart, for the record of their files."""
    partitions = [result.partition for result in slices]
    return {
        "regions": sum(partition.regions for partition in partitions),
        "linear_regions": sum(partition.linear_regions for partition in partitions),
        "vertices": sum(len(partition.vertices) for partition in partitions),
        "edges": sum(len(partition.edges) for partition in partitions),
        "level_set_length": sum(float(result.level_set.length) for result in slices),
    }
