"""splinescope info: what a checkpoint holds, and whether its partition can be drawn."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.errors import CommandError
from app.commands.loading import about, open_checkpoint

if TYPE_CHECKING:
    from engine import Network


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("info", help="say what a checkpoint holds", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="a checkpoint, or the name of a demo")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    facts = _facts(arguments.file)
    print(json.dumps(facts, indent=2) if arguments.json else _text(facts))


def _facts(path: Path) -> dict[str, Any]:
    from engine import EngineError, Network, NotPiecewiseLinearError

    checkpoint = open_checkpoint(path)
    module = checkpoint.module
    facts: dict[str, Any] = {
        "checkpoint": str(path),
        "architecture": str(module),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "domain": checkpoint.domain.tolist(),
        "provenance": dict(checkpoint.provenance),
        "notes": list(checkpoint.notes),
    }
    try:
        network = Network.trace(module, input_shape=(checkpoint.domain.shape[1],))
    except NotPiecewiseLinearError as error:
        return facts | {"piecewise_linear": False, "reason": str(error)}
    except EngineError as error:
        raise CommandError(about(path, str(error))) from error
    facts["notes"] += network.notes
    return facts | {
        "piecewise_linear": True,
        "layers": [
            {"depth": depth, "name": kink.name, "operation": kink.operation, "neurons": len(kink.breakpoints)}
            for depth, kink in enumerate(network.kinks)
        ],
        "max_forward_error": forward_error(network),
    }


def forward_error(network: Network) -> dict[str, float]:
    """The largest difference from the module's own forward, by the dtype in which the module ran."""
    error = network.max_forward_error
    return {"float64": error.double, error.native_dtype: error.native}


def _text(facts: dict[str, Any]) -> str:
    lower, upper = facts["domain"]
    lines = [
        ("checkpoint", facts["checkpoint"]),
        ("parameters", f"{facts['parameters']:,}"),
        ("domain", f"{_corner(lower)} to {_corner(upper)}"),
        *((key, str(value)) for key, value in facts["provenance"].items() if key != "path"),
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
    else:
        lines.append(("verdict", f"not piecewise linear: {facts['reason']}"))
    lines += [("note", note) for note in facts["notes"]]
    width = max(len(key) for key, _ in lines)
    return "\n".join(f"{key:<{width}}  {value}" for key, value in lines)


def _corner(values: list[float]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
