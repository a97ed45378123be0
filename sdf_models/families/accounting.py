"""The use of every tensor of a file: nothing of the network that is drawn is left over in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from torch import Tensor

from sdf_models.families.latent import held_length, latent_tables
from sdf_models.families.layers import Layer
from sdf_models.families.network import FoundNetwork, paths
from sdf_models.families.row_bounds import with_row_bounds
from sdf_models.families.surroundings import may_transform, surroundings
from sdf_models.families.weights import domain_tensor
from sdf_models.formats.format import Refused, TensorUse
from sdf_models.reading import Choices

_LOGGED = re.compile(
    r"(^|[._])(loss(es)?|best\w*|val(id(ation)?)?|metrics?|psnr|iou|chamfer|acc(uracy)?|scores?|err(ors?)?|lr|epochs?|"
    r"(global_)?steps?|iters?|iterations?|time|seed|ema_decay|decay|patience|grad_norm)($|[._])",
    re.IGNORECASE,
)
_LOGGED_BESIDE_WEIGHTS = re.compile(
    r"((\w+_)?(loss(es)?|best|psnr|iou|chamfer|acc(uracy)?|metrics?|lr|epochs?|steps?|iters?|iterations?|seed|ema_decay|"
    r"patience|grad_norm)(_(mean|avg|val|train|test|best|last|count))?|best_\w+|val(id(ation)?)?_\w+)",
    re.IGNORECASE,
)
"""The last component of names that are no parameter's; one number of another name may be multiplied in a forward."""
_OPTIMISER = re.compile(
    r"(^|\.)(exp_avg|exp_avg_sq|max_exp_avg_sq|momentum_buffer|square_avg|Adam(_\d+)?|RMSProp(_\d+)?|Momentum)(\.|$)|"
    r"(^|\.)(optim|\w*optimi[sz]er|\w*scheduler)\w*\."
)
_RENDERER = re.compile(r"(^|[._])(beta(_min)?|variance|deviation|inv_s|s_val|s_var)($|[._])")
_COLOURS = re.compile(r"(^|[._])(rgb|colou?rs?|views?|dirs?|albedo|appearance|texture)($|[._\d])", re.IGNORECASE)
_IGNORED: Final = "left out, by --ignore"
_MOST_NAMED: Final = 3


def accounted(network: FoundNetwork, choices: Choices) -> tuple[FoundNetwork, tuple[TensorUse, ...]]:
    """The network with what tensors beside its layers do to it, and the use of every tensor.

    Raises Refused where a tensor is left over that may change the network's values, and Open where it may be known how.
    """
    weights = network.weights
    ignored = [part.strip() for part in (choices.peek("ignore") or "").split(",") if part.strip()]
    roles = _known_roles(network, ignored, choices)
    left = [name for name in weights.tensors if name not in roles]
    network, bounds = with_row_bounds(network, left, choices)
    roles |= bounds
    beside = [name for name in left if name not in bounds and not any(_within(name, x.name) for x in network.layers)]
    roles |= surroundings(network, beside, choices)
    left = [name for name in weights.tensors if name not in roles]
    unreal = [name for name in weights.unreal if _belongs(name, network) and _role_by_name(name, ignored) is None]
    if left or unreal:
        raise _left_over([*left, *unreal], network)
    dropped = [*weights.unreal, *(name for name, role in roles.items() if role == _IGNORED)]
    for part in ignored:
        if not any(_named(name, part) for name in dropped):
            known = any(_named(name, part) for name in weights.tensors)
            why = f"all tensors that {part!r:.60} names have a role" if known else f"it has no tensor {part!r:.60}"
            raise Refused(f"{why}, and so nothing to leave out", "leave it out of --ignore")
    uses = [TensorUse(name, tuple(tensor.shape), roles[name]) for name, tensor in weights.tensors.items()]
    return network, (
        *uses,
        *(TensorUse(name, shape, "state of the training") for name, shape in weights.training.items()),
    )


