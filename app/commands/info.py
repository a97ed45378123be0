"""splinescope info: what a checkpoint holds, and whether its partition can be drawn."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.commands.errors import CommandError
from app.commands.loading import about, add_checkpoint_options, approximation_facts, open_chosen
from app.commands.options import add_command
from app.inspection import CheckpointNotes, checkpoint_notes
from app.libraries import advice, missing_for_pictures

if TYPE_CHECKING:
    from sdf_models import Checkpoint


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "info", run, "say what a checkpoint holds", __doc__)
    add_checkpoint_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--versions", action=_Versions, nargs=0, help="print what a bug report needs, and what draws the 3D view"
    )


class _Versions(argparse.Action):
    """Without a checkpoint."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from app.jobs.versions import version_report

        print(version_report(_renderer()))
        parser.exit()


def _renderer() -> str:
    missing = missing_for_pictures()
    if missing:
        return f"nothing: {advice(missing)}"
    from app.views.scene.studio import Studio

    studio = Studio()
    studio.close()
    return studio.renderer_name


def run(arguments: argparse.Namespace) -> None:
    from engine import EngineError

    checkpoint = open_chosen(arguments)
    try:
        notes = checkpoint_notes(checkpoint)
    except EngineError as error:
        raise CommandError(about(arguments.file, str(error))) from error
    print(json.dumps(_facts(arguments, checkpoint, notes), indent=2) if arguments.json else _text(arguments, notes))


def _facts(arguments: argparse.Namespace, checkpoint: Checkpoint, notes: CheckpointNotes) -> dict[str, Any]:
    facts = {
        "checkpoint": str(arguments.file),
        "architecture": str(checkpoint.module),
        "parameters": notes.parameters,
        "domain": notes.domain,
        "provenance": dict(checkpoint.provenance),
        "notes": notes.assumptions,
        "last_activation": notes.last_activation,
        "approximation": approximation_facts(checkpoint.approximation),
        "modules": [asdict(verdict) for verdict in notes.layers],
        "piecewise_linear": notes.piecewise_linear,
        "sizes": notes.sizes,
        "tensors": [asdict(use) for use in notes.tensors],
    }
    if not notes.piecewise_linear:
        return facts | {"reason": notes.verdict.removeprefix("not piecewise linear: ")}
    return facts | {
        "layers": [asdict(layer) for layer in notes.nonlinear],
        "max_forward_error": dict(notes.forward_error),
        "reference": notes.reference and asdict(notes.reference) | {"agrees": notes.reference.agrees},
    }


def _text(arguments: argparse.Namespace, notes: CheckpointNotes) -> str:
    from sdf_models.formats.format import printable

    lines = [("checkpoint", str(arguments.file)), *notes.lines()[1:], *notes.tensor_lines()]
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{printable(label):<{width}}  {printable(text)}" for label, text in lines)
