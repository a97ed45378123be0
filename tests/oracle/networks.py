"""Random small networks with dyadic weights, as an exact specification and as a torch module that mean the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from tests.oracle.nonlinearities import NONLINEARITIES, Larger, Nonlinearity, Smaller
from tests.oracle.rational import Add, Affine, Concat, Maximum, Minimum, Operation, Piecewise, Spec
from tests.oracle.recipes import (
    FEW_BITS,
    KINDS,
    NOISY,
    SHAPES,
    Draft,
    Features,
    Float,
    Functional,
    Slice,
    coarse,
    fine,
    generic,
    nonzero,
)

SQUARE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
"""The slice's domain, in slice coordinates."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A network in both forms, the slice and the level.

    spec is what the module computes, exactly; origin: (D,), axes: (2, D) float64.
    """

    spec: Spec
    module: nn.Module
    origin: Float
    axes: Float
    level: float


@dataclass(frozen=True, eq=False)
class Layer:
    """nonlinearity(weight @ h + bias), of two operands where there is a second one: other = (weight, bias)."""

    weight: Float
    bias: Float
    other: tuple[Float, Float] | None
    nonlinearity: Nonlinearity


def linear(weight: Float, bias: Float) -> nn.Linear:
    module = nn.Linear(weight.shape[1], weight.shape[0], device="meta")  # its own random numbers are not wanted
    module.weight = nn.Parameter(torch.from_numpy(weight.copy()))
    module.bias = nn.Parameter(torch.from_numpy(bias.copy()))
    return module


class Hidden(nn.Module):
    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.linear = linear(layer.weight, layer.bias)
        self.other = linear(*layer.other) if layer.other else None
        self.nonlinearity = layer.nonlinearity.module

    def forward(self, h: Tensor) -> Tensor:
        z = self.linear(h)
        result: Tensor = self.nonlinearity(z) if self.other is None else self.nonlinearity(z, self.other(h))
        return result


class SmallNetwork(nn.Module):
    """An MLP; concatenated: layers whose result is joined with the input; residual: added to what they read."""

    def __init__(self, layers: list[Layer], output: nn.Linear, concatenated: set[int], residual: set[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Hidden(layer) for layer in layers)
        self.output = output
        self.concatenated = concatenated
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for depth, layer in enumerate(self.layers):
            result = layer(h)
            if depth in self.residual:
                result = result + h
            if depth in self.concatenated:
                result = torch.cat([result, x], dim=-1)
            h = result
        output: Tensor = self.output(h)
        return output


def specification(layers: list[Layer], weight: Float, bias: Float, concatenated: set[int], residual: set[int]) -> Spec:
    operations: list[Operation] = []

    def append(operation: Operation) -> int:
        operations.append(operation)
        return len(operations)

    h = 0
    for depth, layer in enumerate(layers):
        result = append(Affine(h, layer.weight.tolist(), layer.bias.tolist()))
        if layer.other is None:
            result = append(Piecewise(result, layer.nonlinearity.breakpoints, layer.nonlinearity.pieces))
        else:
            other = append(Affine(h, layer.other[0].tolist(), layer.other[1].tolist()))
            operand = Maximum if isinstance(layer.nonlinearity.module, Larger) else Minimum
            result = append(operand(result, other))
        if depth in residual:
            result = append(Add(result, h))
        if depth in concatenated:
            result = append(Concat((result, 0)))
        h = result
    append(Affine(h, weight.tolist(), bias.tolist()))
    return tuple(operations)


def random_sample(kink: str, kind: str, seed: int) -> Sample:
    """The seed-th network of a nonlinearity (a key of NONLINEARITIES) and a kind (a key of KINDS or NOISY)."""
    rng = np.random.default_rng([*f"{kink}/{kind}/".encode(), seed])
    in_space = kind == "mirrored" or (kind == "slice in a hyperplane" and seed % 5)
    plane = _random_slice(rng, 3 if in_space else int(rng.integers(2, 4)))
    depth = int(rng.choice([2, 3, 4, 5], p=[0.5, 0.3, 0.12, 0.08]))
    widest = {2: 16 if rng.random() < 0.2 else 9, 3: 8, 4: 6, 5: 6}[depth]
    if kink in ("hardtanh", "relu6", "clamp") and depth < 5:  # two lines for each neuron
        widest -= 2
    width = int(rng.integers(4, widest + 1))
    if kind in SHAPES:
        depth, width = (int(rng.integers(least, most + 1)) for least, most in SHAPES[kind])
    form = ("plain", "plain", "concatenated", "residual")[seed % 4]
    concatenated = {0} if form == "concatenated" else set()
    # only where structure is not lost: the last layer's is for the level, and scaled features cannot be added
    residual = {1} if form == "residual" and depth > 2 and kind != "scaled" else set()
    level = float(rng.choice([0.0, 0.0, 0.125, -0.25]))

    features = Features(plane.point, unscale=np.ones(len(plane.point)))
    layers: list[Layer] = []
    for index in range(depth):
        size = features.size if index in residual else width
        layer, after = _random_layer(rng, plane, features, kink=kink, kind=kind, index=index, size=size)
        layers.append(layer)
        if index in residual:
            after = Features(after.at_point + features.at_point, unscale=np.ones(size))
        if index in concatenated:
            after = _joined(after, layer, plane)
        features = after
    weight, bias = _random_output(rng, kind, features, level)
    return Sample(
        specification(layers, weight, bias, concatenated, residual),
        SmallNetwork(layers, linear(weight, bias), concatenated, residual),
        plane.origin,
        plane.axes,
        level,
    )


def _random_slice(rng: np.random.Generator, dimension: int) -> Slice:
    axes = np.eye(dimension)[rng.permutation(dimension)] * rng.choice([-1.0, 1.0], (dimension, 1))
    if dimension == 2 or rng.random() < 0.5:
        axes = np.roll(np.eye(dimension), -int(rng.integers(dimension)), axis=0)
    origin = np.zeros(dimension)
    if dimension == 3:
        origin = axes[2] * float(rng.choice([0.0, 0.25, -0.5, 0.375]))
    u, v = rng.choice([0.0, 0.0, 0.25, -0.5, 0.625], 2)
    return Slice(origin, axes[:2], origin + u * axes[0] + v * axes[1])


def _random_layer(
    rng: np.random.Generator, plane: Slice, features: Features, *, kink: str, kind: str, index: int, size: int
) -> tuple[Layer, Features]:
    nonlinearity = NONLINEARITIES[kink](size)
    target = np.array([rng.choice(bends) if bends else 0.0 for bends in nonlinearity.breakpoints])
    weight = coarse(rng, (size, features.size), reach=1.5 if features.size < 8 else 1.0)
    bias = coarse(rng, size, reach=1.0) + rng.choice([0.0, 1.0]) * target
    if kink == "relu6" and rng.random() < 0.7:  # otherwise 6 is never reached
        weight *= 4.0
    draft = Draft(rng, index, plane, features, weight, bias, target, np.ones(size))
    if kind not in FEW_BITS and rng.random() < 0.5:
        generic(draft)
    (KINDS | NOISY)[kind](draft)
    other = None
    added = np.zeros(size)
    if isinstance(nonlinearity.module, Larger | Smaller):
        other, added = _second_operand(draft)
    first = (draft.weight, draft.bias) if other is None else (draft.weight + other[0], draft.bias + other[1])
    return Layer(*first, other, nonlinearity), _features_after(draft, nonlinearity, other, added)


def _second_operand(draft: Draft) -> tuple[tuple[Float, Float], Float]:
    """Its weight and bias, constant in some rows and the same in equal rows; and its value at the point."""
    weight = coarse(draft.rng, draft.weight.shape) * (draft.rng.random(draft.size) < 0.4)[:, None]
    weight *= draft.features.unscale * draft.scale[:, None]
    bias = coarse(draft.rng, draft.size) * draft.scale
    for i, j in _equal_rows(draft.weight):
        weight[j], bias[j] = weight[i], bias[i]
    return (weight, bias), weight @ draft.features.at_point + bias


def _equal_rows(weight: Float) -> list[tuple[int, int]]:
    return [(i, j) for i, j in combinations(range(len(weight)), 2) if (weight[i] == weight[j]).all()]


def _features_after(
    draft: Draft, nonlinearity: Nonlinearity, other: tuple[Float, Float] | None, added: Float
) -> Features:
    z = draft.weight @ draft.features.at_point + draft.bias
    flat = np.array([pieces[0][0] == 0.0 == pieces[-1][0] for pieces in nonlinearity.pieces])  # bounded
    kept = (draft.scale > 1.0) & flat | (draft.scale < 1.0) & (draft.target != 0.0)
    after = Features(
        np.array([nonlinearity(j, z[j]) for j in range(draft.size)]) + added,
        mirrored=draft.mirrored,
        unscale=np.where(kept, 1.0, 1.0 / draft.scale),
    )
    unit = np.eye(draft.size)
    for j, bends in enumerate(nonlinearity.breakpoints):
        if other is None:
            after.on_line += [(unit[j], -nonlinearity(j, t)) for t in bends]
        elif not other[0][j].any():
            after.on_line.append((unit[j], -other[1][j]))
    for i, j in _equal_rows(draft.weight):
        shift = draft.bias[j] - draft.bias[i]
        if shift == 0.0 and nonlinearity.pieces[i] == nonlinearity.pieces[j]:
            after.twins.append((i, j))
        shared = sorted(set(nonlinearity.pieces[i]) & set(nonlinearity.pieces[j]))
        after.on_region += [(unit[j] - unit[i], -slope * shift) for slope, _ in shared]
    return after


def _joined(features: Features, layer: Layer, plane: Slice) -> Features:
    """The features followed by the input, of which the layer's own lines are functionals."""
    dimension = len(plane.point)

    def padded(functionals: list[Functional]) -> list[Functional]:
        return [(np.append(coefficients, np.zeros(dimension)), constant) for coefficients, constant in functionals]

    direct = []
    for j, bends in enumerate(layer.nonlinearity.breakpoints):
        weight, bias = layer.weight[j], layer.bias[j]
        if layer.other is not None:
            weight, bias = weight - layer.other[0][j], bias - layer.other[1][j]
        direct += [(np.append(np.zeros(features.size), weight), bias - t) for t in bends]
    return Features(
        np.append(features.at_point, plane.point),
        [*padded(features.on_line), *direct],
        padded(features.on_region),
        features.twins,
        features.mirrored,
        np.append(features.unscale, np.ones(dimension)),
    )


def _random_output(rng: np.random.Generator, kind: str, features: Features, level: float) -> tuple[Float, Float]:
    weight = coarse(rng, (1, features.size))
    if kind in ("generic", "no bias"):
        weight = fine(rng.normal(size=weight.shape))
    weight *= features.unscale
    bias = fine(level - weight @ features.at_point)
    if kind == "no bias":
        bias[:] = 0.0
    elif rng.random() < 0.3:
        bias += 0.25 * coarse(rng, 1)
    if features.on_region and (kind == "level on a face" or (kind == "mixture" and rng.random() < 0.5)):
        weight[:] = 0.0
        bias[:] = level
        for _ in range(int(rng.integers(1, 3))):
            coefficients, constant = features.on_region[rng.integers(len(features.on_region))]
            factor = nonzero(rng)
            weight += factor * coefficients
            bias += factor * constant
    return weight, bias
