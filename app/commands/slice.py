"""splinescope slice: the exact partition of slices of a network, as figures and data."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.cutting import SLICE_EPILOG, CutSlices, add_slice_options, cut_slices, record_of
from app.commands.errors import CommandError
from app.commands.loading import about, reading_facts
from app.commands.options import add_command, add_dpi_option, add_outputs_option, add_palette_option
from app.commands.outputs import check_one_output, check_outputs, check_parquet, could_not_write, written_one_by_one
from app.inspection import forward_error
from app.state.palette import Palette
from app.state.texts.numbers import counted

if TYPE_CHECKING:
    from app.provenance.record import Provenance
    from app.state.slices import SliceResult
    from engine import Network, SlicePlane

_FIGURES: Final = (".svg", ".pdf", ".png")
_LINES: Final = (".npz", ".vtp", ".csv", ".json")
_REGIONS: Final = (".csv", ".parquet")
_EXTENSIONS: Final = (*_FIGURES, *_LINES)
_OUTPUTS: Final = ("--out", "--regions")

_EPILOG = f"""\
{SLICE_EPILOG}\
Data: .npz has the whole partition, .vtp lines and regions in space, .csv and .json (GeoJSON) the lines as polylines
with layer and neuron; --regions is a table of the regions.
"""


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "slice", run, "draw the exact partition of slices", __doc__, _EPILOG)
    add_slice_options(parser, "planes, a panel each")
    add_outputs_option(parser, "figure (.svg, .pdf, .png) or data of one plane (.npz, .vtp, .csv, .json)")
    parser.add_argument(
        "--regions",
        type=Path,
        metavar="FILE",
        help="a table of one plane's regions: area, centroid, f, gradient, pattern, neighbours (.csv, .parquet)",
    )
    add_palette_option(parser.add_argument)
    add_dpi_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object with what was found")


def run(arguments: argparse.Namespace) -> None:
    outputs: list[Path] = arguments.out
    tables: list[Path] = [] if arguments.regions is None else [arguments.regions]
    source = arguments.located or arguments.file
    check_outputs(outputs, _EXTENSIONS, source=source)
    check_outputs(tables, _REGIONS, source=source)
    check_outputs([*outputs, *tables], (*_EXTENSIONS, *_REGIONS))
    if any(path.suffix.lower() == ".parquet" for path in tables):
        check_parquet("--regions")

    def check(planes: list[SlicePlane], network: Network) -> None:
        _check_data(arguments, planes, network)

    cut = cut_slices(arguments, check)
    record = record_of(cut, arguments, _OUTPUTS, _settings(arguments, cut))
    _write(cut.results, outputs, tables, arguments, record)
    print(_json(arguments, cut) if arguments.json else _text(cut.results, [*outputs, *tables]))


def _settings(arguments: argparse.Namespace, cut: CutSlices) -> dict[str, str | float]:
    """Return how figures are drawn."""
    from app.figures.slice_files import figure_of_slices
    from app.figures.spec_text import spec_text

    figure = spec_text(figure_of_slices(cut.results, Palette(arguments.palette)))
    return {"palette": arguments.palette, "dpi": arguments.dpi, "figure": figure}


def _check_data(arguments: argparse.Namespace, planes: list[SlicePlane], network: Network) -> None:
    """Refuse data files of several planes, and maps of regions of several outputs."""
    data = [path for path in arguments.out if path.suffix.lower() in _LINES]
    maps = [path for path in data if path.suffix.lower() == ".vtp"]
    if arguments.regions is not None:
        data, maps = [*data, arguments.regions], [*maps, arguments.regions]
    if data and len(planes) > 1:
        raise CommandError(f"{data[0]}: a data file holds one plane, not {len(planes)}; run once for each plane")
    if maps:
        check_one_output(arguments.file, network)


def _write(
    results: list[SliceResult],
    outputs: list[Path],
    tables: list[Path],
    arguments: argparse.Namespace,
    record: Provenance,
) -> None:
    paths = [*outputs, *tables]
    if not paths:
        return
    from app.export.regions import write_regions
    from app.figures.slice_files import SliceFiles
    from app.files import written_together
    from engine import EngineError

    files = SliceFiles(results, Palette(arguments.palette), arguments.dpi)
    try:
        with written_together(paths) as temporaries:
            for path, temporary in written_one_by_one(paths, temporaries):
                extension = path.suffix.lower()
                if path in tables:
                    text = record.of_output("--regions", path).to_text()
                    write_regions(results[0].partition, temporary, extension[1:], text)
                else:
                    files.write(temporary, extension, record.of_output("--out", path).to_text())
    except OSError as error:
        raise could_not_write(error, paths) from error
    except EngineError as error:  # memory, for the maps of regions
        raise CommandError(about(arguments.file, str(error))) from error


def _json(arguments: argparse.Namespace, cut: CutSlices) -> str:
    """One object: the slice's facts beside the checkpoint's; of several slices, a list `slices` of such facts."""
    from app.export.data import slice_facts

    facts = {
        "checkpoint": str(arguments.file),
        "max_forward_error": forward_error(cut.network),
        **reading_facts(arguments, cut.checkpoint, cut.network),
    }
    slices = [slice_facts(result) for result in cut.results]
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
