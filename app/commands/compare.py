"""splinescope compare: how checkpoints differ, on slices and surfaces, in numbers and as a figure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.compare_window import add_window_options, compare_in_window, in_window
from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.kernels import prepare_kernels, prepare_surface_kernels
from app.commands.loading import about, add_reading_options, open_checkpoint, reading_of, trace
from app.commands.options import add_command, add_level_option, add_outputs_option, add_palette_option, numbers
from app.commands.outputs import check_outputs, could_not_write, written_one_by_one
from app.commands.planes import add_plane_options, planes_of
from app.commands.recording import provenance_of
from app.state.palette import Palette

if TYPE_CHECKING:
    from app.comparison.comparison import Comparison
    from app.comparison.subjects import Subject
    from app.provenance.record import Provenance
    from engine import SlicePlane
    from sdf_models import Checkpoint, Reading

FIGURES: Final = (".svg", ".pdf", ".png")
_EXTENSIONS: Final = (*FIGURES, ".csv")
_EPILOG: Final = """\
How a file is read is said by the options below for all files, by FILE.reading.json beside each, or at the end of the
line, after --for and the number of a file, for that one alone:
  splinescope compare a.pth b.pth --plane z=0 --for 2 --activation relu
resources/docs/measures.md defines every number.  Without --out, --table, --json, --surface and --reference the window
opens with the checkpoints beside each other, and with the planes as its slices.
"""


def add_parser(commands: Any) -> None:
    parser = add_command(
        commands, "compare", run, "compare checkpoints with the first of them, in exact numbers", __doc__, _EPILOG
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="checkpoints, or names of demos")
    add_plane_options(parser.add_argument_group("planes, a row of the figure each"))
    parser.add_argument("--surface", action="store_true", help="compare the level surfaces too")
    parser.add_argument(
        "--reference", type=Path, metavar="MESH", help="compare the surfaces with this mesh, not with the first one"
    )
    parser.add_argument(
        "--normalise-reference",
        action="store_true",
        help="move and scale that mesh to the middle of [-1, 1]^3, as train does with its target",
    )
    add_level_option(parser)
    boxes = parser.add_mutually_exclusive_group()
    boxes.add_argument(
        "--bounds", type=numbers, metavar="LO,HI", help="the box, as for slice (default: the checkpoints' domain)"
    )
    boxes.add_argument(
        "--align",
        action="store_true",
        help="map the checkpoints' domains onto the first one's, and scale values as distances",
    )
    add_outputs_option(parser, "figure (.svg, .pdf, .png) or table (.csv)")
    add_palette_option(parser.add_argument)
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--table", action="store_true", help="print a table; without any output the window opens")
    printed.add_argument("--json", action="store_true", help="print one JSON object")
    add_window_options(parser)
    add_reading_options(parser, without=("bounds",))
    parser.add_argument(
        "--for", nargs=argparse.REMAINDER, default=[], metavar="N", dest="own", help="see below; the last option"
    )
    own = type(parser)(prog=f"{parser.prog} ... --for N", add_help=False)
    own.add_argument("number", metavar="N", type=int)
    add_reading_options(own)
    parser.set_defaults(own_parser=own, located=None, module=None)


def run(arguments: argparse.Namespace) -> None:
    outputs: list[Path] = arguments.out
    check_outputs(outputs, _EXTENSIONS)
    _check_inputs(arguments)
    planes = planes_of(arguments)
    readings = _readings(arguments)
    if in_window(arguments):
        compare_in_window(arguments, planes, readings)
        return
    located = [arguments.located or arguments.files[0], *arguments.files[1:]]
    checkpoints = [open_checkpoint(path, reading) for path, reading in zip(located, readings, strict=True)]
    subjects = _traced(arguments.files, checkpoints, arguments.level)
    planes = fitting(subjects, planes)
    if not (planes or arguments.surface or arguments.reference):
        raise CommandError("nothing to compare; give --plane z=0, --surface, or --reference and a mesh")
    if not planes and any(path.suffix.lower() in FIGURES for path in outputs):
        raise CommandError("a figure shows slices; give --plane z=0")
    comparison = _compared(subjects, planes, arguments)
    _write(comparison, outputs, Palette(arguments.palette), _record(arguments, checkpoints, comparison))
    from app.comparison.table import as_json, as_text

    if arguments.json:
        print(as_json(comparison.rows, _facts(comparison)))
    else:
        assumed = [f"{found.name}: {found.approximation}" for found in comparison.subjects if found.approximation]
        print("\n".join([as_text(comparison.rows), *assumed, *(f"wrote {path}" for path in outputs)]))


def _check_inputs(arguments: argparse.Namespace) -> None:
    if arguments.normalise_reference and arguments.reference is None:
        raise CommandError("--normalise-reference is of the mesh of --reference; give that too")
    if len(arguments.files) < 2 and arguments.reference is None:
        raise CommandError("one checkpoint is compared with nothing; give two files or more, or --reference and a mesh")
    for path in arguments.out:
        if any(path.resolve() == source.resolve() for source in [*arguments.files, arguments.reference or path.parent]):
            raise CommandError(f"{path}: this is an input; choose another name for the output")


def _readings(arguments: argparse.Namespace) -> list[Reading]:
    """Return how each file is read: as for all, but for what is said after --for and its number."""
    readings = [reading_of(arguments)] * len(arguments.files)
    parts: list[list[str]] = []
    for word in ["--for", *arguments.own] if arguments.own else []:
        if word == "--for":
            parts.append([])
        else:
            parts[-1].append(word)
    for part in parts:
        own = arguments.own_parser.parse_args(part)
        if not 1 <= own.number <= len(readings):
            raise CommandError(f"--for {own.number}: there is no such file; they have the numbers 1 to {len(readings)}")
        merged = argparse.Namespace(**vars(arguments))
        for choice, value in vars(own).items():
            if value not in (None, False):
                setattr(merged, choice, value)
        readings[own.number - 1] = reading_of(merged)
    return readings


def open_subjects(files: Sequence[Path], readings: Sequence[Reading], level: float) -> list[Subject]:
    """Open and trace checkpoints; level: of the files' own outputs.  Raises CommandError."""
    return _traced(
        files, [open_checkpoint(path, reading) for path, reading in zip(files, readings, strict=True)], level
    )


