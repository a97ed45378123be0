"""splinescope stats: a slice in numbers: its lines by depth, how near they are to the level set, its regions."""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.cutting import SLICE_EPILOG, CutSlices, add_slice_options, cut_slices, record_of
from app.commands.errors import CommandError
from app.commands.loading import about, reading_facts
from app.commands.options import add_command, add_dpi_option, add_outputs_option, add_palette_option, positive
from app.commands.outputs import check_one_output, check_outputs, could_not_write, written_one_by_one
from app.inspection import forward_error
from app.state.palette import Palette
from app.state.texts.numbers import counted

if TYPE_CHECKING:
    from app.provenance.record import Provenance
    from app.statistics.statistics import SliceStatistics
    from engine import Network, SlicePlane

_EXTENSIONS: Final = (".json", ".csv", ".svg", ".pdf", ".png")
_OUTPUTS: Final = ("--out",)
_EPILOG: Final = f"""\
{SLICE_EPILOG}\
.csv is the table by depth, .json has all numbers, .svg, .pdf and .png are plots.
"""


def add_parser(commands: Any) -> None:
    parser = add_command(
        commands,
        "stats",
        run,
        "measure a slice: lines by depth and near the level set, neurons, regions",
        __doc__,
        _EPILOG,
    )
    add_slice_options(parser, "the plane")
    parser.add_argument(
        "--near",
        type=positive,
        action="append",
        default=[],
        metavar="D",
        help="measure the lines within this distance of the level set; repeatable (default: 1, 2 and 5 %% of the "
        "slice's longer side)",
    )
    add_outputs_option(parser, "the numbers (.json, .csv) or plots (.svg, .pdf, .png)")
    add_palette_option(parser.add_argument)
    add_dpi_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object with all numbers")


def run(arguments: argparse.Namespace) -> None:
    outputs: list[Path] = arguments.out
    check_outputs(outputs, _EXTENSIONS, source=arguments.located or arguments.file)

    def check(planes: list[SlicePlane], network: Network) -> None:
        if len(planes) > 1:
            raise CommandError(f"stats measures one plane, not {len(planes)}; run it once for each")
        check_one_output(arguments.file, network)

    cut = cut_slices(arguments, check)
    from app.statistics.statistics import slice_statistics
    from engine import EngineError

    try:
        statistics = slice_statistics(cut.results[0], arguments.near)
    except EngineError as error:
        raise CommandError(about(arguments.file, str(error))) from error
    record = record_of(cut, arguments, _OUTPUTS, {"palette": arguments.palette, "dpi": arguments.dpi})
    _write(statistics, outputs, arguments, record)
    if arguments.json:
        facts = {"checkpoint": str(arguments.file), "max_forward_error": forward_error(cut.network)}
        facts |= reading_facts(arguments, cut.checkpoint, cut.network)
        print(json.dumps(facts | statistics.to_json(), indent=2))
    else:
        print("\n".join([_text(statistics, cut), *(f"wrote {path}" for path in outputs)]))


def _write(statistics: SliceStatistics, outputs: list[Path], arguments: argparse.Namespace, record: Provenance) -> None:
    from app.export.statistics_figure import draw_statistics
    from app.figures.writing import write_figure
    from app.files import written_together
    from app.provenance.carriers import KEY, comment

    try:
        with written_together(outputs) as temporaries:
            for path, temporary in written_one_by_one(outputs, temporaries):
                text, extension = record.of_output("--out", path).to_text(), path.suffix.lower()
                if extension == ".json":
                    facts = {KEY: json.loads(text), **statistics.to_json()}
                    temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="ascii")
                elif extension == ".csv":
                    temporary.write_text(comment(text) + depth_table(statistics), encoding="utf-8", newline="\n")
                else:
                    figure = draw_statistics(statistics, arguments.file.name, Palette(arguments.palette))
                    write_figure(figure, temporary, extension[1:], arguments.dpi, text)
    except OSError as error:
        raise could_not_write(error, outputs) from error


def depth_table(statistics: SliceStatistics) -> str:
    """Return the depths as CSV; a column `within_D` has the length within the distance D of the level set."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = ["layer", "name", "neurons", "switching", "always_on", "dead", "constant", "edges", "length"]
    writer.writerow([*names, *(f"within_{distance!r}" for distance in statistics.distances)])
    for depth in statistics.depths:
        writer.writerow([*(getattr(depth, name) for name in names), *depth.within])
    return stream.getvalue()


def _text(statistics: SliceStatistics, cut: CutSlices) -> str:
    """Return facts and a table for people: shares of each depth's length near the level set, and of the area."""
    level = "level set" if statistics.level else "zero level set"
    regions, linear = counted(statistics.regions, "region"), f"{statistics.linear_regions:,} linear ones"
    facts = [
        f"{statistics.plane}: {regions}, of {linear} cut by the level set",
        f"lines {statistics.length:.6g} long, {level} {statistics.level_length:.6g} long, area {statistics.area:.6g}",
        f"median of regions: area {statistics.median_area:.4g}, eccentricity {statistics.median_eccentricity:.3f}",
    ]
    head = ["depth", "neurons", "switching", "always on", "dead", "edges", "length"]
    rows = [[*head, *(f"within {distance:.4g}" for distance in statistics.distances)]]
    for depth in statistics.depths:
        counts = (depth.layer, depth.neurons, depth.switching, depth.always_on, depth.dead, depth.edges)
        rows.append([f"{count:,}" for count in counts] + [f"{depth.length:.5g}"] + _shares(depth.within, depth.length))
    sums = [
        sum(getattr(depth, name) for depth in statistics.depths)
        for name in ("neurons", "switching", "always_on", "dead", "edges")
    ]
    near = [sum(depth.within[i] for depth in statistics.depths) for i in range(len(statistics.distances))]
    rows.append(
        ["all", *(f"{value:,}" for value in sums), f"{statistics.length:.5g}", *_shares(near, statistics.length)]
    )
    rows.append(["area", *[""] * 6, *(f"{share:.1%}" for share in statistics.area_within)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    approximation = cut.results[0].approximation
    return "\n".join([*facts, *([approximation] if approximation else []), "", *table])


def _shares(parts: Any, whole: float) -> list[str]:
    return [f"{part / whole:.1%}" if whole else "-" for part in parts]
