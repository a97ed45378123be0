"""Numbers on how two networks differ in one slice, from their common refinement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.arrays import Float
from engine.compare.polylines import PolylineDistances, polyline_distances, segments_of
from engine.compare.refinement import CommonRefinement
from engine.compare.triangles import integral, integral_of_size, integral_of_square, triangles_of
from engine.facts.level_set import level_set
from engine.facts.regions import affine_maps


@dataclass(frozen=True, eq=False, slots=True)
class SliceDifferences:
    """The second network beside the first one in a slice; d is the second's output less the first's.

    On a face of the common refinement both are affine: extremes of d are at vertices, and integrals are closed forms.

    regions          of the common refinement
    sign_area        the area where one is below the level and the other is not
    intersection, union  the areas where both are below the level, and where any is
    largest, place   the largest |d|, and a point (D,) of the input space where it is
    mean, mean_size, root_mean_square  of d, of |d| and of d, over the slice
    angle            mean angle between the gradients in degrees, by area, where neither is zero; nan if that is nowhere
    angle_area       the area of the faces where neither is
    level_sets       distances between the level sets in the slice
    """

    regions: int
    sign_area: float
    intersection: float
    union: float
    largest: float
    place: Float
    mean: float
    mean_size: float
    root_mean_square: float
    angle: float
    angle_area: float
    level_sets: PolylineDistances

    @property
    def iou(self) -> float:
        """Intersection over union of the insides; nan where neither network is below the level."""
        return self.intersection / self.union if self.union > 0.0 else math.nan


def slice_differences(refined: CommonRefinement) -> SliceDifferences:
    """Measure two networks with one output each on their common refinement, made with a level."""
    partition, values = refined.partition, refined.values
    triangles = triangles_of(partition)
    areas = np.bincount(triangles.face, triangles.areas, partition.regions)
    total = float(areas.sum())
    difference = values[:, 1] - values[:, 0]
    farthest = int(np.argmax(np.abs(difference)))
    below = partition.face_signs[-1].signs(np.arange(partition.regions, dtype=np.int32)) < 0
    angles, defined = _angles(refined)
    sets = [segments_of(level_set(own)) for own in (refined.first, refined.second)]
    return SliceDifferences(
        regions=partition.regions,
        sign_area=float(areas[below[:, 0] != below[:, 1]].sum()),
        intersection=float(areas[below.all(axis=1)].sum()),
        union=float(areas[below.any(axis=1)].sum()),
        largest=float(np.abs(difference[farthest])),
        place=partition.points[farthest],
        mean=float(integral(difference, triangles).sum()) / total,
        mean_size=float(integral_of_size(difference, triangles).sum()) / total,
        root_mean_square=math.sqrt(max(float(integral_of_square(difference, triangles).sum()), 0.0) / total),
        angle=float((areas * angles)[defined].sum() / areas[defined].sum()) if defined.any() else math.nan,
        angle_area=float(areas[defined].sum()),
        level_sets=polyline_distances(*sets),
    )


def _angles(refined: CommonRefinement) -> tuple[Float, np.ndarray]:
    """Return the angle (F,) between the gradients in degrees, and where both have a direction.

    By Kahan's formula, which keeps the digits of small angles ("How Futile are Mindless Assessments of Roundoff in
    Floating-Point Computation?", 2006, section 12).
    """
    units, lengths = [], []
    for partition, face in ((refined.first, refined.first_face), (refined.second, refined.second_face)):
        gradient = affine_maps(partition).gradient
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        units.append((gradient / np.where(length > 0.0, length, 1.0))[face])
        lengths.append(length[face, 0])
    apart, together = (np.linalg.norm(units[0] + sign * units[1], axis=1) for sign in (-1.0, 1.0))
    return np.degrees(2.0 * np.arctan2(apart, together)), (lengths[0] > 0.0) & (lengths[1] > 0.0)
