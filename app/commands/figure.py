"""splinescope figure: slices and surfaces as a figure for a paper, a slide or a poster.

FILE is a checkpoint, several for layouts that compare them, or a figure that was written as .json.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.kernels import prepare_kernels, prepare_surface_kernels
from app.commands.loading import about, add_reading_options, open_checkpoint, reading_of, trace
from app.commands.options import add_command, add_outputs_option, finite, numbers, positive
from app.commands.outputs import check_outputs, could_not_write, written_one_by_one
from app.commands.planes import add_plane_options, poses_of
from app.figures.layouts import LAYOUTS
from app.figures.presets import PRESETS
from app.figures.spec import Coordinates, Theme
from app.libraries import advice, missing_for_pictures
from app.state.look import Fill
from app.state.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.comparison.subjects import Subject
    from app.figures.cutting import Ingredients
    from app.figures.drawing import DrawnFigure
    from app.figures.spec import FigureSpec
    from app.provenance.record import Provenance
    from engine import Network, Partition, SlicePlane
    from sdf_models import Checkpoint

_FIGURES: Final = (".svg", ".pdf", ".png")
_EXTENSIONS: Final = (*_FIGURES, ".json")
_EPILOG: Final = "layouts:\n" + "\n".join(f"  {name:<11} {text}" for name, text in LAYOUTS.items())


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "figure", run, "draw a figure for a paper in one step", __doc__, _EPILOG)
    add_figure_options(parser)
    add_outputs_option(parser, "the figure (.svg, .pdf, .png), or what it is, to be changed and drawn again (.json)")


def add_figure_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a figure: checkpoints, layout, look."""
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="checkpoints, names of demos, or a figure")
    parser.add_argument("--layout", choices=LAYOUTS, default=None, help="see below (default: grid)")
    add_plane_options(parser.add_argument_group("planes, a panel each"))
    parser.add_argument("--zoom", type=numbers, metavar="L,LOW,R,HIGH", help="rectangle of layout zoom, in its plane")
    page = parser.add_argument_group("the page")
    page.add_argument("--preset", choices=PRESETS, help="size and letters of a page")
    page.add_argument("--width", type=positive, metavar="MM", help="of the page")
    page.add_argument("--height", type=positive, metavar="MM", help="of the page (default: what the panels need)")
    page.add_argument("--columns", type=int, metavar="N", help="panels beside each other")
    page.add_argument("--dpi", type=positive, help="of .png, and of pictures within .svg and .pdf (default: 600)")
    look = parser.add_argument_group("the look")
    look.add_argument("--theme", choices=[theme.value for theme in Theme], help="ground and colours (default: light)")
    look.add_argument("--palette", choices=[palette.value for palette in Palette], help="colours of the depths")
    look.add_argument("--marks", choices=[kind.value for kind in Coordinates], help="at each slice")
    look.add_argument("--fill", choices=[fill.value for fill in Fill], help="colours of regions")
    look.add_argument("--title", metavar="TEXT", help="of the figure (default: the checkpoint's name)")
    look.add_argument("--text", type=positive, metavar="PT", help="size of letters; the others follow")
    look.add_argument("--font", metavar="NAME", help="of all words (default: DejaVu Sans)")
    look.add_argument("--outlines", action="store_true", help="words of .svg as outlines, which need no font")
    look.add_argument("--letters", action="store_true", help="a, b, c at the panels")
    look.add_argument("--no-legend", action="store_true", help="leave the legend out")
    look.add_argument("--camera", type=numbers, metavar="X,Y,Z", help="direction from the surface to the eye")
    parser.add_argument("--spec", metavar="JSON", help="a figure as text, with the checkpoints of FILE")
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--level", type=finite, default=0.0, metavar="F", help="the level (default: 0)")
    level.add_argument("--drawn-level", type=finite, metavar="F", help="the same, of values as the window counts them")
    parser.add_argument("--bounds", type=numbers, metavar="LO,HI", help="the box (default: the checkpoint's domain)")
    add_reading_options(parser, without=("bounds",))
    parser.set_defaults(located=None, module=None)


