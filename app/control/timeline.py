"""The checkpoints of a folder as steps of one training: opened, cut and measured ahead, the nearest step first."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from app.comparison.slices import difference_values, own_values
from app.comparison.timeline import checkpoints_in
from app.control.file_opener import middle_of
from app.control.live_slices import prepared_slice
from app.jobs.opening import OpenFile, OpeningError
from app.jobs.slicing import SliceRequest, compute_slice
from app.jobs.worker import Context, Job, Worker
from app.state import actions
from app.state.geometry.planes import kept_in, same_plane
from app.state.texts.wording import without_options
from engine import Cancelled, EngineError, refine

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.comparison.slices import Values
    from app.control.drawn_slice import DrawnSlice
    from app.control.slice_cache import SliceCache
    from app.state.session import OpenNetwork, Session
    from app.state.store import Change, Store
    from engine import SlicePlane
    from sdf_models import Reading

_QUIET_MILLISECONDS: Final = 400  # after a hand moved a plane, and after a file was written
_FULL: Final = 0.9  # of the budget: no more is computed ahead


@dataclass(eq=False, slots=True)
class Step:
    """opened: None until the file is read; gap: why it cannot be; measures: in the active slice's plane, with those of
    the change from the step before once they are known, so `changed`; too_large: its slices are not kept."""

    path: Path
    opened: OpenNetwork | None = None
    gap: str = ""
    measures: Values = field(default_factory=dict)
    changed: bool = False
    too_large: bool = False

    @property
    def name(self) -> str:
        return self.path.name


class Timeline(QObject):
    """changed: steps, their measures, or how far they are computed; at: the step that is shown."""

    changed = Signal()

    def __init__(self, store: Store, cache: SliceCache, open_file: OpenFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._cache, self._open_file = store, cache, open_file
        self._worker = Worker("timeline", self)
        self.steps: list[Step] = []
        self.at = 0
        self._wanted: int | None = None  # a step that is shown once it is read
        self._plane: SlicePlane | None = None  # of which the measures are, in what frame
        self._frame: tuple[bytes, float] | None = None
        self._busy = False
        self._last: OpenNetwork | None = None  # that was shown
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_QUIET_MILLISECONDS)
        self._rest.timeout.connect(self._go_on)
        self._look_again = QTimer(self)
        self._look_again.setSingleShot(True)
        self._look_again.setInterval(_QUIET_MILLISECONDS)
        self._look_again.timeout.connect(self._look)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(lambda _: self._look_again.start())
        store.listen(self._changed)

    @property
    def shown(self) -> OpenNetwork | None:
        """The network of the list that is exchanged from step to step: the last one of the folder."""
        folder = self._store.session.timeline
        of_it = [opened for opened in self._store.session.networks if opened.path and opened.path.parent == folder]
        return of_it[-1] if of_it else None

    @property
    def finished(self) -> bool:
        """Nothing more is computed ahead."""
        return not self._busy and not self._rest.isActive() and not self._look_again.isActive()

    @property
    def ready(self) -> int:
        """Number of steps that are there at once."""
        return sum(self.is_ready(k) for k in range(len(self.steps)))

    def is_ready(self, at: int) -> bool:
        """Return whether a step is there at once; any step that is read is, where no more is computed ahead."""
        step = self.steps[at]
        return step.opened is not None and (self.full or self._next_plane(step, self._store.session) is None)

    @property
    def memory(self) -> tuple[int, int]:
        """Of slices that are kept, and that may be, in megabytes."""
        return round(self._cache.size / 1e6), round(self._cache.budget / 1e6)

    @property
    def full(self) -> bool:
        """No more is computed ahead: slices fill the memory that they may."""
        return self._cache.size > _FULL * self._cache.budget

    def close(self) -> None:
        self._rest.stop()
        self._look_again.stop()
        self._worker.close()

    def go(self, at: int, live: bool = False) -> None:
        """Show a step, as soon as it is read; gaps are passed in the direction of the way."""
        if not self.steps:
            return
        at = min(max(at, 0), len(self.steps) - 1)
        way = 1 if at >= self.at else -1
        while 0 <= at < len(self.steps) and self.steps[at].gap:
            at += way
        if not 0 <= at < len(self.steps):
            return
        step, old = self.steps[at], self.shown
        if step.opened is None:
            self._wanted = at
            self._go_on()
        elif old is None:
            self._store.do(actions.Open(step.opened, middle_of(step.opened)))
        elif step.opened.path != old.path:
            self._store.do(actions.ShowStep(old, step.opened, live))

    def _changed(self, change: Change) -> None:
        before, after = change.before, change.after
        if before.timeline != after.timeline:
            self._follow(after.timeline)
        if after.timeline is None:
            return
        shown = self.shown
        at = next((k for k, step in enumerate(self.steps) if shown is not None and step.path == shown.path), self.at)
        moved, self.at = at != self.at, at
        if shown is not None and self.steps and self.steps[at].path == shown.path:
            self.steps[at].opened = self.steps[at].opened or shown
        if moved:
            self.changed.emit()
        if moved or before.slices is not after.slices or before.active != after.active or shown is not self._last:
            self._last = shown
            self._worker.withdraw("ahead")
            self._busy = False
            self._rest.start()

    def _follow(self, folder: Path | None) -> None:
        """Another folder, or none."""
        if known := self._watcher.directories():
            self._watcher.removePaths(known)
        self.steps, self.at, self._wanted = [], 0, None
        self._worker.withdraw("ahead")
        self._busy = False
        if folder is not None:
            self._watcher.addPath(str(folder))
            self._look()
        self.changed.emit()

    def _look(self) -> None:
        """The files that are there now: new ones are new steps, known ones that cannot be read are tried again."""
        folder = self._store.session.timeline
        if folder is None:
            return
        try:
            paths = checkpoints_in(folder)
        except OSError:
            return  # it is gone, and may come back
        known = {step.path: step for step in self.steps}
        shown = self.shown
        self.steps = [known.get(path) or Step(path) for path in paths]
        for step in self.steps:
            step.gap = ""
            if step.opened is None and shown is not None and shown.path == step.path:
                step.opened = shown
        self.at = next((k for k, step in enumerate(self.steps) if shown is not None and step.path == shown.path), 0)
        if shown is None and self.steps and self._wanted is None:
            self._wanted = len(self.steps) - 1
        self.changed.emit()
        self._rest.start()

    # What is done ahead, one thing after the other

    def _go_on(self) -> None:
        """Do what is nearest: read, cut, then measure the change from the step before."""
        session = self._store.session
        if self._busy or session.timeline is None:
            return
        self._take_plane(session)
        centre = self.at if self._wanted is None else self._wanted
        order = sorted(range(len(self.steps)), key=lambda k: (abs(k - centre), -k))
        for k in order:
            step = self.steps[k]
            if step.opened is None and not step.gap:
                reading = None if self.shown is None else self.shown.reading
                self._submit(partial(self._read, step.path, reading), partial(self._take_read, step))
                return
            opened = self._as_seen(step)
            plane = None if self.full else self._next_plane(step, session)
            if plane is not None and opened is not None:
                self._submit(partial(_cut, opened, plane, session), partial(self._take_cut, step, opened))
                return
        for k in order:
            if self._measure(k, session):
                return
        self.changed.emit()

    def _take_plane(self, session: Session) -> None:
        """Measures are of the active slice."""
        part = session.active_slice
        plane, shown = None if part is None else part.plane, self.shown
        frame = None if shown is None else (shown.domain.tobytes(), shown.level)
        if plane is None or self._plane is None or not same_plane(plane, self._plane) or frame != self._frame:
            self._plane, self._frame = plane, frame
            for step in self.steps:
                step.measures, step.changed, step.too_large = {}, False, False

    def _as_seen(self, step: Step) -> OpenNetwork | None:
        """The network of a step in the box and at the level of the one that is shown."""
        opened, shown = step.opened, self.shown
        if opened is None or shown is None:
            return opened
        return opened.in_frame(shown.domain if shown.framed else None, shown.level)

    def _next_plane(self, step: Step, session: Session) -> SlicePlane | None:
        """A plane in which a step is not cut yet, of the active slice first."""
        opened = self._as_seen(step)
        if opened is None or step.too_large:
            return None
        parts = sorted(session.slices, key=lambda part: (part.key != session.active, not part.visible))
        planes = (kept_in(part.plane, opened.domain) for part in parts)
        return next((plane for plane in planes if not self._cache.holds(opened, plane)), None)

    def _measure(self, k: int, session: Session) -> bool:
        """Measure a step in the active slice, and its change from the last one before that could be read."""
        step, plane = self.steps[k], self._plane
        opened = self._as_seen(step)
        if opened is None or plane is None or step.changed:
            return False
        kept = self._cache.find(opened, kept_in(plane, opened.domain))
        if kept is None:
            return False
        before = next((seen for other in reversed(self.steps[:k]) if (seen := self._as_seen(other)) is not None), None)
        old = None if before is None else self._cache.find(before, kept_in(plane, before.domain))
        domain, partition = opened.domain, kept.drawn.answer.partition

        def work(context: Context) -> Values:
            own = own_values(partition, domain)
            context.publish(own)
            if old is None:
                return own
            try:
                return own | difference_values(refine(old.drawn.answer.partition, partition, None, context.cancelled))
            except EngineError:  # of another box: there is no change to be measured
                return own

        def take(values: Values) -> None:
            if self._plane is plane:
                step.measures = values

        def end(values: Values) -> None:
            take(values)
            step.changed = True

        self._submit(work, end, take)
        return True

    def _read(self, path: Path, reading: Reading | None, context: Context) -> OpenNetwork | str:
        """A network, read as the one that is shown, or why there is none."""
        try:
            return self._open_file(path, context.cancelled, reading)
        except OpeningError as error:
            return without_options(str(error))

    def _take_read(self, step: Step, found: OpenNetwork | str) -> None:
        if isinstance(found, str):
            step.gap = found
        else:
            step.opened = found
        wanted = None if self._wanted is None else self.steps[self._wanted]
        if wanted is step:
            at, self._wanted = self._wanted, None
            self.go(at if at is not None else 0)

    def _take_cut(self, step: Step, opened: OpenNetwork, drawn: DrawnSlice | str) -> None:
        if isinstance(drawn, str):
            step.gap = drawn
        else:
            self._cache.keep(opened, drawn, None)
            step.too_large = not self._cache.holds(opened, drawn.plane)

    def _submit(
        self, work: Callable[[Context], Any], end: Callable[[Any], None], take: Callable[[Any], None] | None = None
    ) -> None:
        """Do something on the worker, then go on; take: of what it publishes on the way."""

        def deliver(value: Any) -> None:
            if not isinstance(value, _Done):
                if take is not None:
                    take(value)
                    self.changed.emit()
                return
            self._busy = False
            end(value.result)
            self.changed.emit()
            self._go_on()

        def fail(error: Exception) -> None:
            if not isinstance(error, Cancelled):
                self._busy = False
                raise error

        self._busy = True
        self._worker.submit(Job("ahead", lambda context: _Done(work(context)), deliver, fail, patient=True))


@dataclass(frozen=True, eq=False, slots=True)
class _Done:
    result: Any


def _cut(opened: OpenNetwork, plane: SlicePlane, session: Session, context: Context) -> DrawnSlice | str:
    """A whole slice, drawn as the session has it; or why there is none."""
    request = SliceRequest(0, -1, opened.network, plane, opened.domain, live=False, level=opened.level)
    try:
        answer = compute_slice(request, context.cancelled, lambda _: None)
    except Cancelled:
        raise
    except EngineError as error:
        return str(error)
    neuron = session.neuron
    pair = None if neuron is None else (neuron.layer, neuron.index)
    return prepared_slice(answer, pair, session.fill, None)
