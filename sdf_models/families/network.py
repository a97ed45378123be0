"""Finding the networks in a file: the largest groups of layers whose shapes chain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

from sdf_models.families.latent import is_table
from sdf_models.families.layers import Layer, in_order, layers_of
from sdf_models.families.refusals import no_network, refuse_encoded, refuse_encodings
from sdf_models.families.weights import Weights
from sdf_models.formats.format import Refused
from sdf_models.reading import Alternative, Choices, Question


@dataclass(frozen=True, eq=False, slots=True)
class FoundNetwork:
    """A network of a file.

    path: dotted, "" for the whole file; layers: in order; weights: of the whole file; others: the paths of the other
    networks in it.
    """

    path: str
    layers: tuple[Layer, ...]
    weights: Weights
    others: tuple[str, ...] = field(default=())

    @property
    def linear(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.kind == "linear")

    @property
    def inputs(self) -> int:
        return self.linear[0].inputs

    @property
    def outputs(self) -> int:
        return self.linear[-1].outputs

    def skips(self) -> dict[int, int]:
        """By the index of each linear layer with a concatenation: how many features are put beside the last layer's."""
        linear = self.linear
        return {
            i: layer.inputs - linear[i - 1].outputs
            for i, layer in enumerate(linear)
            if i and layer.inputs != linear[i - 1].outputs
        }

    def leaf_name(self, layer: Layer) -> str:
        """A layer's name without the network's path."""
        return layer.name.removeprefix(f"{self.path}.") if self.path else layer.name


def find_network(weights: Weights, choices: Choices, preferred: re.Pattern[str] | None = None) -> FoundNetwork:
    """The one network to draw.  Raises Refused, and Open where the file holds several."""
    layers, other = layers_of(weights.tensors)
    refuse_encodings(other)
    layers = [layer for layer in layers if not is_table(layer)]
    found = _search("", layers, weights.ordered)
    if not found:
        raise no_network(layers, weights)
    if choices.peek("latent") is None:
        refuse_encoded([_linear(group) for _, group in found])
    paths = [path for path, _ in found]
    if len(found) == 1:
        chosen = 0
    else:
        known = [i for i, path in enumerate(paths) if preferred is not None and preferred.search(path)]
        question = Question(
            "network",
            f"the file holds {len(found)} networks",
            tuple(
                Alternative(path, f"{group[0].inputs} → {len(_linear(group))} layers → {_linear(group)[-1].outputs}")
                for path, group in found
            ),
        )
        why = "the distance field among the file's networks"
        path = choices.settle(question, paths[known[0]] if len(known) == 1 else None, why)
        if path not in paths:
            raise Refused(f"it holds no network {path!r:.60}", f"choose one of {', '.join(paths)}")
        chosen = paths.index(path)
    path, group = found[chosen]
    return FoundNetwork(path, tuple(group), weights, tuple(p for i, p in enumerate(paths) if i != chosen))


def _linear(layers: list[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.kind == "linear"]


def _search(path: str, layers: list[Layer], ordered: bool) -> list[tuple[str, list[Layer]]]:
    """The group itself when it chains, else what its parts by the next component of their names hold."""
    found = in_order(layers, ordered=ordered)
    if found is not None:
        return [(_common(found), found)]
    depth = len(path.split(".")) if path else 0

    def component(layer: Layer) -> str:
        return ".".join(layer.name.split(".")[: depth + 1])

    parts = [(name, list(part)) for name, part in groupby(sorted(layers, key=component), key=component)]
    if len(parts) == 1 and parts[0][0] == path:
        return []
    inner = [(name, part) for name, part in parts if any(layer.name != name for layer in part)]
    order = {layer.name: i for i, layer in enumerate(layers)}
    return [
        network
        for name, part in inner
        for network in _search(name, sorted(part, key=lambda layer: order[layer.name]), ordered)
    ]


def _common(layers: list[Layer]) -> str:
    """The longest path that all the layers' names begin with."""
    split = [layer.name.split(".")[:-1] for layer in layers]
    common: list[str] = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common)
