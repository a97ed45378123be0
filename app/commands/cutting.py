"""Slices cut as options say, for the commands that draw or measure them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.kernels import prepare_kernels
from app.commands.loading import about, add_checkpoint_options, level_of, open_chosen, trace
from app.commands.options import check_size, finite, numbers, positive
from app.commands.planes import add_plane_options, poses_of
from app.commands.recording import provenance_of
from app.state.texts.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from app.provenance.record import Provenance
    from app.state.geometry.poses import Pose
    from app.state.slices import SliceResult
    from engine import Network, Partition, SlicePlane
    from sdf_models import Checkpoint

_SLOW_SECONDS: Final = 1.0  # what takes longer is shown

SLICE_EPILOG: Final = """\
A plane's own coordinates are those of the axes that follow its normal: y, z for x=0; z, x for y=0; x, y for z=0.
Write lists of numbers that start with a minus after an equals sign: --origin=-1,0,0.
"""


@dataclass(frozen=True, eq=False, slots=True)
class CutSlices:
    """Slices of one checkpoint, with what they were cut from; poses: none of a network of two inputs."""

    checkpoint: Checkpoint
    network: Network
    poses: list[Pose]
    results: list[SliceResult]


def add_slice_options(parser: argparse.ArgumentParser, planes: str) -> None:
    """FILE, the planes, their extent and the level; planes: the heading of their options."""
    add_checkpoint_options(parser, without=("bounds",))
    add_plane_options(parser.add_argument_group(planes))
    domain = parser.add_mutually_exclusive_group()
    domain.add_argument(
        "--bounds",
        type=numbers,
        metavar="LO,HI",
        help="the box to slice, one range for all axes or lower and upper corner (default: the checkpoint's domain)",
    )
    domain.add_argument("--half-width", type=positive, metavar="R", help="slice a square of side 2R around the origin")
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--level", type=finite, default=0.0, metavar="F", help="the level drawn on top (default: 0)")
    level.add_argument(
        "--drawn-level",
        type=finite,
        metavar="F",
        help="the same, of the values that are drawn where a last activation is left out, as the window counts it",
    )


def cut_slices(
    arguments: argparse.Namespace, check: Callable[[list[SlicePlane], Network], None] = lambda planes, network: None
) -> CutSlices:
    """Open the checkpoint and cut its slices; check: refuses, before that takes long, what cannot be written then."""
    poses = poses_of(arguments)
    checkpoint = open_chosen(arguments)
    if arguments.drawn_level is None:
        level = level_of(arguments, checkpoint)
    else:
        level, arguments.level = arguments.drawn_level, None
    network = trace(arguments.file, checkpoint)

    from app.state.slices import SliceResult
    from engine import Cancelled, EngineError, level_set

    approximation = "" if checkpoint.approximation is None else str(checkpoint.approximation)
    try:
        planes = _fitting([pose.plane for pose in poses], arguments, network.input_size)
        check(planes, network)
        polygons = _polygons(arguments, planes, [pose.half_width for pose in poses], checkpoint.domain)
        prepare_kernels(network)
        results = []
        with cancelled_by_interrupt() as cancel:
            for plane, polygon in zip(planes, polygons, strict=True):
                try:
                    partition = partition_shown(network, plane, polygon, level, cancel)
                except Cancelled as error:
                    raise KeyboardInterrupt from error
                results.append(SliceResult(arguments.file.name, partition, level_set(partition), approximation))
    except EngineError as error:
        raise CommandError(about(arguments.file, str(error))) from error
    return CutSlices(checkpoint, network, poses, results)


def record_of(
    cut: CutSlices, arguments: argparse.Namespace, outputs: Sequence[str], settings: Mapping[str, str | float]
) -> Provenance:
    """Return how the slices were made; outputs: the options that name files; settings: of the drawing."""
    from app.figures.recipe import slices_found

    partitions = [result.partition for result in cut.results]
    planes = [str(pose) for pose in cut.poses] or [partition.plane.describe() for partition in partitions]
    domain = cut.checkpoint.domain
    level = arguments.drawn_level if arguments.level is None else arguments.level
    return provenance_of(arguments, cut.checkpoint, outputs, domain, level, planes, settings, slices_found(cut.results))


def partition_shown(
    network: Network, plane: SlicePlane, polygon: NDArray[np.float64], level: float, cancel: Callable[[], bool]
) -> Partition:
    from tqdm import tqdm

    from engine import Progress, partition_polygon

    hidden = not sys.stderr.isatty()
    with tqdm(desc=plane.describe(), total=100, unit="%", delay=_SLOW_SECONDS, leave=False, disable=hidden) as bar:

        def report(progress: Progress) -> None:
            examined = f", {counted(progress.examined, 'doubt')} examined" if progress.examined else ""
            bar.set_postfix_str(counted(progress.regions, "region") + examined, refresh=False)
            bar.update(round(100 * progress.share) - bar.n)

        return partition_polygon(network, plane, polygon, level, report, cancel)


def _fitting(planes: list[SlicePlane], arguments: argparse.Namespace, dimension: int) -> list[SlicePlane]:
    """The planes of a network of `dimension` inputs."""
    from engine import SlicePlane

    if dimension == 2:
        if planes:
            raise CommandError(
                f"{arguments.file}: the network takes two inputs, so that all of it is one plane; leave out --plane, "
                "--pose, --origin and --normal"
            )
        planes = [SlicePlane.identity()]
    elif dimension != 3:
        raise CommandError(
            f"{arguments.file}: the network takes {dimension} inputs, and planes on the command line lie in three "
            "dimensions; hold some of them constant with --latent, or use SlicePlane from Python"
        )
    if not planes:
        raise CommandError("no plane to slice along; give --plane z=0, or --origin and --normal")
    return planes


def _polygons(
    arguments: argparse.Namespace,
    planes: list[SlicePlane],
    half_widths: list[float | None],
    domain: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    from engine import plane_box_polygon, square_polygon

    if arguments.half_width is not None:
        check_size(2 * arguments.half_width, "--half-width")
        return [square_polygon(arguments.half_width) for _ in planes]
    polygons = []
    for plane, half_width in zip(planes, half_widths or [None], strict=True):
        if half_width is not None:
            check_size(2 * half_width, "half-width")
        polygons.append(plane_box_polygon(plane, domain) if half_width is None else square_polygon(half_width))
    return polygons
