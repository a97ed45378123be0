"""DeepSDF's specs.json, beside a file or above it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

NAME: Final = "specs.json"
_ABOVE = 2
_LARGEST = 1 << 20


def specifications(path: Path) -> Mapping[str, Any]:
    """The content of the nearest specs.json in the file's folder or up to two above, with its path as `specs.json`.

    Empty when there is none, or none that is a JSON object.
    """
    folder = path.absolute().parent
    for candidate in (folder, *list(folder.parents)[:_ABOVE]):
        file = candidate / NAME
        try:
            if not file.is_file() or file.stat().st_size > _LARGEST:
                continue
            content = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            return {**content, NAME: str(file)}
    return {}
