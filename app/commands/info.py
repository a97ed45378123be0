"""splinescope info: what a checkpoint holds, and whether its partition can be drawn."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from app.commands.errors import CommandError
from app.commands.loading import about, add_checkpoint_options, approximation_facts, open_chosen
from app.inspection import ReferenceCheck, layer_verdicts, reference_check, with_advice

if TYPE_CHECKING:
    from torch import nn

    from engine import Network


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("info", help="say what a checkpoint holds", description=__doc__)
    add_checkpoint_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    facts = _facts(arguments)
    print(json.dumps(facts, indent=2) if arguments.json else _text(facts))


def _facts(arguments: argparse.Namespace) -> dict[str, Any]:
    from engine import EngineError, Network, NotPiecewiseLinearError

    checkpoint = open_chosen(arguments)
    module = checkpoint.module
    facts: dict[str, Any] = {
        "checkpoint": str(arguments.file),
        "architecture": str(module),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "domain": checkpoint.domain.tolist(),
        "provenance": dict(checkpoint.provenance),
        "notes": list(checkpoint.notes),
        "last_activation": checkpoint.last_activation.name if checkpoint.last_activation.known else "unknown",
        "approximation": approximation_facts(checkpoint.approximation),
        "modules": [asdict(verdict) for verdict in layer_verdicts(module)],
    }
    try:
        network = Network.trace(module, input_shape=(checkpoint.domain.shape[1],))
    except NotPiecewiseLinearError as error:
        return facts | {"piecewise_linear": False, "sizes": _linear_sizes(module), "reason": with_advice(error)}
    except EngineError as error:
        raise CommandError(about(arguments.file, str(error))) from error
    facts["notes"] += network.notes
    return facts | {
        "piecewise_linear": True,
        "sizes": [network.input_size, *(len(kink.breakpoints) for kink in network.kinks), network.output_size],
        "layers": [
            {"depth": depth, "name": kink.name, "operation": kink.operation, "neurons": len(kink.breakpoints)}
            for depth, kink in enumerate(network.kinks)
        ],
        "max_forward_error": forward_error(network),
        "reference": asdict(reference_check(checkpoint, network)),
    }


def forward_error(network: Network) -> dict[str, float]:
    """The largest difference from the module's own forward, by the dtype in which the module ran."""
    error = network.max_forward_error
    return {"float64": error.double, error.native_dtype: error.native}


def _linear_sizes(module: nn.Module) -> list[int]:
    from torch import nn

    layers = [part for part in module.modules() if isinstance(part, nn.Linear)]
    return [*(layer.in_features for layer in layers[:1]), *(layer.out_features for layer in layers)]


def _text(facts: dict[str, Any]) -> str:
    lower, upper = facts["domain"]
    lines = [
        ("checkpoint", facts["checkpoint"]),
        ("architecture", _sizes(facts)),
        ("parameters", f"{facts['parameters']:,}"),
        ("domain", f"{_corner(lower)} to {_corner(upper)}"),
        *((key, str(value)) for key, value in facts["provenance"].items() if key not in ("path", "layers")),
    ]
    if facts["piecewise_linear"]:
        layers = facts["layers"]
        neurons = sum(layer["neurons"] for layer in layers)
        lines.append(("verdict", f"piecewise linear: {neurons:,} neurons in {len(layers)} nonlinear layers"))
        lines += [
            (f"depth {layer['depth']}", f"{layer['name']}: {layer['operation']}, {layer['neurons']} neurons")
            for layer in layers
        ]
        errors = facts["max_forward_error"].items()
        lines.append(("forward error", ", ".join(f"{value:.1e} against {dtype}" for dtype, value in errors)))
        lines.append(("reference", str(ReferenceCheck(**facts["reference"]))))
    else:
        lines.append(("verdict", f"not piecewise linear: {facts['reason']}"))
        lines += [("layer", f"{part['name']} ({part['kind']}): {part['verdict']}") for part in facts["modules"]]
    if facts["approximation"] is not None:
        lines.append(("APPROXIMATION", facts["approximation"]["what"]))
    lines += [("note", note) for note in facts["notes"]]
    width = max(len(key) for key, _ in lines)
    return "\n".join(f"{key:<{width}}  {value}" for key, value in lines)


def _sizes(facts: dict[str, Any]) -> str:
    """The sizes from input to output, with runs of equal ones shortened: 3 → 8 x 64 → 1."""
    first, *inner, last = facts["sizes"] or [len(facts["domain"][0]), "?"]
    runs = [(size, len(list(run))) for size, run in groupby(inner)]
    shown = [f"{count} x {size}" if count > 1 else str(size) for size, count in runs]
    kinds = sorted({layer["operation"] for layer in facts.get("layers", [])})
    return " → ".join([str(first), *shown, str(last)]) + (f", {', '.join(kinds)}" if kinds else "")


def _corner(values: list[float]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
