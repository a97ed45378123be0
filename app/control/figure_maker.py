"""Figures and data of what the window shows, made off the GUI thread as the command line makes them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.control.figure_choices import FigureChoices, figure_of_session, networks_of
from app.control.file_opener import Problem
from app.files import why_not_written, written_together
from app.jobs.worker import Context, Job, Worker
from app.provenance.record import Provenance, command_line, versions
from app.state.geometry.poses import Pose
from app.state.slices import SliceResult
from engine import Cancelled, EngineError

if TYPE_CHECKING:
    from app.control.live_slices import LiveSlices
    from app.control.live_surface import LiveSurface
    from app.control.scene_link import SceneLink
    from app.figures.cutting import Ingredients, Key
    from app.figures.drawing import DrawnFigure
    from app.figures.layouts import Rectangle
    from app.figures.spec import FigureSpec
    from app.figures.surface_drawing import Solid
    from app.state.session import OpenNetwork, Slice
    from app.state.store import Store
    from app.views.scene.drawing import SceneDrawing, ScenePicture
    from app.views.scene.scene_view import SceneView
    from sdf_models import Reading

MOVIES: Final = (".webp", ".gif")
DATA: Final = (".npz", ".vtp", ".csv", ".json")
_NOT_EXPORTED: Final = "The figure was not written"
_POLL_SECONDS: Final = 0.05
_DETAIL: Final = 0.2  # of the slice's size
_PICTURES, _SECONDS, _MOVIE_DPI = 48, 6.0, 110.0
_PREVIEW, _FILE = "preview", "file"


@dataclass(frozen=True, eq=False, slots=True)
class Preview:
    """png: the picture; height: in mm; warnings: a line each."""

    png: bytes
    height: float
    warnings: tuple[str, ...]


class FigureMaker(QObject):
    """told(text): what is being done, or was; failed(Problem): a file was not written."""

    told = Signal(str)
    failed = Signal(object)

    def __init__(
        self, store: Store, slices: LiveSlices, surface: LiveSurface, link: SceneLink, view: SceneView, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._store, self._slices, self._surface = store, slices, surface
        self._link, self._view = link, view
        self._worker = Worker("figures", self)
        self._kept: tuple[list[OpenNetwork], FigureSpec, Ingredients] | None = None

    def close(self) -> None:
        self._worker.close()

    def spec(self, choices: FigureChoices, title: str, seen: Rectangle | None) -> FigureSpec:
        """Return the figure of what is shown now.  Raises SpecError."""
        from app.figures.spec import SpecError

        if self._view.scene is None:
            raise SpecError("nothing is shown yet; open a checkpoint")
        session = self._store.session
        if seen is None and session.opened is not None and session.active is not None:
            seen = _detail(self._whole(session.opened, session.active))
        return figure_of_session(session, choices, self._view.scene.viewpoint, title, seen)

    def preview(
        self, spec: FigureSpec, dpi: float, deliver: Callable[[Preview], None], fail: Callable[[Exception], None]
    ) -> None:
        """Draw a figure with so many dots per inch; an earlier one that is not drawn yet is forgotten."""
        networks, make = self._maker(replace(spec, dpi=dpi))

        def work(context: Context) -> tuple[Preview, Ingredients]:
            from app.figures.presets import too_high, too_small
            from app.figures.spec import Letters
            from app.figures.writing import write_figure

            drawn, found = make(context)
            stream = BytesIO()
            write_figure(drawn.figure, stream, "png", dpi, words=Letters.TEXT)
            told = (*_empty(spec, found), *too_small(spec), *too_high(spec, drawn.height))
            return Preview(stream.getvalue(), drawn.height, told), found

        def take(answer: tuple[Preview, Ingredients]) -> None:
            self._kept = (networks, spec, answer[1])
            deliver(answer[0])

        self._worker.withdraw(_PREVIEW)
        self._worker.submit(Job(_PREVIEW, work, take, fail))

    def forget_preview(self) -> None:
        self._worker.withdraw(_PREVIEW)

    def stop(self) -> None:
        """Write no file that is not written yet."""
        self._worker.withdraw(_FILE)

    def write(self, spec: FigureSpec, path: Path, done: Callable[[bool], None], movement: str = "none") -> None:
        """Write a figure, a moving picture of it, or the data of the active slice, as the extension of the path says.

        done: hears whether it is there; movement: of MOVEMENTS.  Raises SpecError where nothing could move so.
        """
        if self._is_open(path):
            text = f"{path}: this is a checkpoint that is open; choose another name."
            self.failed.emit(Problem(_NOT_EXPORTED, text, text))
            done(False)
            return
        kind = path.suffix.lower()
        if kind in DATA:
            work = self._data_work(path)
            if work is None:
                self.told.emit("The slice is not whole yet: export it once it is.")
                done(False)
                return
        elif kind in MOVIES:
            work = self._movie_work(spec, path, movement)
        else:
            work = self._figure_work(spec, path)

        def fail(error: Exception) -> None:
            done(False)
            self._tell_failure(path, error)

        def take(told: str | None) -> None:
            if told is not None:  # how far it is
                self.told.emit(f"writing {path}: {told} …")
                return
            self.told.emit(f"saved {path}")
            done(True)

        self.told.emit(f"writing {path} …")
        self._worker.submit(Job(_FILE, work, take, fail))

    def command(self, spec: FigureSpec) -> str:
        """Return the line for a shell that makes a figure.  Raises ValueError of a network without a file."""
        networks = networks_of(self._store.session, spec)
        files = [str(_path(network).resolve()) for network in networks]
        return shlex.join(["splinescope", *_words(files, spec, networks[0]), "--out", "figure.pdf"])

    def _figure_work(self, spec: FigureSpec, path: Path) -> Callable[[Context], None]:
        networks, make = self._maker(spec)
        kind = path.suffix.lower()[1:]

        def work(context: Context) -> None:
            from app.figures.writing import write_figure

            drawn, found = make(context)
            if context.cancelled():
                raise Cancelled("cancelled by hand")
            with written_together([path]) as (temporary,):
                record = _record(networks, spec, found, path)
                write_figure(drawn.figure, temporary, kind, spec.dpi, record, spec.words)

        return work

    def _movie_work(self, spec: FigureSpec, path: Path, movement: str) -> Callable[[Context], None]:
        from app.figures.motion import moments_of

        opened = self._store.session.opened
        assert opened is not None
        travel, turn = movement in ("travel", "both"), movement in ("turn", "both")
        dpi = min(spec.dpi, _MOVIE_DPI)
        moments = moments_of(replace(spec, dpi=dpi), opened.domain, _PICTURES, travel, turn)
        makers = [self._maker(moment)[1] for moment in moments]

        def work(context: Context) -> None:
            from app.figures.animation import frame_of, write_animation

            frames = []
            for number, make in enumerate(makers, 1):
                if context.cancelled():
                    raise Cancelled("cancelled by hand")
                context.publish(f"picture {number} of {len(makers)}")
                frames.append(frame_of(make(context)[0].figure, dpi))
            with written_together([path]) as (temporary,):
                write_animation(frames, temporary, path.suffix.lower()[1:], _SECONDS / len(frames))

        return work

    def _data_work(self, path: Path) -> Callable[[Context], None] | None:
        """Of the active slice; None while it is not whole."""
        session = self._store.session
        opened, part = session.opened, session.active_slice
        if opened is None or part is None or (result := self._whole(opened, part.key)) is None:
            return None

        def work(_: Context) -> None:
            from app.figures.slice_files import SliceFiles

            with written_together([path]) as (temporary,):
                SliceFiles([result]).write(temporary, path.suffix.lower(), _data_record(opened, part, result, path))

        return work

    def _maker(
        self, spec: FigureSpec
    ) -> tuple[list[OpenNetwork], Callable[[Context], tuple[DrawnFigure, Ingredients]]]:
        """Return the networks of a figure, and what computes the rest of it and draws it on another thread."""
        networks = networks_of(self._store.session, spec)
        known, solids = self._known(networks)

        def make(context: Context) -> tuple[DrawnFigure, Ingredients]:
            from app.comparison.subjects import Subject
            from app.figures.cutting import ingredients
            from app.figures.drawing import draw_figure
            from app.figures.surface_drawing import SurfacePainter

            subjects = [
                Subject(network.name, network.network, network.domain, network.level, network.approximation)
                for network in networks
            ]
            found = ingredients(spec, subjects, known, solids, cancelled=context.cancelled)
            painter = SurfacePainter(found.solids, lambda drawing: self._painted(drawing, context))
            return draw_figure(spec, found.slices, painter), found

        return networks, make

    def _painted(self, drawing: SceneDrawing, context: Context) -> ScenePicture:
        """Have a scene drawn where scenes are drawn, and wait for it."""
        future: Future[ScenePicture] = Future()
        self._link.submit(
            Job("figure", lambda _: future.set_result(self._link.draw_still(drawing)), lambda _: None,
                future.set_exception)
        )  # fmt: skip
        while True:
            try:
                return future.result(_POLL_SECONDS)
            except NotYetError as error:
                if context.cancelled():
                    raise Cancelled("cancelled by a newer request") from error

    def _known(self, networks: Sequence[OpenNetwork]) -> tuple[dict[Key, SliceResult], dict[int, Solid]]:
        """Return the results that are there already, of the window's views or of the figure before."""
        from app.figures.cutting import key_of
        from app.figures.spec import SlicePanel
        from app.figures.surface_drawing import Solid

        opened = networks[0]
        known: dict[Key, SliceResult] = {}
        solids: dict[int, Solid] = {}
        if self._kept is not None and _same(self._kept[0], networks):
            _, before, found = self._kept
            for panel, result in zip(before.panels, found.slices, strict=True):
                if isinstance(panel, SlicePanel) and result is not None:
                    known[key_of(panel)] = result
            solids.update(found.solids)
        for part in self._store.session.slices:
            result = self._whole(opened, part.key)
            if result is not None:
                known[0, str(Pose(part.plane)), None] = result
        drawn = self._surface.drawn
        if drawn is not None and self._surface.finished:
            solids[0] = Solid(None if drawn.surface.empty else drawn.mesh, opened.domain)
        return known, solids

    def _whole(self, opened: OpenNetwork, key: int) -> SliceResult | None:
        """The slice as it is drawn, if all of it is and nothing was left to rounding that need not be."""
        drawn = self._slices.result(key)
        if drawn is None or not self._slices.current(key) or drawn.answer.level_set is None:
            return None
        if drawn.answer.partition.tie_counts.unexamined:
            return None
        return SliceResult(opened.name, drawn.answer.partition, drawn.answer.level_set, opened.approximation)

    def _is_open(self, path: Path) -> bool:
        inputs = [known.path for known in self._store.session.networks if known.path is not None]
        return os.path.realpath(path) in map(os.path.realpath, inputs)

    def _tell_failure(self, path: Path, error: Exception) -> None:
        from app.figures.spec import SpecError
        from app.views.scene.still_picture import TooLargeError

        if isinstance(error, Cancelled):
            return
        if isinstance(error, OSError):
            self.failed.emit(Problem(_NOT_EXPORTED, f"{path}: {why_not_written(error)}.", str(error)))
        elif isinstance(error, SpecError | EngineError | TooLargeError):
            self.failed.emit(Problem(_NOT_EXPORTED, f"{error}.", str(error)))
        else:
            raise error


