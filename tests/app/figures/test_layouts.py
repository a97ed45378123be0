"""Every layout, drawn: lines are the partition's, words are text of the size that is asked for, nothing leaves the
page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.patches import PathPatch
from matplotlib.text import Text

import app
from app.comparison.subjects import Subject
from app.figures.arrangement import MM
from app.figures.cutting import Ingredients, ingredients
from app.figures.drawing import DrawnFigure, draw_figure
from app.figures.layouts import LAYOUTS, lay_out
from app.figures.presets import PRESETS, on_page
from app.figures.slice_drawing import regions_through
from app.figures.spec import Coordinates, FigureSpec, Letters, SlicePanel, SpecError, Theme
from app.figures.style import Style, themed
from app.figures.surface_drawing import SurfacePainter
from app.figures.writing import write_figure
from app.state.look import Fill
from app.state.slices import SliceResult
from app.views.scene.drawing import SceneDrawing, ScenePicture
from engine import Network, SlicePlane, partition_slice
from tests.app.conftest import DEPTH, DOMAIN, random_module

MakeSlice = Callable[..., SliceResult]
SVG = "{http://www.w3.org/2000/svg}"
RECTANGLE = (-0.5, -0.25, 0.1, 0.35)


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    networks = [Network.trace(random_module(seed), input_shape=(3,)) for seed in range(2)]
    return [Subject(f"net {number}", network, DOMAIN) for number, network in enumerate(networks)]


def paint(drawing: SceneDrawing) -> ScenePicture:
    """A grey picture in the place of VTK's."""
    return ScenePicture(np.full((drawing.lens.height, drawing.lens.width, 4), (90, 90, 90, 255), np.uint8), True)


def laid_out(name: str, subjects: list[Subject]) -> FigureSpec:
    slices = [SlicePanel(plane, colour=number) for number, plane in enumerate(("x=0.1", "y=0", "z=-0.3"))]
    names = [subject.name for subject in subjects]
    return replace(lay_out(name, slices, DEPTH, names, rectangle=RECTANGLE), dpi=60.0)


def drawn(spec: FigureSpec, subjects: list[Subject]) -> tuple[DrawnFigure, Ingredients]:
    found = ingredients(spec, subjects)
    return draw_figure(spec, found.slices, SurfacePainter(found.solids, paint)), found


def svg_of(figure: DrawnFigure, words: Letters = Letters.TEXT) -> ElementTree.Element:
    stream = io.BytesIO()
    write_figure(figure.figure, stream, "svg", words=words)
    return ElementTree.fromstring(stream.getvalue())


def sizes(root: ElementTree.Element) -> list[float]:
    """Of all words, in points: the page's unit is one."""
    styles = [text.get("style", "") for text in root.iter(f"{SVG}text")]
    return [float(size) for style in styles for size in re.findall(r"(?:font(?:-size)?:[^;]*?)([\d.]+)px", style)]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_show_all_lines_in_text_of_the_page_and_nothing_beyond_it(name: str, subjects: list[Subject]) -> None:
    spec = laid_out(name, subjects)
    figure, found = drawn(spec, subjects)
    root = svg_of(figure)
    paths = {group.get("id"): group.find(f".//{SVG}path") for group in root.iter(f"{SVG}g")}
    for number, (panel, result) in enumerate(zip(spec.panels, found.slices, strict=True)):
        if not isinstance(panel, SlicePanel):
            continue
        assert result is not None
        partition = result.partition
        for depth in range(DEPTH):
            path = paths.get(f"slice-{number}-depth-{depth}")
            if panel.depths is not None and depth >= panel.depths:
                assert path is None
            else:
                assert path is not None
                edges = np.count_nonzero(partition.edge_layer == depth)
                assert path.get("d", "").count("L") in range(edges - 2, edges + 1)  # shorter than can be seen
    words = sizes(root)
    assert len(words) > 2
    assert min(words) == pytest.approx(spec.small, abs=1e-3)
    assert max(words) == pytest.approx(spec.heading, abs=1e-3)
    width, height = figure.figure.get_size_inches() * 72
    assert width == pytest.approx(spec.width * MM)
    box = figure.figure.get_tightbbox().extents * 72
    assert (box >= -0.5).all()
    assert box[2] <= width + 0.5
    assert box[3] <= height + 0.5


