"""The common refinement of two partitions of one slice: on each of its faces both networks are affine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import Float, Int
from engine.compare.beside import are_equal, beside, check_inputs
from engine.errors import EngineError
from engine.facts.location import Location
from engine.facts.regions import centroids
from engine.machine.workers import Cancel
from engine.network.network import Network
from engine.planar_map.planar_map import BORDER, Partition
from engine.plane import SlicePlane
from engine.slices.partition import Report, partition_polygon, partition_slice

Words = NDArray[np.uint64]


@dataclass(frozen=True, eq=False, slots=True)
class CommonRefinement:
    """A slice cut by the lines of two networks, with the regions of both that every face lies in.

    partition    of the networks beside each other: its kinks are the first one's, then the second's, its output has
                 the components of the first, then those of the second
    first, second  the networks' own partitions of the slice
    first_face, second_face (F,) int32: the region of `first` and that of `second` which holds each face
    equal        the networks are the same to the bit
    """

    partition: Partition
    first: Partition
    second: Partition
    first_face: Int
    second_face: Int
    equal: bool

    @property
    def regions(self) -> int:
        return self.partition.regions

    @property
    def values(self) -> Float:
        """(V, 2) float64: the networks' outputs at the vertices; of equal networks the same to the bit.

        Raises EngineError when a network has several outputs.
        """
        for partition in (self.first, self.second):
            if partition.network.output_size != 1:
                raise EngineError(
                    f"a network has {partition.network.output_size} outputs; choose one of them to compare"
                )
        values = self.partition.values
        return values[:, [0, 0]] if self.equal else values


def common_refinement(
    first: Network,
    second: Network,
    plane: SlicePlane,
    domain: ArrayLike,
    level: float | None = 0.0,
    progress: Report | None = None,
    cancel: Cancel | None = None,
    threads: int | None = None,
) -> CommonRefinement:
    """Cut a slice plane, where a box (2, D) holds it, by the lines of two networks.

    The arguments and errors are those of partition_slice; progress tells of the refinement, not of the two partitions
    that are made before it.  Raises EngineError when the networks take inputs of different sizes.
    """
    check_inputs(first, second)
    box = np.asarray(domain, np.float64)
    alone = partition_slice(first, plane, box, level, None, cancel, threads)
    other = alone
    if not are_equal(first, second):
        other = partition_slice(second, plane, box, level, None, cancel, threads)
    return refine(alone, other, progress, cancel, threads)


def refine(
    first: Partition,
    second: Partition,
    progress: Report | None = None,
    cancel: Cancel | None = None,
    threads: int | None = None,
) -> CommonRefinement:
    """Refine two partitions of one slice at one level into their common refinement.

    Raises EngineError when they are not of the same plane, polygon and level, or not finished.
    """
    polygon = _shared_polygon(first, second)
    network = beside(first.network, second.network)
    joint = partition_polygon(network, first.plane, polygon, first.level, progress, cancel, threads)
    layers, outputs = len(first.network.kinks), first.network.output_size
    return CommonRefinement(
        partition=joint,
        first=first,
        second=second,
        first_face=_holding(joint, range(layers), slice(0, outputs), first),
        second_face=_holding(joint, range(layers, len(network.kinks)), slice(outputs, None), second),
        equal=are_equal(first.network, second.network),
    )


def polygon_of(partition: Partition) -> Float:
    """Return the corners (M, 2) of the slice: its first vertices, in order."""
    return partition.vertices[: int(partition.edge_neuron[partition.edge_layer == BORDER].max()) + 1]


def _shared_polygon(first: Partition, second: Partition) -> Float:
    for partition in (first, second):
        if len(partition.face_signs) != len(partition.network.kinks) + 1:
            raise EngineError("a partition is not finished, so it cannot be compared; wait for the last layer")
    check_inputs(first.network, second.network)
    if first.level != second.level:
        raise EngineError(
            f"the partitions are cut at the levels {first.level} and {second.level}; compare them at the same one"
        )
    same = np.array_equal(first.plane.origin, second.plane.origin)
    if not (same and np.array_equal(first.plane.axes, second.plane.axes)):
        raise EngineError("the partitions are of different planes; cut both networks along the same one")
    polygon = polygon_of(first)
    if not np.array_equal(polygon, polygon_of(second)):
        raise EngineError("the partitions are of different parts of the plane; cut both networks in the same domain")
    return polygon


def _holding(joint: Partition, layers: Sequence[int], outputs: slice, alone: Partition) -> Int:
    """Return the region of `alone` that holds each face: the one with the face's signs of the network's rows.

    layers, outputs: the network's among those of `joint`.  Where rounding made other sign vectors on the one hand than
    on the other, which ties count, the region is the one that holds the face's centroid.
    """
    wanted, known = _signs(joint, layers, outputs), _signs(alone, range(len(layers)), slice(None))
    keys = _hashed(known)
    order = np.argsort(keys)
    place = np.minimum(np.searchsorted(keys[order], _hashed(wanted)), len(keys) - 1)
    face = order[place].astype(np.int32)
    unknown = np.flatnonzero((known[face] != wanted).any(axis=1))
    if len(unknown):
        face[unknown] = Location.build(alone).region_at(centroids(joint)[unknown])
    face.setflags(write=False)
    return face


def _signs(partition: Partition, layers: Sequence[int], outputs: slice) -> Words:
    """(F, W) uint64: the signs of the rows of some layers and outputs in each face."""
    face = np.arange(partition.regions, dtype=np.int32)
    last = partition.face_signs[-1]
    words = [(last.signs(face)[:, outputs] + 1).astype(np.uint64)]
    face = last.parent
    for layer in reversed(range(len(partition.face_signs) - 1)):
        signs = partition.face_signs[layer]
        if layer in layers:
            words += [signs.plus[face], signs.minus[face]]
        face = signs.parent[face]
    return np.concatenate(words, axis=1)


def _hashed(words: Words) -> Words:
    """(F,) uint64: one number for each row of words (F, W); different rows have equal ones with a chance of 2^-64.

    Every word is mixed as by Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
    """
    keys = np.random.default_rng(0).integers(0, 2**64, words.shape[1], np.uint64)
    total = np.zeros(len(words), np.uint64)
    for column, key in zip(words.T, keys, strict=True):
        mixed = column + key
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        total += mixed ^ (mixed >> np.uint64(31))
    return total
