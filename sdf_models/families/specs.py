"""The statements of DeepSDF's specs.json on a network, once it is certain that it describes that network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdf_models.families.network import FoundNetwork
from sdf_models.families.side_files import NAME
from sdf_models.formats.format import Refused
from sdf_models.reading import Choices

_ARCHITECTURE = "deep_sdf_decoder"
_SPACE = 3


def fitting_specs(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Mapping[str, Any]:
    """Its NetworkSpecs, with the file's path as `specs.json`; empty, with a note, where they are another network's.

    Raises Refused where a field is of another type than DeepSDF's.
    """
    stated = specs.get("NetworkSpecs")
    if stated is None:
        return {}
    where = str(specs[NAME])
    _check_types(specs, stated, where)
    reason = _difference(network, specs, stated)
    if reason is not None:
        choices.notes.append(f"{where} describes another network: {reason}; it is not used")
        return {}
    return {**stated, NAME: where}


def _check_types(specs: Mapping[str, Any], stated: Any, where: str) -> None:
    if not isinstance(stated, dict):
        raise _malformed(where, "NetworkSpecs", stated, "an object")
    for fields, names, fits, wanted in (
        (specs, ("CodeLength",), _is_count, "a number of latent features"),
        (specs, ("NetworkArch",), lambda value: isinstance(value, str), "a name"),
        (stated, ("dims", "latent_in", "norm_layers", "dropout"), _are_counts, "a list of whole numbers"),
        (stated, ("use_tanh", "xyz_in_all", "weight_norm"), lambda value: isinstance(value, bool), "true or false"),
    ):
        for name in names:
            value = fields.get(name)
            if value is not None and not fits(value):
                raise _malformed(where, name, value, wanted)


def _malformed(where: str, name: str, value: Any, wanted: str) -> Refused:
    return Refused(
        f"{where}: its {name} is {value!r:.40}, not {wanted}",
        "correct it, take it away, or say --family with another family than deepsdf",
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(_is_count(part) for part in value)


def _difference(network: FoundNetwork, specs: Mapping[str, Any], stated: Mapping[str, Any]) -> str | None:
    """In what the network is not the one that is described; None when it is (Park et al., deep_sdf_decoder.py).

    Layer i takes dims[i - 1] features, concatenations included: with all inputs before the layers of latent_in, with
    x, y, z before the others where xyz_in_all is true.
    """
    architecture = specs.get("NetworkArch") or _ARCHITECTURE
    if architecture != _ARCHITECTURE:
        return f"of the architecture {architecture!r:.40}"
    length = specs.get("CodeLength")
    if length is not None and length + _SPACE != network.inputs:
        return f"a code of {length} numbers, where this one takes {network.inputs} inputs"
    dims = stated.get("dims")
    if dims is None:
        return "it does not say dims"
    widths = [layer.inputs for layer in network.linear[1:]]
    if len(dims) != len(widths):
        return f"{len(dims) + 1} layers, not {len(widths) + 1}"
    if dims != widths:
        wrong = next(i for i in range(len(dims)) if dims[i] != widths[i])
        return f"widths {dims[wrong]}, not {widths[wrong]}"
    everywhere = range(1, len(network.linear)) if stated.get("xyz_in_all") else ()
    expected = dict.fromkeys(everywhere, _SPACE) | dict.fromkeys(stated.get("latent_in") or (), network.inputs)
    if expected != network.skips():
        return f"latent_in: {stated.get('latent_in')!s:.40}, where the shapes have {sorted(network.skips())}"
    return None