@pytest.mark.parametrize("preset", PRESETS)
def test_the_method_s_figure_fits_every_page(preset: str, subjects: list[Subject]) -> None:
    spec = replace(on_page(laid_out("method", subjects), preset), dpi=20.0)
    figure, _ = drawn(spec, subjects)
    assert figure.figure.get_size_inches()[0] * 25.4 == pytest.approx(PRESETS[preset].width)
    if PRESETS[preset].height:
        assert figure.height == pytest.approx(PRESETS[preset].height, abs=0.01)
    box, (width, height) = figure.figure.get_tightbbox().extents, figure.figure.get_size_inches()
    assert (box >= -0.01).all()
    assert box[2] <= width + 0.01
    assert box[3] <= height + 0.01
    least = min(text.get_fontsize() for text in figure.figure.findobj(Text) if text.get_text())
    assert least >= PRESETS[preset].least


def test_regions_of_the_first_layers_are_those_of_the_network_cut_short(make_slice: MakeSlice) -> None:
    whole = make_slice("z=0.1", level=1e6).partition  # without a level set, which cuts too
    assert regions_through(whole, None) == regions_through(whole, DEPTH) == whole.regions
    module = random_module()
    for depths in range(1, DEPTH):
        short = type(module)(replace(module.architecture, depth=depths))
        short.load_state_dict({**short.state_dict(), **{
            name: value for name, value in module.state_dict().items() if name in short.state_dict()
        }})  # fmt: skip
        network = Network.trace(short, input_shape=(3,))
        cut = partition_slice(network, SlicePlane.parse("z=0.1"), DOMAIN, 1e6)
        assert regions_through(whole, depths) == cut.regions


def test_a_zoom_is_a_partition_of_its_own_with_leaders_from_its_rectangle(subjects: list[Subject]) -> None:
    spec = laid_out("zoom", subjects)
    figure, found = drawn(spec, subjects)
    detail = found.slices[1]
    assert detail is not None
    left, low, right, high = RECTANGLE
    vertices = detail.partition.vertices
    np.testing.assert_allclose(vertices.min(axis=0), [left, low])
    np.testing.assert_allclose(vertices.max(axis=0), [right, high])
    names = {group.get("id") or "" for group in svg_of(figure).iter(f"{SVG}g")}
    assert "zoom-1-rectangle" in names
    assert sum(re.fullmatch(r"zoom-1-leader-\d", name) is not None for name in names) == 2


def test_comparisons_have_a_column_for_each_checkpoint(subjects: list[Subject]) -> None:
    spec = laid_out("comparison", subjects)
    _, found = drawn(spec, subjects)
    assert spec.columns == len(subjects)
    shown = [result.partition.network for result in found.slices if result is not None]
    assert shown == [subject.network for _ in range(3) for subject in subjects]


def test_a_colour_means_the_same_depth_in_networks_of_different_depth(subjects: list[Subject]) -> None:
    deep = Subject("deep", Network.trace(random_module(depth=DEPTH + 2), input_shape=(3,)), DOMAIN)
    figure, _ = drawn(laid_out("comparison", [subjects[0], deep]), [subjects[0], deep])
    found = {patch.get_gid(): patch.get_edgecolor() for axes in figure.figure.axes for patch in axes.patches}
    for depth in range(DEPTH):
        assert found[f"slice-0-depth-{depth}"] == found[f"slice-1-depth-{depth}"]


@pytest.mark.parametrize("theme", Theme)
def test_colours_are_those_of_the_theme(theme: Theme, subjects: list[Subject]) -> None:
    spec = themed(laid_out("grid", subjects), theme)
    figure, _ = drawn(spec, subjects)
    style = Style.of(spec)
    found = {patch.get_gid(): patch.get_edgecolor() for axes in figure.figure.axes for patch in axes.patches}
    assert figure.figure.get_facecolor()[:3] == pytest.approx(style.paper.ground)
    for depth, color in enumerate(style.depth_colors(DEPTH)):
        assert found[f"slice-0-depth-{depth}"][:3] == pytest.approx(color)
    for number in range(3):
        assert found.get(f"slice-{number}-level-set", (*style.accent(number), 1.0))[:3] == pytest.approx(
            style.accent(number)
        )


