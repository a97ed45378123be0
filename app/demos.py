"""Checkpoints that come with the program, in a clone as in an installed package."""

from __future__ import annotations

from pathlib import Path

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
