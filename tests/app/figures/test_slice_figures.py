"""Figures are read back: what is in the file must be the partition."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import imread
from numpy.typing import NDArray

from app.figures.slice_files import draw_slices
from app.figures.writing import write_figure
from app.state.palette import Palette, depth_colors
from app.state.slices import SliceResult, axis_labels
from engine import SlicePlane
from tests.app.conftest import Ran

MakeSlice = Callable[..., SliceResult]
SVG = "{http://www.w3.org/2000/svg}"


def write(slices: list[SliceResult], path: Path) -> Path:
    write_figure(draw_slices(slices), path, path.suffix[1:])
    return path


def groups(path: Path) -> dict[str, ElementTree.Element]:
    return {group.get("id", ""): group for group in ElementTree.parse(path).iter(f"{SVG}g")}


def only_path(group: ElementTree.Element) -> str:
    (path,) = group.findall(f".//{SVG}path")
    return path.get("d", "")


def texts(path: Path) -> list[str]:
    return ["".join(text.itertext()).strip() for text in ElementTree.parse(path).iter(f"{SVG}text")]


def numbers(path: str) -> NDArray[np.float64]:
    return np.array(re.findall(r"-?[\d.]+(?:e-?\d+)?", path), dtype=float).reshape(-1, 2)


@pytest.mark.parametrize("palette", Palette)
def test_lines_and_legend_have_the_colours_of_the_palette(
    make_slice: MakeSlice, tmp_path: Path, palette: Palette
) -> None:
    write_figure(draw_slices([make_slice()], palette), tmp_path / "a.svg", "svg")
    found = groups(tmp_path / "a.svg")
    legend = ElementTree.tostring(found["legend"], encoding="unicode")
    for depth, color in enumerate(depth_colors(3, palette)):
        name = to_hex(color)
        assert f"stroke: {name}" in ElementTree.tostring(found[f"slice-0-depth-{depth}"], encoding="unicode")
        assert f"fill: {name}" in legend


def test_svg_holds_every_line_of_every_depth_as_one_path(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice()
    partition = result.partition
    found = groups(write([result], tmp_path / "a.svg"))
    layers = len(partition.network.kinks)
    assert {name for name in found if "depth-" in name} == {f"slice-0-depth-{depth}" for depth in range(layers)}

    # The map from slice coordinates to the page, from the border's corners.
    border = numbers(only_path(found["slice-0-border"]))
    low, high = border.min(axis=0), border.max(axis=0)
    for depth in range(layers):
        path = only_path(found[f"slice-0-depth-{depth}"])
        edges = partition.edges[partition.edge_layer == depth]
        assert len(edges) > 0
        assert path.count("L") == len(edges)
        assert path.count("M") < len(edges)
        drawn = [numbers(line) for line in path.split("M")[1:]]
        segments = np.concatenate([np.stack([line[:-1], line[1:]], axis=1) for line in drawn])
        expected = low + (partition.vertices[edges] * [1, -1] + 1) / 2 * (high - low)
        apart = distances(segments, expected)
        assert apart.min(axis=0).max() <= 0.015  # positions are rounded to a hundredth of a point
        assert apart.min(axis=1).max() <= 0.015


def distances(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest distance of coordinates between segments (N, 2, 2) and (M, 2, 2), either way round: (N, M)."""
    ways = [np.abs(first[:, None] - turned[None]).max(axis=(2, 3)) for turned in (second, second[:, ::-1])]
    return np.minimum(*ways)


def test_positions_have_the_digits_that_can_be_seen(make_slice: MakeSlice, tmp_path: Path) -> None:
    found = groups(write([make_slice(), make_slice("x=0.3")], tmp_path / "a.svg"))
    for name, group in found.items():
        if name.startswith("slice-"):
            written = re.findall(r"-?[\d.]+", only_path(group))
            assert written
            assert max(len(number.partition(".")[2]) for number in written) <= 2


