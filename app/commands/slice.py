"""splinescope slice: the exact partition of slices of a network, as figures and data."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.kernels import prepare_kernels
from app.commands.loading import about, add_checkpoint_options, level_of, open_chosen, reading_facts, trace
from app.commands.options import add_palette_option, check_size, finite, numbers, positive
from app.commands.outputs import check_outputs, could_not_write, written_one_by_one
from app.commands.planes import add_plane_options, poses_of
from app.inspection import forward_error
from app.state.palette import Palette
from app.state.texts.numbers import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.slices import SliceResult
    from engine import Network, Partition, SlicePlane
    from sdf_models import Checkpoint

_EXTENSIONS: Final = (".svg", ".pdf", ".png", ".npz")
_SLOW_SECONDS: Final = 1.0  # what takes longer is shown

_EPILOG = """\
A plane's own coordinates are those of the axes that follow its normal: y, z for x=0; z, x for y=0; x, y for z=0.
Write lists of numbers that start with a minus after an equals sign: --origin=-1,0,0.
"""

_RESOLUTIONS = (10.0, 4800.0)


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "slice",
        help="draw the exact partition of slices",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_checkpoint_options(parser, without=("bounds",))
    planes = parser.add_argument_group("planes, a panel each")
    add_plane_options(planes)
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
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="figure (.svg, .pdf, .png) or data of one plane (.npz); repeatable",
    )
    add_palette_option(parser.add_argument)
    parser.add_argument("--dpi", type=_resolution, default=600.0, help="resolution of .png figures (default: 600)")
    parser.add_argument("--json", action="store_true", help="print one JSON object with what was found")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    outputs: list[Path] = arguments.out
    check_outputs(outputs, _EXTENSIONS, source=arguments.file)
    poses = poses_of(arguments)
    planes = [pose.plane for pose in poses]
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
        planes = _fitting(planes, arguments, network.input_size)
        polygons = _polygons(arguments, planes, [pose.half_width for pose in poses], checkpoint.domain)
        prepare_kernels()
        results = []
        with cancelled_by_interrupt() as cancel:
            for plane, polygon in zip(planes, polygons, strict=True):
                try:
                    partition = _partition(network, plane, polygon, level, cancel)
                except Cancelled as error:
                    raise KeyboardInterrupt from error
                results.append(SliceResult(arguments.file.name, partition, level_set(partition), approximation))
    except EngineError as error:
        raise CommandError(about(arguments.file, str(error))) from error
    _write(results, outputs, arguments)
    print(_json(arguments, checkpoint, network, results) if arguments.json else _text(results, outputs))


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
    data = next((path for path in arguments.out if path.suffix.lower() == ".npz"), None)
    if data is not None and len(planes) > 1:
        raise CommandError(f"{data}: a data file holds one plane, not {len(planes)}; run once for each plane")
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


def _partition(
    network: Network, plane: SlicePlane, polygon: NDArray[np.float64], level: float, cancel: Callable[[], bool]
) -> Partition:
    from tqdm import tqdm

    from engine import Progress, partition_polygon

    hidden = not sys.stderr.isatty()
    with tqdm(desc=plane.describe(), unit=" layers", delay=_SLOW_SECONDS, leave=False, disable=hidden) as bar:

        def report(progress: Progress) -> None:
            bar.total = progress.layers
            examined = f", {counted(progress.examined, 'doubt')} examined" if progress.examined else ""
            bar.set_postfix_str(counted(progress.regions, "region") + examined, refresh=False)
            bar.update(progress.done - bar.n)

        return partition_polygon(network, plane, polygon, level, report, cancel)


def _write(results: list[SliceResult], outputs: list[Path], arguments: argparse.Namespace) -> None:
    if not outputs:
        return
    from app.export.slice_files import SliceFiles
    from app.files import written_together

    files = SliceFiles(results, Palette(arguments.palette), arguments.dpi)
    try:
        with written_together(outputs) as temporaries:
            for path, temporary in written_one_by_one(outputs, temporaries):
                files.write(temporary, path.suffix.lower())
    except OSError as error:
        raise could_not_write(error, outputs) from error


def _json(arguments: argparse.Namespace, checkpoint: Checkpoint, network: Network, results: list[SliceResult]) -> str:
    """One object: the slice's facts beside the checkpoint's; of several slices, a list `slices` of such facts."""
    from app.export.data import slice_facts

    facts = {
        "checkpoint": str(arguments.file),
        "max_forward_error": forward_error(network),
        **reading_facts(arguments, checkpoint, network),
    }
    slices = [slice_facts(result) for result in results]
    return json.dumps(facts | (slices[0] if len(slices) == 1 else {"slices": slices}), indent=2)


def _text(results: list[SliceResult], outputs: list[Path]) -> str:
    lines = []
    for result in results:
        partition, level_set = result.partition, result.level_set
        found = "no level set" if level_set.empty else f"level set {level_set.length:.4g} long"
        regions, ties = counted(partition.regions, "region"), partition.tie_counts.describe()
        counts = f"{regions}, {len(partition.edges):,} edges, {ties}"
        lines.append(f"{partition.plane.describe()}: {counts}, {found}, {sum(partition.seconds.values()):.3f} s")
    if results[0].approximation:
        lines.append(results[0].approximation)
    return "\n".join([*lines, *(f"wrote {path}" for path in outputs)])


def _resolution(text: str) -> float:
    low, high = _RESOLUTIONS
    if not low <= (value := finite(text)) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a resolution from {low:g} to {high:g}")
    return value
