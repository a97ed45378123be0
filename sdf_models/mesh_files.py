"""Triangle meshes in files, of every kind that trimesh knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MARGIN = 0.1
"""Distance that a normalised mesh keeps from the sides of the box [-1, 1]^3."""


class MeshFileError(ValueError):
    """A file is no mesh; one line, without the file's name: why, and what to do."""


def read_mesh(path: Path) -> Any:
    """Read a trimesh.Trimesh with finite corners, whose seams of textures are no holes.  Raises MeshFileError."""
    import trimesh  # noqa: PLC0415  only those who have a mesh need it

    if not path.is_file():
        raise MeshFileError("no such file; check the path")
    try:
        mesh = trimesh.load_mesh(path)
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
    except OSError as error:
        raise MeshFileError(f"it cannot be read ({error.strerror}); check the path") from error
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, ImportError) as error:
        # ImportError: trimesh looks for a package to guess the encoding of text that is not UTF-8.
        reason = " ".join(str(error).split())
        raise MeshFileError(f"not a mesh that can be read ({reason:.80}); export it as .obj or .ply") from error
    if not len(getattr(mesh, "faces", ())) or not np.isfinite(mesh.vertices).all():
        raise MeshFileError("it holds no triangles with finite corners; export a triangle mesh")
    return mesh


def normalisation(vertices: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the point (3,) that is to be the middle of the box, and the scale that then leaves MARGIN at its sides."""
    lower, upper = vertices.min(axis=0), vertices.max(axis=0)
    return (lower + upper) / 2.0, float((1.0 - MARGIN) / ((upper - lower).max() / 2.0))
