"""Figures as plain values: their JSON form, and what is refused."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from app.figures.layouts import LAYOUTS, lay_out
from app.figures.presets import PRESETS, on_page, too_small, with_text
from app.figures.spec import (
    Arranged,
    Coordinates,
    FigureSpec,
    Letters,
    SlicePanel,
    SpecError,
    SurfacePanel,
    Theme,
)
from app.figures.spec_text import FORMAT, spec_of_text, spec_text
from app.state.look import Fill
from app.state.palette import Palette

RECTANGLE = (-0.1, 0.0, 1 / 3, 0.25)
EVERYTHING = FigureSpec(
    panels=(
        SlicePanel(
            "z=0.1", 1, RECTANGLE, 2, (0, 3), False, False, Fill.GRADIENT, ((1, 2), (3, 4)), ((0.1, 0.2, 0.3),), 2,
            "a · {regions}", 4, True,
        ),
        SurfacePanel(1, (1.0, 0.0, 0.1), (0.0, 0.0, 1.0), True, 40, True, False, ""),
        SlicePanel("x=0"),
    ),
    checkpoints=("a.npz", "Δ b.npz"), arranged=Arranged.GRID, columns=2, width=120.5, height=99.0, theme=Theme.DARK,
    palette=Palette.DUSK, lines=1.5, level=0.5, font="DejaVu Serif", text=9.0, small=8.5, heading=12.0, least_text=6.0,
    title="", letters=True, coordinates=Coordinates.SCALE_BAR, legend=False, color_bar=False, words=Letters.OUTLINES,
    dpi=150.0,
)  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2])
def test_a_figure_comes_back_from_its_text(indent: int | None) -> None:
    usual = FigureSpec((SlicePanel("z=0"),))
    others = [field.name for field in fields(FigureSpec) if getattr(EVERYTHING, field.name) == field.default]
    assert others == ["arranged"]  # else the round trip would not see them
    for spec in (EVERYTHING, usual):
        assert spec_of_text(spec_text(spec, indent)) == spec
    assert json.loads(spec_text(usual)) == {"format": FORMAT, "panels": [{"plane": "z=0"}]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"panels": []}, "panels: 0 of them"),
        ({"panels": 3}, "panels: a list of objects"),
        ({"panels": [{"kind": "cube"}]}, "panels[0].kind"),
        ({"panels": [{"plane": 1}]}, "panels[0].plane: 1 is no text"),
        ({"panels": [{"rectangle": [0, 0, 1]}]}, "panels[0].rectangle: 3 values; give 4"),
        ({"panels": [{"rectangle": [1, 0, 0, 1]}]}, "panels[0].rectangle: it is empty"),
        ({"panels": [{"zoom_of": 4, "rectangle": [0, 0, 1, 1]}]}, "panels[0].zoom_of: 4"),
        ({"panels": [{"kind": "surface", "opacity": 3}]}, "panels[0].opacity: 3"),
        ({"panels": [{"kind": "surface", "camera": [0, 0, 0]}]}, "is no direction"),
        ({"panels": [{"fill": "paint"}]}, "panels[0].fill: 'paint'; give none or"),
        ({"panels": [{"lines": 1}]}, "panels[0].lines: 1 is neither true nor false"),
        ({"width": 5}, "width: 5; give 20 to 3000 mm"),
        ({"width": 1e999}, "width: inf is no finite number"),
        ({"dpi": True}, "dpi: True is no finite number"),
        ({"colour": 1}, "colour: there is no such name"),
        ({"theme": ["dark"]}, "theme: ['dark']; give light or"),
        ({"format": "other"}, "this is no figure"),
        ({"arranged": "stack", "panels": [{"kind": "surface"}]}, "a stack is of slices alone"),
    ],
)
def test_what_is_no_figure_is_told_in_one_line(change: dict[str, object], told: str) -> None:
    text = json.dumps({"format": FORMAT, "panels": [{"plane": "z=0"}], **change})
    with pytest.raises(SpecError) as raised:
        spec_of_text(text)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_no_json_is_told() -> None:
    for text in ("{", "[" * 100_000, "[]", "3"):
        with pytest.raises(SpecError, match=r"no JSON|no figure"):
            spec_of_text(text)


def test_every_layout_is_a_figure_that_comes_back() -> None:
    slices = [SlicePanel(f"z={number}", colour=number) for number in range(3)]
    for name in LAYOUTS:
        spec = lay_out(name, slices, 8, ("a", "b"), rectangle=RECTANGLE)
        assert spec_of_text(spec_text(spec)) == spec
    assert [panel.depths for panel in lay_out("growth", slices, 3).panels if isinstance(panel, SlicePanel)] == [1, 2, 3]
    with pytest.raises(SpecError, match="needs a rectangle"):
        lay_out("zoom", slices, 8)
    with pytest.raises(SpecError, match="needs a plane"):
        lay_out("grid", [], 8)


def test_presets_allow_their_own_letters_and_name_smaller_ones() -> None:
    for name in PRESETS:
        spec = on_page(FigureSpec((SlicePanel("z=0"),)), name)
        assert too_small(spec) == []
        small = with_text(spec, 0.99 * spec.least_text * spec.text / spec.small)
        assert [line.split(":")[0] for line in too_small(small)][-1:] in (["numbers"], ["the heading"])
