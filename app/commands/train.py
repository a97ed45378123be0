"""splinescope train: fit a ReLU network to the signed distance of a mesh or a shape."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.options import add_command
from app.commands.outputs import check_outputs, could_not_write

if TYPE_CHECKING:
    from sdf_models.training import TrainingReport

_LINES = 10  # of progress where there is no terminal

_EPILOG = """\
Shapes are written as expressions, and can be combined:
  torus(0.6, 0.25)
  difference(rounded_box(0.6, 0.5, 0.4), move(sphere(0.4), 0.5, 0, 0))
"""


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "train", run, "fit a network to a mesh or a shape", __doc__, _EPILOG)
    parser.add_argument("target", metavar="MESH_OR_SHAPE", help="a watertight mesh, or the expression of a shape")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the checkpoint, .safetensors")
    parser.add_argument("--width", type=int, default=64, help="neurons of a layer (default: 64)")
    parser.add_argument("--depth", type=int, default=8, help="nonlinear layers (default: 8)")
    parser.add_argument("--steps", type=int, default=24_000, help="steps of the optimiser (default: 24000)")
    parser.add_argument("--batch", type=int, default=4096, help="points of a step (default: 4096)")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="the largest (default: 0.003)")
    parser.add_argument(
        "--seed", type=int, default=0, help="equal seeds draw equal samples and first weights (default: 0)"
    )
    parser.add_argument("--threads", type=int, default=1, help="another number gives another file (default: 1)")
    parser.add_argument(
        "--stage",
        type=_stage,
        action="append",
        default=[],
        metavar="NAME=STEP",
        help="also keep the network after so many steps, in a file beside the last one; repeatable",
    )
    parser.add_argument("--resume", action="store_true", help="go on with a training that was interrupted")


def run(arguments: argparse.Namespace) -> None:
    from sdf_models.training import TargetError, TrainingCancelled, TrainingError, stage_path, train

    stages = dict(arguments.stage)
    if len(stages) < len(arguments.stage):
        raise CommandError("--stage: two stages have the same name, so the same file; give each a name of its own")
    outputs = [arguments.out, *(stage_path(arguments.out, name) for name in stages)]
    check_outputs(outputs, [".safetensors"], source=Path(arguments.target))

    state = arguments.out.with_name(f"{arguments.out.name}.training")
    if arguments.resume and arguments.out.exists() and not state.exists():
        raise CommandError(
            f"{arguments.out}: there is no interrupted training to go on with; leave out --resume to train anew"
        )

    with cancelled_by_interrupt() as cancel, _progress(arguments.steps) as report:
        try:
            result = train(
                arguments.target,
                arguments.out,
                width=arguments.width,
                depth=arguments.depth,
                steps=arguments.steps,
                batch=arguments.batch,
                learning_rate=arguments.learning_rate,
                seed=arguments.seed,
                threads=arguments.threads,
                stages=stages,
                resume=arguments.resume,
                progress=report,
                cancel=cancel,
            )
        except TrainingCancelled as error:
            raise KeyboardInterrupt(f"{error}: repeat the command with --resume") from error
        except (TargetError, TrainingError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise could_not_write(error, [arguments.out]) from error
    print("\n".join([_text(result), *(f"wrote {path}" for path in outputs[1:])]))


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[int, int, float], None]]:
    """Yields what to call after every step: a bar on a terminal, a line every tenth of the way elsewhere."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    start = time.monotonic()
    with tqdm(total=steps, unit=" steps", disable=not terminal) as bar:

        def report(step: int, _: int, loss: float) -> None:
            if terminal:
                bar.set_postfix_str(f"loss {loss:.5f}", refresh=False)
                bar.update(step - bar.n)
            elif step * _LINES // steps > (step - 1) * _LINES // steps:
                seconds = time.monotonic() - start
                print(f"step {step:,} of {steps:,}, loss {loss:.5f}, {seconds:.0f} s", file=sys.stderr, flush=True)

        yield report


def _stage(text: str) -> tuple[str, int]:
    name, separator, step = text.partition("=")
    if not separator or not re.fullmatch(r"[A-Za-z0-9_]+", name) or not step.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a stage; write it as early=250")
    return name, int(step)


def _text(report: TrainingReport) -> str:
    return "\n".join(
        [
            f"mean |f - d| near the surface  {report.near_error:.5f}",
            f"mean |f - d| on the surface    {report.surface_error:.5f}",
            f"mean |f - d| in the box        {report.box_error:.5f}",
            f"at {report.samples:,} new points of each kind, in units of the box's half-width",
            f"wrote {report.out}: {report.parameters:,} parameters, after {report.seconds:.0f} s",
        ]
    )
