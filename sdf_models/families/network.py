"""Finding the networks in a file: groups of layers whose shapes chain, trunks with heads, encoders and decoders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final

from sdf_models.families.latent import SPACE, is_table
from sdf_models.families.layers import Layer, is_shortcut
from sdf_models.families.orders import Order, chain_error, chosen_order, decided, orders, stem
from sdf_models.families.refusals import no_network, refuse_encoded, refuse_encodings, refuse_public
from sdf_models.families.weights import Weights
from sdf_models.formats.format import Refused, check_finite
from sdf_models.reading import Alternative, Choices, Question

WHOLE: Final = "all"
"""The name of the network of all layers, where a part of them is one too."""
REST: Final = "rest"
"""That of all layers but one that may be a table of latent codes."""
_ENCODER = re.compile(r"(^|[._])enc(oder|ode|oding)?($|[._\d])", re.IGNORECASE)
_HEAD = re.compile(
    r"(^|[._])(head|feat(ure)?s?|rgb|colou?r|sdf|dist(ance)?|density|sigma|alpha|normals?|sem(antics?)?|occ(upancy)?|logits?)"
    r"($|[._\d])",
    re.IGNORECASE,
)
_MOST_LAYERS: Final = 2_000
_MOST_NETWORKS: Final = 50
_MOST_PARTS: Final = 8
_MOST_HEADS: Final = 3


@dataclass(frozen=True, slots=True)
class Definition:
    """The public code that joins layers which are no chain.

    family: its name; points: the coordinates of a point; code: the numbers of the latent code that is held.
    """

    family: str
    points: int
    code: int


@dataclass(frozen=True, eq=False, slots=True)
class FoundNetwork:
    """A network of a file.

    path: dotted, "" for the whole file; layers: in order; weights: of the whole file; others: the names of the file's
    other networks and heads, with the layers of each; parts: the paths of the modules that its layers are in; aside:
    those of modules that are no part of it; loose: layers that are in no network; alone: whether no module beside its
    own is a part of it; definition: of layers that are no chain, None where they are one; codes: the tensors of a
    matrix that is taken for a table of latent codes.
    """

    path: str
    layers: tuple[Layer, ...]
    weights: Weights
    others: Mapping[str, tuple[Layer, ...]] = field(default_factory=dict)
    parts: tuple[str, ...] = ("",)
    aside: tuple[str, ...] = ()
    loose: tuple[Layer, ...] = ()
    alone: bool = False
    definition: Definition | None = None
    codes: tuple[str, ...] = ()

    @property
    def linear(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.kind == "linear")

    @property
    def inputs(self) -> int:
        return self.linear[0].inputs if self.definition is None else self.definition.points

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


@dataclass(frozen=True, eq=False, slots=True)
class _Candidate:
    """A network that may be meant: its name in the file, the orders of its layers, the modules that they are in."""

    name: str
    orders: tuple[Order, ...]
    parts: tuple[str, ...]
    remark: str = ""

    @property
    def order(self) -> Order:
        return self.orders[0]

    @property
    def linear(self) -> list[Layer]:
        return [layer for layer in self.order if layer.kind == "linear"]

    def meaning(self) -> str:
        sizes = f"{self.linear[0].inputs} → {len(self.linear)} layers → {self.linear[-1].outputs}"
        return f"{sizes}{f', {self.remark}' if self.remark else ''}"


def find_network(
    layers: list[Layer], weights: Weights, choices: Choices, public: Callable[[str, Order], bool]
) -> FoundNetwork:
    """The one network to draw.  Raises Refused, and Open where the file holds several.

    layers: all of the file; public: whether a network of this path and these layers is the distance field of a public
    code, which is drawn where it stands beside others.
    """
    used = {name for layer in layers for name in layer.roles}
    refuse_encodings([name for name in weights.tensors if name not in used])
    refuse_public(weights.tensors)
    layers = [layer for layer in layers if not is_table(layer)]
    if len(layers) > _MOST_LAYERS:
        raise Refused(
            f"it holds {len(layers):,} layers, more than a network has", "save the network's state_dict alone"
        )
    chain = [layer for layer in layers if layer.kind != "convolution" and not is_shortcut(layer)]
    candidates = _candidates(chain, weights.ordered)
    table = _possible_table(chain)
    if table is not None:
        candidates = [*_beside_table(table, chain, candidates, weights.ordered), *candidates]
    wanted = choices.peek("network")
    encoders = [layer for layer in layers if _ENCODER.search(layer.name)]
    offered = [found.name for found in candidates] if len(candidates) > 1 or encoders else []
    alone = wanted is not None and wanted not in offered
    if alone and wanted is not None and all(wanted != found.name for found in candidates):
        candidates = [*candidates, *_cut_out(wanted, chain, weights.ordered)]
    if not candidates:
        raise no_network(layers, weights)
    if choices.peek("latent") is None:
        refuse_encoded([candidate.linear for candidate in candidates])
    candidate = _picked(candidates, layers, choices, public)
    order = chosen_order(candidate.orders, candidate.order, choices)
    check_layers(order, weights, choices)
    if "+" in candidate.name:
        choices.notes.append(f"the activation is taken to stand between trunk and head of {candidate.name} too")
    codes = tuple(table.roles) if table is not None and _is_held(table, order) else ()
    others = _others(candidates, order, {table.name} if table is not None and codes else set())
    own = {layer.name for layer in order}
    beside = {layer.name for group in (*others.values(), encoders) for layer in group} - own
    aside = outside(beside, order)
    alone = alone or public(candidate.name, order)
    loose = tuple(layer for layer in layers if layer.name not in own | beside)
    return FoundNetwork(_common(order), order, weights, others, candidate.parts, aside, loose, alone, codes=codes)


def _others(candidates: Sequence[_Candidate], order: Order, codes: set[str]) -> dict[str, tuple[Layer, ...]]:
    """The layers of the other networks by their names, each layer once, and with the smallest that it is in."""
    known = {layer.name for layer in order} | codes
    others: dict[str, tuple[Layer, ...]] = {}
    for other in sorted(candidates, key=lambda other: len(other.order)):
        rest = tuple(layer for layer in other.order if layer.name not in known)
        if rest:
            others[other.name.rpartition("+")[2]] = rest
            known |= {layer.name for layer in rest}
    return others


def check_layers(layers: Iterable[Layer], weights: Weights, choices: Choices) -> None:
    """Refuse layers of numbers that are not finite, and say what was assumed of the others."""
    for layer in layers:
        for name in layer.roles:
            check_finite(name, weights.tensors[name].numpy())
        choices.notes += [note for note in layer.notes if note not in choices.notes]


def outside(names: Iterable[str], order: Order) -> tuple[str, ...]:
    """The largest modules that layers of these names are in and none of the network's layers is."""
    inner = {path for layer in order for path in paths(layer.name)}
    return tuple({next((path for path in paths(name) if path not in inner), name) for name in names})


