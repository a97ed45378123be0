"""How a slice of the window is made elsewhere: on the command line, from Python."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from app.state.geometry.poses import Pose, numbers_text
from app.state.palette import Palette

if TYPE_CHECKING:
    from app.state.session import OpenNetwork
    from engine import SlicePlane


def slice_command(opened: OpenNetwork, plane: SlicePlane, palette: Palette = Palette.TIDE) -> str:
    """The line for a shell that makes the same slice of the same file, in the colours of a palette.  Raises ValueError
    without a file."""
    words = slice_words(opened, plane, _path(opened))
    if palette is not Palette.TIDE:
        words.append(f"--palette={palette.value}")
    return shlex.join(["splinescope", *words, "--out", "slice.png"])


def slice_words(opened: OpenNetwork, plane: SlicePlane, file: str) -> list[str]:
    """The words of a command that cuts a slice; file: the checkpoint."""
    from sdf_models.reading import as_text, option

    made = {} if opened.reading is None else opened.reading.made()
    choices = [
        option(name) if value is True else f"{option(name)}={as_text(value)}"
        for name, value in made.items()
        if name != "bounds"
    ]
    bounds = numbers_text(opened.domain.ravel().tolist())
    words = ["slice", file, "--pose", str(Pose(plane)), f"--bounds={bounds}", *choices]
    if opened.level:  # --level is one of the file's own output, which may have a last activation that is left out
        words.append(f"--drawn-level={opened.level!r}")
    return words


def slice_python(opened: OpenNetwork, plane: SlicePlane) -> str:
    """Four lines of Python that make the same partition.  Raises ValueError without a file."""
    made = {} if opened.reading is None else opened.reading.made()
    choices = "".join(f", {name}={value!r}" for name, value in made.items())
    reading = f", Reading({choices[2:]})" if made else ""
    level = f", {opened.level!r}" if opened.level else ""
    where = f"SlicePlane({plane.origin.tolist()!r}, {plane.axes.tolist()!r})"
    names = "Reading, load_checkpoint" if made else "load_checkpoint"
    return "\n".join(
        (
            "from engine import Network, SlicePlane, partition_slice",
            f"from sdf_models import {names}",
            f"network = Network.trace(load_checkpoint({_path(opened)!r}{reading}).module, input_shape=(3,))",
            f"partition = partition_slice(network, {where}, {opened.domain.tolist()!r}{level})",
        )
    )


def _path(opened: OpenNetwork) -> str:
    if opened.path is None:
        raise ValueError(f"{opened.name} comes from no file; save it as one first")
    return str(opened.path.resolve())
