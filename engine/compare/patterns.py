"""Activation patterns of two networks with the same layers, on their common refinement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Float
from engine.compare.beside import have_equal_layers
from engine.compare.refinement import CommonRefinement
from engine.errors import EngineError
from engine.facts.regions import areas

_BLOCK = 1 << 15  # faces whose signs are unpacked at once


@dataclass(frozen=True, eq=False, slots=True)
class PatternAgreement:
    """Shares of a slice's area on which two networks have the same signs.

    layers   of each layer: all of its rows have the same sign in both
    whole    all rows of all layers have
    changed  of each layer (n,): the share on which a neuron has another sign in the one than in the other
    """

    layers: tuple[float, ...]
    whole: float
    changed: tuple[Float, ...]

    def most_changed(self, count: int) -> list[tuple[int, int, float]]:
        """Return the neurons that changed on the largest shares, as (layer, neuron, share); of equal ones the first."""
        every = [
            (layer, neuron, share)
            for layer, shares in enumerate(self.changed)
            for neuron, share in enumerate(shares.tolist())
        ]
        return sorted(every, key=lambda found: -found[2])[:count]


def pattern_agreement(refined: CommonRefinement) -> PatternAgreement:
    """Compare the patterns of two networks; raises EngineError unless they have the same layers.

    Neurons are compared by their places: a network whose neurons are permuted is the same function with other patterns.
    """
    first, second = refined.first.network, refined.second.network
    if not have_equal_layers(first, second):
        raise EngineError("the networks have different layers, so their activation patterns cannot be compared")
    signs, depth = refined.partition.face_signs, len(first.kinks)
    weights = np.maximum(areas(refined.partition), 0.0)
    weights /= weights.sum()
    everywhere = np.ones(refined.regions, np.bool_)
    faces = _faces_by_layer(refined)
    layers, changed = [], []
    for layer in range(depth):
        mine, its = signs[layer], signs[layer + depth]
        differ = [getattr(mine, name)[faces[layer]] ^ getattr(its, name)[faces[layer + depth]] for name in _WORDS]
        agree = ~np.bitwise_or(*differ).any(axis=1)
        everywhere &= agree
        layers.append(_share(weights, agree))
        kink = first.kinks[layer]
        shares = np.zeros(mine.rows)
        for lo in range(0, refined.regions, _BLOCK):
            words = np.bitwise_or(*(part[lo : lo + _BLOCK] for part in differ)).astype("<u8").view(np.uint8)
            bits = np.unpackbits(words, axis=1, count=mine.rows, bitorder="little")
            shares += weights[lo : lo + _BLOCK] @ bits
        neurons = np.zeros(len(kink.slopes))
        np.maximum.at(neurons, kink.row_neuron, shares)
        neurons.setflags(write=False)
        changed.append(neurons)
    return PatternAgreement(tuple(layers), _share(weights, everywhere), tuple(changed))


_WORDS = ("plus", "minus")


def _share(weights: Float, where: np.ndarray) -> float:
    return 1.0 if where.all() else float(weights[where].sum())


def _faces_by_layer(refined: CommonRefinement) -> list[np.ndarray]:
    """Return for each layer of the refinement the face, after its cut, that each face is a part of."""
    face = np.arange(refined.regions, dtype=np.int32)
    faces = []
    for signs in reversed(refined.partition.face_signs):
        faces.append(face)
        face = signs.parent[face]
    return faces[:0:-1]
