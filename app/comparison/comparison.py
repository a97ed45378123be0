"""Several networks compared with the first of them: on planes, and their surfaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike, NDArray

from app.comparison.slices import ComparedSlice, Tell, Values, compare_slices
from app.comparison.subjects import Subject, aligned, shared_domain
from engine import SlicePlane

if TYPE_CHECKING:
    import numpy as np

    from app.comparison.shapes import Shape
    from app.comparison.surfaces import ComparedSurfaces

SURFACE = "surface"


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """The measures of a checkpoint at a place, a plane or SURFACE; with those of its difference from `compared_with`,
    unless that is "".
    """

    checkpoint: str
    compared_with: str
    place: str
    values: Values


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Networks in a box (2, D); the first one, or the reference mesh for surfaces, is what they are compared with."""

    subjects: tuple[Subject, ...]
    domain: NDArray[np.float64]
    slices: tuple[ComparedSlice, ...]
    surfaces: ComparedSurfaces | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """All measures, by place, then by checkpoint."""
        found = []
        first = self.subjects[0].name
        for compared in self.slices:
            for subject, own, differences in zip(self.subjects, compared.own, compared.differences, strict=True):
                with_ = first if differences else ""
                found.append(Row(subject.name, with_, compared.plane.describe(), own | differences))
        if self.surfaces is not None:
            surfaces = self.surfaces
            for name, own, differences in zip(surfaces.names, surfaces.own, surfaces.differences, strict=True):
                found.append(Row(name, surfaces.names[0] if differences else "", SURFACE, own | differences))
        return tuple(found)


def compare_subjects(
    subjects: Sequence[Subject],
    planes: Sequence[SlicePlane],
    domain: ArrayLike | None = None,
    align: bool = False,
    surface: bool = False,
    reference: Shape | None = None,
    tell: Tell = lambda _: None,
    cancel: Callable[[], bool] | None = None,
) -> Comparison:
    """Compare networks with the first one.

    domain: (2, D), that of all networks when None; align: map their boxes onto the first one's; surface: also measure
    their level surfaces; reference: a mesh that these are compared with, instead of the first one's.  tell: what is
    being done.  Raises ComparisonError, engine.EngineError, and engine.Cancelled once cancel says True.
    """
    if align:
        subjects = [aligned(subject, subjects[0].domain) for subject in subjects]
    box = shared_domain(subjects, domain)
    slices = tuple(compare_slices(subjects, plane, box, tell, cancel) for plane in planes)
    surfaces = None
    if surface or reference is not None:
        from app.comparison.surfaces import compare_surfaces

        surfaces = compare_surfaces(subjects, box, reference, tell, cancel)
    return Comparison(tuple(subjects), box, slices, surfaces)
