"""Meshes as files: PLY and OBJ keep polygons, STL has triangles, VTP and NPZ everything that is known."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from app.export.arrays import write_arrays
from app.export.vtp import write_vtp
from app.provenance.carriers import comments
from engine import fans

if TYPE_CHECKING:
    from engine import Surface

FORMATS: Final = ("ply", "obj", "stl", "vtp", "npz")


@dataclass(frozen=True, eq=False, slots=True)
class Mesh:
    """vertices (V, 3) float64; face_offsets (F + 1,) int32 and face_vertices (H,) int32, loops of planar convex
    polygons; facet_data: arrays (F, ...) by name.
    """

    vertices: NDArray[np.float64]
    face_offsets: NDArray[np.int32]
    face_vertices: NDArray[np.int32]
    facet_data: dict[str, NDArray[Any]]

    @property
    def facets(self) -> int:
        return len(self.face_offsets) - 1


def mesh_of(surface: Surface) -> Mesh:
    facts: dict[str, NDArray[Any]] = {
        "gradient": surface.gradients,
        "area": surface.areas,
        "component": surface.components,
        "signature": surface.signatures,
    }
    return Mesh(surface.vertices, surface.face_offsets, surface.face_vertices, facts)


def write_mesh(mesh: Mesh, path: Path, format_: str, provenance: str = "", content: str = "") -> None:
    """Write a mesh in one of FORMATS.  Raises OSError when it cannot be written.

    provenance: what the file carries of how it was made; content: SHA-256 of the checkpoint, of which STL has room for
    the beginning.
    """
    if format_ == "stl":
        _write_stl(mesh, path, content)
        return
    writers = {"ply": _write_ply, "obj": _write_obj, "vtp": _write_vtp, "npz": _write_npz}
    writers[format_](mesh, path, provenance)


def write_creases(surface: Surface, path: Path, provenance: str = "") -> None:
    """The surface's edges as lines (.vtp) with the kink and neuron of each, -1 where the box cuts, and its facets."""
    offsets = np.arange(0, 2 * len(surface.edges) + 1, 2, dtype=np.int64)
    names = {"layer": surface.edge_layer, "neuron": surface.edge_neuron, "facets": surface.edge_faces}
    write_vtp(path, surface.vertices, lines=(offsets, surface.edges.ravel()), cell_data=names, provenance=provenance)


def triangles_of(mesh: Mesh) -> NDArray[np.int32]:
    """(T, 3) int32: the polygons as fans."""
    return fans(mesh.face_offsets, mesh.face_vertices)[0]


def measures(mesh: Mesh, domain: NDArray[np.float64]) -> dict[str, Any]:
    """area, volume (None when the mesh is not closed), components, closed.

    The volume is that of the part of the box (2, 3) that the facets do not look into, as Surface.volume has it.
    """
    triangles = triangles_of(mesh)
    if not len(triangles):
        return {"area": 0.0, "volume": None, "components": 0, "closed": False}
    a, b, c = (mesh.vertices[triangles[:, corner]] for corner in range(3))
    area = 0.5 * float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
    following = np.arange(1, len(mesh.face_vertices) + 1)
    following[mesh.face_offsets[1:] - 1] = mesh.face_offsets[:-1]
    pairs = np.sort(np.stack([mesh.face_vertices, mesh.face_vertices[following]], axis=1), axis=1)
    _, uses = np.unique(pairs, axis=0, return_counts=True)
    closed = bool((uses == 2).all())
    volume = float(np.einsum("nd,nd->", a, np.cross(b, c))) / 6.0 if closed else None
    if volume is not None and volume < 0.0:
        volume += float(np.prod(domain[1] - domain[0]))
    return {"area": area, "volume": volume, "components": _components(len(mesh.vertices), pairs), "closed": closed}


def _components(vertices: int, edges: NDArray[np.int32]) -> int:
    """Connected parts of the vertices that edges (E, 2) touch: labels spread to the smallest, halving paths."""
    label = np.arange(vertices)
    while True:
        low = np.minimum(label[edges[:, 0]], label[edges[:, 1]])
        before = label.copy()
        np.minimum.at(label, edges[:, 0], low)
        np.minimum.at(label, edges[:, 1], low)
        label = label[label]
        if (label == before).all():
            return len(np.unique(label[edges]))


def _write_ply(mesh: Mesh, path: Path, provenance: str) -> None:
    # text, as common readers of the binary form take all faces to have as many corners as the first
    header = [
        "ply",
        "format ascii 1.0",
        "comment made by SplineScope",
        *(line.rstrip("\n") for line in comments("comment", provenance)),
        f"element vertex {len(mesh.vertices)}",
        *(f"property double {axis}" for axis in "xyz"),
        f"element face {mesh.facets}",
        f"property list {'uint' if np.diff(mesh.face_offsets).max(initial=0) > 255 else 'uchar'} int vertex_indices",
        "end_header",
    ]
    with path.open("w", encoding="ascii", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in header)
        stream.writelines(f"{x!r} {y!r} {z!r}\n" for x, y, z in mesh.vertices.tolist())
        stream.writelines(f"{len(loop)} {' '.join(map(str, loop))}\n" for loop in _loops(mesh, 0))


def _write_obj(mesh: Mesh, path: Path, provenance: str) -> None:
    with path.open("w", encoding="ascii", newline="\n") as stream:
        stream.write("# made by SplineScope\n")
        stream.writelines(comments("#", provenance))
        stream.writelines(f"v {x!r} {y!r} {z!r}\n" for x, y, z in mesh.vertices.tolist())
        stream.writelines(f"f {' '.join(map(str, loop))}\n" for loop in _loops(mesh, 1))


def _loops(mesh: Mesh, first: int) -> Iterator[list[int]]:
    """The corners of each polygon, vertices numbered from `first`."""
    corners = (mesh.face_vertices + first).tolist()
    for start, stop in pairwise(mesh.face_offsets.tolist()):
        yield corners[start:stop]


def _write_stl(mesh: Mesh, path: Path, content: str) -> None:
    corners = mesh.vertices[triangles_of(mesh)]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    records = np.zeros(len(corners), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")]))
    records["normal"] = normals / np.where(lengths > 0.0, lengths, 1.0)
    records["corners"] = corners
    with path.open("wb") as stream:
        made = "made by SplineScope" + (f" from sha256 {content[:32]}" if content else "")
        stream.write(made.encode("ascii").ljust(80))
        stream.write(struct.pack("<I", len(records)))
        stream.write(records.tobytes())


def _write_vtp(mesh: Mesh, path: Path, provenance: str) -> None:
    faces = mesh.face_offsets.astype(np.int64), mesh.face_vertices
    write_vtp(path, mesh.vertices, polygons=faces, cell_data=mesh.facet_data, provenance=provenance)


def _write_npz(mesh: Mesh, path: Path, provenance: str) -> None:
    arrays: dict[str, Any] = {name: getattr(mesh, name) for name in ("vertices", "face_offsets", "face_vertices")}
    arrays |= mesh.facet_data
    write_arrays(arrays, path, provenance)
