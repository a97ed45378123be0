"""The table of all measures: what each is called, its unit, what it means and where that comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Group(Enum):
    """Measures of one network or of two, in a slice or on surfaces; values are headings."""

    SLICE = "One network in a slice"
    SLICES = "Two networks in a slice"
    PATTERNS = "Two networks with the same layers, in a slice"
    SURFACE = "One surface"
    SURFACES = "Two surfaces"


@dataclass(frozen=True, slots=True)
class Measure:
    """key: its name in tables and JSON; name: for people; unit: "" of pure numbers; text: the definition; source: of
    the definition, "" where it is plain; symmetric: the same when the two networks change places; per_depth: a number
    for each nonlinear layer, in columns key_0, key_1, ...
    """

    key: str
    group: Group
    name: str
    unit: str
    text: str
    source: str = ""
    symmetric: bool = True
    per_depth: bool = False


LENGTH, AREA, VOLUME = "length", "length^2", "length^3"
_OCCUPANCY: Final = "Mescheder and others, Occupancy Networks (CVPR 2019)"
_DEEPSDF: Final = "Park and others, DeepSDF (CVPR 2019)"
_EIKONAL: Final = "Gropp and others, Implicit Geometric Regularization (ICML 2020)"
_COMPLEXITY: Final = "Humayun, Balestriero and Baraniuk, Deep Networks Always Grok and Here is Why (ICML 2024)"
_F_SCORE: Final = "Tatarchenko and others, What Do Single-view 3D Reconstruction Networks Learn? (CVPR 2019)"

_S, _D, _P, _M, _N = Group.SLICE, Group.SLICES, Group.PATTERNS, Group.SURFACE, Group.SURFACES

MEASURES: Final = (
    Measure("regions", _S, "regions", "", "regions of constant activation pattern and sign of f less the level"),
    Measure("linear_regions", _S, "linear regions", "", "the same, not cut by the level set"),
    Measure("region_density", _S, "region density", "1/length^2", "regions over the area of the slice"),
    Measure(
        "near", _S, "regions near the level set", "",
        "regions with a point at most 1% of the box's diagonal from it",
    ),
    Measure("lines", _S, "lines", "", "neurons of this depth that have a line in the slice", per_depth=True),
    Measure("line_length", _S, "length of lines", LENGTH, "of the lines of this depth", per_depth=True),
    Measure("line_density", _S, "line density", "1/length", "length of all lines over the area of the slice"),
    Measure("level_length", _S, "length of the level set", LENGTH, "of its polylines in the slice"),
    Measure("inside_area", _S, "area inside", AREA, "of the part of the slice where f is below the level"),
    Measure(
        "eikonal", _S, "eikonal residual", "",
        "mean of | |grad f| - 1 | by area; grad f is constant on a region and taken in the input space", _EIKONAL,
    ),
    Measure("eikonal_50", _S, "eikonal residual, median", "", "half of the area has a residual of at most this"),
    Measure("eikonal_90", _S, "eikonal residual, 90% quantile", "", "90% of the area has a residual of at most this"),
    Measure("eikonal_99", _S, "eikonal residual, 99% quantile", "", "99% of the area has a residual of at most this"),
    Measure(
        "complexity_sampled", _S, "local complexity, sampled", "",
        "mean number of neurons that change sign among 40 vertices of a neighbourhood of radius 0.005: the ends "
        "of 20 random diameters in the slice's plane, at 1,000 random points with a fixed seed", _COMPLEXITY,
    ),
    Measure(
        "complexity_exact", _S, "local complexity, exact", "",
        "mean number of neurons with a line within 0.005 of the same points; the sampled one is at most this",
    ),
    Measure("ties", _S, "ties", "", "coincidences of lines and vertices, and decisions left to rounding"),
    Measure("common_regions", _D, "common regions", "", "regions of the common refinement: on each both are affine"),
    Measure("sign_area", _D, "area of other sign", AREA, "where one network is below the level and the other is not"),
    Measure("slice_iou", _D, "IoU of the insides", "", "area inside both over area inside any"),
    Measure(
        "largest", _D, "largest difference", "of f",
        "max |d|, where d is f of the checkpoint less f of the first one",
    ),
    Measure(
        "largest_at", _D, "place of the largest difference", LENGTH,
        "a point of the input space where |d| is largest",
    ),
    Measure("mean_difference", _D, "mean difference", "of f", "mean of d over the slice", symmetric=False),
    Measure("mean_size", _D, "mean size of the difference", "of f", "mean of |d| over the slice"),
    Measure("rms", _D, "root mean square of the difference", "of f", "square root of the mean of d^2 over the slice"),
    Measure("angle", _D, "angle between gradients", "degrees", "its mean by area, where neither gradient is zero"),
    Measure("angle_area", _D, "area of the angles", AREA, "where neither gradient is zero"),
    Measure(
        "level_hausdorff", _D, "Hausdorff distance of level sets", LENGTH,
        "the largest distance of a point of one level set in the slice from the other: the larger of both "
        "directions",
    ),
    Measure(
        "level_hausdorff_from", _D, "Hausdorff distance from the first one's level set", LENGTH,
        "of a point of the first one's level set", symmetric=False,
    ),
    Measure(
        "level_hausdorff_to", _D, "Hausdorff distance to the first one's level set", LENGTH,
        "of a point of the checkpoint's level set", symmetric=False,
    ),
    Measure(
        "level_mean", _D, "mean distance of level sets", LENGTH,
        "half the sum of both directions' means by length",
    ),
    Measure(
        "agreement", _P, "same pattern", "",
        "share of the area where all neurons of this depth have the same signs in both networks", per_depth=True,
    ),
    Measure(
        "same_sign", _P, "same sign", "",
        "share of the area on which a neuron of this depth has the same sign in both networks, their mean",
        per_depth=True,
    ),
    Measure("agreement_whole", _P, "same pattern in all layers", "", "share of the area where all neurons have"),
    Measure("most_changed", _P, "most changed neuron", "", "layer/neuron of the largest changed_share"),
    Measure("changed_share", _P, "changed share", "", "largest share of the area on which a neuron has another sign"),
    Measure("facets", _M, "facets", "", "polygons of the surface"),
    Measure("surface_area", _M, "surface area", AREA, "sum of the areas of the facets"),
    Measure(
        "volume", _M, "volume", VOLUME,
        "of the part of the box where f is not above the level; of closed surfaces",
    ),
    Measure("components", _M, "components", "", "connected parts of the surface"),
    Measure("genus", _M, "genus", "", "number of handles of all components, of closed surfaces"),
    Measure(
        "chamfer", _N, "Chamfer distance, half the sum of mean distances", LENGTH,
        "half the sum of the mean distances of points of each surface from the other", _OCCUPANCY,
    ),
    Measure(
        "chamfer_squared", _N, "Chamfer distance, sum of mean squared distances", AREA,
        "sum of the mean squared distances of points of each surface from the other", _DEEPSDF,
    ),
    Measure(
        "hausdorff", _N, "Hausdorff distance", LENGTH,
        "lower bound: the largest distance found of a point of either surface from the other",
    ),
    Measure(
        "hausdorff_bound", _N, "Hausdorff distance, upper bound", LENGTH,
        "that no distance exceeds, by the sizes of triangles; they are halved until it is within 1e-4 of the "
        "box's diagonal of the lower one",
    ),
    Measure(
        "normal_consistency", _N, "normal consistency", "",
        "mean of |n . n'| over points of both surfaces, n' the normal at the nearest point of the other", _OCCUPANCY,
    ),
    Measure(
        "volume_iou", _N, "volume IoU", "",
        "points of a grid of 64^3 inside both over those inside any", _OCCUPANCY,
    ),
    Measure(
        "f_score", _N, "F-score at 1% of the box", "",
        "harmonic mean of the shares of points of either surface that are within 1% of the box's longest side of "
        "the other", _F_SCORE,
    ),
    Measure(
        "chamfer_share", _N, "Chamfer distance, of the box's diagonal", "",
        "chamfer over the diagonal of the box",
    ),
    Measure(
        "chamfer_squared_share", _N, "squared Chamfer distance, of the box's diagonal", "",
        "chamfer_squared over the square of the diagonal",
    ),
    Measure("hausdorff_share", _N, "Hausdorff distance, of the box's diagonal", "", "hausdorff over the diagonal"),
)  # fmt: skip

BY_KEY: Final = {measure.key: measure for measure in MEASURES}

_INTRODUCTION: Final = """\
# Measures

