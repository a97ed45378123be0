"""The polygons of all regions as one mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Float, Int
from engine.machine.workers import Workers
from engine.surface import stitching
from engine.surface.double_edges import halve_doubles
from engine.surface.march import March
from engine.tolerances import SHORT_EDGE


@dataclass(frozen=True, eq=False, slots=True)
class Mesh:
    kept: Int
    vertices: Float
    face_offsets: Int
    face_vertices: Int
    face_edges: Int
    edges: Int
    edge_faces: Int
    edge_labels: Int
    gradients: Float
    areas: Float
    collapsed: int
    spread: float


def stitch(march: March, workers: Workers) -> Mesh:
    """The polygons as one mesh."""
    counts, gradients, areas, positions, uncertainties, labels, sides, beyond = march.joined()
    march.parts.clear()
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    owner, twin, following, corners = (np.empty(len(labels), np.int32) for _ in range(4))
    short = SHORT_EDGE * float(np.linalg.norm(march.box[1] - march.box[0]))
    workers.check()
    stitching.match_edges(offsets, beyond, positions, uncertainties, short, sides, labels, owner, twin)
    workers.check()
    collapsed = stitching.collapse_edges(offsets, positions, owner, short, labels, twin, following, corners)
    workers.check()
    vertex, vertices, spread = stitching.number_vertices(following, corners, positions, uncertainties)
    kept, face_offsets, face_vertices, face_edges, edges, edge_faces, edge_labels = stitching.list_mesh(
        offsets, owner, twin, following, vertex, labels
    )
    vertices, face_offsets, face_vertices, face_edges, edges, halved = halve_doubles(
        vertices, face_offsets, face_vertices, face_edges, edges
    )
    edge_faces = np.concatenate([edge_faces, edge_faces[halved]])
    edge_labels = np.concatenate([edge_labels, edge_labels[halved]])
    return Mesh(
        kept, vertices, face_offsets, face_vertices, face_edges, edges, edge_faces, edge_labels, gradients[kept],
        areas[kept], collapsed, spread,
    )  # fmt: skip
