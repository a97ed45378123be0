"""The neurons of a slice as the rows of a table that can be sorted and filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from engine import Neuron

if TYPE_CHECKING:
    from engine import NeuronStatistics

_Index = QModelIndex | QPersistentModelIndex

COLUMNS: Final = (
    ("Layer", "Depth of the layer"),
    ("Name", "Name of the layer in the network"),
    ("Neuron", "Number of the neuron in its layer"),
    ("Length", "Length of the neuron's line in this slice"),
    ("To f = 0", "Distance of the neuron's line to the zero level set, within this slice; 0: they meet"),
    ("State", "on, off: always, throughout this slice; both: on one side of its line each"),
)
LAYER, NAME, NEURON, LENGTH, DISTANCE, STATE = range(len(COLUMNS))
STATES: Final = ("both", "on", "off", "\N{EM DASH}")


class NeuronModel(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self._statistics: NeuronStatistics | None = None
        self._names: tuple[str, ...] = ()
        self._keys: list[NDArray[Any]] = []
        self._layer: int | None = None
        self._sorted: tuple[int, Qt.SortOrder] = (LAYER, Qt.SortOrder.AscendingOrder)
        self._rows: NDArray[np.int64] = np.empty(0, np.int64)

    def show(self, statistics: NeuronStatistics | None, names: tuple[str, ...]) -> None:
        """names: of the layers."""
        self.beginResetModel()
        self._statistics, self._names = statistics, names
        self._keys = []
        if statistics is not None:
            states = np.select(
                [statistics.above & statistics.below, statistics.above, statistics.below], [0, 1, 2], 3
            )  # of STATES
            by_name = np.argsort(np.argsort(np.array(names)), kind="stable")[statistics.layer]
            self._keys = [
                statistics.layer, by_name, statistics.neuron, statistics.lengths, statistics.distances, states
            ]  # fmt: skip
        self._arrange()
        self.endResetModel()

    def show_layer(self, layer: int | None) -> None:
        """The neurons of one layer; of all when None."""
        self.beginResetModel()
        self._layer = layer
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        if self._statistics is None:
            self._rows = np.empty(0, np.int64)
            return
        rows = np.arange(len(self._statistics.layer))
        if self._layer is not None:
            rows = rows[self._statistics.layer == self._layer]
        column, order = self._sorted
        keys = self._keys[column][rows]
        sorted_rows = rows[np.argsort(keys if order is Qt.SortOrder.AscendingOrder else -keys, kind="stable")]
        missing = _missing(column, self._keys[column][sorted_rows])
        self._rows = np.concatenate([sorted_rows[~missing], sorted_rows[missing]])  # last, whatever the order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.beginResetModel()
        self._sorted = (column, order)
        self._arrange()
        self.endResetModel()

    def neuron(self, row: int) -> Neuron:
        assert self._statistics is not None
        at = self._rows[row]
        return Neuron(int(self._statistics.layer[at]), int(self._statistics.neuron[at]))

    def row_of(self, neuron: Neuron | None) -> int | None:
        """Where a neuron is listed, if it is."""
        if neuron is None or self._statistics is None:
            return None
        layer, index = self._statistics.layer[self._rows], self._statistics.neuron[self._rows]
        found = np.flatnonzero((layer == neuron.layer) & (index == neuron.index))
        return int(found[0]) if len(found) else None

    def counts(self) -> tuple[int, int, int, int]:
        """Rows; those with a line in the slice; always on; always off."""
        if self._statistics is None:
            return 0, 0, 0, 0
        states, lengths = self._keys[STATE][self._rows], self._statistics.lengths[self._rows]
        return len(self._rows), int((lengths > 0).sum()), int((states == 1).sum()), int((states == 2).sum())

    def as_text(self) -> str:
        """The rows listed, separated by tabs, with all digits."""
        lines = ["\t".join(("layer", "name", "neuron", "length", "distance to level set", "state"))]
        if self._statistics is not None:
            for at in self._rows.tolist():
                layer, _, neuron, length, distance, state = (keys[at].item() for keys in self._keys)
                lines.append(f"{layer}\t{self._names[layer]}\t{neuron}\t{length!r}\t{distance!r}\t{STATES[state]}")
        return "\n".join(lines) + "\n"

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role in (
            Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole,
        ):  # fmt: skip
            return COLUMNS[section][0 if role == Qt.ItemDataRole.DisplayRole else 1]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        column = index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = column in (LAYER, NEURON, LENGTH, DISTANCE)
            return int((Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft) | _MIDDLE)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        value = self._keys[column][self._rows[index.row()]].item()
        if column == NAME:
            return self._names[int(self._keys[LAYER][self._rows[index.row()]])]
        if column == STATE:
            return STATES[value]
        if column in (LENGTH, DISTANCE):
            return "\N{EM DASH}" if _missing(column, np.array(value)) else f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
        return str(value)


def _missing(column: int, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where there is nothing to be told: a neuron without a line has no length, nor a distance."""
    missing: NDArray[np.bool_] = ~np.isfinite(values)
    return missing | (values == 0.0) if column == LENGTH else missing


_MIDDLE: Final = Qt.AlignmentFlag.AlignVCenter
