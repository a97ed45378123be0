"""Keys, menus, buttons, fields and panels: whatever the window has of them, found in the window itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit

from app.state import actions
from app.state.look import Fill
from app.window.parts.theme import dress
from engine import Neuron
from tests.app.on_screen import LEFT, menus
from tests.app.window.soak.hand import MOST_SLICES, NONE

if TYPE_CHECKING:
    from tests.app.window.soak.hand import Hand

_KEYS: Final = (
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Left, Qt.Key.Key_Right,
    Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Delete,
    Qt.Key.Key_Home, *(getattr(Qt.Key, f"Key_{letter}") for letter in "ABCDFHIMNPTXYZ0123456789"),
)  # fmt: skip
_MODIFIERS: Final = (
    NONE, NONE, NONE, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
)  # fmt: skip
_NUMBERS: Final = ("0", "0.25", "-0.3", "1e-3", "9", "nonsense", "", "1 2 3")


def keys(hand: Hand) -> str:
    """Some of one key, where the focus is or in the 3D view."""
    focus = QApplication.focusWidget()
    widget = hand.window.scene_view if focus is None or hand.chance.random() < 0.6 else focus
    if not hand.window.isAncestorOf(widget):
        return "elsewhere"
    key, modifier = hand.chance.choice(_KEYS), hand.chance.choice(_MODIFIERS)
    times = hand.chance.randint(1, 5) if key in _KEYS[:4] else 1
    for _ in range(times):
        QTest.keyClick(widget, key, modifier)
        if hand.dialog is not None:
            break
    return f"{times} {key.name} {modifier.value} in {type(widget).__name__}"


def menu(hand: Hand) -> str:
    """Any entry of any menu that is to be had, except the one that ends it all."""
    entries = [
        entry
        for found in (*menus(hand.window), hand.window.recent)
        for entry in found.actions()
        if entry.isEnabled() and not entry.isSeparator() and entry.menu() is None and "Quit" not in entry.text()
    ]
    entry = hand.chance.choice(entries)
    text = entry.text()
    entry.trigger()
    return text


def button(hand: Hand) -> str | None:
    """Any button in sight."""
    found = [
        made
        for made in hand.window.findChildren(QAbstractButton)
        if made.isVisible() and made.isEnabled() and made.window() is hand.window and made.width() > 2
    ]
    if not found:
        return None
    made = hand.chance.choice(found)
    name = made.text() or made.toolTip()
    hand.click(made)
    return name


def choice(hand: Hand) -> str | None:
    """Another entry of a box of choices: fill, speed, the layers of the table."""
    found = [box for box in hand.window.findChildren(QComboBox) if box.isVisible() and box.isEnabled() and box.count()]
    if not found:
        return None
    box = hand.chance.choice(found)
    at = hand.chance.randrange(box.count())
    box.setCurrentIndex(at)
    box.activated.emit(at)
    return box.itemText(at)


def field(hand: Hand) -> str | None:
    """Something typed into a field, of numbers, names, or the search."""
    found = [
        line
        for line in hand.window.findChildren(QLineEdit)
        if line.isVisible() and line.isEnabled() and line.window() is hand.window and not line.isReadOnly()
    ]
    if not found:
        return None
    line = hand.chance.choice(found)
    text = hand.chance.choice([*_NUMBERS, "front", "1/3", "0/2"])
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text or " ")
    QTest.keyClick(line, hand.chance.choice([Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Escape]))
    return f"{text} in {line.accessibleName() or line.toolTip()}"


def row(hand: Hand) -> str | None:
    """A slice in the list: shown, hidden or deleted."""
    if not hand.session.slices:
        return None
    found = hand.window.panel.rows[hand.chance.choice(hand.session.slices).key]
    if hand.chance.random() < 0.3 and len(hand.session.slices) > 1:
        hand.click(found.delete)
        return f"delete {found.key}"
    hand.click(found.eye)
    return f"eye of {found.key}"


def table(hand: Hand) -> str | None:
    """The table of neurons: opened, sorted, a row chosen."""
    neurons = hand.window.neurons
    if not neurons.isVisible():
        hand.window.side.open(neurons)
        return "open"
    rows = neurons.model.rowCount()
    if hand.chance.random() < 0.5 or not rows:
        column = hand.chance.randrange(neurons.model.columnCount())
        neurons.view.sortByColumn(column, hand.chance.choice(list(Qt.SortOrder)))
        return f"sorted by {column}"
    at = hand.chance.randrange(rows)
    neurons.view.selectRow(at)
    return f"row {at} of {rows}"


def pins(hand: Hand) -> str | None:
    """A pin's card: to a neighbour, back, copied, folded, removed."""
    cards = hand.window.inspector.cards
    if not cards:
        return None
    card = hand.chance.choice(cards)
    ways = [card.copy_text, card.copy_json, card.toggled.emit, card.removed.emit, card.return_wanted.emit]
    links = [link for link in card.neighbours if link.isEnabled()]
    if links and hand.chance.random() < 0.5:
        hand.chance.choice(links).click()
        return f"neighbour of {card.pin.number}"
    way = hand.chance.randrange(len(ways))
    ways[way]()
    return f"way {way} of pin {card.pin.number}"


def undo(hand: Hand) -> str:
    return _steps(hand, hand.window.commands["undo"])


def redo(hand: Hand) -> str:
    return _steps(hand, hand.window.commands["redo"])


def _steps(hand: Hand, action: QAction) -> str:
    steps = hand.chance.randint(1, 4)
    for _ in range(steps):
        action.trigger()
    return str(steps)


def fill(hand: Hand) -> str:
    found = hand.chance.choice(list(Fill))
    hand.window.store.do(actions.ChangeFill(found))
    return found.value


def neuron(hand: Hand) -> str:
    found = hand.chance.choice([None, Neuron(0, 3), Neuron(1, 5), Neuron(1, 2)])
    hand.window.store.do(actions.SelectNeuron(found))
    return str(found)


def layer(hand: Hand) -> str:
    depth = hand.chance.randint(0, 1)
    hand.chance.choice([hand.window.hand.toggle_depth, hand.window.hand.isolate_depth])(depth)
    return str(depth)


def play(hand: Hand) -> str:
    hand.window.player.toggle()
    return "on" if hand.window.player.playing else "off"


def resize(hand: Hand) -> str:
    window, chance = hand.window, hand.chance
    width, height = chance.randint(900, 1500), chance.randint(600, 950)
    window.resize(width, height)
    for splitter in (window.splitter, window.sides):
        if chance.random() < 0.5:
            share = chance.randint(250, 900)
            splitter.setSizes([share, 1200 - share])
    handle = window.splitter.handle(1)
    if chance.random() < 0.3:
        QTest.mousePress(handle, LEFT, NONE, QPoint(3, 50))
        QTest.mouseMove(handle, QPoint(chance.randint(-150, 150), 50))
        QTest.mouseRelease(handle, LEFT, NONE, QPoint(3, 50))
    return f"{width} x {height}"


def theme(hand: Hand) -> str:
    wanted = hand.chance.choice(["light", "dark", "system"])
    running = QApplication.instance()
    assert isinstance(running, QApplication)
    dress(running, wanted)
    return wanted


def thin(hand: Hand) -> str | None:
    """So many slices are enough: some of them go."""
    slices = hand.session.slices
    if len(slices) < MOST_SLICES:
        return None
    for part in slices[MOST_SLICES // 2 :]:
        hand.window.store.do(actions.RemoveSlice(part.key))
    return f"{len(slices)} to {len(hand.session.slices)}"