def _traced(files: Sequence[Path], checkpoints: Sequence[Checkpoint], level: float) -> list[Subject]:
    from app.comparison.subjects import Subject
    from sdf_models import CheckpointError

    subjects = []
    for path, checkpoint, name in zip(files, checkpoints, _names(files), strict=True):
        network = trace(path, checkpoint)
        try:
            own_level = checkpoint.level(level)
        except CheckpointError as error:
            raise CommandError(str(error)) from error
        approximation = "" if checkpoint.approximation is None else str(checkpoint.approximation)
        subjects.append(Subject(name, network, checkpoint.domain, own_level, approximation))
    return subjects


def _names(files: Sequence[Path]) -> list[str]:
    """Return a name for each file: its own, with its folder where others have the same, with a number where also that
    is the same.
    """
    names = [path.name for path in files]
    if len(set(names)) < len(names):
        names = [str(path) for path in files]
    return [name if name not in names[:i] else f"{name} ({i + 1})" for i, name in enumerate(names)]


def fitting(subjects: Sequence[Subject], planes: list[SlicePlane]) -> list[SlicePlane]:
    """Return the planes for networks of three inputs, or of two, which are one plane."""
    from engine import SlicePlane

    dimension = subjects[0].network.input_size
    if dimension == 2 and not planes:
        return [SlicePlane.identity()]
    if dimension != 3 and planes:
        raise CommandError(
            f"{subjects[0].name}: the network takes {dimension} inputs, and planes on the command line lie in three "
            "dimensions; leave out --plane for two, hold others constant with --latent"
        )
    return planes


