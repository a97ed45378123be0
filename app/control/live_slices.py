"""Slices that follow their planes: requests to the worker, answers to the views, the newest first."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.control.drawn_slice import DrawnSlice
from app.control.slice_cache import KeptSlice, SliceCache
from app.jobs.lanes import Lane
from app.jobs.slicing import LIVE_SECONDS, SliceAnswer, SliceRequest, compute_slice, indexed
from app.jobs.worker import Context, Job, Worker, unless_cancelled
from app.state import actions
from app.state.look import Fill
from app.state.palette import accent
from app.state.session import Session, Slice
from app.state.store import Change, Store
from app.views.slice.fills import FaceFill, face_fill
from app.views.slice.framing import Framing
from app.views.slice.slice_image import SlicePicture, draw, neuron_edges, slice_picture
from engine import Cancelled, EngineError, Location, Neuron, SlicePlane, tiny_network

if TYPE_CHECKING:
    from collections.abc import Callable

_RESTING_MILLISECONDS: Final = 180
_MOMENT: Final = 0.15  # seconds
_SIDE: Final = 64  # pixels
_BOX: Final = np.array([[-1.0] * 3, [1.0] * 3])


@dataclass(slots=True)
class _Known:
    """State of one slice.

    newest: the number of the newest request, or of what stopped it; asked: the plane of the newest request; shown:
    what is drawn; location: an index, maybe of an earlier partition; waiting: something is still to come; followed: a
    hand was, and no whole slice was asked for since; given_up: stopped by hand, or not to be computed; computed_at:
    when what is shown came, until its picture is drawn; draw_seconds: how long that took.
    """

    newest: int
    asked: SlicePlane | None = None
    shown: DrawnSlice | None = None
    location: Location | None = None
    waiting: bool = False
    followed: bool = False
    given_up: bool = False
    computed_at: float | None = None
    draw_seconds: float | None = None


class LiveSlices(QObject):
    """One worker for all slices.

    computed(key, DrawnSlice): something new to draw; failed(key, error): nothing to draw at this plane; started(key):
    a request went out; progressed: same as computed for an unfinished one.
    """

    computed = Signal(int, object)
    failed = Signal(int, object)
    started = Signal(int)
    rested = Signal(int)
    _seen_before = Signal(int, int, object)

    def __init__(
        self, store: Store, parent: QObject | None = None, cache: SliceCache | None = None,
        workers: tuple[Lane, Lane] | None = None,
    ) -> None:  # fmt: skip
        """cache: of slices that were computed, also by others; workers: that cut, and that prepare what was cut."""
        super().__init__(parent)
        self._store = store
        self.cache = SliceCache() if cache is None else cache
        self._idle = False
        self._seen_before.connect(self._take_kept, Qt.ConnectionType.QueuedConnection)  # when every listener knows
        self._worker: Worker | Lane
        self._preparer: Worker | Lane
        self._worker, self._preparer = workers or (Worker("slices", self), Worker("regions", self))
        self._numbers = 0
        self._known: dict[int, _Known] = {}
        self.budget = LIVE_SECONDS
        self.level_cutter: Callable[[SlicePlane], tuple[Any, ...]] | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_RESTING_MILLISECONDS)
        self._rest.timeout.connect(self._complete)
        self._moving: int | None = None
        self._in_sight: tuple[int, ...] = ()
        store.listen(self._changed)

    def prepare(self, then: Callable[[], None]) -> None:
        """Load the kernels that slices need before there is one; then go on with something else."""

        def work(context: Context) -> None:
            request = SliceRequest(0, 0, tiny_network(3), SlicePlane.from_axis("z"), _BOX, live=False)
            answer = compute_slice(request, context.cancelled, lambda _: None)
            _draw_small(prepared_slice(answer, None, Fill.NONE, None).picture)
            indexed(answer.partition)

        self._worker.submit(Job("kernels", work, lambda _: then(), unless_cancelled))

    @property
    def moving(self) -> int | None:
        """The slice that follows a hand."""
        return self._moving

    def result(self, key: int) -> DrawnSlice | None:
        """What is drawn of a slice."""
        known = self._known.get(key)
        return None if known is None else known.shown

    def current(self, key: int) -> bool:
        """Whether what is drawn is the whole slice at the plane where it is now."""
        shown = self.result(key)
        return shown is not None and shown.answer.complete and shown.plane is self._store.session.slice(key).plane

    def finished(self, key: int) -> bool:
        """Nothing more will come: the slice is whole, painted as asked for and indexed, or it was given up."""
        session, known = self._store.session, self._known.get(key)
        if self._idle:
            return True
        if known is None or known.waiting or self._moving == key:
            return False
        shown = known.shown
        if known.given_up or shown is None:
            return known.given_up
        painted = shown.fill is session.fill and shown.picture.neuron == _pair(session.neuron)
        return self.current(key) and painted and self.location(key) is not None

    def holds(self, key: int) -> bool:
        """Return whether the slice is kept at its present plane, so that it is there in a moment."""
        session = self._store.session
        return session.opened is not None and self.cache.holds(session.opened, session.slice(key).plane)

    def quick(self, key: int) -> bool:
        """Whether a slice followed the hand in a moment when it was last computed."""
        shown = self.result(key)
        return shown is not None and shown.answer.complete and shown.answer.seconds < _MOMENT

    def computing(self, key: int) -> bool:
        known = self._known.get(key)
        return known is not None and known.waiting

    def location(self, key: int) -> Location | None:
        """The index of what is drawn, once it is built."""
        known = self._known.get(key)
        if known is None or known.shown is None or known.location is None:
            return None
        return known.location if known.location.partition is known.shown.answer.partition else None

    def draw_seconds(self, key: int) -> float | None:
        """From when a slice was computed to when its picture was on the screen; None before."""
        known = self._known.get(key)
        return None if known is None else known.draw_seconds

    def note_drawn(self, key: int) -> None:
        """The picture of what is shown is on the screen."""
        known = self._known.get(key)
        if known is not None and known.computed_at is not None:
            known.draw_seconds, known.computed_at = time.perf_counter() - known.computed_at, None

    def cancel(self, key: int) -> None:
        """Leave slice `key` as far as it has come."""
        known = self._next(key)
        self._worker.withdraw(key)
        self._give_up(known)
        self.failed.emit(key, Cancelled("cancelled"))

    def _next(self, key: int) -> _Known:
        """Answers to what was asked for a slice until now are old."""
        self._numbers += 1
        known = self._known.setdefault(key, _Known(self._numbers))
        known.newest = self._numbers
        return known

    def _give_up(self, known: _Known) -> None:
        known.waiting, known.followed, known.given_up = False, False, True
        known.computed_at = None

    def _show(self, key: int, known: _Known, result: DrawnSlice) -> None:
        known.shown, known.computed_at, known.draw_seconds = result, time.perf_counter(), None
        self.computed.emit(key, result)

    @property
    def idle(self) -> bool:
        """Nothing is computed: others show the session."""
        return self._idle

    @idle.setter
    def idle(self, idle: bool) -> None:
        if idle == self._idle:
            return
        self._idle = idle
        for part in self._by_need(self._store.session):
            if idle:
                self._forget(part.key)
            else:
                self._request(self._store.session, part.key, live=False)

    def close(self) -> None:
        self._rest.stop()
        self._worker.close()
        self._preparer.close()

    def look_at(self, keys: tuple[int, ...]) -> None:
        """Slices whose 2D views are in sight."""
        self._in_sight = keys
        self._prefer(self._store.session)

    def _prefer(self, session: Session) -> None:
        keys = tuple(part.key for part in self._by_need(session))
        self._worker.prefer(keys)
        self._preparer.prefer(tuple((name, key) for key in keys for name in ("picture", "location")))

    def _by_need(self, session: Session) -> list[Slice]:
        """The active slice, those whose 2D views are in sight, those that are seen in space, and hidden ones."""

        def rank(part: Slice) -> tuple[bool, bool, bool]:
            return part.key != session.active, not part.visible, part.key not in self._in_sight

        return sorted(session.slices, key=rank)

    def _changed(self, change: Change) -> None:
        action = change.action
        if not isinstance(action, actions.MovePlane):
            self._prefer(change.after)
        match action:
            case (
                actions.Open()
                | actions.ShowNetwork()
                | actions.CloseNetwork()
                | actions.ReloadNetwork()
                | actions.FrameNetwork()
                | actions.ShowStep()
                | actions.Restore()
                | actions.AddStack()
            ):
                self._follow(change)
            case actions.MovePlane(key=key, live=live):
                self._move(change.after, key, live)
            case actions.AddSlice() | actions.DuplicateSlice():
                self._request(change.after, change.after.slices[-1].key, live=False)
            case actions.RemoveSlice(key=key):
                self._forget(key)
            case actions.ChangeFill() | actions.SelectNeuron():
                for part in self._by_need(change.after):
                    self._repaint(change.after, part.key)
            case _:
                pass

    def _follow(self, change: Change) -> None:
        """Of whatever changed: forget what is gone, compute what is somewhere else, paint what looks different."""
        before, after = change.before, change.after
        kept = {part.key: part.plane for part in before.slices} if before.opened is after.opened else {}
        for key in {part.key for part in before.slices} - (kept.keys() & {part.key for part in after.slices}):
            self._forget(key)
        for part in self._by_need(after):
            if kept.get(part.key) is not part.plane:
                self._request(after, part.key, live=False)
            elif before.fill is not after.fill or before.neuron != after.neuron:
                self._repaint(after, part.key)

    def _move(self, session: Session, key: int, live: bool) -> None:
        if live:
            self._moving = key
            self._rest.start()
            self._request(session, key, live=True)
            return
        self._rest.stop()
        self._moving = None
        if not (self.current(key) or self._under_way(key)):
            self._request(session, key, live=False)
        self._finish()
        self.rested.emit(key)

    def _complete(self) -> None:
        key, self._moving = self._moving, None
        self._finish()
        if key is not None:
            self.rested.emit(key)

    def _finish(self) -> None:
        """While a hand moved, no slice was indexed or painted anew, and those that followed it may lack layers."""
        for part in self._store.session.slices:
            self._finish_one(part.key)

    def _finish_one(self, key: int) -> None:
        if self.current(key):
            self._complement(key)
            return
        known = self._known.get(key)
        if known is not None and known.followed and not self._under_way(key):
            self._request(self._store.session, key, live=False)

    def _under_way(self, key: int) -> bool:
        """What follows the hand is being computed where the plane is now, and may be the whole slice."""
        known = self._known.get(key)
        if known is None or known.asked is not self._store.session.slice(key).plane:
            return False
        return known.followed and known.waiting

    def _request(self, session: Session, key: int, live: bool) -> None:
        if session.opened is None or self._idle:
            return
        known, opened = self._next(key), session.opened
        request = SliceRequest(
            self._numbers, key, opened.network, session.slice(key).plane, opened.domain, live, self.budget,
            opened.level,
        )  # fmt: skip
        known.asked = request.plane
        kept = self.cache.find(opened, request.plane)
        if kept is not None:
            self._worker.withdraw(key)
            known.waiting, known.followed, known.given_up = True, False, False
            answer = replace(kept.drawn.answer, request=replace(request, live=False))
            drawn = replace(kept.drawn, answer=answer)
            self._seen_before.emit(key, self._numbers, replace(kept, drawn=drawn))
            return
        known.waiting, known.followed, known.given_up = True, live, False
        neuron, fill, cutter = _pair(session.neuron), session.fill, self.level_cutter

        def work(context: Context) -> DrawnSlice:
            def prepared(answer: SliceAnswer) -> DrawnSlice:
                return prepared_slice(answer, neuron, Fill.NONE if live else fill, cutter)

            return prepared(compute_slice(request, context.cancelled, lambda answer: context.publish(prepared(answer))))

        self._worker.submit(
            Job(key, work, self._take, lambda error: self._missed(request, error), urgent=live, patient=not live)
        )
        self.started.emit(key)

    def _take(self, result: DrawnSlice) -> None:
        request = result.answer.request
        key, known = request.key, self._known.get(request.key)
        opened = self._store.session.opened
        if opened is None or request.network is not opened.network:
            return
        if request.domain is not opened.domain or request.level != opened.level:
            return
        if known is None or (known.shown is not None and known.shown.answer.request.number > request.number):
            return
        if known.newest == request.number and (result.answer.complete or request.live):
            known.waiting = False
        self._show(key, known, result)
        if self._moving is None:
            self._finish_one(key)

    def _take_kept(self, key: int, number: int, kept: KeptSlice) -> None:
        """A slice that was seen before, unless something else was asked for meanwhile."""
        known = self._known.get(key)
        if known is None or known.newest != number or not known.waiting:
            return
        known.waiting, known.location = False, kept.location
        self._show(key, known, kept.drawn)
        if self._moving is None:
            self._finish_one(key)

    def _keep(self, key: int) -> None:
        """A whole slice is kept when the hand rests on it: those that it passes are many."""
        opened, known = self._store.session.opened, self._known.get(key)
        if opened is not None and known is not None and known.shown is not None and self.current(key):
            self.cache.keep(opened, known.shown, self.location(key))

    def _complement(self, key: int) -> None:
        """What a whole slice gets once the hand rests: an index, and what changed in the look meanwhile."""
        session, shown = self._store.session, self._known[key].shown
        assert shown is not None
        self._keep(key)
        if self.location(key) is None:
            self._index(key, shown)
        if shown.fill is not session.fill or shown.picture.neuron != _pair(session.neuron):
            self._repaint(session, key)

    def _missed(self, request: SliceRequest, error: Exception) -> None:
        key, known = request.key, self._known.get(request.key)
        if known is None or known.newest != request.number:
            return
        if isinstance(error, Cancelled):
            if not request.live and key != self._moving:  # it gave way to another slice's urgent request
                self._request(self._store.session, key, live=False)
            return
        self._give_up(known)
        known.shown = None
        self.failed.emit(key, error)
        if not isinstance(error, EngineError):
            raise error

    def _index(self, key: int, result: DrawnSlice) -> None:
        def take(location: Location) -> None:
            known = self._known.get(key)
            if known is not None and known.shown is not None and known.shown.answer.partition is location.partition:
                known.location = location
                self._keep(key)

        self._preparer.submit(
            Job(("location", key), lambda _: indexed(result.answer.partition), take, unless_cancelled)
        )

    def _repaint(self, session: Session, key: int) -> None:
        shown = self.result(key)
        if shown is None:
            return
        neuron, fill = _pair(session.neuron), session.fill if shown.answer.complete else Fill.NONE

        def work(context: Context) -> DrawnSlice:
            painted = shown.picture.fill if shown.fill is fill else None
            return _repainted(shown, neuron, fill, painted)

        def take(result: DrawnSlice) -> None:
            now = self._known.get(key)  # maybe painted otherwise meanwhile, by a request before this one
            if now is not None and now.shown is not None and now.shown.answer is shown.answer:
                self._show(key, now, result)
                self._keep(key)

        self._preparer.submit(Job(("picture", key), work, take, unless_cancelled))

    def _forget(self, key: int) -> None:
        self._worker.withdraw(key)
        for name in ("location", "picture"):
            self._preparer.withdraw((name, key))
        self._known.pop(key, None)
        if self._moving == key:
            self._moving = None


def _draw_small(picture: SlicePicture) -> None:
    """Draw a slice as its 2D view does."""
    vertices = picture.partition.vertices
    draw(picture, Framing.around(vertices.min(axis=0), vertices.max(axis=0), _SIDE, _SIDE), accent(0))


def prepared_slice(
    answer: SliceAnswer,
    highlight: tuple[int, int] | None,
    fill: Fill,
    cutter: Callable[[SlicePlane], tuple[Any, ...]] | None,
) -> DrawnSlice:
    """What there is to draw of an answer; cutter: gives the level set where layers are missing."""
    if answer.level_set is not None:
        polylines = answer.level_set.polylines
    else:
        fill = Fill.NONE
        polylines = () if cutter is None else cutter(answer.request.plane)
    picture = slice_picture(answer.partition, polylines, highlight, face_fill(answer.partition, fill))
    return DrawnSlice(answer, picture, fill)


def _repainted(shown: DrawnSlice, highlight: tuple[int, int] | None, fill: Fill, known: FaceFill | None) -> DrawnSlice:
    partition = shown.answer.partition
    faces = known if known is not None else face_fill(partition, fill)
    old = shown.picture
    fresh = replace(old, fill=faces, highlight=neuron_edges(partition, highlight), neuron=highlight)
    return replace(shown, picture=fresh, fill=fill)


def _pair(neuron: Neuron | None) -> tuple[int, int] | None:
    return None if neuron is None else (neuron.layer, neuron.index)
