"""The card of a slice of two checkpoints: its view, the key to its colours, and how far apart the two are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.comparison.colors import difference_title
from app.state.comparison import Between
from app.state.look import Fill
from app.state.palette import RGB
from app.state.texts.numbers import counted
from app.views.comparison.pair_image import LARGEST_RATIO, overlay_colors, table_of
from app.views.comparison.pair_view import PairView
from app.views.marks.paper_of import paper_of
from app.views.slice.fills import FaceFill
from app.views.slice.legend import ColorBar
from app.window.panels.slice_tile import SliceTile
from app.window.parts.controls import ElidedLabel

if TYPE_CHECKING:
    from app.comparison.slices import Values
    from app.control.drawn_slice import DrawnSlice
    from app.state.session import Slice

_BOX: Final = (14, 11)  # pixels


class PairTile(SliceTile):
    """A slice of A and B; pair: its view."""

    def __init__(
        self, part: Slice, accents: tuple[RGB, RGB], names: tuple[str, str], between: Between, parent: QWidget
    ) -> None:
        self.pair = PairView(accents, names, between, parent)
        super().__init__(part, parent, self.pair)
        self._between = between
        self.bar, self._classes = ColorBar(self), SignKey(accents, self)
        self._classes.setVisible(between is Between.OVERLAY)
        self.numbers = ElidedLabel(self)
        self.numbers.setObjectName("small")
        self.show_numbers(None)
        key = QHBoxLayout()
        key.setContentsMargins(8, 0, 6, 0)
        key.addWidget(self.bar)
        key.addWidget(self._classes)
        key.addStretch(1)
        self._frame.addLayout(key)
        self._frame.addWidget(self.numbers)
        if between is Between.LINES:
            least = 1 / LARGEST_RATIO
            table = table_of(between)
            self.bar.show_fill(FaceFill(Fill.VALUE, "lines B/A", least, LARGEST_RATIO, table, logarithmic=True))

    def show_pair(self, first: DrawnSlice, second: DrawnSlice, current: bool, note: str = "") -> None:
        """Both slices of one plane; note: what is to be told of them."""
        self.pair.second = second.picture
        self.show_result(first, current)
        answers = first.answer, second.answer
        if any(answer.done < answer.layers for answer in answers):
            layers = (f"{name}: layers 0..{answer.done - 1}" for name, answer in zip("AB", answers, strict=True))
            note = " \N{MIDDLE DOT} ".join(layers)
        self.pair.next_note = note or self.pair.next_note
        counts = [drawn.answer.partition.regions for drawn in (first, second)]
        self._count.setText(f"A {counts[0]:,}, B {counted(counts[1], 'region')}")

    def show_limit(self, limit: float) -> None:
        """The end of the range of colours, the same on both sides of 0."""
        self.pair.show_limit(limit)
        if self._between is Between.DIFFERENCE:
            name = "B \N{MINUS SIGN} A"
            self.bar.show_fill(FaceFill(Fill.VALUE, name, -limit, limit, table_of(self._between)))

    def show_numbers(self, values: Values | None) -> None:
        """Tell how far apart the two are, exactly; None: that is not known yet."""
        text = " " if values is None else "  " + " \N{MIDDLE DOT} ".join(difference_title(values))
        self.numbers.show_text(text, "d = f in B less f in A, exactly, on the common refinement of both partitions")


class SignKey(QWidget):
    """Key to the colours of the areas in which signs differ."""

    def __init__(self, accents: tuple[RGB, RGB], parent: QWidget) -> None:
        super().__init__(parent)
        self._accents = accents
        self._texts = ("only A inside", "only B inside", "both")
        metrics = QFontMetricsF(QFont(self.font().family(), 8))
        self._widths = [metrics.horizontalAdvance(text) + _BOX[0] + 20 for text in self._texts]
        self.setFixedSize(round(sum(self._widths)), 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(QFont(self.font().family(), 8))
        colors = overlay_colors(self._accents, paper_of(self.palette()))[1:]
        left = 2.0
        for color, text, width in zip(colors, self._texts, self._widths, strict=True):
            box = QRectF(left, (self.height() - _BOX[1]) / 2, *_BOX)
            painter.setPen(QPen(self.palette().mid().color(), 0.8))
            painter.setBrush(QColor(*color.tolist()))
            painter.drawRoundedRect(box, 2, 2)
            painter.setPen(self.palette().text().color())
            room = QRectF(box.right() + 5, 0, width, self.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            left += width
        painter.end()
