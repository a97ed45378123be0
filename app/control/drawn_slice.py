"""A computed slice, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.jobs.slicing import SliceAnswer
    from app.state.look import Fill
    from app.views.slice.slice_image import SlicePicture
    from engine import SlicePlane


@dataclass(frozen=True, eq=False, slots=True)
class DrawnSlice:
    """A computed slice, ready to be drawn in space and on the page."""

    answer: SliceAnswer
    picture: SlicePicture
    fill: Fill

    @property
    def plane(self) -> SlicePlane:
        return self.answer.request.plane