def _known_roles(network: FoundNetwork, ignored: list[str], choices: Choices) -> dict[str, str]:
    """The roles of tensors in layers, of the file's other networks, and of what is no part of any."""
    weights = network.weights
    roles = _of_layers(network.layers, "")
    for layers in network.others.values():
        roles = _of_layers(layers, ", not drawn") | roles
    definition = network.definition
    length = held_length(network.inputs, choices) if definition is None else definition.code
    codes = [name for name, table in latent_tables(weights).items() if table.shape[-1] == length]
    roles = dict.fromkeys((*codes, *network.codes), "latent codes") | roles
    domain, holder = domain_tensor(weights), _holder(network)
    if domain is not None and not _within(weights.holders.get(domain, ""), holder):
        roles.setdefault(domain, "domain")  # beside the state dict; in it, it may normalise the input
    for name, tensor in weights.tensors.items():
        role = None if name in roles else _role(name, tensor, network, holder, ignored)
        if role is not None:
            roles[name] = role
    return roles


def _of_layers(layers: Iterable[Layer], suffix: str) -> dict[str, str]:
    return {
        name: f"{role} of {layer.name or 'the file itself'}{suffix}"
        for layer in layers
        for name, role in layer.roles.items()
    }


def _role(name: str, tensor: Tensor, network: FoundNetwork, holder: str, ignored: Iterable[str]) -> str | None:
    """Of a tensor that is no part of a layer; None where it may be a part of the network that is drawn."""
    known = _role_by_name(name, ignored)
    if known is not None:
        return known
    outside = not _within(network.weights.holders.get(name, ""), holder)
    pattern = _LOGGED.search(name) if outside else _LOGGED_BESIDE_WEIGHTS.fullmatch(name.rpartition(".")[2])
    logged = pattern is not None
    if tensor.numel() == 1 and (logged or (outside and not bool(tensor.isfinite().all()))):
        return "a logged value"
    if outside and logged and tensor.dim() <= 1:
        return "logged values"
    aside = next((path for path in paths(name) if path in network.aside), None)
    if aside is not None or (network.alone and not _belongs(name, network)):
        return f"of {aside or name.rpartition('.')[0]}, not drawn"
    if network.others and _COLOURS.search(name) and not _belongs(name, network):
        return "of the colours, not drawn"
    if network.alone and tensor.numel() == 1 and _RENDERER.search(name):
        return "of the renderer, not of the distance"
    return None


def _role_by_name(name: str, ignored: Iterable[str]) -> str | None:
    """Of a tensor that its name or an option tells to be no part of the network."""
    if any(_named(name, part) for part in ignored):
        return _IGNORED
    return "state of an optimiser" if _OPTIMISER.search(name) else None


def _holder(network: FoundNetwork) -> str:
    """The path of the container in the file that all tensors of the network's layers are in."""
    holders = [network.weights.holders.get(name, "") for layer in network.layers for name in layer.roles]
    common = holders[0].split(".") if holders else []
    for holder in holders:
        while common and not _within(holder, ".".join(common)):
            common.pop()
    return ".".join(common)