def paths(name: str) -> Iterator[str]:
    """The modules that a dotted name is in, from the outermost to itself."""
    parts = name.split(".")
    return (".".join(parts[: i + 1]) for i in range(len(parts)))


def _picked(
    candidates: Sequence[_Candidate], layers: Sequence[Layer], choices: Choices, public: Callable[[str, Order], bool]
) -> _Candidate:
    """The candidate to draw.  Raises Refused and Open."""
    known = [candidate for candidate in candidates if public(candidate.name, candidate.order)]
    encoder = next((x.name for x in layers if _ENCODER.search(x.name) and x not in candidates[0].order), None)
    if len(candidates) == 1 and encoder is None and choices.peek("network") is None:
        return candidates[0]
    text = f"the file holds {len(candidates)} networks, or parts that are networks, of which one alone is drawn"
    if len(candidates) == 1:
        text = "the file holds a network" + (f" beside the encoder of {encoder!r:.60}" if encoder is not None else "")
    question = Question(
        "network", text, tuple(Alternative(candidate.name, candidate.meaning()) for candidate in candidates)
    )
    why = "the distance field among the file's networks"
    name = choices.settle(question, known[0].name if len(known) == 1 else None, why)
    found = next((candidate for candidate in candidates if candidate.name == name), None)
    if found is None:
        names = ", ".join(candidate.name for candidate in candidates)
        raise Refused(f"it holds no network {name!r:.60}", f"choose one of {names}")
    return found