def run(arguments: argparse.Namespace) -> None:
    from app.figures.presets import too_high, too_small
    from app.figures.spec import SpecError

    outputs: list[Path] = arguments.out
    check_outputs(outputs, _EXTENSIONS)
    try:
        opened = open_figure(arguments)
        spec, named = opened.spec, opened.named
        found, drawn = _drawn(spec, opened.subjects)
    except SpecError as error:
        raise CommandError(str(error)) from error
    record = _record(arguments, named, opened.checkpoints, found, spec)
    _write(drawn, replace(spec, checkpoints=tuple(map(str, named))), outputs, record)
    for warning in [*too_small(spec), *too_high(spec, drawn.height)]:
        print(f"splinescope: {warning}", file=sys.stderr)
    size = f"{spec.width:.4g} x {drawn.height:.4g} mm"
    print("\n".join([f"{len(spec.panels)} panels, {size}", *(f"wrote {path}" for path in outputs)]))


@dataclass(frozen=True, eq=False, slots=True)
class OpenedFigure:
    """named: the checkpoints as they were given."""

    spec: FigureSpec
    named: list[Path]
    checkpoints: list[Checkpoint]
    subjects: list[Subject]


def open_figure(arguments: argparse.Namespace) -> OpenedFigure:
    """Open what a figure is of, with kernels for all of it.  Raises CommandError, SpecError."""
    from app.figures.spec import SurfacePanel

    given = _given(arguments)
    files = _files(arguments, given)
    checkpoints = [open_checkpoint(path, reading_of(arguments)) for path in files]
    named = arguments.files or [Path(name) for name in (given.checkpoints if given else ())]
    subjects = [_subject(arguments, path, found) for path, found in zip(named, checkpoints, strict=True)]
    spec = _changed(arguments, given or _laid_out(arguments, subjects))
    with_surface = any(isinstance(panel, SurfacePanel) for panel in spec.panels)
    if with_surface and (missing := missing_for_pictures()):
        raise CommandError(f"surfaces cannot be drawn: {advice(missing)}")
    prepare_kernels()
    if with_surface:
        prepare_surface_kernels()
    return OpenedFigure(spec, named, checkpoints, subjects)


def _given(arguments: argparse.Namespace) -> FigureSpec | None:
    """Return the figure of --spec or of a file; the files left are checkpoints."""
    from app.figures.spec_text import FORMAT, spec_of_text

    text: str | None = arguments.spec
    first = arguments.files[0] if arguments.files else None
    if text is None and first is not None and first.suffix.lower() == ".json" and first.is_file():
        try:
            text = first.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{first}: {error}; give a figure that this program wrote") from error
        if FORMAT not in text:
            raise CommandError(f"{first}: this is no figure; write one with --out figure.json")
        del arguments.files[0]
    if text is None:
        return None
    if arguments.layout is not None or poses_of(arguments):
        raise CommandError("a figure that is given has its panels; leave --layout and planes out")
    return spec_of_text(text)


def _files(arguments: argparse.Namespace, given: FigureSpec | None) -> list[Path]:
    files: list[Path] = list(arguments.files) or [Path(name) for name in (given.checkpoints if given else ())]
    if not files:
        raise CommandError("no checkpoint given; give a FILE, or the name of a demo such as spot")
    for path in arguments.out:
        if any(path.resolve() == source.resolve() for source in files):
            raise CommandError(f"{path}: this is the input; choose another name for the output")
    if arguments.located is not None:
        files[0] = arguments.located
    return files


def _subject(arguments: argparse.Namespace, path: Path, checkpoint: Checkpoint) -> Subject:
    from app.comparison.subjects import Subject
    from sdf_models import CheckpointError

    network = trace(path, checkpoint)
    try:
        level = checkpoint.level(arguments.level) if arguments.drawn_level is None else arguments.drawn_level
    except CheckpointError as error:
        raise CommandError(str(error)) from error
    approximation = "" if checkpoint.approximation is None else str(checkpoint.approximation)
    return Subject(path.name, network, checkpoint.domain, level, approximation)


def _laid_out(arguments: argparse.Namespace, subjects: Sequence[Subject]) -> FigureSpec:
    from app.figures.layouts import lay_out
    from app.figures.spec import SlicePanel, SpecError

    poses = poses_of(arguments)
    layout = arguments.layout or ("grid" if len(subjects) == 1 else "comparison")
    if len(subjects) > 1 and layout not in ("comparison", "timeline"):
        raise CommandError(f"layout {layout} is of one checkpoint, not of {len(subjects)}; take comparison or timeline")
    two = subjects[0].network.input_size == 2
    panels = [SlicePanel()] if two and not poses else [SlicePanel(str(pose), colour=k) for k, pose in enumerate(poses)]
    rectangle = None
    if arguments.zoom is not None:
        if len(arguments.zoom) != 4:
            raise SpecError(f"--zoom has {len(arguments.zoom)} numbers; give left,low,right,high")
        left, low, right, high = arguments.zoom.tolist()
        rectangle = (left, low, right, high)
    names = [subject.name for subject in subjects]
    return lay_out(layout, panels, len(subjects[0].network.kinks), names, None, rectangle)


