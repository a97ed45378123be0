"""The table of the neurons in the active slice, linked with the neuron that is highlighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QItemSelection, QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.jobs.worker import Job, Worker, unless_cancelled
from app.state import actions
from app.state.store import Change, Store
from app.window.panels.neuron_model import COLUMNS, DISTANCE, LAYER, LENGTH, NAME, NEURON, STATE, NeuronModel
from app.window.parts.controls import Choice, ElidedLabel, button
from engine import neuron_statistics

if TYPE_CHECKING:
    from app.control.live_slices import LiveSlices
    from app.state.session import OpenNetwork
    from engine import NeuronStatistics, Partition


_WIDEST: Final = {LAYER: "00", NEURON: "0000", LENGTH: "0.0000", DISTANCE: "0.00000", STATE: "both"}
_AROUND: Final = 8  # pixels beside a text in a cell; the mark of the order is above it


class _Table(QTableView):
    """called(row, place): a menu is called on a row, at a place of the screen."""

    called = Signal(int, QPoint)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:  # others choose no row
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        row = self.rowAt(self.viewport().mapFromGlobal(event.globalPos()).y())
        if row >= 0:
            self.called.emit(row, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            event.ignore()  # the camera's
        else:
            super().keyPressEvent(event)


class NeuronTable(QWidget):
    """Follows the active slice whenever that is whole, while the table is in sight.

    menu_wanted(Neuron, place): a menu is called on its row, at a place of the screen.
    """

    menu_wanted = Signal(object, QPoint)

    def __init__(self, store: Store, slices: LiveSlices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._slices = store, slices
        self._worker = Worker("neurons", self)
        self._wanted: Partition | None = None
        self._listed: Partition | None = None
        self._showing = False  # the selection follows the session, not a hand
        self._layers_of: OpenNetwork | None = None
        self.model = NeuronModel()
        self.model.setParent(self)
        self.layers = Choice(self)
        self.layers.setToolTip("Which layers to list")
        self.layers.setAccessibleName("layers to list")
        self.layers.activated.connect(self._choose_layer)
        self.copy = button("Copy", "Copy the rows listed, separated by tabs", self._copy)
        self.view = _Table(self)
        self.view.setModel(self.model)
        self.view.called.connect(lambda row, place: self.menu_wanted.emit(self.model.neuron(row), place))
        self.view.setSortingEnabled(True)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setTabKeyNavigation(False)
        self.view.setAccessibleName("neurons of the active slice")
        for corner in self.view.findChildren(QAbstractButton):
            corner.setToolTip("All rows")
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(21)
        header = self.view.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        titles = QFontMetrics(QFont(self.font().family(), 8, QFont.Weight.DemiBold))
        for column, text in _WIDEST.items():
            widths = self.view.fontMetrics().horizontalAdvance(text), titles.horizontalAdvance(COLUMNS[column][0])
            header.resizeSection(column, max(widths) + _AROUND)
        header.setMinimumSectionSize(34)
        self.view.sortByColumn(LAYER, Qt.SortOrder.AscendingOrder)
        self.view.selectionModel().selectionChanged.connect(self._select)
        self.model.modelReset.connect(self._show_neuron)
        self.summary = ElidedLabel(self)
        self.summary.setObjectName("muted")
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.layers, 1)
        top.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.summary)
        store.listen(self._changed)
        slices.computed.connect(lambda *_: self._refresh())
        slices.rested.connect(lambda *_: self._refresh())

    def close_worker(self) -> None:
        self._worker.close()

    @property
    def finished(self) -> bool:
        """What is listed is what is drawn, or nobody looks."""
        return not self.isVisible() or self._wanted is None or self._wanted is self._listed

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _changed(self, change: Change) -> None:
        if isinstance(change.action, actions.MovePlane):
            return
        if change.before.neuron != change.after.neuron:
            self._show_neuron()
        self._refresh()

    def _refresh(self) -> None:
        if not self.isVisible() or self._slices.moving is not None:
            return
        session = self._store.session
        self._list_layers(session.opened)
        drawn = None if session.active is None else self._slices.result(session.active)
        if drawn is None or session.opened is None:
            self._wanted = self._listed = None
            self.model.show(None, ())
            self._show_summary()
            return
        partition, names = drawn.answer.partition, session.opened.network.layer_names
        if not drawn.answer.complete or partition is self._wanted:
            return
        self._wanted = partition

        def take(statistics: NeuronStatistics) -> None:
            if partition is self._wanted:
                self._listed = partition
                self.model.show(statistics, names)
                self._show_summary()

        self._worker.submit(Job("neurons", lambda _: neuron_statistics(partition), take, unless_cancelled))

    def _list_layers(self, opened: OpenNetwork | None) -> None:
        if opened is self._layers_of:
            return
        self._layers_of = opened
        self.layers.clear()
        self.layers.addItem("All layers", None)
        for layer, name in enumerate(() if opened is None else opened.network.layer_names):
            self.layers.addItem(f"Layer {layer} ({name})", layer)
        self.model.show_layer(None)

    def _choose_layer(self) -> None:
        self.model.show_layer(self.layers.currentData())
        self._show_summary()

    def _show_summary(self) -> None:
        neurons, lines, on, off = self.model.counts()
        part = self._store.session.active_slice
        where = "" if part is None else f"slice {part.name}: "
        text = f"{where}{neurons:,} neurons, {lines:,} with a line, {on:,} always on, {off:,} always off"
        self.summary.show_text(text if neurons else "Listed once a slice is whole")

    def _select(self, selected: QItemSelection, _: QItemSelection) -> None:
        rows = {index.row() for index in selected.indexes()}
        if not self._showing and rows:
            neuron = self.model.neuron(rows.pop())
            if neuron != self._store.session.neuron:
                self._store.do(actions.SelectNeuron(neuron))

    def _show_neuron(self) -> None:
        """Select and scroll to the row of the neuron that is highlighted."""
        row = self.model.row_of(self._store.session.neuron)
        self._showing = True
        if row is None:
            self.view.clearSelection()
        elif [index.row() for index in self.view.selectionModel().selectedRows()] != [row]:
            self.view.setCurrentIndex(self.model.index(row, LENGTH))
            self.view.scrollTo(self.model.index(row, LENGTH), QAbstractItemView.ScrollHint.PositionAtCenter)
        self._showing = False

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.model.as_text())