def _detail(result: SliceResult | None) -> Rectangle | None:
    """Return a square around a point of the level set, within the slice; None of a slice without one."""
    if result is None or result.level_set.empty:
        return None
    vertices, polylines = result.partition.vertices, result.level_set.polylines
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    half = _DETAIL * float((high - low).min()) / 2
    longest = max(polylines, key=len)
    x, y = np.clip(longest[np.argmax(longest[:, 1])], low + half, high - half).tolist()
    return x - half, y - half, x + half, y + half


def _empty(spec: FigureSpec, found: Ingredients) -> list[str]:
    """Say of each panel without anything in it why it is empty."""
    from app.figures.slice_drawing import why_empty
    from app.figures.spec import SlicePanel

    reasons = []
    for number, (panel, result) in enumerate(zip(spec.panels, found.slices, strict=True), 1):
        if isinstance(panel, SlicePanel) and result is not None and (reason := why_empty(result, panel)):
            reasons.append(f"panel {number} is empty: {reason}")
    return reasons


def _same(one: Sequence[OpenNetwork], other: Sequence[OpenNetwork]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _path(network: OpenNetwork) -> Path:
    if network.path is None:
        raise ValueError(f"{network.name} comes from no file; save it as one first")
    return network.path


def _reading(network: OpenNetwork) -> Reading | None:
    """The choices made for a file, with the box where it is not the file's own."""
    if not network.framed:
        return network.reading
    from sdf_models import Reading

    return replace(network.reading or Reading(), bounds=tuple(network.domain.ravel().tolist()))


def _words(files: Sequence[str], spec: FigureSpec, network: OpenNetwork) -> list[str]:
    from app.figures.recipe import figure_words

    return figure_words(files, spec, _reading(network), 0.0, network.level or None)


def _record(networks: Sequence[OpenNetwork], spec: FigureSpec, found: Ingredients, path: Path) -> str:
    """Return the record of a figure in a file; "" of networks without files, which cannot be read again."""
    from app.figures.recipe import figure_record

    if any(network.path is None for network in networks):
        return ""
    opened = networks[0]
    files = [_beside(_path(network), path) for network in networks]
    notes = [text for label, text in opened.facts if label == "note"]
    made = figure_record(
        _words(files, spec, opened), files[0], [network.sha256 for network in networks], _reading(opened), notes,
        opened.domain, opened.level, spec, found.slices,
    )  # fmt: skip
    return made.of_output("--out", path).to_text()


def _data_record(opened: OpenNetwork, part: Slice, result: SliceResult, path: Path) -> str:
    """Return the record of the data of a slice: that of `splinescope slice`."""
    from app.export.recipes import slice_words
    from app.figures.recipe import slices_found
    from app.version import __version__
    from sdf_models import Reading

    if opened.path is None:
        return ""
    file, bounds = _beside(opened.path, path), tuple(opened.domain.ravel().tolist())
    made = Provenance(
        command=command_line(slice_words(opened, part.plane, file)),
        checkpoint=file,
        sha256=opened.sha256,
        reading=replace(opened.reading or Reading(), bounds=bounds).to_json(),
        notes=tuple(text for label, text in opened.facts if label == "note"),
        planes=(str(Pose(part.plane)),),
        domain=tuple(tuple(corner) for corner in opened.domain.tolist()),
        level=opened.level,
        settings={},
        found=slices_found([result]),
        versions=versions(__version__),
    )
    return made.of_output("--out", path).to_text()


def _beside(checkpoint: Path, path: Path) -> str:
    """The way from a file to a checkpoint below its folder; else the checkpoint's name: no file tells folders."""
    try:
        return checkpoint.resolve().relative_to(path.resolve().parent).as_posix()
    except ValueError:
        return checkpoint.name