def _changed(arguments: argparse.Namespace, spec: FigureSpec) -> FigureSpec:
    """Return a figure with what options say."""
    from app.figures.presets import on_page, with_text
    from app.figures.spec import Letters, SlicePanel, SpecError, SurfacePanel, check
    from app.figures.style import themed

    if arguments.preset is not None:
        spec = on_page(spec, arguments.preset)
    if arguments.theme is not None:
        spec = themed(spec, Theme(arguments.theme))
    if arguments.text is not None:
        spec = with_text(spec, arguments.text)
    for name in ("width", "height", "columns", "dpi", "title", "font"):
        if (value := getattr(arguments, name)) is not None:
            changed: dict[str, Any] = {name: value}
            spec = replace(spec, **changed)
    if arguments.palette is not None:
        spec = replace(spec, palette=Palette(arguments.palette))
    if arguments.marks is not None:
        spec = replace(spec, coordinates=Coordinates(arguments.marks))
    if arguments.outlines:
        spec = replace(spec, words=Letters.OUTLINES)
    spec = replace(spec, letters=spec.letters or arguments.letters, legend=spec.legend and not arguments.no_legend)
    if arguments.fill is not None:
        fill = Fill(arguments.fill)
        panels = (replace(panel, fill=fill) if isinstance(panel, SlicePanel) else panel for panel in spec.panels)
        spec = replace(spec, panels=tuple(panels))
    if arguments.camera is not None:
        if len(arguments.camera) != 3:
            raise SpecError(f"--camera has {len(arguments.camera)} numbers; give three")
        x, y, z = arguments.camera.tolist()
        seen = (replace(panel, camera=(x, y, z)) if isinstance(panel, SurfacePanel) else panel for panel in spec.panels)
        spec = replace(spec, panels=tuple(seen))
    check(spec)
    return spec


def _drawn(spec: FigureSpec, subjects: Sequence[Subject]) -> tuple[Ingredients, DrawnFigure]:
    from app.commands.cutting import partition_shown
    from app.figures.cutting import ingredients
    from app.figures.making import Drawer
    from engine import Cancelled, EngineError

    try:
        with cancelled_by_interrupt() as cancel:

            def cut(network: Network, plane: SlicePlane, polygon: Any, level: float) -> Partition:
                return partition_shown(network, plane, polygon, level, cancel)

            try:
                found = ingredients(spec, subjects, cut=cut, cancelled=cancel)
            except Cancelled as error:
                raise KeyboardInterrupt from error
    except EngineError as error:
        raise CommandError(about(Path(subjects[0].name), str(error))) from error
    with Drawer() as drawer:
        return found, drawer.draw(spec, found)


def _record(
    arguments: argparse.Namespace,
    named: Sequence[Path],
    checkpoints: Sequence[Checkpoint],
    found: Ingredients,
    spec: FigureSpec,
) -> Provenance:
    from app.figures.recipe import figure_record, figure_words

    level = arguments.level if arguments.drawn_level is None else arguments.drawn_level
    reading, files = reading_of(arguments), [str(path) for path in named]
    return figure_record(
        figure_words(files, spec, reading, arguments.level, arguments.drawn_level), files[0],
        [checkpoint.provenance.get("sha256", "") for checkpoint in checkpoints], reading, checkpoints[0].notes,
        checkpoints[0].domain, level, spec, found.slices,
    )  # fmt: skip


def _write(drawn: DrawnFigure, spec: FigureSpec, outputs: list[Path], record: Provenance) -> None:
    from app.figures.spec_text import spec_text
    from app.figures.writing import write_figure
    from app.files import written_together

    try:
        with written_together(outputs) as temporaries:
            for path, temporary in written_one_by_one(outputs, temporaries):
                kind = path.suffix.lower()
                if kind == ".json":
                    temporary.write_text(f"{spec_text(spec, 2)}\n", "utf-8")
                else:
                    text = record.of_output("--out", path).to_text()
                    write_figure(drawn.figure, temporary, kind[1:], spec.dpi, text, spec.words)
    except OSError as error:
        raise could_not_write(error, outputs) from error
