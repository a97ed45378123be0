"""Finding the networks in a file: the largest groups of layers whose shapes chain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

from torch import Tensor

from sdf_models.families.layers import Layer, chain_error, in_order, layers_of
from sdf_models.families.weights import Weights
from sdf_models.formats.format import Refused
from sdf_models.reading import Alternative, Choices, Question

_TABLE = re.compile(r"(^|[._])(lat|latents?|codes?|embed\w*|lat_vecs|latent_codes)([._]|$)", re.IGNORECASE)
_GRID = re.compile(
    r"hash|(^|\.)(embeddings|encoding\.params|encoder\.embeddings|grid|planes?\.\d|tri_?planes?)", re.IGNORECASE
)
_ENCODING = re.compile(r"freq|fourier|(^|\.)(B|embedder|embed_fn|posenc|pos_enc)(\.|$)", re.IGNORECASE)


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
    _refuse_encodings(other)
    layers = [layer for layer in layers if not _is_table(layer)]
    found = _search("", layers, weights.ordered)
    if not found:
        raise _no_network(layers)
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


def _is_table(layer: Layer) -> bool:
    """Whether a matrix is a table of latent codes: torch.nn.Embedding has no bias."""
    last = layer.name.rsplit(".", 1)[-1]
    return layer.kind == "linear" and layer.bias is None and _TABLE.search(last) is not None


def latent_tables(weights: Weights) -> dict[str, Tensor]:
    """The tensors (codes, length) of latent codes in a file, by name."""
    return {name: t for name, t in weights.tensors.items() if t.dim() in (2, 3) and _TABLE.search(name)}


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


def _no_network(layers: list[Layer]) -> Refused:
    linear = _linear(layers)
    if len(linear) < 2:
        return Refused(
            f"it holds {len(linear)} weight matrices, too few for a network", "give the file of the network's weights"
        )
    reason = chain_error(layers)
    return Refused(
        f"its {len(linear)} linear layers are not one chain: {reason}",
        "open it together with the code that defines it: --module package.module:function",
    )


def _refuse_encodings(names: list[str]) -> None:
    for pattern, what, change in (
        (_GRID, "a feature grid (a hash grid or planes), piecewise trilinear", "train a network of x, y, z alone"),
        (_ENCODING, "a positional encoding, of sines and cosines", "train it without (multires = 0)"),
    ):
        odd = next((name for name in names if pattern.search(name)), None)
        if odd is not None:
            raise Refused(f"{odd!r:.80} is {what}: not piecewise linear", f"{change} to have linear regions")
