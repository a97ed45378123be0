"""The regions that a session had pinned, found again in its networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from app.state.session import Pin
from engine import EngineError, Partition, Surface, extract_surface, facet_facts, partition_slice, region_facts

if TYPE_CHECKING:
    from app.state.geometry.surfaces import Float
    from app.state.saved_session import SavedPin
    from app.state.session import OpenNetwork
    from engine import SlicePlane

_NEAR: Final = 1e-6  # of the domain's size: so far from where it was a region is still the same one


def found_pins(saved: Sequence[SavedPin], opened: OpenNetwork, cancelled: Callable[[], bool]) -> list[Pin]:
    """The pins of a network whose regions are still there.  Raises Cancelled."""
    reach = _NEAR * float(np.ptp(opened.domain, axis=0).max())
    grounds: dict[bytes, Partition | Surface | None] = {}
    pins = []
    for part in saved:
        place = b"" if part.plane is None else part.plane.origin.tobytes() + part.plane.axes.tobytes()
        if place not in grounds:
            grounds[place] = _ground(opened, part.plane, cancelled)
        ground, point = grounds[place], np.array(part.point)
        if ground is None:
            continue
        region = _region(ground, np.array(part.middle), reach)
        if region is None:
            continue
        if isinstance(ground, Partition):
            facts = region_facts(ground, region, point)
        else:
            facts = facet_facts(ground, region, point)
        pins.append(Pin(part.number, opened, part.key, facts))
    return pins


def _ground(opened: OpenNetwork, plane: SlicePlane | None, cancelled: Callable[[], bool]) -> Partition | Surface | None:
    """What there is to pin in a plane, of the surface without one; None where it cannot be computed any more."""
    try:
        if plane is None:
            return extract_surface(opened.network, opened.domain, opened.level, cancel=cancelled)
        return partition_slice(opened.network, plane, opened.domain, opened.level, cancel=cancelled)
    except EngineError:
        return None


def _region(ground: Partition | Surface, middle: Float, reach: float) -> int | None:
    """The region, or facet, of which the mean of the corners is nearest to a point (3,), within reach."""
    corners = ground.points if isinstance(ground, Partition) else ground.vertices
    offsets = ground.face_offsets
    if len(offsets) < 2:
        return None
    sums = np.add.reduceat(corners[ground.face_vertices], offsets[:-1])
    apart = np.linalg.norm(sums / np.diff(offsets)[:, None] - middle, axis=1)
    nearest = int(np.argmin(apart))
    return nearest if apart[nearest] <= reach else None