def _compared(subjects: list[Subject], planes: list[SlicePlane], arguments: argparse.Namespace) -> Comparison:
    from app.comparison.comparison import compare_subjects
    from app.comparison.subjects import ComparisonError
    from engine import Cancelled, EngineError

    reference = None
    if arguments.reference is not None or arguments.surface:
        if subjects[0].network.input_size != 3:
            raise CommandError(f"{subjects[0].name}: surfaces need three inputs, x, y, z; leave out --surface")
        from app.comparison.shapes import shape_in
        from sdf_models.mesh_files import MeshFileError

        if arguments.reference is not None:
            try:
                reference = shape_in(arguments.reference, arguments.normalise_reference)
            except MeshFileError as error:
                raise CommandError(about(arguments.reference, str(error))) from error
        prepare_surface_kernels()
    if planes:
        prepare_kernels(*(subject.network for subject in subjects))
    try:
        with cancelled_by_interrupt() as cancel, _telling() as tell:
            try:
                return compare_subjects(
                    subjects, planes, None, arguments.align, arguments.surface, reference, tell, cancel
                )
            except Cancelled as error:
                raise KeyboardInterrupt from error
    except (ComparisonError, EngineError) as error:
        raise CommandError(str(error)) from error


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Yield what to call with words at every step: they are shown on a terminal, with the time."""
    from tqdm import tqdm

    hidden = not sys.stderr.isatty()
    with tqdm(unit=" steps", delay=1.0, leave=False, disable=hidden) as bar:

        def tell(text: str) -> None:
            bar.set_description(text)
            bar.update()

        yield tell


def _facts(comparison: Comparison) -> dict[str, Any]:
    """Return what --json says besides the rows."""
    return {
        "checkpoints": [
            {"name": subject.name, "level": subject.level, "approximation": subject.approximation or None}
            for subject in comparison.subjects
        ],
        "domain": comparison.domain.tolist(),
        "planes": [
            {"description": compared.plane.describe(), **compared.plane.to_json()} for compared in comparison.slices
        ],
    }


def _record(
    arguments: argparse.Namespace, checkpoints: Sequence[Checkpoint], comparison: Comparison
) -> Provenance:  # fmt: skip
    """Return how a figure was made: the other checkpoints are told by their hashes."""
    arguments.file = arguments.files[0]
    hashes = [checkpoint.provenance.get("sha256", "") for checkpoint in checkpoints]
    settings = {f"sha256 of {number}": found for number, found in enumerate(hashes[1:], 2)}
    regions = {
        f"regions of {number} at {compared.plane.describe()}": result.partition.regions
        for compared in comparison.slices
        for number, result in enumerate(compared.slices, 1)
    }
    planes = [compared.plane.describe() for compared in comparison.slices]
    return provenance_of(
        arguments, checkpoints[0], ("--out",), comparison.domain, arguments.level, planes,
        {"palette": arguments.palette, **settings}, regions,
    )  # fmt: skip


def _write(comparison: Comparison, outputs: list[Path], palette: Palette, record: Provenance) -> None:
    from app.comparison.table import write_csv
    from app.files import written_together

    figure = None
    try:
        with written_together(outputs) as temporaries:
            for path, temporary in written_one_by_one(outputs, temporaries):
                kind = path.suffix.lower()
                if kind == ".csv":
                    write_csv(comparison.rows, temporary)
                    continue
                from app.figures.comparison_figure import draw_comparison
                from app.figures.writing import write_figure

                figure = figure or draw_comparison(comparison.slices, palette)
                text = record.of_output("--out", path).to_text()
                write_figure(figure, temporary, kind[1:], provenance=text)
    except OSError as error:
        raise could_not_write(error, outputs) from error
