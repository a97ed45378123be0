"""Facts at a point of space, in the slice of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engine import RegionFacts, affine_maps, region_facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.control.column import Column

_NEAR: Final = 1e-9  # of the box: so near a plane a point lies on it


def region_at(column: Column, key: int, point: NDArray[np.float64]) -> RegionFacts | None:
    """Facts of the region of a column's slice at a point (3,); None where it is not computed, or does not hold it."""
    location, shown = column.slices.location(key), column.slices.result(key)
    if location is None or shown is None:
        return None
    plane, box = shown.plane, column.opened.domain
    if abs(float((point - plane.origin) @ plane.normal)) > _NEAR * float(np.linalg.norm(np.ptp(box, axis=0))):
        return None
    region = int(location.region_at(plane.to_plane(point[None]))[0])
    return region_facts(location.partition, region, point) if region >= 0 else None


def told_at(column: Column, key: int, point: NDArray[np.float64]) -> str:
    """f, |grad f| and the region of a column's slice at a point (3,), to be read."""
    location, shown = column.slices.location(key), column.slices.result(key)
    if location is None or shown is None:
        return ""
    where = shown.plane.to_plane(point[None])
    region = int(location.region_at(where)[0])
    if region < 0:
        return ""
    maps = affine_maps(location.partition, np.array([region], np.int32))
    value = float(maps.values(shown.plane.to_input(where)).ravel()[0])
    slope = float(np.linalg.norm(maps.gradient.reshape(-1, 3)[0]))
    text = f"f = {value:.4g}   |\N{NABLA}f| = {slope:.4g}   region {region:,}".replace("-", "\N{MINUS SIGN}")
    return text.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}").replace("region ", "region\N{NO-BREAK SPACE}")
