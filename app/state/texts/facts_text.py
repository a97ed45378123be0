"""The facts of a region as text for a note, and as JSON for a program: with all digits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from engine import BEYOND

if TYPE_CHECKING:
    from app.state.session import OpenNetwork, Pin
    from engine import Neighbour, RegionFacts


def facts_text(pin: Pin, name: str) -> str:
    """Lines of text; name: of the slice, or empty for a facet."""
    facts, opened = pin.facts, pin.opened
    lines = [
        f"{title(facts)} of {opened.name}{f', slice {name}' if name else ''}",
        *([] if facts.plane is None else [f"plane      {facts.plane.describe()}"]),
        f"point      {_numbers(facts.point)}",
        f"f          {facts.value!r}",
        f"|A|        {facts.slope!r}",
        f"A          {_numbers(facts.gradient)}",
        f"b          {facts.offset!r}",
        f"area       {facts.area!r}",
        f"centroid   {_numbers(facts.centroid)}",
        "active neurons",
        *(f"  {line}" for line in pattern_lines(facts, opened)),
        "neighbours",
        *(f"  {kind(facts)} {n.region}, across {across(n, opened)}" for n in facts.neighbours if n.region != BEYOND),
    ]
    return "\n".join(lines) + "\n"


def facts_json(pin: Pin, name: str) -> str:
    """One JSON object; neurons are pairs (layer, neuron), that of the layer after the last is the output."""
    facts, opened = pin.facts, pin.opened
    names = opened.network.layer_names
    content = {
        "checkpoint": opened.name,
        "kind": kind(facts),
        "number": facts.region,
        "slice": name or None,
        "plane": None
        if facts.plane is None
        else {"origin": facts.plane.origin.tolist(), "axes": facts.plane.axes.tolist()},
        "point": facts.point.tolist(),
        "f": facts.value,
        "gradient": facts.gradient.tolist(),
        "offset": facts.offset,
        "gradient norm": facts.slope,
        "area": facts.area,
        "centroid": facts.centroid.tolist(),
        "corners": facts.corners.tolist(),
        "layers": [
            {
                "name": names[layer],
                "neurons": pattern.neurons,
                "active": pattern.active.tolist(),
                "resting": pattern.resting.tolist(),
            }
            for layer, pattern in enumerate(facts.layers)
        ],
        "neighbours": [
            {
                "number": None if n.region == BEYOND else n.region,
                "neurons": [[neuron.layer, neuron.index] for neuron in n.neurons],
                "edge length": n.length,
            }
            for n in facts.neighbours
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def kind(facts: RegionFacts) -> str:
    return "facet" if facts.plane is None else "region"


def title(facts: RegionFacts) -> str:
    return f"{kind(facts).capitalize()} {facts.region:,}"


def pattern_lines(facts: RegionFacts, opened: OpenNetwork) -> list[str]:
    """For each layer the number and the list of its active neurons."""
    lines = []
    for layer, pattern in enumerate(facts.layers):
        active = " ".join(map(str, pattern.active.tolist()))
        resting = " ".join(map(str, pattern.resting.tolist()))
        lines.append(
            f"layer {layer} ({opened.network.layer_names[layer]}), {len(pattern.active)} of {pattern.neurons}: {active}"
            f"{f'; on the breakpoint throughout: {resting}' if resting else ''}"
        )
    return lines


def across(neighbour: Neighbour, opened: OpenNetwork) -> str:
    """What separates a neighbour, such as "layer 3 (net.6), neuron 17"."""
    if neighbour.region == BEYOND:
        return "the border of the domain"
    return " and ".join(opened.describe(neuron) for neuron in neighbour.neurons) or "a line that rounding merged"


def _numbers(values: np.ndarray) -> str:
    return ", ".join(repr(value) for value in values.tolist())
