"""Regions as fans of triangles, and the integrals of affine functions over them in closed form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.arrays import Float, Int
from engine.planar_map.planar_map import Partition


class Triangles(NamedTuple):
    """corners (T, 3) int32: vertices, counter-clockwise; face (T,) int32: the region of each; areas (T,) float64."""

    corners: Int
    face: Int
    areas: Float


def fans(face_offsets: Int, face_vertices: Int) -> tuple[Int, Int]:
    """Cut convex polygons into the triangles from their first corners.

    face_offsets (F + 1,) int32, face_vertices (H,) int32: loops.  Returns corners (T, 3) int32, and the polygon (T,)
    int32 of each triangle.
    """
    counts = np.maximum(np.diff(face_offsets) - 2, 0)
    face = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    first = face_offsets[:-1][face]
    step = np.arange(len(face)) - np.repeat(np.cumsum(counts) - counts, counts)
    return face_vertices[np.stack([first, first + step + 1, first + step + 2], axis=1)], face


def triangles_of(partition: Partition) -> Triangles:
    """Cut every region into the triangles from its first corner."""
    corners, face = fans(partition.face_offsets, partition.face_vertices)
    a, b, c = partition.vertices[corners].transpose(1, 2, 0)
    return Triangles(corners, face, 0.5 * ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])))


def integral(values: Float, triangles: Triangles) -> Float:
    """(T,) the integrals of a function that is affine on each triangle; values (V,): at the vertices."""
    return np.asarray(triangles.areas * values[triangles.corners].sum(axis=1) / 3.0)


def integral_of_square(values: Float, triangles: Triangles) -> Float:
    """(T,) the integrals of its square."""
    corner = values[triangles.corners]
    return np.asarray(triangles.areas * ((corner**2).sum(axis=1) + corner.sum(axis=1) ** 2) / 12.0)


def integral_of_size(values: Float, triangles: Triangles) -> Float:
    """(T,) the integrals of its absolute value.

    Where one corner has another sign than the two others, the function's zeros cut off a triangle there.
    """
    corner = values[triangles.corners]
    whole = corner.sum(axis=1) / 3.0
    mean = np.abs(whole)
    mixed = np.flatnonzero((corner.min(axis=1) < 0.0) & (corner.max(axis=1) > 0.0))
    ordered = np.sort(corner[mixed], axis=1)
    below = ordered[:, 1] <= 0.0  # the largest stands alone
    alone = np.where(below, ordered[:, 2], ordered[:, 0])
    others = np.where(below[:, None], ordered[:, :2], ordered[:, 1:])
    size = np.abs(alone)
    share = size / (size + np.abs(others[:, 0])) * size / (size + np.abs(others[:, 1]))
    mean[mixed] = np.abs(whole[mixed] - 2.0 * share * alone / 3.0)
    return np.asarray(triangles.areas * mean)
