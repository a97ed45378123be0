"""Checkpoints that come with the program, in a clone as in an installed package."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Final

DEMOS: Final = {
    "spot": ("8 x 64", "a cow"),
    "spot-middle": ("8 x 64", "the same training, after 2,500 of its 24,000 steps"),
    "spot-early": ("8 x 64", "the same training, after 250 steps"),
    "gyroid": ("6 x 48", "one labyrinth of the gyroid in a ball"),
    "torus": ("3 x 16", "a torus, small enough to be instant"),
}
"""Names, each with its hidden layers and what it was fitted to."""

_FOLDERS = (
    Path(__file__).parent / "resources",  # installed
    Path(__file__).parent.parent / "resources",  # a clone
)


def demo_checkpoint(name: str) -> Path | None:
    """The path of a checkpoint that comes with the program, such as "spot"; None when there is none of that name."""
    if Path(name).name != name:
        return None
    candidates = (folder / "checkpoints" / f"{name}.safetensors" for folder in _FOLDERS)
    return next((path for path in candidates if path.is_file()), None)


def suggestion(name: str, names: list[str]) -> str:
    """Return "; did you mean ...?" with the closest of some names, or an empty string."""
    close = get_close_matches(name, names, 1, 0.6)
    return f"; did you mean {close[0]}?" if close else ""
