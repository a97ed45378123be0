"""The window's middle: bars above, panels at the sides, the 3D view and the slices between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.state.saved_session import Layout
from app.window.arrangement import Arrangement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.state.store import Store
    from app.views.scene.scene_view import SceneView
    from app.views.slice.legend import ColorBar, DepthLegend
    from app.window.panels.side_area import SideArea
    from app.window.panels.slice_board import SliceBoard


class Body(QWidget):
    """splitter: between the 3D view and the slices; sides: between them and the panel at the right."""

    def __init__(
        self, store: Store, bars: Sequence[QWidget], panel: QWidget, view: SceneView, board: SliceBoard,
        legend: DepthLegend, color_bar: ColorBar, side: SideArea, parent: QWidget,
    ) -> None:  # fmt: skip
        """bars: above all else; the first is always there, the others while they have something to tell."""
        super().__init__(parent)
        self._side = side
        keys = QWidget(self)
        row = QHBoxLayout(keys)
        row.setContentsMargins(6, 2, 6, 0)
        row.addWidget(legend, 1)
        row.addWidget(color_bar)
        space, slices = _column(self, view), _column(self, board)
        self.splitter = _splitter(self, (space, 3, 700), (slices, 2, 430))
        self.arrangement = Arrangement(store, self.splitter, space, slices, keys)
        self.sides = _splitter(self, (self.splitter, 1, 1000), (side, 0, 380))
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

    @property
    def splitters(self) -> dict[str, QSplitter]:
        """By the names under which settings keep them."""
        return {"splitter": self.splitter, "sides": self.sides}

    @property
    def layout_now(self) -> Layout:
        window = self.window()
        size = window.width(), window.height()
        return Layout(size, self.arrangement.widths, self._side.shown, self._side.width_wanted)

    def lay_out(self, layout: Layout) -> None:
        """As a session was left, as far as the screen has room for it."""
        window = self.window()
        if not window.isMaximized():
            room = window.screen().availableSize()
            window.resize(min(layout.size[0], room.width()), min(layout.size[1], room.height()))
        self._side.show_named(layout.side)
        if layout.side_width:
            whole = sum(self.sides.sizes())
            self.sides.setSizes([max(whole - layout.side_width, 1), layout.side_width])
        self.arrangement.share(layout.widths)


def _column(parent: QWidget, view: QWidget) -> QWidget:
    """A view with room below it for the keys to colours."""
    made = QWidget(parent)
    layout = QVBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(view, 1)
    return made


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
