"""Choices of a person for a figure, and the figure of a session that they stand for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from app.figures.layouts import Rectangle, lay_out
from app.figures.presets import PRESETS, on_page
from app.figures.spec import Coordinates, FigureSpec, Letters, SlicePanel, SpecError, SurfacePanel, Theme
from app.figures.style import themed
from app.state.geometry.poses import Pose

if TYPE_CHECKING:
    from app.state.geometry.viewpoint import Viewpoint
    from app.state.session import OpenNetwork, Session, Slice

CONTENTS: Final = {
    "slice": "This slice",
    "grid": "All slices",
    "method": "Surface and slices",
    "stack": "Slices as a stack",
    "zoom": "Slice and a detail",
    "growth": "Growth with depth",
    "comparison": "All checkpoints",
}
"""Contents of a figure, with their names for people."""

MOVEMENTS: Final = {
    "none": "None", "travel": "The plane travels", "turn": "The camera turns", "both": "Both",
}  # fmt: skip
"""Motions of a moving picture."""

_DETAIL: Final = 0.2  # of the slice's size: a detail where the view shows all of it


@dataclass(frozen=True, slots=True)
class FigureChoices:
    """content: of CONTENTS; page: of PRESETS; dpi: of pixels; movement: of MOVEMENTS."""

    content: str = "slice"
    page: str = "column"
    theme: str = Theme.LIGHT.value
    marks: str = Coordinates.AXES.value
    letters: bool = False
    legend: bool = True
    outlines: bool = False
    dpi: int = 600
    movement: str = "none"

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the choices that a text holds; what makes no sense in it is as usual."""
        try:
            given = json.loads(text or "{}")
        except ValueError:
            given = {}
        usual, chosen = asdict(cls()), {}
        known: dict[str, Any] = {
            "content": CONTENTS, "page": PRESETS, "theme": [theme.value for theme in Theme],
            "marks": [kind.value for kind in Coordinates], "dpi": range(10, 4801),
            "movement": MOVEMENTS,
        }  # fmt: skip
        for name, value in given.items() if isinstance(given, dict) else ():
            if name in usual and type(value) is type(usual[name]) and value in known.get(name, (value,)):
                chosen[name] = value
        return cls(**chosen)


def figure_of_session(
    session: Session, choices: FigureChoices, view: Viewpoint, title: str, seen: Rectangle | None
) -> FigureSpec:
    """Return the figure of what a session shows.

    view: of the camera; title: "" for the checkpoint's name; seen: what the active slice's view shows of it, None:
    all.  Raises SpecError, which says why there is nothing to draw.
    """
    opened, active = session.opened, session.active_slice
    if opened is None or active is None:
        raise SpecError("there is no slice; add one with Ctrl+N")
    shown = [part for part in session.slices if part.visible]
    alone = choices.content in ("slice", "zoom", "growth", "comparison")
    if choices.content == "comparison" and len(session.networks) < 2:
        raise SpecError("one checkpoint is open; open another one to compare it with")
    parts = [active] if alone else shown
    if not parts:
        raise SpecError("all slices are hidden; show one with H")
    panels = [_panel(session, opened, part) for part in parts]
    layout = "grid" if choices.content == "slice" else choices.content
    names = [network.name for network in _compared(session)] if layout == "comparison" else [opened.name]
    rectangle = (seen or _middle(opened, active)) if layout == "zoom" else None
    spec = lay_out(layout, panels, opened.layers, names, _surface(session, opened, view), rectangle)
    spec = themed(replace(on_page(spec, choices.page), palette=session.look.style.palette), Theme(choices.theme))
    return replace(
        spec,
        title=title or spec.title,
        letters=choices.letters,
        legend=choices.legend,
        coordinates=Coordinates(choices.marks) if layout not in ("stack", "method") else spec.coordinates,
        words=Letters.OUTLINES if choices.outlines else Letters.TEXT,
        lines=session.look.style.line_factor,
        level=session.look.style.level_factor,
        dpi=float(choices.dpi),
    )


def networks_of(session: Session, spec: FigureSpec) -> list[OpenNetwork]:
    """The networks that a figure's panels count."""
    several = any(panel.checkpoint for panel in spec.panels)
    return _compared(session) if several else [network for network in (session.opened,) if network is not None]


def _compared(session: Session) -> list[OpenNetwork]:
    """The one that is shown first."""
    others = [network for network in session.networks if network is not session.opened]
    return [network for network in (session.opened, *others) if network is not None]


def _panel(session: Session, opened: OpenNetwork, part: Slice) -> SlicePanel:
    look, neuron = session.look, session.neuron
    told = neuron is not None and session.has_neuron(neuron)
    pins = [
        pin.facts.centroid
        for pin in session.shown_pins
        if pin.key == part.key and session.in_place(pin) and pin.facts.centroid is not None
    ]
    return SlicePanel(
        plane=str(Pose(part.plane)),
        hidden=tuple(sorted(look.hidden_depths)),
        lines=look.lines,
        fill=session.fill,
        neurons=((neuron.layer, neuron.index),) if told and neuron is not None else (),
        pins=tuple((float(pin[0]), float(pin[1]), float(pin[2])) for pin in pins),
        colour=part.colour,
    )


def _surface(session: Session, opened: OpenNetwork, view: Viewpoint) -> SurfacePanel:
    """The surface from where the camera is."""
    arm = np.array(view.position) - np.array(view.focus)
    x, y, z = (arm / np.abs(arm).max()).tolist()
    return SurfacePanel(
        camera=(x, y, z), up=view.up, parallel=view.parallel, opacity=session.look.opacity,
        creases=session.look.creases,
    )  # fmt: skip


def _middle(opened: OpenNetwork, part: Slice) -> Rectangle:
    """A square in the middle of a slice."""
    from engine import plane_box_polygon

    corners = plane_box_polygon(part.plane, opened.domain)
    low, high = corners.min(axis=0), corners.max(axis=0)
    (x, y), half = ((low + high) / 2).tolist(), _DETAIL * float((high - low).max()) / 2
    return x - half, y - half, x + half, y + half
