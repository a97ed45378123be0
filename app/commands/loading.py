"""From the command line to a checkpoint and its traced network: FILE, and the options that choose how it is read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.errors import CommandError
from app.demos import DEMOS, demo_checkpoint, suggestion
from app.inspection import with_advice

if TYPE_CHECKING:
    from engine import Network
    from sdf_models import Approximation, Checkpoint, Reading

_OPTIONS: Final = {
    "family": (
        "NAME",
        "the public code it is of: deepsdf, sal, igr, idr, occupancy, bsp-net, or mlp for any other",
    ),
    "network": ("PATH", "which network of a file that holds several"),
    "activation": ("NAME", "between layers: relu, leaky_relu:0.01, softplus:100, ..."),
    "last_activation": ("NAME", "after the last layer: none, tanh, tanh-twice, x+tanh, sigmoid or abs"),
    "skip_scale": ("S", "what concatenations with the input are multiplied by: 1 or 1/sqrt2"),
    "skip_order": ("WHERE", "the input's place in them: last or first"),
    "norm_order": ("WHERE", "batch norm stands before or after the activation"),
    "residual": ("KIND", "sums with earlier layers: none, layer, sum, pre or post"),
    "phase": ("N", "the phase of BSP-Net's training that its generator is of, 0 to 4"),
    "order": ("NAMES", "the layers' names as they follow each other, where several orders fit: net.0..net.4,out"),
    "slopes": ("KIND", "what vectors beside the layers are: prelu, snake or other"),
    "row_bounds": ("KIND", "what numbers beside the layers do to their rows: softplus, plain or none"),
    "norm_eps": ("EPS", "what is added to the variance of batch norms"),
    "ignore": ("NAMES", "tensors, or the modules or ends of names of several, that do not change the values"),
    "latent": ("CODE", "the inputs held: zeros, mean, FILE, FILE:INDEX or numbers; none: all inputs are coordinates"),
    "coordinates": ("WHICH", "the inputs that are coordinates where others are held: first, last or indices 0,1,2"),
    "output": ("INDEX", "the one of several outputs to draw, from 0"),
    "bounds": ("LO,HI", "the domain, one range for all axes or lower and upper corner (default: the file's)"),
    "input_transform": ("NUMBERS", "the network is applied to A x + t: a scale, a scale and t, or the rows of [A | t]"),
    "output_transform": ("NUMBERS", "the output f becomes s f + t: s, or s and t"),
}
_FLAGS: Final = {
    "relu_limit": "draw a Softplus network as its ReLU limit, an approximation that is labelled so",
    "flip_sign": "negate the output, for networks that are positive inside",
}


def add_checkpoint_options(parser: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> None:
    """FILE, and the options for what a file leaves open; `without`: choices whose option the command adds itself."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="a checkpoint, or the name of a demo: spot, gyroid, torus, ...",
    )
    parser.set_defaults(located=None)  # where FILE is, when it is not there
    add_reading_options(parser, without=without).add_argument(
        "--module",
        metavar="MODULE:FUNCTION",
        help="RUNS YOUR CODE: import a Python module and call a function that returns the torch.nn.Module; FILE, if "
        "given, holds its state_dict",
    )


def add_reading_options(parser: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> argparse._ArgumentGroup:
    """The options for what a file leaves open, in a group of their own."""
    group = parser.add_argument_group("how the file is read, where it does not say")
    for choice, (metavar, text) in _OPTIONS.items():
        if choice not in without:
            group.add_argument(_option(choice), type=_answer(choice), metavar=metavar, help=text)
    for choice, text in _FLAGS.items():
        group.add_argument(_option(choice), action="store_true", help=text)
    return group


def _option(choice: str) -> str:
    return f"--{choice.replace('_', '-')}"


def _answer(choice: str) -> Any:
    """The type of an option: from its text to the value of a choice."""

    def parse(text: str) -> Any:
        from sdf_models.reading import PARSERS

        try:
            return PARSERS[choice](text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def any_choice(arguments: argparse.Namespace) -> bool:
    """Whether an option makes any choice."""
    return any(getattr(arguments, choice) not in (None, False) for choice in (*_OPTIONS, *_FLAGS))


def reading_of(arguments: argparse.Namespace) -> Reading:
    """The choices made by options."""
    from sdf_models import Reading

    chosen = {choice: getattr(arguments, choice) for choice in (*_OPTIONS, *_FLAGS)}
    bounds = chosen["bounds"]  # an array where the command has its own --bounds
    return Reading(**{**chosen, "bounds": None if bounds is None else tuple(float(value) for value in bounds)})


def open_chosen(arguments: argparse.Namespace) -> Checkpoint:
    """The checkpoint of a command with `add_checkpoint_options`; afterwards `arguments.file` names it."""
    from sdf_models import CheckpointError
    from sdf_models.module_reference import load_module

    if arguments.module is None:
        if arguments.file is None:
            raise CommandError("no checkpoint given; give a FILE, or the name of a demo such as spot")
        return open_checkpoint(arguments.located or arguments.file, reading_of(arguments))
    file = arguments.located or arguments.file
    arguments.file = arguments.file or Path(arguments.module)
    try:
        return load_module(arguments.module, file, reading_of(arguments))
    except CheckpointError as error:
        raise CommandError(str(error), error.recipe) from error


def open_checkpoint(path: Path, reading: Reading | None = None) -> Checkpoint:
    """Open a file, or a checkpoint that comes with the program by its bare name when there is no such file."""
    from sdf_models import CheckpointError, load_checkpoint

    try:
        there = path.exists()
        found = (None if there else demo_checkpoint(str(path))) or path
    except OSError:  # a name that no file can have
        there, found = True, path
    try:
        return load_checkpoint(found, reading)
    except CheckpointError as error:
        meant = "" if there else suggestion(str(path), list(DEMOS))
        raise CommandError(about(path, str(error).removeprefix(f"{found}: ")) + meant, error.recipe) from error


def level_of(arguments: argparse.Namespace, checkpoint: Checkpoint) -> float:
    """The level of the values that are drawn, from --level, which is one of the file's own output."""
    from sdf_models import CheckpointError

    try:
        return checkpoint.level(arguments.level)
    except CheckpointError as error:
        raise CommandError(str(error)) from error


def reading_facts(arguments: argparse.Namespace, checkpoint: Checkpoint, network: Network) -> dict[str, Any]:
    """What --json says of how a file was read."""
    return {
        "notes": [*checkpoint.notes, *network.notes],
        "last_activation": checkpoint.last_activation.name if checkpoint.last_activation.known else "unknown",
        "level_in_file": arguments.level,
        "relu_limit": approximation_facts(checkpoint.approximation),
    }


def approximation_facts(approximation: Approximation | None) -> dict[str, Any] | None:
    """What --json says of a network that is not the file's own; None when it is."""
    if approximation is None:
        return None
    return {
        "what": approximation.what,
        "largest_difference": approximation.largest_difference,
        "samples": approximation.samples,
    }


def trace(path: Path, checkpoint: Checkpoint) -> Network:
    from engine import EngineError, Network

    try:
        return Network.trace(checkpoint.module, input_shape=(checkpoint.domain.shape[1],))
    except EngineError as error:
        raise CommandError(about(path, with_advice(error))) from error


def about(path: Path, reason: str) -> str:
    """The reason, with the path before it once."""
    return reason if reason.startswith(f"{path}:") else f"{path}: {reason}"
