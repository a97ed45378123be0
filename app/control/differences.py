"""Distances of two slices of one plane: at once as colours need them, and exactly once the hand rests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from app.comparison.colors import round_limit
from app.comparison.slices import difference_values
from app.jobs.worker import Context, Job, Worker, unless_cancelled
from app.views.comparison.pair_image import limit_of
from engine import Cancelled, EngineError, refine

if TYPE_CHECKING:
    from app.comparison.slices import Values
    from app.control.drawn_slice import DrawnSlice
    from engine import Partition


class Differences(QObject):
    """limited(key, float): the end of the range of colours of a slice's difference; measured(key, Values): all measures
    of the difference; None: there are none, since the slices are not of one polygon and level."""

    limited = Signal(int, float)
    measured = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = Worker("differences", self)
        self._known: WeakKeyDictionary[Partition, WeakKeyDictionary[Partition, Values]] = WeakKeyDictionary()
        self._asked: set[int] = set()

    @property
    def busy(self) -> bool:
        return bool(self._asked)

    def ask(self, key: int, first: DrawnSlice, second: DrawnSlice, exact: bool) -> None:
        """exact: measure all, on the common refinement; else find the range of colours."""
        one, other = first.answer.partition, second.answer.partition
        of_first = self._known.get(one)
        known = None if of_first is None else of_first.get(other)
        if known is not None:
            self._worker.withdraw(key)
            self._asked.discard(key)
            self._tell(key, known)
            return

        def work(context: Context) -> Values | None:
            context.publish(limit_of((first.picture, second.picture)))
            if not exact:
                return None
            try:
                return difference_values(refine(one, other, None, context.cancelled))
            except EngineError:  # of other boxes or levels: what is drawn is all there is
                return None

        def take(found: float | Values | None) -> None:
            if isinstance(found, float):
                self.limited.emit(key, found)
                return
            self._asked.discard(key)
            if found is not None:
                self._known.setdefault(one, WeakKeyDictionary())[other] = found
                self._tell(key, found)
            elif exact:
                self.measured.emit(key, None)

        def fail(error: Exception) -> None:
            if not isinstance(error, Cancelled):
                self._asked.discard(key)
                unless_cancelled(error)

        self._asked.add(key)
        self._worker.submit(Job(key, work, take, fail, patient=True))

    def _tell(self, key: int, values: Values) -> None:
        self.limited.emit(key, round_limit(values["largest"]))
        self.measured.emit(key, values)

    def withdraw(self) -> None:
        """Nothing is asked any more."""
        for key in self._asked:
            self._worker.withdraw(key)
        self._asked.clear()

    def close(self) -> None:
        self._worker.close()
