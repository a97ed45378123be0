"""The orders in which layers can follow each other, by their shapes and by the numbers in their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Final

from sdf_models.families.layers import Layer, natural, turned
from sdf_models.formats.format import Refused
from sdf_models.reading import Alternative, Choices, Question

MOST_ORDERS: Final = 12
_MOST_STEPS: Final = 1_000
_SPACE: Final = 3
_MOST_LAYERS: Final = 400
"""With more of them only their natural order is tried."""
_NUMBER = re.compile(r"\d+")
_AT_END = re.compile(r"_?#$")
_FIRST = re.compile(r"(^|[._])(in|input|first|inp|fc_?in|pos|fc_p|fc_pos|stem)($|[._\d])", re.IGNORECASE)
_LAST = re.compile(r"(^|[._])(out|output|last|final|head|fc_?out|sdf)($|[._\d])", re.IGNORECASE)

Order = tuple[Layer, ...]


def chain_error(layers: Iterable[Layer]) -> str | None:
    """Return why the layers, in this order, are not one network; None when they are.

    Each linear layer takes what the one before it gives, or that and all inputs of the network, or three of them.
    """
    layers = list(layers)
    linear = [layer for layer in layers if layer.kind == "linear"]
    if len(linear) < 2:
        return "it has fewer than two linear layers"
    extra = {0, linear[0].inputs, 3} if linear[0].inputs > 3 else {0, linear[0].inputs}
    size, before = linear[0].inputs, ""
    if layers[0].kind == "batch_norm" and layers[0].features == size:
        layers = layers[1:]  # of the input
    for layer in layers:
        if layer.kind == "linear":
            if layer.inputs - size not in (extra if before else {0}):
                return f"{layer.name!r:.60} takes {layer.inputs} features where {before!r:.60} gives {size}"
            if layer.bias is not None and len(layer.bias) != layer.outputs:
                return f"{layer.name!r:.60} gives {layer.outputs} features with a bias of {len(layer.bias)}"
            size, before = layer.outputs, layer.name
        elif layer.kind == "convolution":
            return f"{layer.name!r:.60} is a convolution"
        else:
            if not before:
                return f"{layer.name!r:.60}, for {layer.features} features, stands before the first linear layer"
            if layer.features not in ((size, 1) if layer.kind == "prelu" else (size,)):
                return f"{layer.name!r:.60} is for {layer.features} features where {before!r:.60} gives {size}"
    return None


def orders(layers: Sequence[Layer], *, ordered: bool) -> list[Order]:
    """The orders in which the layers chain, MOST_ORDERS at most; none when there is none.

    Layers whose names differ in a number stand in its order; those that are named first or last are so where that is
    possible; the others stand wherever they fit, and one PReLU also after each layer but the last.  ordered: the
    sequence is the file's own, which is an order too unless it is that of the alphabet.
    """
    for candidate in (list(layers), [turned(layer) for layer in layers]):
        found = _search(candidate, ends=True) or _search(candidate, ends=False)
        told = [layer.name for layer in candidate]
        if ordered and told != sorted(told) and chain_error(candidate) is None and not _through_space(tuple(candidate)):
            found = [tuple(candidate), *(order for order in found if [layer.name for layer in order] != told)]
        if found:
            through = [order for order in found if order[-1].kind == "linear"] or found
            shared = _with_shared(through)
            return [*through[: MOST_ORDERS - len(shared)], *shared]
    return []


def _with_shared(found: Sequence[Order]) -> list[Order]:
    """The order with the one PReLU of a network after each layer but the last, where no number says its place."""
    slopes = [layer for layer in found[0] if layer.kind == "prelu"]
    if len(found) < 2 or len(slopes) != 1 or any(decided(slopes[0].name, x.name) is not None for x in found[0]):
        return []
    order: list[Layer] = []
    for layer in found[0]:
        if layer.kind == "linear" and any(before.kind == "linear" for before in order):
            order.append(slopes[0])
        if layer is not slopes[0]:
            order.append(layer)
    return [tuple(order)] if chain_error(order) is None else []


def chosen_order(found: Sequence[Order], layers: Sequence[Layer], choices: Choices) -> Order:
    """The one order, or that which is chosen where several fit.  Raises Refused and Open."""
    asked = choices.peek("order")
    if len(found) == 1 and asked is None:
        return found[0]
    question = Question(
        "order",
        f"its layers fit in {len(found)}{' or more' if len(found) == MOST_ORDERS else ''} orders, and their names do "
        "not say in which they follow each other",
        tuple(Alternative(order_text(order), "") for order in found),
        other="NAMES",
    )
    text = str(choices.settle(question))
    by_text = {order_text(order): order for order in found}
    order = by_text.get(text) or _written(text, layers)
    reason = chain_error(order)
    if reason is not None:
        raise Refused(f"in the order {text!r:.200} its layers are not one chain: {reason}", "choose another order")
    return order


def order_text(order: Sequence[Layer]) -> str:
    """The layers' names in order, runs of those that differ in a number by their ends: net.0..net.4,out."""
    runs: list[list[str]] = []
    for layer in order:
        if runs and decided(runs[-1][-1], layer.name) is True:
            runs[-1].append(layer.name)
        else:
            runs.append([layer.name])
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def _written(text: str, layers: Sequence[Layer]) -> Order:
    """The inverse of `order_text`, of names in any order."""
    by_name = {layer.name: layer for layer in layers}
    order: list[Layer] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("..")
        for name in {first, last or first}:
            if name not in by_name:
                raise Refused(f"it has no layer {name!r:.60}", f"its layers are {', '.join(by_name)!s:.300}")
        between = [
            layer
            for layer in layers
            if layer.name in (first, last)
            or (last and decided(first, layer.name) is True and decided(layer.name, last) is True)
        ]
        order += sorted(between, key=lambda layer: natural(layer.name))
    missing = [layer.name for layer in layers if layer not in order]
    if missing or any(order.count(layer) > 1 for layer in layers if layer.kind == "linear"):
        raise Refused(
            f"the order {text!r:.200} does not name every layer, and linear ones once",
            f"its layers are {', '.join(by_name)!s:.300}",
        )
    return tuple(order)


