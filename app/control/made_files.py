"""Figures and data that this program wrote, opened as the state of the window that they show."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject

from app.control.file_opener import Problem
from app.demos import demo_checkpoint
from app.figures.spec import FigureSpec, SlicePanel, SpecError, SurfacePanel
from app.figures.spec_text import spec_of_text
from app.provenance.carriers import read_carried
from app.provenance.record import Provenance, ProvenanceError
from app.state import actions
from app.state.geometry.planes import kept_in
from app.state.geometry.poses import Pose, PoseError
from app.state.session import Session, Slice
from engine import Neuron

if TYPE_CHECKING:
    from app.control.file_opener import FileOpener
    from app.control.notices import Notices
    from app.state.session import OpenNetwork
    from app.state.store import Store
    from app.views.scene.scene_view import SceneView
    from sdf_models import Reading

_MADE: Final = (".svg", ".pdf", ".png", ".vtp", ".csv", ".parquet", ".ply", ".obj")
_PERHAPS: Final = (".npz", ".json")
"""Files of these kinds may be checkpoints and sessions too."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What a file says of how it was made."""

    path: Path
    record: Provenance


class MadeFiles(QObject):
    """Opens files; of those that this program made, the checkpoint, the planes, the look and the camera."""

    def __init__(
        self, store: Store, opener: FileOpener, view: SceneView, notices: Notices, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._opener, self._view, self._notices = store, opener, view, notices
        self._waiting: tuple[_Made, Path] | None = None  # and the checkpoint that is being opened for it
        opener.opened.connect(self._opened)
        opener.refused.connect(self._refused)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open the first of the files that this program made; without one, all as checkpoints and sessions."""
        try:
            made = next((found for path in paths if (found := _made(path)) is not None), None)
        except ProvenanceError as error:
            self._opener.failed.emit(Problem("The file says nothing of a state", f"{error}.", str(error)))
            return
        if made is None:
            self._opener.open_paths(paths)
            return
        record = made.record
        known = next((opened for opened in self._store.session.networks if opened.sha256 == record.sha256), None)
        if known is not None and record.sha256 and known.reading == _reading(record):
            self._show(made, known)
            return
        where = _located(made)
        if where is None:
            name = Path(record.checkpoint).name
            text = f"{made.path.name} was made from {name}, which is not beside it; open {name} first, then this file"
            self._opener.failed.emit(Problem("Its checkpoint is missing", f"{text}.", text))
            return
        self._waiting = made, where
        self._opener.open_path(where, _reading(record))

    def _opened(self) -> None:
        opened, waiting = self._store.session.opened, self._waiting
        if waiting is not None and opened is not None and opened.path == waiting[1].absolute():
            self._waiting = None
            self._show(waiting[0], opened)

    def _refused(self, _: str) -> None:
        self._waiting = None

    def _show(self, made: _Made, opened: OpenNetwork) -> None:
        """Go to the state, in one step that can be undone."""
        spec = _spec(made.record)
        session = _state(self._store.session, opened, made.record, spec)
        self._store.do(actions.Restore(session, f"Open {made.path.name}"))
        surface = next((panel for panel in spec.panels if isinstance(panel, SurfacePanel)), None) if spec else None
        if surface is not None and self._view.scene is not None:
            self._view.scene.look_from(surface.camera, surface.up, surface.parallel)
            self._view.turned()
        if made.record.sha256 and opened.sha256 != made.record.sha256:
            self._notices.tell(f"{opened.name} has changed since {made.path.name} was made.")


def _made(path: Path) -> _Made | None:
    """Return what a file says of how it was made; None of what may be something else.  Raises ProvenanceError."""
    kind = path.suffix.lower()
    if kind not in (*_MADE, *_PERHAPS) or not path.is_file():
        return None
    try:
        return _Made(path, Provenance.from_text(read_carried(path)))
    except (ProvenanceError, OSError) as error:
        if kind in _PERHAPS:
            return None
        raise ProvenanceError(f"{path.name}: {error}") from error


def _reading(record: Provenance) -> Reading | None:
    """The choices made for the checkpoint, but for the box, which the record has itself."""
    made = {name: text for name, text in record.reading.items() if name != "bounds"}
    if not made:
        return None
    from sdf_models import Reading

    return Reading.from_json(made)


def _located(made: _Made) -> Path | None:
    """Return where the checkpoint is: one with the same content, or else the first that there is."""
    name, folder = Path(made.record.checkpoint), made.path.parent
    places = [folder / name, folder / name.name, name]
    demo = demo_checkpoint(made.record.checkpoint)
    there = [place for place in [*places, *([demo] if demo else [])] if place.is_file()]
    same = (place for place in there if _sha256(place) == made.record.sha256)
    return next(same, there[0] if there else None)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _spec(record: Provenance) -> FigureSpec | None:
    """The figure that a record holds, if it holds one."""
    try:
        return spec_of_text(str(record.settings["figure"])) if "figure" in record.settings else None
    except SpecError:
        return None


def _state(session: Session, opened: OpenNetwork, record: Provenance, spec: FigureSpec | None) -> Session:
    """Return a session with what a file shows: box, level, planes, and of a figure the look of its first slice."""
    box = np.array(record.domain)
    other = box.shape == opened.domain.shape and not np.array_equal(box, opened.domain)
    framed = opened.in_frame(box if other else None, record.level)
    networks = tuple(framed if known is opened else known for known in session.networks)
    session = actions.shown(replace(session, networks=networks, pins=()), framed)
    everything = spec.panels if spec else ()
    panels = [panel for panel in everything if isinstance(panel, SlicePanel)]
    colours = {panel.plane: panel.colour for panel in reversed(panels)}
    planes = []
    for number, text in enumerate(dict.fromkeys(record.planes)):
        try:
            planes.append((Pose.parse(text).plane, colours.get(text, number)))
        except PoseError:  # of a network of two inputs, say
            continue
    first = session.next_key
    slices = tuple(
        Slice(first + number, plane.describe(), kept_in(plane, framed.domain), colour)
        for number, (plane, colour) in enumerate(planes)
    )
    if slices:
        session = replace(session, slices=slices, active=first, next_key=first + len(slices))
    if not panels:
        return session
    shown, surface = panels[0], next((panel for panel in everything if isinstance(panel, SurfacePanel)), None)
    hidden = frozenset(depth for depth in shown.hidden if depth < framed.layers)
    look = replace(session.look, lines=shown.lines, hidden_depths=hidden)
    if surface is not None:
        look = replace(look, opacity=surface.opacity, creases=surface.creases)
    neuron = Neuron(*shown.neurons[0]) if shown.neurons else None
    session = replace(session, look=look, fill=shown.fill)
    return replace(session, neuron=neuron if session.has_neuron(neuron) else None)