def _candidates(layers: list[Layer], ordered: bool) -> list[_Candidate]:
    found = _search("", layers, ordered) or _with_heads(layers, ordered, named=False)
    if len(found) == 1 and len(found[0].order) == len(layers):
        named = sum(_HEAD.search(layer.name) is not None for layer in layers if layer.kind == "linear")
        return [*found, *_parts(found[0], ordered), *(_with_heads(layers, ordered, named=True) if named > 1 else [])]
    own = {layer.name for candidate in found for layer in candidate.order}
    loose = [layer for layer in layers if layer.name not in own and layer.kind == "linear"]
    return _headed(found, loose, ordered)


def _possible_table(layers: Sequence[Layer]) -> Layer | None:
    """The one matrix without a bias, outside of the count in the others' names, that may be a table of codes."""
    linear = [layer for layer in layers if layer.kind == "linear"]
    found = [layer for layer in linear if layer.bias is None]
    if len(found) != 1 or any(decided(found[0].name, layer.name) is not None for layer in linear):
        return None
    return found[0]


def _beside_table(table: Layer, layers: list[Layer], whole: Sequence[_Candidate], ordered: bool) -> list[_Candidate]:
    """The networks of the other layers that take a code of the table beside x, y, z, under names of their own."""
    found = _candidates([layer for layer in layers if layer is not table], ordered)
    taken = {candidate.name for candidate in whole}
    remark = f"of x, y, z and one of {table.outputs} latent codes, {table.name}"
    return [
        replace(candidate, name=REST if candidate.name in taken else candidate.name, remark=remark)
        for candidate in found
        if _is_held(table, candidate.order) and not any(candidate.order == other.order for other in whole)
    ]


def _is_held(table: Layer, order: Order) -> bool:
    first = next(layer for layer in order if layer.kind == "linear")
    return table not in order and first.inputs == table.inputs + SPACE


def _headed(found: list[_Candidate], loose: list[Layer], ordered: bool) -> list[_Candidate]:
    """Networks that go on into others, or into single layers, with the name TRUNK+HEAD; the trunks stay possible."""
    heads = [(head.name, head.order, head.parts) for head in found]
    heads += [(layer.name, (layer,), (layer.name,)) for layer in loose]
    longer: dict[str, list[_Candidate]] = {}
    for trunk in found if len(heads) <= _MOST_NETWORKS else []:
        size = trunk.linear[-1].outputs
        for name, layers, parts in heads:
            first = next(layer for layer in layers if layer.kind == "linear")
            if name == trunk.name or first.inputs != size or size <= 3 or decided(trunk.name, name) is not None:
                continue
            chained = tuple((*order, *layers) for order in trunk.orders if chain_error([*order, *layers]) is None)
            if chained:
                both = _Candidate(f"{trunk.name}+{name}", chained, (*trunk.parts, *parts), "a head on a trunk")
                longer.setdefault(name, []).append(both)
    nearest = [max(len(_shared(x.name)) for x in trunks) for trunks in longer.values()]
    on_trunks = [
        x for trunks, most in zip(longer.values(), nearest, strict=True) for x in trunks if len(_shared(x.name)) == most
    ]
    on_trunks.sort(key=lambda x: [c.name for c in found].index(x.name.partition("+")[0]))
    ends = {candidate.name.partition("+")[0] for candidate in on_trunks}
    alone = [replace(c, remark="the trunk alone, features" if c.name in ends else c.remark) for c in found]
    return [*on_trunks, *alone]


def _shared(joined: str) -> list[str]:
    """The modules that both the trunk and the head of TRUNK+HEAD are in."""
    trunk, _, head = joined.partition("+")
    return [a for a, b in zip(paths(trunk), paths(head), strict=False) if a == b]