def test_svg_level_set_lies_on_top_with_its_casing(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice()
    path = write([result], tmp_path / "a.svg")
    order = [name for name in groups(path) if name.startswith("slice-0")]
    assert order == [
        *(f"slice-0-depth-{depth}" for depth in reversed(range(len(result.partition.network.kinks)))),
        "slice-0-casing",
        "slice-0-level-set",
        "slice-0-border",
    ]
    drawn = only_path(groups(path)["slice-0-level-set"])
    assert drawn.count("M") == len(result.level_set.polylines)


def test_svg_says_what_it_shows(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice()
    found = texts(write([result], tmp_path / "a.svg"))
    assert "small.safetensors" in found
    assert f"z = 0.1 · {result.partition.regions:,} regions" in found
    assert {"depth", "0", "1", "2", "zero level set", "x", "y"} <= set(found)


def test_several_slices_are_panels_of_one_figure(make_slice: MakeSlice, tmp_path: Path) -> None:
    slices = [make_slice(plane) for plane in ("x=0", "y=0.5", "z=-0.25", "x=0.1")]
    for count in (1, 2, 3, 4):
        path = write(slices[:count], tmp_path / f"{count}.svg")
        panels = {name for name in groups(path) if name.endswith("-border")}
        assert panels == {f"slice-{i}-border" for i in range(count)}
        assert texts(path).count("depth") == 1
        width = float(ElementTree.parse(path).getroot().get("width", "").removesuffix("pt"))
        assert width == pytest.approx((85 if count == 1 else 180) / 25.4 * 72)


def test_slice_without_level_set_says_so(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice(level=1e6)
    assert result.level_set.empty
    path = write([result], tmp_path / "a.svg")
    assert "no level set 1e+06 in this slice" in texts(path)
    assert "slice-0-level-set" not in groups(path)


def test_many_layers_fit(make_slice: MakeSlice, tmp_path: Path) -> None:
    path = write([make_slice(depth=40)], tmp_path / "a.svg")
    assert sum("depth-" in name for name in groups(path)) == 40


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_figures_tell_no_time_and_no_random_number(
    make_slice: MakeSlice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    result, written = make_slice(), []
    for seconds in ("0", "1000000000"):  # what matplotlib takes for the time where it writes one
        monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
        written.append(write([result], tmp_path / f"{seconds}.{suffix}").read_bytes())
    assert written[0] == written[1]


def test_pdf_is_vectors_with_embedded_fonts(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice()
    data = write([result], tmp_path / "a.pdf").read_bytes()
    assert b"/Subtype /Image" not in data
    assert b"/FontFile2" in data  # TrueType, which journals ask for
    assert b"/Type3" not in data
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    page = max((zlib.decompress(stream) for stream in streams if stream[:1] == b"\x78"), key=lambda s: s.count(b" l\n"))
    assert page.count(b" l\n") >= np.count_nonzero(result.partition.edge_layer >= 0)


def test_png_has_the_resolution_of_print(make_slice: MakeSlice, tmp_path: Path) -> None:
    image = imread(write([make_slice()], tmp_path / "a.png"))
    assert image.shape[1] == pytest.approx(85 / 25.4 * 600, abs=1)


def test_pixels_without_memory_are_told(splinescope: Callable[..., Ran], checkpoint: Path, tmp_path: Path) -> None:
    ran = splinescope(
        "figure", checkpoint, "--plane=z=0", "--preset=poster", "--dpi=4000", "--out", tmp_path / "a.png"
    )  # fmt: skip
    assert ran.code == 2
    assert "pixels needs more memory than there is; take fewer dots per inch" in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_names_that_look_like_formulas_stay_as_they_are(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice()
    name = "$x_1$ 形.npz"
    path = write([SliceResult(name, result.partition, result.level_set)], tmp_path / "a.svg")
    assert name in texts(path)


@pytest.mark.parametrize(
    ("plane", "labels"),
    [
        (SlicePlane.from_axis("x", 0.3), ("y", "z")),
        (SlicePlane.from_axis("y", 0.3), ("z", "x")),
        (SlicePlane.from_axis("z", 0.3), ("x", "y")),
        (SlicePlane.from_normal((0, 0, 0), (0, 0, -1)), ("x", "v")),
        (SlicePlane.from_normal((0.5, 0, 0), (0, 0, 1)), ("u", "y")),
        (SlicePlane.from_normal((0, 0, 0), (1, 1, 1)), ("u", "v")),
        (SlicePlane.identity(), ("x", "y")),
        (SlicePlane.random(np.zeros(5), 0), ("u", "v")),
    ],
)
def test_axes_are_named_after_the_input_only_where_they_are_the_input(
    plane: SlicePlane, labels: tuple[str, str]
) -> None:
    assert axis_labels(plane) == labels
