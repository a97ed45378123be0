"""The window's middle: bars above, panels at the sides, the 3D view and the slices between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.window.arrangement import Arrangement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.state.store import Store
    from app.views.scene.scene_view import SceneView
    from app.views.slice.legend import ColorBar, DepthLegend
    from app.window.comparison.compare_board import CompareBoard
    from app.window.panels.side_area import SideArea
    from app.window.panels.slice_board import SliceBoard


class Body(QWidget):
    """splitter: between the 3D view and the slices; sides: between them and the panel at the right.

    What compares checkpoints takes the place of the splitter while it is shown; the timeline is below.
    """

    def __init__(
        self, store: Store, bars: Sequence[QWidget], panel: QWidget, view: SceneView, board: SliceBoard,
        legend: DepthLegend, color_bar: ColorBar, compare: CompareBoard, timeline: QWidget, side: SideArea,
        parent: QWidget,
    ) -> None:  # fmt: skip
        """bars: above all else; the first is always there, the others while they have something to tell."""
        super().__init__(parent)
        (space, below_space), (slices, below_slices) = _column(self, view), _column(self, board)
        below_slices.addWidget(color_bar)  # below what it explains
        self.splitter = _splitter(self, (space, 0, 700), (slices, 0, 430))
        self.arrangement = Arrangement(store, self.splitter, space, (below_space, below_slices), legend)
        stack = QStackedWidget(self)
        for page in (self.splitter, compare):
            stack.addWidget(page)
        compare.shown.connect(lambda on: stack.setCurrentWidget(compare if on else self.splitter))
        views = QWidget(self)
        above = QVBoxLayout(views)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(0)
        above.addWidget(stack, 1)
        above.addWidget(timeline)
        self.sides = _splitter(self, (views, 1, 1000), (side, 0, 380))
        middle = QHBoxLayout()
        middle.setContentsMargins(0, 0, 10, 8)
        middle.setSpacing(6)
        middle.addWidget(panel)
        middle.addWidget(self.sides, 1)
        told = QVBoxLayout()  # takes no room while nothing is told
        told.setContentsMargins(0, 0, 0, 8)
        told.setSpacing(0)
        for bar in bars[1:]:
            told.addWidget(bar)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bars[0])
        layout.addLayout(told)
        layout.addLayout(middle, 1)


def _column(parent: QWidget, view: QWidget) -> tuple[QWidget, QHBoxLayout]:
    """A view, and the row below it for the keys to colours."""
    made = QWidget(parent)
    layout, row = QVBoxLayout(made), QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(view, 1)
    row.setContentsMargins(6, 0, 6, 0)
    layout.addLayout(row)
    return made, row


def _splitter(parent: QWidget, *parts: tuple[QWidget, int, int]) -> QSplitter:
    """parts: each with its share of room that comes, and its width in the beginning."""
    made = QSplitter(Qt.Orientation.Horizontal, parent)
    for place, (part, share, _) in enumerate(parts):
        made.addWidget(part)
        made.setStretchFactor(place, share)
    made.setSizes([width for *_, width in parts])
    made.setHandleWidth(8)
    made.setChildrenCollapsible(False)
    return made