def _with_heads(layers: list[Layer], ordered: bool, *, named: bool) -> list[_Candidate]:
    """A trunk of layers under names of their own, and two or three heads of one layer each, told by shapes.

    named: only layers whose names are those of heads.
    """
    linear = [layer for layer in layers if layer.kind == "linear"]
    if not 3 < len(linear) + 1 <= _MOST_PARTS + 1:
        return []
    for count in range(2, _MOST_HEADS + 1):
        for heads in combinations(linear, count):
            if len({head.inputs for head in heads}) > 1:
                continue
            if any(
                decided(head.name, other.name) is not None for head in heads for other in layers if other is not head
            ):
                continue
            if named and not all(_HEAD.search(head.name) for head in heads):
                continue
            trunk = [layer for layer in layers if layer not in heads]
            chained = [(head, orders([*trunk, head], ordered=ordered)) for head in heads]
            ending = [(head, [order for order in found if order[-1] is head]) for head, found in chained]
            if all(found for _, found in ending):
                return [_Candidate(head.name, tuple(found), ("",), "a head on a trunk") for head, found in ending]
    return []


def _parts(whole: _Candidate, ordered: bool) -> list[_Candidate]:
    """The parts of a network that are networks too, where it has several, or an encoder beside one."""
    path = _common(whole.order)
    groups: dict[str, list[Layer]] = {}
    for layer in whole.order:
        groups.setdefault(_component(layer, path), []).append(layer)
    stems = {stem(name.rpartition(".")[2]) for name in groups}
    if len(stems) < 2:
        return []
    if len(groups) == len(whole.order):
        alone = _by_stem(path, list(whole.order), ordered)
    else:
        found = ((name, orders(part, ordered=ordered)) for name, part in groups.items())
        alone = [_Candidate(name, tuple(chains), (name,)) for name, chains in found if chains]
    encoders = any(_ENCODER.search(name) for name in stems)
    several = len({stem(part.name.rpartition(".")[2]) for part in alone}) > 1
    return alone if several or (alone and encoders) else []


def _component(layer: Layer, path: str) -> str:
    """A layer's name up to the component after `path`."""
    depth = len(path.split(".")) if path else 0
    return ".".join(layer.name.split(".")[: depth + 1])


def _search(path: str, layers: list[Layer], ordered: bool) -> list[_Candidate]:
    """The group itself when it chains, else what its parts by the next component of their names hold."""
    found = orders(layers, ordered=ordered)
    if found:
        common = _common(layers)
        return [_Candidate(common or WHOLE, tuple(found), (common,))]
    parts: dict[str, list[Layer]] = {}
    for layer in layers:
        parts.setdefault(_component(layer, path), []).append(layer)
    if len(parts) == 1 and next(iter(parts)) == path:
        return []
    inner = {name: part for name, part in parts.items() if any(layer.name != name for layer in part)}
    alike: dict[str, list[str]] = {}
    for name in inner:
        alike.setdefault(stem(name.rpartition(".")[2]), []).append(name)
    networks: list[_Candidate] = []
    for names in alike.values():
        chained = _by_stem(path, [layer for name in names for layer in inner[name]], ordered) if len(names) > 1 else []
        networks += chained or [network for name in names for network in _search(name, inner[name], ordered)]
    single = [layer for name, part in parts.items() if name not in inner for layer in part]
    return [*networks, *_by_stem(path, single, ordered)]


def _by_stem(path: str, layers: list[Layer], ordered: bool) -> list[_Candidate]:
    """Layers in parts of one module whose names begin alike: glin0, glin1, ... beside clin0, clin1, ..."""
    parts: dict[str, list[Layer]] = {}
    for layer in layers:
        parts.setdefault(stem(_component(layer, path).rpartition(".")[2]), []).append(layer)
    chains = ((name, part, orders(part, ordered=ordered)) for name, part in parts.items())
    return [
        _Candidate(".".join(filter(None, (path, name))) or WHOLE, tuple(found), tuple(layer.name for layer in part))
        for name, part, found in chains
        if found
    ]


def _cut_out(wanted: str, layers: list[Layer], ordered: bool) -> list[_Candidate]:
    """The network of the layers in a module that is named by its path, or by the end of it."""
    inside = f".{wanted}."
    part = [layer for layer in layers if inside in f".{layer.name}."]
    found = orders(part, ordered=ordered)
    return [_Candidate(wanted, tuple(found), (_common(part),))] if found else []


def _common(layers: Sequence[Layer]) -> str:
    """The longest path that all the layers' names begin with."""
    split = [layer.name.split(".")[:-1] for layer in layers]
    common: list[str] = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common)
