"""Networks whose layers are no chain but joined as a public code defines: found by the names of all their layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sdf_models.families import bsp_net, occupancy
from sdf_models.families.layers import Layer
from sdf_models.families.network import WHOLE, FoundNetwork, check_layers, outside, paths
from sdf_models.families.weights import Weights
from sdf_models.reading import Alternative, Choices, Question

_FINDERS = (occupancy.find, bsp_net.find)


def find_defined(layers: Sequence[Layer], weights: Weights, choices: Choices) -> FoundNetwork | None:
    """The one to draw; None where there is none, or another network or family was chosen.  Raises Refused and Open."""
    family, wanted = choices.peek("family"), choices.peek("network")
    found = {
        network.path or WHOLE: network
        for find in _FINDERS
        for network in find(layers, weights)
        if network.definition is not None and family in (None, network.definition.family)
    }
    if wanted is not None and wanted not in found:
        inner = [network for path, network in found.items() if f".{path}".endswith(f".{wanted}")]
        found = {wanted: inner[0]} if len(inner) == 1 else {}
    if not found:
        return None
    name = next(iter(found))
    if wanted is not None or len(found) > 1:
        alternatives = tuple(Alternative(path, _meaning(network)) for path, network in found.items())
        text = f"the file holds {len(found)} decoders of which one is drawn"
        name = str(choices.settle(Question("network", text, alternatives)))
    network = found[name]
    check_layers(network.layers, weights, choices)
    own = {layer.name for layer in network.layers}
    loose = [layer for layer in layers if layer.name not in own]
    aside = outside([layer.name for layer in loose], network.layers)
    others = {module: tuple(layer for layer in loose if module in paths(layer.name)) for module in sorted(aside)}
    return replace(network, others=others, aside=aside, alone=True)


def _meaning(network: FoundNetwork) -> str:
    return network.definition.family if network.definition is not None else ""
