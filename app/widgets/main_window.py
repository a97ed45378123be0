"""The window: the session in the middle, views around it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QSplitter, QVBoxLayout, QWidget

from app.jobs.opening import OpeningError, UnansweredError, open_file
from app.jobs.worker import Context, Job, Worker
from app.state import actions
from app.state.look import Fill
from app.state.planes import facing, offset_range, shifted
from app.state.session import OpenNetwork
from app.state.store import Change, Store
from app.views.legend import ColorBar, DepthLegend
from app.views.scene_view import SceneView
from app.widgets.error_dialog import ErrorDialog
from app.widgets.hover import Hover
from app.widgets.live_slices import DrawnSlice, LiveSlices
from app.widgets.live_surface import DrawnSurface, LiveSurface
from app.widgets.marks import application_icon
from app.widgets.parts import label
from app.widgets.plane_panel import PlanePanel
from app.widgets.question_dialog import QuestionDialog
from app.widgets.scene_link import SceneLink
from app.widgets.slice_board import SliceBoard
from app.widgets.status_line import StatusLine
from app.widgets.tool_strip import ToolStrip
from engine import Cancelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sdf_models import Reading

_STEP: Final = 1 / 200  # of the range of offsets, for one press of an arrow key
_PAGE: Final = 1 / 20
_RECENT: Final = 8
_STEPS: Final = {
    Qt.Key.Key_Up: _STEP, Qt.Key.Key_Right: _STEP, Qt.Key.Key_Down: -_STEP, Qt.Key.Key_Left: -_STEP,
    Qt.Key.Key_PageUp: _PAGE, Qt.Key.Key_PageDown: -_PAGE,
}  # fmt: skip


def _reading_key(path: Path) -> str:
    """Where the choices for a file are remembered: slashes in a key would make groups."""
    return f"readings/{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}"


class MainWindow(QMainWindow):
    """opened: a network is shown; refused: a file was not."""

    opened = Signal()
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("SplineScope")
        self.setWindowIcon(application_icon())
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self.store = Store()
        self.slices = LiveSlices(self.store, self)
        self.surface = LiveSurface(self.store, self)
        self.slices.level_cutter = self.surface.cut
        self.hover = Hover(self.store, self.slices, self)
        self.strip = ToolStrip(self.store, self)
        self.panel = PlanePanel(self.store, self)
        self.scene_view = SceneView(self)
        self.scene_link = SceneLink(self.store, self.slices, self.scene_view, self)
        self.board = SliceBoard(self.store, self.slices, self.hover, self)
        self.legend, self.color_bar = DepthLegend(self), ColorBar(self)
        self.status = StatusLine(self)
        self._opener = Worker("opening", self)
        self._computed_at: dict[int, float] = {}
        self._draw_seconds: float | None = None
        self._surface_note = ""
        self.error_dialog: ErrorDialog | None = None
        self.question_dialog: QuestionDialog | None = None
        self._arrange()
        self._build_menus()
        self._connect()

    def _arrange(self) -> None:
        middle = QWidget(self)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.scene_view, 1)
        keys = QHBoxLayout()
        keys.setContentsMargins(6, 2, 6, 0)
        keys.addWidget(self.legend, 1)
        keys.addWidget(self.color_bar)
        column.addLayout(keys)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(middle)
        self.splitter.addWidget(self.board)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([700, 430])
        self.splitter.setHandleWidth(8)
        self.splitter.setChildrenCollapsible(False)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 10, 8)
        body.setSpacing(6)
        body.addWidget(self.panel)
        body.addWidget(self.splitter, 1)
        whole = QWidget(self)
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.approximation = label("", "approximation")
        self.approximation.setWordWrap(True)
        self.approximation.hide()
        layout.addWidget(self.strip)
        layout.addWidget(self.approximation)
        layout.addLayout(body, 1)
        self.setCentralWidget(whole)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        self.store.listen(self._changed)
        self.strip.open_wanted.connect(self.choose_file)
        self.strip.picture_wanted.connect(self.choose_picture)
        self.panel.camera_snap.connect(self.snap_to_camera)
        self.board.nudged.connect(lambda key, notches: self._shift(key, notches * 2 * _STEP))
        self.board.drawn.connect(self._drawn)
        self.legend.toggled.connect(self.toggle_depth)
        self.legend.isolated.connect(self.isolate_depth)
        self.hover.found.connect(self.status.show_hover)
        self.scene_view.hovered.connect(self._hover_in_space)
        self.scene_view.left.connect(self.hover.clear)
        self.scene_view.clicked.connect(self.hover.click_length)
        self.slices.computed.connect(self._computed)
        self.surface.progressed.connect(lambda facets: self.status.show_busy(f"exact surface: {facets:,} facets"))
        self.surface.computed.connect(self._surface_computed)
        self.surface.failed.connect(self._surface_failed)
        self.status.stopped.connect(self._stop)

    def _build_menus(self) -> None:
        file = self.menuBar().addMenu("&File")
        _action(file.addAction("&Open…"), self.choose_file, QKeySequence.StandardKey.Open)
        self.recent_menu = file.addMenu("Open &recent")
        file.addSeparator()
        _action(file.addAction("Save a &picture of the 3D view…"), self.choose_picture, QKeySequence("Ctrl+P"))
        file.addSeparator()
        _action(file.addAction("&Quit"), self.close, QKeySequence.StandardKey.Quit)
        edit = self.menuBar().addMenu("&Slice")
        _action(edit.addAction("&Add"), self.panel.add.click, QKeySequence("Ctrl+N"))
        _action(edit.addAction("&Duplicate"), self.panel.duplicate.click, QKeySequence("Ctrl+D"))
        _action(edit.addAction("De&lete"), self._delete, QKeySequence.StandardKey.Delete)
        _action(edit.addAction("&Hide or show"), self._hide, QKeySequence("H"))
        edit.addSeparator()
        for axis, snap in self.panel.snaps.items():
            _action(edit.addAction(f"Snap across &{axis}"), snap.click, QKeySequence(axis.upper()))
        _action(edit.addAction("Snap to the &camera"), self.snap_to_camera, QKeySequence("C"))
        _action(edit.addAction("&Flip"), self.panel.flip.click, QKeySequence("F"))
        _action(edit.addAction("Rotate &left"), self.panel.left.click, QKeySequence("["))
        _action(edit.addAction("Rotate &right"), self.panel.right.click, QKeySequence("]"))
        view = self.menuBar().addMenu("&View")
        directions = (("&Home", None, "Home"), ("From +x", (1.0, 0.0, 0.0), "1"), ("From +y", (0.0, 1.0, 0.0), "2"),
                      ("From +z", (0.0, 0.0, 1.0), "3"))  # fmt: skip
        for text, direction, key in directions:
            look = self._home if direction is None else _looking(self.scene_view, direction)
            _action(view.addAction(text), look, QKeySequence(key))
        view.addSeparator()
        for axis, unit in zip("xyz", np.eye(3), strict=True):
            _action(view.addAction(f"{axis} upwards"), _upwards(self.scene_view, unit))
        view.addSeparator()
        _action(view.addAction("&Tiles or one slice"), self.strip.tiled.click, QKeySequence("T"))
        _action(view.addAction("&Go to a neuron"), self.strip.search.setFocus, QKeySequence.StandardKey.Find)
        _action(view.addAction("&No highlight\tEsc"), self._clear_neuron)
        self._show_recent()

    # Files

    def open_path(self, path: Path, reading: Reading | None = None) -> None:
        """Open a file; what is open now stays until it is read, and if it cannot be.

        reading: the choices made for it; without, those remembered.  What it leaves open is asked.
        """
        choices = self._recall(path) if reading is None else reading
        self._open(path.name, lambda context: open_file(path, context.cancelled, choices), path, choices)

    def show_network(self, opened: OpenNetwork) -> None:
        self.store.do(actions.Open(opened, _middle(opened)))
        self.opened.emit()

    def _open(
        self, name: str, work: Callable[[Context], OpenNetwork], path: Path | None, reading: Reading | None = None
    ) -> None:
        self.status.show_busy(f"opening {name} …")

        def take(opened: OpenNetwork) -> None:
            self.status.show_busy("")
            if path is not None:
                self._remember(path, reading)
            self.show_network(opened)

        self._opener.submit(Job("open", work, take, lambda error: self._refuse(name, error, path), patient=True))

    def _refuse(self, name: str, error: Exception, path: Path | None) -> None:
        self.status.show_busy("")
        if isinstance(error, Cancelled):
            return
        if isinstance(error, UnansweredError) and path is not None:
            self._ask(path, error)
            return
        if not isinstance(error, OpeningError):
            raise error
        kept = "" if self.store.session.opened is None else f" {self.store.session.opened.name} stays open."
        self.show_error(f"{name} could not be opened", f"{error}.{kept}", str(error))
        self.refused.emit(str(error))

    def _ask(self, path: Path, open_question: UnansweredError) -> None:
        dialog = QuestionDialog(path.name, open_question.question, open_question.reading, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.open_path(path, dialog.reading))
        dialog.destroyed.connect(self._question_gone)
        self.question_dialog = dialog
        dialog.open()
        self.refused.emit(str(open_question))

    def _question_gone(self) -> None:
        self.question_dialog = None

    def show_error(self, heading: str, message: str, detail: str) -> None:
        """A dialog that does not stop the program."""
        self.error_dialog = ErrorDialog(heading, message, detail, self)
        self.error_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.error_dialog.destroyed.connect(self._error_seen)
        self.error_dialog.open()

    def _error_seen(self) -> None:
        self.error_dialog = None

    def choose_file(self) -> None:
        kinds = "Checkpoints (*.npz *.safetensors *.pt *.pth *.onnx);;All files (*)"
        name, _ = QFileDialog.getOpenFileName(self, "Open a checkpoint", "", kinds)
        if name:
            self.open_path(Path(name))

    def _settings(self) -> QSettings:
        return QSettings("SplineScope", "SplineScope")

    def recent(self) -> list[Path]:
        stored = self._settings().value("recent", [])
        names = stored if isinstance(stored, list) else [stored]
        return [Path(str(name)) for name in names][:_RECENT]

    def _recall(self, path: Path) -> Reading | None:
        """The choices with which a file was opened before, when there were any that still make sense."""
        from sdf_models import Reading

        stored = self._settings().value(_reading_key(path), "")
        try:
            return Reading.from_json(json.loads(str(stored))) if stored else None
        except ValueError:
            return None

    def _remember(self, path: Path, reading: Reading | None) -> None:
        if reading is not None:
            self._settings().setValue(_reading_key(path), json.dumps(reading.to_json()))
        path = path.resolve()
        known = [path, *(other for other in self.recent() if other != path)][:_RECENT]
        self._settings().setValue("recent", [str(other) for other in known])
        self._show_recent()

    def _show_recent(self) -> None:
        self.recent_menu.clear()
        for path in self.recent():
            entry = self.recent_menu.addAction(str(path))
            entry.triggered.connect(lambda _=False, path=path: self.open_path(path))
        self.recent_menu.setEnabled(bool(self.recent()))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_path(paths[0])

    def choose_picture(self) -> None:
        from app.widgets.picture_dialog import PictureDialog

        if self.store.session.opened is not None:
            PictureDialog(self.scene_view, self.scene_link.submit, self.show_error, self).open()

    # What the session's changes mean for the legend, the status line and the title

    def _changed(self, change: Change) -> None:
        session = change.after
        if isinstance(change.action, actions.Open) and session.opened is not None:
            self._surface_note = ""
            self.setWindowTitle(f"{session.opened.name} \N{EM DASH} SplineScope")
            self.status.show_network(session.opened)
            self.approximation.setText(session.opened.approximation)
            self.approximation.setVisible(bool(session.opened.approximation))
        if isinstance(change.action, actions.MovePlane):
            return
        self._show_legend()
        self._show_status()

    def _show_legend(self) -> None:
        session = self.store.session
        drawn = None if session.active is None else self.slices.result(session.active)
        counts = () if drawn is None else tuple(np.diff(drawn.picture.first).tolist())
        if session.opened is not None:
            self.legend.show_layers(session.opened.network.layer_names, session.look.hidden_depths, counts)
        fill = None if drawn is None or session.fill is Fill.NONE else drawn.picture.fill
        self.color_bar.show_fill(fill)

    def _show_status(self) -> None:
        session = self.store.session
        part = session.active_slice
        drawn = None if part is None else self.slices.result(part.key)
        self.status.show_slice(part.name if part is not None else "", drawn, self._draw_seconds)
        neuron, opened = session.neuron, session.opened
        self.scene_view.message = self._surface_note
        if neuron is not None and opened is not None:
            self.scene_view.message = f"highlighted: {opened.describe(neuron)}"
        self.scene_view.update()

    def _computed(self, key: int, result: DrawnSlice) -> None:
        self._computed_at[key] = time.perf_counter()
        if key == self.store.session.active:
            self._draw_seconds = None
            self._show_legend()
            self._show_status()

    def _surface_computed(self, drawn: DrawnSurface) -> None:
        self.status.show_busy("")
        self.scene_link.show_surface(drawn)
        self._surface_note = drawn.surface.describe() if drawn.surface.empty else ""
        self._show_status()

    def _surface_failed(self, reason: str) -> None:
        self.status.show_busy("")
        self._surface_note = f"coarse surface: {reason}"
        self._show_status()

    def _stop(self) -> None:
        if self._opener.busy:
            self._opener.withdraw("open")
        else:
            self.surface.cancel()

    def _drawn(self) -> None:
        key = self.store.session.active
        if key is not None and key in self._computed_at:
            self._draw_seconds = time.perf_counter() - self._computed_at.pop(key)
            self._show_status()

    # What a person does with keys and buttons

    def _hover_in_space(self, key: int, u: float, v: float, pixel: float) -> None:
        self.hover.over_length(key, self.board.tiles[key].view, u, v, pixel)

    def toggle_depth(self, depth: int) -> None:
        look = self.store.session.look
        self.store.do(actions.ChangeLook(look.with_hidden(look.hidden_depths ^ {depth})))

    def isolate_depth(self, depth: int) -> None:
        """Only this layer; when it is alone already, all of them."""
        session = self.store.session
        if session.opened is None:
            return
        others = frozenset(range(session.opened.layers)) - {depth}
        look = session.look
        self.store.do(actions.ChangeLook(look.with_hidden(frozenset() if look.hidden_depths == others else others)))

    def snap_to_camera(self) -> None:
        session, scene = self.store.session, self.scene_view.scene
        part = session.active_slice
        if part is None or scene is None:
            return
        towards = np.array(scene.camera.GetPosition()) - np.array(scene.camera.GetFocalPoint())
        plane = facing(towards, scene.camera.GetViewUp(), scene.domain.mean(axis=0))
        self.store.do(actions.MovePlane(part.key, plane))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._clear_neuron()
            return
        step = _STEPS.get(Qt.Key(event.key()))
        active = self.store.session.active
        if step is None or active is None:
            super().keyPressEvent(event)
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            step *= 10
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            step /= 10
        self._shift(active, step)

    def _shift(self, key: int, share: float) -> None:
        """Move a plane along its normal by a share of its range."""
        session = self.store.session
        if session.opened is None:
            return
        plane, domain = session.slice(key).plane, session.opened.domain
        low, high = offset_range(plane, domain)
        self.store.do(actions.MovePlane(key, shifted(plane, share * (high - low), domain), live=True))

    def _home(self) -> None:
        self.scene_view.set_up(self.scene_view.up)

    def _delete(self) -> None:
        if self.store.session.active is not None:
            self.store.do(actions.RemoveSlice(self.store.session.active))

    def _hide(self) -> None:
        part = self.store.session.active_slice
        if part is not None:
            self.store.do(actions.ShowSlice(part.key, not part.visible))

    def _clear_neuron(self) -> None:
        if self.store.session.neuron is not None:
            self.store.do(actions.SelectNeuron(None))

    # The end

    @property
    def settled(self) -> bool:
        """Everything that is to be computed is, and drawn."""
        session = self.store.session
        return (
            session.opened is not None
            and not self._opener.busy
            and self.surface.finished
            and all(self.slices.finished(part.key) for part in session.slices)
            and self.board.settled
            and self.scene_view.settled
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        """Workers first, which deliver nothing any more; then what VTK holds; then the window."""
        self._opener.close()
        self.surface.close()
        self.slices.close()
        self.board.close_worker()
        self.scene_link.close_worker()
        self.scene_view.close_scene()
        super().closeEvent(event)


def _action(
    action: QAction, act: Callable[[], object], key: QKeySequence | QKeySequence.StandardKey | None = None
) -> None:
    action.triggered.connect(lambda _=False: act())
    if key is not None:
        action.setShortcut(QKeySequence(key))


def _looking(view: SceneView, direction: tuple[float, float, float]) -> Callable[[], None]:
    return lambda: view.look_from(direction)


def _upwards(view: SceneView, unit: NDArray[np.float64]) -> Callable[[], None]:
    return lambda: view.set_up(unit)


def _middle(opened: OpenNetwork) -> NDArray[np.float64]:
    """The middle of the surface's box, as far as it was seen; of the domain, when it was not."""
    seen = opened.preview.vertices
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2 if len(seen) else opened.domain.mean(axis=0)
    return np.asarray(np.round(middle, 3)) if float(np.ptp(opened.domain, axis=0).min()) > 0.1 else middle