def decided(first: str, second: str) -> bool | None:
    """Return whether a name stands before another by the number in which they differ; None otherwise."""
    for (stem, numbers), (other, others) in zip(_numbered(first), _numbered(second), strict=False):
        if stem != other:
            return None
        if numbers != others:
            return numbers < others
    return None


@lru_cache(maxsize=4096)
def _numbered(name: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Of each component of a name, what stands around its numbers, and these: dense_2 has the stem of dense."""
    parts = []
    for part in name.split("."):
        numbers = tuple(int(number) for number in _NUMBER.findall(part))
        pattern = _NUMBER.sub("#", part)
        stem = _AT_END.sub("", pattern)
        parts.append((stem, numbers if stem != pattern else (*numbers, -1)))
    return tuple(parts)


def stem(component: str) -> str:
    """A component of a name without the number at its end."""
    return _numbered(component)[0][0]


def _rank(layer: Layer) -> int:
    return -1 if _FIRST.search(layer.name) else 1 if _LAST.search(layer.name) else 0


def _search(layers: Sequence[Layer], *, ends: bool) -> list[Order]:
    """Depth first, in the natural order of the names; of each linear layer one norm and one PReLU follow at most."""
    layers = sorted(layers, key=lambda layer: natural(layer.name))
    linear = [layer for layer in layers if layer.kind == "linear"]
    if len(linear) < 2:
        return []
    if len(layers) > _MOST_LAYERS:
        if any(decided(one.name, other.name) is not True for one, other in pairwise(layers)):
            raise Refused(
                f"the names of its {len(layers)} layers do not say in which order they follow each other",
                "open it with --module package.module:function",
            )
        return [tuple(layers)] if chain_error(layers) is None else []
    before = [
        {
            j
            for j, other in enumerate(layers)
            if decided(other.name, layer.name) is True
            or (ends and decided(other.name, layer.name) is None and _rank(other) < _rank(layer))
        }
        for layer in layers
    ]
    found: list[Order] = []
    steps = 0
    stack: list[tuple[int, ...]] = [()]
    while stack and len(found) < MOST_ORDERS and steps < _MOST_STEPS:
        placed = stack.pop()
        steps += 1
        if len(placed) == len(layers):
            order = tuple(layers[i] for i in placed)
            if chain_error(order) is None and not _through_space(order):
                found.append(order)
            continue
        done, order_so_far = set(placed), [layers[i] for i in placed]
        tail = list(takewhile(lambda part: part.kind != "linear", reversed(order_so_far)))
        first = next((part for part in order_so_far if part.kind == "linear"), None)
        last = order_so_far[-len(tail) - 1] if first is not None else None
        stack += [
            (*placed, i)
            for i in reversed(range(len(layers)))
            if i not in done and before[i] <= done and _follows(layers[i], first, last, tail)
        ]
    return found


def _through_space(order: Order) -> bool:
    """Return whether a layer of three outputs or fewer stands before one that no number in their names puts there.

    Those are the outputs of one network, or of a head, before the input of another.
    """
    linear = [layer for layer in order if layer.kind == "linear"]
    return any(a.outputs <= _SPACE and decided(a.name, b.name) is not True for a, b in pairwise(linear))


def _follows(layer: Layer, first: Layer | None, last: Layer | None, tail: Sequence[Layer]) -> bool:
    """Return whether a layer may stand next; `chain_error` has the last word on the whole.

    first, last: the linear layers so far, None while there is none; tail: the other layers after the last of them.
    """
    if layer.kind != "linear":
        if any(part.kind == layer.kind for part in tail):
            return False
        if any(part.kind > layer.kind and decided(part.name, layer.name) is None for part in tail):
            return False  # of two orders of a norm and a PReLU one is enough: which of them is first is asked elsewhere
    if first is None or last is None:
        return not tail or (layer.kind == "linear" and layer.inputs == tail[0].features)
    if layer.kind == "linear":
        beside = {0, first.inputs, 3} if first.inputs > 3 else {0, first.inputs}
        return layer.inputs - last.outputs in beside
    return layer.features in ((last.outputs, 1) if layer.kind == "prelu" else (last.outputs,))