def test_fills_have_a_bar_of_their_numbers_and_lie_below_the_lines(subjects: list[Subject]) -> None:
    spec = laid_out("grid", subjects)
    fills = (Fill.VALUE, Fill.GRADIENT, Fill.SIGN)
    panels = [replace(panel, fill=fill) for panel, fill in zip(spec.panels, fills, strict=True)]
    spec = replace(spec, panels=tuple(panels), coordinates=Coordinates.SCALE_BAR)  # type: ignore[arg-type]
    figure, _ = drawn(spec, subjects)
    names = [group.get("id") or "" for group in svg_of(figure).iter(f"{SVG}g")]
    assert sum(name.startswith("color-bar") for name in names) == 2  # signs are no numbers
    assert sum(name.startswith("scale-bar") for name in names) == 3
    for number in range(3):
        image = next(axes.images[0] for axes in figure.figure.axes if axes.images and
                     axes.images[0].get_gid() == f"slice-{number}-fill")  # fmt: skip
        lines = [patch for patch in image.axes.patches if "depth" in str(patch.get_gid())]
        assert all(patch.get_zorder() > image.get_zorder() for patch in lines)


def test_neurons_and_pins_are_told_apart(subjects: list[Subject]) -> None:
    network = subjects[0].network
    partition = partition_slice(network, SlicePlane.parse("z=0.1"), DOMAIN)
    neuron = int(partition.edge_neuron[partition.edge_layer == 1][0])
    pins = ((0.1, 0.2, 0.1), (0.1, 0.2, 0.3))  # the second one is on another plane
    spec = FigureSpec((SlicePanel("z=0.1", neurons=((1, neuron),), pins=pins),))
    figure, _ = drawn(spec, subjects)
    root = svg_of(figure)
    names = {group.get("id"): group for group in root.iter(f"{SVG}g")}
    assert f"slice-0-neuron-1-{neuron}" in names
    assert "slice-0-pin-1" in names
    assert "slice-0-pin-2" not in names


def test_an_empty_panel_says_why(subjects: list[Subject]) -> None:
    hidden = SlicePanel("z=0.1", hidden=tuple(range(DEPTH)), level_set=False)
    switched = SlicePanel("z=0.1", lines=False, level_set=False)
    tiny = SlicePanel("z=0.1", rectangle=(0.7, 0.7, 0.7 + 1e-9, 0.7 + 1e-9), level_set=False)
    figure, _ = drawn(FigureSpec((hidden, switched, tiny), width=180.0), subjects)
    words = ["".join(text.itertext()) for text in svg_of(figure).iter(f"{SVG}text")]
    assert "no lines: the layers with lines here are hidden" in words
    assert "lines are switched off, and no level set is here" in words
    assert "no lines: the network is affine here" in words


def test_words_can_be_outlines(subjects: list[Subject]) -> None:
    figure, _ = drawn(laid_out("grid", subjects), subjects)
    assert not list(svg_of(figure, Letters.OUTLINES).iter(f"{SVG}text"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"font": "No Such Font"}, "there is no No Such Font"),
        ({"width": 20.0, "columns": 3}, "have no room on 20 mm"),
        ({"height": 20.0}, "have no room"),
    ],
)
def test_figures_that_cannot_be_drawn_are_told(
    change: dict[str, object], told: str, subjects: list[Subject], tmp_path: Path
) -> None:
    spec = replace(laid_out("grid", subjects), **change)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=told):
        drawn(spec, subjects)


def test_python_draws_the_figure_of_the_command_line() -> None:
    page = app.figure(random_module(), planes=["z=0.1", SlicePlane.parse("x=0")], preset="neurips")
    assert page.get_size_inches()[0] == pytest.approx(5.5)
    found = {patch.get_gid() for axes in page.axes for patch in axes.get_children() if isinstance(patch, PathPatch)}
    assert {f"slice-{number}-depth-{depth}" for number in range(2) for depth in range(DEPTH)} <= found
    with pytest.raises(ValueError, match="there is none of this name"):
        app.figure(random_module(), planes=["z=0"], layout="spiral")
    with pytest.raises(ValueError, match="needs a module"):
        app.figure(planes=["z=0"])
