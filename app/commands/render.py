"""splinescope render: a picture of the exact surface with annotated slices, without a display."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.kernels import prepare_kernels, prepare_surface_kernels
from app.commands.loading import about, add_checkpoint_options, level_of, open_chosen, reading_facts, trace
from app.commands.options import add_command, add_level_option, add_palette_option, numbers
from app.commands.outputs import check_outputs, could_not_write
from app.commands.planes import add_plane_options, check_space, poses_of
from app.commands.recording import provenance_of
from app.commands.surface import extract, surface_facts
from app.inspection import forward_error
from app.libraries import advice, missing_for_pictures
from app.state.line_style import LineStyle
from app.state.look import CLEAREST, SceneLook
from app.state.palette import Palette

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.provenance.record import Provenance
    from app.state.slices import SliceResult
    from engine import Surface

_SIZES: Final = (200, 8192)
_GRID: Final = 32


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "render", run, "draw the surface with slices in place, without a display", __doc__)
    add_checkpoint_options(parser, without=("bounds",))
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture (.png)")
    parser.add_argument(
        "--size",
        type=_size,
        default=(1600, 1200),
        metavar="1600x1200",
        help="of the picture in pixels (default: 1600x1200)",
    )
    parser.add_argument(
        "--camera",
        type=numbers,
        metavar="X,Y,Z",
        help="the direction from the box's middle to the eye (default: 1,0.62,1.35)",
    )
    parser.add_argument("--up", type=numbers, metavar="X,Y,Z", help="the direction that is upwards (default: 0,1,0)")
    parser.add_argument(
        "--parallel", action="store_true", help="lines that are parallel stay so: sizes do not depend on the distance"
    )
    parser.add_argument(
        "--opacity", type=_opacity, default=100, metavar="PERCENT",
        help=f"of the surface, from {CLEAREST} to 100 (default: 100)",
    )  # fmt: skip
    add_plane_options(parser)
    parser.add_argument("--creases", action="store_true", help="draw the surface's creases, coloured by depth")
    add_palette_option(parser.add_argument)
    add_level_option(parser)
    parser.add_argument(
        "--bounds", type=numbers, metavar="LO,HI", help="the box, as for slice (default: the checkpoint's domain)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object with what was found")


def run(arguments: argparse.Namespace) -> None:
    output: Path = arguments.out
    check_outputs([output], (".png",), source=arguments.located or arguments.file)
    missing = missing_for_pictures()
    if missing:
        raise CommandError(f"pictures cannot be drawn: {advice(missing)}")
    poses = poses_of(arguments)
    planes = [pose.plane for pose in poses]
    camera, up = _directions(arguments)
    checkpoint = open_chosen(arguments)
    check_space(arguments, checkpoint.domain.shape[1], "surfaces")
    level = level_of(arguments, checkpoint)
    network = trace(arguments.file, checkpoint)
    domain = checkpoint.domain
    approximation = "" if checkpoint.approximation is None else str(checkpoint.approximation)
    from app.state.slices import SliceResult
    from engine import Cancelled, EngineError, level_set, partition_slice

    try:
        prepare_surface_kernels()
        if planes:
            prepare_kernels(network)
        with cancelled_by_interrupt() as cancel:
            try:
                surface = extract(network, domain, level, _GRID, cancel)
                partitions = [partition_slice(network, plane, domain, level, None, cancel) for plane in planes]
            except Cancelled as error:
                raise KeyboardInterrupt from error
        slices = [
            SliceResult(arguments.file.name, partition, level_set(partition), approximation) for partition in partitions
        ]
    except EngineError as error:
        raise CommandError(about(arguments.file, str(error))) from error
    if surface.empty and not slices:
        raise CommandError(about(arguments.file, f"{surface.describe()}; choose another level or box"))
    found = {"facets": surface.report.facets, "area": surface.area}
    found |= {"regions": sum(result.partition.regions for result in slices)} if slices else {}
    width, height = arguments.size
    settings: dict[str, str | float] = {"palette": arguments.palette, "width": width, "height": height}
    record = provenance_of(
        arguments, checkpoint, ("--out",), domain, arguments.level, [str(pose) for pose in poses], settings, found
    )
    _draw(surface, slices, arguments, camera, up, approximation, record)
    if arguments.json:
        from app.export.data import slice_facts

        facts: dict[str, Any] = {"checkpoint": str(arguments.file), "max_forward_error": forward_error(network)}
        described = {"surface": surface_facts(surface), "slices": [slice_facts(result) for result in slices]}
        print(json.dumps(facts | reading_facts(arguments, checkpoint, network) | described, indent=2))
    else:
        print(f"{surface.describe()}\nwrote {output}")


def _directions(arguments: argparse.Namespace) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the eye is, and what is upwards for it."""
    camera = np.array([1.0, 0.62, 1.35]) if arguments.camera is None else arguments.camera
    up = np.array([0.0, 1.0, 0.0]) if arguments.up is None else arguments.up
    for option, direction in (("--camera", camera), ("--up", up)):
        if direction.shape != (3,) or not direction.any():
            given = ",".join(f"{value:g}" for value in direction)
            raise CommandError(f"{option}={given} is no direction; give three numbers that are not all zero")
    camera, up = (direction / np.abs(direction).max() for direction in (camera, up))  # of any length
    if np.linalg.norm(np.cross(camera, up)) <= 1e-6 * np.linalg.norm(camera) * np.linalg.norm(up):
        if arguments.up is not None:
            raise CommandError("--up and --camera have the same direction; choose another one for --up")
        up = np.array([0.0, 0.0, -1.0 if camera[1] > 0 else 1.0])
    return camera, up


def _draw(
    surface: Surface,
    slices: list[SliceResult],
    arguments: argparse.Namespace,
    camera: NDArray[np.float64],
    up: NDArray[np.float64],
    approximation: str,
    record: Provenance,
) -> None:
    from app.files import written_together
    from app.provenance.carriers import add_to_png
    from app.views.scene.picture import draw_picture
    from app.views.scene.still_picture import TooLargeError

    try:
        with written_together([arguments.out]) as temporaries:
            draw_picture(
                surface, slices, temporaries[0], arguments.size, camera, up, approximation,
                SceneLook(
                    creases=arguments.creases, style=LineStyle(Palette(arguments.palette)), opacity=arguments.opacity
                ),
                arguments.parallel,
            )  # fmt: skip
            add_to_png(temporaries[0], record.of_output("--out", arguments.out).to_text())
    except TooLargeError as error:
        raise CommandError(f"--size: {error}") from error
    except OSError as error:
        raise could_not_write(error, [arguments.out]) from error


def _opacity(text: str) -> int:
    if not text.isdecimal() or len(text) > 3 or not CLEAREST <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {CLEAREST} to 100")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    low, high = _SIZES
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None or not all(low <= int(side) <= high for side in match.groups()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size from {low}x{low} to {high}x{high}")
    return int(match[1]), int(match[2])
