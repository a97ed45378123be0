"""Slices of several networks along one plane: the partitions, the refinements with the first one, and the measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.comparison.subjects import Subject
from app.state.slices import SliceResult
from engine import (
    CommonRefinement,
    EngineError,
    Partition,
    SlicePlane,
    are_equal,
    have_equal_layers,
    level_set,
    local_complexity,
    partition_slice,
    pattern_agreement,
    refine,
    slice_differences,
    slice_measures,
)

Values = dict[str, Any]
"""Measures by key: numbers, lists of them by depth or of coordinates, texts; None where a measure is not defined."""
Tell = Callable[[str], None]

NEARBY = 0.01  # of the box's diagonal


@dataclass(frozen=True, eq=False, slots=True)
class ComparedSlice:
    """The slices of N networks along a plane.

    slices: one for each; refinements: of the first network's with each other one's; own: the measures of each;
    differences: of each from the first one, empty for itself.
    """

    plane: SlicePlane
    slices: tuple[SliceResult, ...]
    refinements: tuple[CommonRefinement, ...]
    own: tuple[Values, ...]
    differences: tuple[Values, ...]


def compare_slices(
    subjects: Sequence[Subject],
    plane: SlicePlane,
    domain: NDArray[np.float64],
    tell: Tell = lambda _: None,
    cancel: Callable[[], bool] | None = None,
) -> ComparedSlice:
    """Cut networks along a plane in a box (2, D), and measure each one and the differences from the first.

    tell: what is being done, in words.  Raises engine.EngineError and, once cancel says True, engine.Cancelled.
    """
    partitions: list[Partition] = []
    for subject in subjects:
        tell(f"{plane.describe()}: {subject.name}")
        partitions.append(_partition(subject, subjects, partitions, plane, domain, cancel))
    measured: dict[int, Values] = {}
    for partition in partitions:
        if id(partition) not in measured:
            measured[id(partition)] = own_values(partition, domain)
    refinements, differences = [], [Values()]
    for subject, partition in zip(subjects[1:], partitions[1:], strict=True):
        tell(f"{plane.describe()}: {subject.name} with {subjects[0].name}")
        refinements.append(refine(partitions[0], partition, None, cancel))
        differences.append(difference_values(refinements[-1]))
    return ComparedSlice(
        plane=plane,
        slices=tuple(
            SliceResult(subject.name, partition, level_set(partition), subject.approximation)
            for subject, partition in zip(subjects, partitions, strict=True)
        ),
        refinements=tuple(refinements),
        own=tuple(measured[id(partition)] for partition in partitions),
        differences=tuple(differences),
    )


def _partition(
    subject: Subject,
    subjects: Sequence[Subject],
    done: Sequence[Partition],
    plane: SlicePlane,
    domain: NDArray[np.float64],
    cancel: Callable[[], bool] | None,
) -> Partition:
    """Return the partition of a network, that of an equal one before it where there is one."""
    for earlier, partition in zip(subjects, done, strict=False):
        if are_equal(earlier.network, subject.network):
            return partition
    return partition_slice(subject.network, plane, domain, subject.level, None, cancel)


def own_values(partition: Partition, domain: NDArray[np.float64]) -> Values:
    """Return the measures of one network in a slice of a box (2, D), by key."""
    found = slice_measures(partition, NEARBY * float(np.linalg.norm(domain[1] - domain[0])))
    try:
        complexity = local_complexity(partition)
    except EngineError:  # the slice is smaller than a neighbourhood
        complexity = None
    return {
        "regions": found.regions,
        "linear_regions": found.linear_regions,
        "region_density": found.region_density,
        "near": found.near,
        "lines": list(found.lines),
        "line_length": list(found.lengths),
        "line_density": found.line_density,
        "level_length": found.level_length,
        "inside_area": found.inside,
        "eikonal": found.residual,
        "eikonal_50": found.residual_quantiles[0],
        "eikonal_90": found.residual_quantiles[1],
        "eikonal_99": found.residual_quantiles[2],
        "complexity_sampled": None if complexity is None else complexity.sampled,
        "complexity_exact": None if complexity is None else complexity.exact,
        "ties": found.ties,
    }


def difference_values(refined: CommonRefinement) -> Values:
    """Return the measures of two networks in a slice, by key."""
    found = slice_differences(refined)
    sets = found.level_sets
    values = {
        "common_regions": found.regions,
        "sign_area": found.sign_area,
        "slice_iou": found.iou,
        "largest": found.largest,
        "largest_at": found.place.tolist(),
        "mean_difference": found.mean,
        "mean_size": found.mean_size,
        "rms": found.root_mean_square,
        "angle": found.angle,
        "angle_area": found.angle_area,
        "level_hausdorff": sets.hausdorff,
        "level_hausdorff_from": sets.to_second,
        "level_hausdorff_to": sets.to_first,
        "level_mean": sets.mean,
    }
    if have_equal_layers(refined.first.network, refined.second.network):
        agreement = pattern_agreement(refined)
        layer, neuron, share = agreement.most_changed(1)[0] if agreement.changed else (0, 0, math.nan)
        values |= {
            "agreement": list(agreement.layers),
            "same_sign": [1.0 - float(shares.mean()) for shares in agreement.changed],
            "agreement_whole": agreement.whole,
            "most_changed": f"{layer}/{neuron}" if share > 0.0 else None,
            "changed_share": share,
        }
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in values.items()}