def _within(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith(f"{outer}.")


def _belongs(name: str, network: FoundNetwork) -> bool:
    """Return whether a tensor stands in a module of the network, around it, or in one of its layers."""
    module = name.rpartition(".")[0]
    own = {layer.name for layer in network.layers}
    inner = any(path in own for path in paths(name))
    around = not module or any(_within(layer, module) for layer in own)
    return inner or around or "" in network.parts or any(path in network.parts for path in paths(module))


def _named(name: str, part: str) -> bool:
    """Return whether `part` is a tensor's name, the end of it, or the module that it is in."""
    return f".{part}." in f".{name}."


def _left_over(names: list[str], network: FoundNetwork) -> Refused:
    weights = network.weights
    first, *rest = _of_each(names)
    own = next((layer for layer in network.layers if layer.name and _within(first, layer.name)), None)
    shape = weights.tensors[first].shape if first in weights.tensors else None
    if shape is None:
        size = f"of {weights.unreal[first]}"
    elif len(shape) > 1:
        size = f"of shape {tuple(shape)}"
    else:
        size = "1 number" if shape.numel() == 1 else f"{shape.numel()} numbers"
    where = f" beside the {_parts_of(own)} of {own.name!r:.60}" if own is not None else " beside the layers"
    others = f", nor {'is' if len(rest) == 1 else 'are'} {_listed(rest)}" if rest else ""
    short = _short(names)
    apart = network.path in network.parts and not any(_belongs(name, replace(network, parts=())) for name in names)
    aside = f", say --network {network.path} to draw that part alone" if apart and not network.others else ""
    transforms = own is None and all(may_transform(name) for name in names)
    given = (
        f", say what {'they do' if rest else 'it does'} by --input-transform or --output-transform"
        if transforms
        else ""
    )
    convolution = next((layer for layer in network.loose if layer.kind == "convolution" and first in layer.roles), None)
    if convolution is not None:
        return Refused(
            f"{convolution.name!r:.60} is a convolution (weight of shape {tuple(convolution.weight.shape)}), which a "
            f"reading of the linear layers alone does not use{others}",
            f"export the whole network as ONNX, or open it with --module package.module:function{aside}",
        )
    layer = next((module for name in names if (module := _of_unknown_weight(name, names, network))), None)
    if layer is not None:
        parts = [name for name in names if _within(name, layer) and name != f"{layer}.bias"]
        kinds = sorted({weights.unreal[name] for name in parts if name in weights.unreal})
        return Refused(
            f"the weight of {layer!r:.60} is not in the file as real numbers, but as {_listed(parts)}"
            f"{' of ' + ', '.join(kinds) if kinds else ''}, of which the file does not say how it is computed",
            "save the weights that are multiplied, in float32 (without parametrizations or quantisation), or open it "
            "with --module package.module:function",
        )
    return Refused(
        f"{first!r:.80} ({size}{where}) is not used by this reading{others}: it may change the network's values",
        f"open it with --module package.module:function{aside}{given}, or say --ignore {short:.120} if its values do "
        "not depend on it",
    )


def _of_unknown_weight(name: str, names: list[str], network: FoundNetwork) -> str:
    """The layer that a tensor that is left over is of, where it has a bias or a parametrization but no known weight."""
    known = f"{name.removesuffix('.bias')}.weight" in network.weights.tensors
    if known or any(name in layer.roles for layer in network.loose):
        return ""
    layer, parametrized, _ = name.partition(".parametrizations.weight.")
    if parametrized:
        return layer
    layer = name.removesuffix(".bias")
    others = [other for other in names if other != name and _within(other, layer)]
    return layer if layer != name and others else ""


def _of_each(names: list[str]) -> list[str]:
    """The names, of the weight and bias of one module the first alone."""
    layers = [name.rpartition(".")[0] if name.endswith((".weight", ".bias")) else name for name in names]
    return list(dict(zip(reversed(layers), reversed(names), strict=True)).values())[::-1]


def _short(names: list[str]) -> str:
    """The text that --ignore takes for these tensors: the ends of their names, or the modules that they are in."""
    ends: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        while len(parts) > 1 and (parts[-1].isdecimal() or parts[-1] in ("weight", "bias", "kernel")):
            parts.pop()
        ends[parts[-1] if not parts[-1].isdecimal() else name] = None
    return ",".join(list(ends)[:_MOST_NAMED]) + (",..." if len(ends) > _MOST_NAMED else "")


def _parts_of(layer: Layer) -> str:
    return " and ".join(sorted(set(layer.roles.values()), reverse=True))


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"{name!r:.60}" for name in names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"