What `splinescope compare` and `splinescope timeline` measure. This table is that of the program
(`app/comparison/measures.py`): its keys are the names of columns and of values in JSON.

`length` is the unit of the network's input space. In slices every number is computed from the exact partitions, none
is sampled but for the local complexity as published: a network is affine on each of its regions, and two networks are
on each region of their common refinement, so that extremes are at vertices and integrals are closed forms. Mean
distances of level sets are integrated to about 1e-9 of the slice's width. Areas and volumes of surfaces are exact
too; distances between surfaces are those of 100,000 points of each, drawn by area with a fixed seed, from the other
surface itself.

A measure of two networks compares a checkpoint with the first one that was named, or with a reference mesh; those
marked with an arrow are not the same when the two change places. Equal checkpoints have the difference 0 to the bit.
A value is empty (null in JSON) where it is not defined, such as the volume of a surface that is not closed.
"""


def document() -> str:
    """Return the text of resources/docs/measures.md."""
    parts = [_INTRODUCTION]
    for group in Group:
        rows = ["| key | name | unit | definition |", "|---|---|---|---|"]
        for measure in (measure for measure in MEASURES if measure.group is group):
            key = f"`{measure.key}_0`, `_1`, ..." if measure.per_depth else f"`{measure.key}`"
            text = f"{measure.text} ({measure.source})" if measure.source else measure.text
            name = measure.name if measure.symmetric else f"{measure.name} →"
            rows.append(f"| {key} | {name} | {measure.unit or '1'} | {text.replace('|', chr(92) + '|')} |")
        parts.append("\n".join([f"## {group.value}", "", *rows, ""]))
    return "\n".join(parts)


def tip(key: str) -> str:
    """Return what to show beside a value: definition, unit and source."""
    measure = BY_KEY[key]
    text = f"{measure.text[:1].upper()}{measure.text[1:]}."
    unit = f" Unit: {measure.unit}." if measure.unit else ""
    return f"{text}{unit}{f' {measure.source}.' if measure.source else ''}"
