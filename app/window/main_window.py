"""The window: the session in the middle, views around it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QSplitter, QVBoxLayout, QWidget

from app.control.file_opener import FileOpener
from app.control.hand import STEP, Hand
from app.control.hover import Hover
from app.control.live_slices import LiveSlices
from app.control.live_surface import LiveSurface
from app.control.picker import Picker, Task
from app.control.pins import Pins
from app.control.poses import Poses
from app.control.reloader import Reloader
from app.control.scene_link import SceneLink
from app.control.session_keeper import SessionKeeper
from app.control.settings import Settings
from app.control.slice_link import SliceLink
from app.control.snapping import Snapping
from app.jobs.compilation import Compilation
from app.jobs.opening import OpenFile, open_file
from app.state import actions
from app.state.look import SceneLook
from app.state.saved_session import Layout
from app.state.session import Session
from app.state.store import Change, Store
from app.views.scene.scene_view import SceneView
from app.views.slice.legend import ColorBar, DepthLegend
from app.window.arrangement import Arrangement, Shape
from app.window.commands.commands import Commands
from app.window.file_dialogs import FileDialogs
from app.window.helper import Helper
from app.window.leaving import Leaving
from app.window.panels.checkpoint_panel import CheckpointPanel
from app.window.panels.frame_fields import FrameFields
from app.window.panels.inspector import Inspector
from app.window.panels.neuron_table import NeuronTable
from app.window.panels.notice_bar import NoticeBar
from app.window.panels.plane_panel import PlanePanel
from app.window.panels.player import Player
from app.window.panels.side_area import SideArea
from app.window.panels.slice_board import SliceBoard
from app.window.panels.status_line import StatusLine
from app.window.panels.task_bar import TaskBar
from app.window.panels.tool_strip import ToolStrip
from app.window.parts.controls import label, shortened
from app.window.parts.icons import application_icon
from app.window.parts.tab_order import move_focus, move_pane
from app.window.readout import Readout
from app.window.recent_menu import show_recent
from app.window.tile_menu import TileMenu

if TYPE_CHECKING:
    from collections.abc import Callable

    from sdf_models import Reading


_SAID_MILLISECONDS: Final = 4000
_MOST_OF_COPIED: Final = 80  # characters
_PAUSE_MILLISECONDS: Final = 900  # moves that follow each other faster are one step to undo


class MainWindow(QMainWindow):
    def __init__(self, parent: QWidget | None = None, open_file: OpenFile = open_file) -> None:
        super().__init__(parent)
        self.setWindowTitle("SplineScope")
        self.setWindowIcon(application_icon())
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self.settings = Settings()
        self.store = Store(Session(look=SceneLook(style=self.settings.style)))
        self.slices = LiveSlices(self.store, self)
        self.compilation = Compilation(self)
        self.surface = LiveSurface(self.store, self)
        self.slices.level_cutter = self.surface.cut
        self.hover = Hover(self.store, self.slices, self)
        self.commands = Commands(self.store, self)
        self.strip = ToolStrip(self.store, self.commands, self)
        self.panel = PlanePanel(self.store, self.commands, self)
        self.checkpoints = CheckpointPanel(self.store, self.slices, self.commands, self)
        self.scene_view = SceneView(self)
        self.scene_link = SceneLink(self.store, self.slices, self.scene_view, self)
        self.scene_view.expecting = self._computing
        self.slice_link = SliceLink(self.store, self.slices, self.hover, self)
        self.board = SliceBoard(self.store, self.slices, self.slice_link, self)
        self.pins = Pins(self.store, self.slices, self.surface, self.slice_link, self.scene_view, self)
        self.inspector = Inspector(self.store, self.pins, self.slices, self.surface, self)
        self.neurons = NeuronTable(self.store, self.slices, self)
        self.side = SideArea(self)
        self.legend, self.color_bar = DepthLegend(self), ColorBar(self)
        self.status, self.notice, self.task_bar = StatusLine(self), NoticeBar(self), TaskBar(self)
        self.player = Player(self.store, self.commands["travel"], self._held, self)
        snapping = Snapping(self.scene_view, self.slices, self.surface)
        self.picker = Picker(self.store, self.scene_view, self.slice_link, snapping, self)
        self.opener = FileOpener(self.store, self.settings, open_file, self)
        self.hand = Hand(self.store, self.scene_view)
        self.helper = Helper(self.store, self.settings, self.notice, self)
        self.poses = Poses(self.store, self.notice)
        self.readout = Readout(
            self.store, self.slices, self.surface, self.compilation, self.slice_link, self.scene_view,
            self.legend, self.color_bar, self.status, self,
        )  # fmt: skip
        self.reloader = Reloader(self.store, self.notice, open_file, self)
        self.keeper = SessionKeeper(
            self.store, self.scene_view, self.opener, self.settings, self.notice, lambda: self.layout_now, self
        )
        self.file_dialogs = FileDialogs(self.opener, self.keeper, self.settings, self.notice, self)
        self.tile_menu = TileMenu(self.store, self.board, self.hover, self.commands, self)
        self.leaving = Leaving(self.keeper, self)
        self.opener.leave = self.leaving.leave
        self._keeps_layout = False
        self._let_go = QTimer(self)
        self._let_go.setSingleShot(True)
        self._let_go.setInterval(_PAUSE_MILLISECONDS)
        self._let_go.timeout.connect(self._pause)
        self.take_preferences()
        self._arrange()
        self.commands.attach(self._calls())
        (self.recent,) = self.commands.fill(self.menuBar()).values()
        self._show_recent()
        self._connect()

    def _arrange(self) -> None:
        middle = QWidget(self)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.scene_view, 1)
        keys = QWidget(middle)
        below = QHBoxLayout(keys)
        below.setContentsMargins(6, 2, 6, 0)
        below.addWidget(self.legend, 1)
        below.addWidget(self.color_bar)
        column.addWidget(keys)
        slices = QWidget(self)
        beside = QVBoxLayout(slices)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addWidget(self.board, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(middle)
        self.splitter.addWidget(slices)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([700, 430])
        self.splitter.setHandleWidth(8)
        self.splitter.setChildrenCollapsible(False)
        self.arrangement = Arrangement(self.store, self.splitter, middle, slices, keys)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 10, 8)
        body.setSpacing(6)
        self.frame = FrameFields(self.store, self)
        self.panel.put_above(self.frame)
        self.panel.put_above(self.checkpoints)
        self.panel.put_below("travel", self.player)
        body.addWidget(self.panel)
        self.side.add("Inspector", self.commands["inspector"].toolTip(), self.inspector)
        self.side.add("Neurons", self.commands["neurons"].toolTip(), self.neurons)
        self.sides = QSplitter(Qt.Orientation.Horizontal, self)
        self.sides.addWidget(self.splitter)
        self.sides.addWidget(self.side)
        self.sides.setStretchFactor(0, 1)
        self.sides.setStretchFactor(1, 0)
        self.sides.setSizes([1000, 380])
        self.sides.setHandleWidth(8)
        self.sides.setChildrenCollapsible(False)
        body.addWidget(self.sides, 1)
        whole = QWidget(self)
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.approximation = label("", "approximation")
        self.approximation.setWordWrap(True)
        self.approximation.hide()
        layout.addWidget(self.strip)
        told = QVBoxLayout()  # takes no room while nothing is told
        told.setContentsMargins(0, 0, 0, 8)
        told.setSpacing(0)
        for bar in (self.approximation, self.notice, self.task_bar):
            told.addWidget(bar)
        layout.addLayout(told)
        layout.addLayout(body, 1)
        self.setCentralWidget(whole)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        self.store.listen(self._changed)
        self.board.enlarged.connect(self.arrangement.maximise)
        self.checkpoints.reload_wanted.connect(self.reloader.reload)
        self.checkpoints.automatic.toggled.connect(self._reload_at_once)
        self.opener.busy_with.connect(self.readout.show_opening)
        self.opener.busy_with.connect(self.board.show_opening)
        self.opener.remembered.connect(self._show_recent)
        self.opener.session_opened.connect(self.keeper.show)
        self.keeper.saved.connect(self._saved)
        self.keeper.laid_out.connect(self.lay_out)
        self.keeper.named.connect(self._show_title)
        self.slice_link.nudged.connect(lambda key, notches: self.hand.shift(key, notches * 2 * STEP))
        self.legend.toggled.connect(self.hand.toggle_depth)
        self.legend.isolated.connect(self.hand.isolate_depth)
        self.hover.found.connect(self.status.show_hover)
        self.scene_view.hand.hovered.connect(self._hover_in_space)
        self.scene_view.hand.left.connect(self.hover.clear)
        self.scene_view.hand.clicked.connect(self.hover.click_length)
        self.scene_view.hand.facet_clicked.connect(self.pins.pin_facet)
        self.hover.inside.connect(self.pins.pin)
        for half in (self.hover, self.pins):
            self.slice_link.fitted.connect(half.take_back)
        self.pins.kept.connect(lambda: self.side.open(self.inspector))
        self.pins.refused.connect(self.notice.tell)
        self.side.changed.connect(self._show_side)
        self.surface.computed.connect(self.scene_link.show_surface)
        self.scene_link.renderer_known.connect(self.helper.note_renderer)
        self.status.stopped.connect(self._stop)
        self.picker.told.connect(self.task_bar.tell)
        self.picker.ended.connect(self.task_bar.hide)
        self.strip.refused.connect(self._say)
        QGuiApplication.clipboard().dataChanged.connect(self._show_copied)
        self.board.menu_wanted.connect(self.tile_menu.show)
        self.task_bar.copied.connect(self.picker.copy)
        self.task_bar.left.connect(self.picker.leave)

    def _calls(self) -> dict[str, Callable[[], object]]:
        """Calls of the commands that are no actions on the session."""
        view, poses, show = self.scene_view, self.poses, self.arrangement.show
        return {
            "open": self.file_dialogs.choose,
            "reload": self.reloader.reload_shown,
            "open session": self.file_dialogs.choose_session,
            "save": self.file_dialogs.save,
            "save as": self.file_dialogs.save_as,
            "picture": self.choose_picture,
            "quit": self.close,
            "undo": self.store.undo,
            "redo": self.store.redo,
            "copy pose": poses.copy,
            "paste pose": poses.paste,
            "paste slice": poses.paste_new,
            "copy command": poses.copy_command,
            "copy Python": poses.copy_python,
            "copy value": self._copy_value,
            "copy picture": self.tile_menu.copy_picture,
            "save slice picture": self._save_slice_picture,
            "preferences": self.show_preferences,
            "stack": self.helper.show_stack,
            "three points": lambda: self._begin(Task.THREE_POINTS),
            "across surface": lambda: self._begin(Task.UPRIGHT),
            "tangent": lambda: self._begin(Task.TANGENT),
            "measure": lambda: self.picker.begin(Task.MEASURE),
            "travel": self.player.toggle,
            "snap camera": self.hand.snap_to_camera,
            "home": lambda: view.set_up(view.up),
            "from x": lambda: view.look_from((1.0, 0.0, 0.0)),
            "from y": lambda: view.look_from((0.0, 1.0, 0.0)),
            "from z": lambda: view.look_from((0.0, 0.0, 1.0)),
            "x upwards": self.hand.upwards("x"),
            "y upwards": self.hand.upwards("y"),
            "z upwards": self.hand.upwards("z"),
            "3D large": lambda: show(Shape.SPACE),
            "slice large": lambda: show(Shape.SLICE),
            "grid": lambda: show(Shape.GRID),
            "3D hidden": lambda: show(Shape.FLAT),
            "find": self.strip.search.setFocus,
            "next pane": lambda: move_pane(self._panes, 1),
            "previous pane": lambda: move_pane(self._panes, -1),
            "inspector": lambda: self.side.toggle(self.inspector),
            "neurons": lambda: self.side.toggle(self.neurons),
            "keys": self.helper.show_shortcuts,
            "first steps": self.helper.hint,
            "log": self.helper.show_log,
            "about": self.helper.show_about,
        }

    def _begin(self, task: Task) -> None:
        """Pick points of the surface."""
        self.arrangement.show_space()
        self.picker.begin(task)

    @property
    def _panes(self) -> tuple[QWidget, ...]:
        return self.strip, self.panel, self.scene_view, self.board, self.side

    def _show_side(self) -> None:
        """Tick the panel at the right of the views."""
        for name, panel in (("inspector", self.inspector), ("neurons", self.neurons)):
            self.commands[name].setChecked(self.side.current is panel)

    # Files

    def open_path(self, path: Path, reading: Reading | None = None) -> None:
        self.opener.open_path(path, reading)

    def _show_recent(self) -> None:
        show_recent(self.recent, self.settings.recent(), self.opener.open_path)

    def _saved(self, path: str) -> None:
        self._show_recent()
        self._say(f"saved {path}")

    def _say(self, text: str) -> None:
        """Tell in the status line for a while."""
        self.statusBar().showMessage(text, _SAID_MILLISECONDS)

    def _show_copied(self) -> None:
        """Tell what was copied in this window, by whatever button or key."""
        clipboard = QGuiApplication.clipboard()
        if clipboard.ownsClipboard():
            what = " ".join(clipboard.text().split()) or "picture"
            self._say(f"copied: {shortened(what, _MOST_OF_COPIED)}")

    def _reload_at_once(self, on: bool) -> None:
        self.reloader.automatic = on

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            _take_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            _take_copy(event)
            self.opener.open_paths(paths)

    def choose_picture(self) -> None:
        from app.window.dialogs.picture_dialog import PictureDialog

        if self.store.session.opened is not None:
            link, show_problem = self.scene_link, self.file_dialogs.show_problem
            PictureDialog(self.scene_view, link.submit, link.draw_still, show_problem, self).open()

    def _copy_value(self) -> None:
        if not self.tile_menu.copy_value():
            self._say("There is no value to copy here.")

    def _save_slice_picture(self) -> None:
        part = self.store.session.active_slice
        if part is not None:
            self.file_dialogs.save_picture(self.tile_menu.picture().toImage(), f"{part.name}.png")

    # What the session's changes mean for the title and for what is undone

    def _changed(self, change: Change) -> None:
        opened = change.after.opened
        if opened is not change.before.opened:
            self.approximation.setText("" if opened is None else opened.approximation)
            self.approximation.setVisible(bool(self.approximation.text()))
        if isinstance(change.action, actions.MovePlane):
            self._let_go.start()

    def _show_title(self) -> None:
        """Name of the session, with a mark while it has changes, and of the network."""
        opened, path = self.store.session.opened, self.keeper.path
        names = ([] if path is None else [path.name]) + ([] if opened is None else [opened.name])
        shown = [name.replace("[*]", "[*][*]") for name in names]  # so Qt writes what else is the mark's place
        if path is not None:
            shown[0] += "[*]"
        self.setWindowTitle(" \N{EM DASH} ".join([*shown, "SplineScope"]))
        self.setWindowModified(self.keeper.changed)

    def _pause(self) -> None:
        """Without a hand on a plane for a while, the next move is a step of its own."""
        if not self._held():
            self.store.history.pause()

    def _held(self) -> bool:
        return self.scene_view.holding or self.panel.slider.isSliderDown()

    def _computing(self) -> bool:
        """Something that the 3D view shows is not there yet."""
        return not self.surface.finished or any(self.slices.computing(part.key) for part in self.store.session.slices)

    def _stop(self) -> None:
        if self.opener.busy:
            self.opener.stop()
        else:
            self.surface.cancel()

    # What a person does with keys and buttons

    def _hover_in_space(self, key: int, u: float, v: float, pixel: float) -> None:
        self.hover.over_length(key, self.slice_link.views[key], u, v, pixel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.picker.task is not None:
            self.picker.leave()
        elif event.key() == Qt.Key.Key_Escape and self.notice.isVisible():
            self.notice.clear()
        elif not self.hand.press(event):
            super().keyPressEvent(event)

    def prepare(self) -> None:
        """Load kernels while nothing else is to be done, in the order in which they are needed."""
        self.scene_link.prepare(lambda: self.slices.prepare(self.surface.prepare))

    def keep_layout(self) -> None:
        """From one start to the next: as it was left last, and later as it is left."""
        self._keeps_layout = True
        self.settings.restore(self, self._splitters)
        self.side.show_named(self.settings.side)
        self.checkpoints.automatic.setChecked(self.settings.reloads)

    @property
    def _splitters(self) -> dict[str, QSplitter]:
        return {"splitter": self.splitter, "sides": self.sides}

    @property
    def layout_now(self) -> Layout:
        size = self.width(), self.height()
        return Layout(size, self.arrangement.widths, self.side.shown, self.side.width_wanted)

    def lay_out(self, layout: Layout) -> None:
        """As a session was left, as far as the screen has room for it."""
        if not self.isMaximized():
            room = self.screen().availableSize()
            self.resize(min(layout.size[0], room.width()), min(layout.size[1], room.height()))
        self.side.show_named(layout.side)
        if layout.side_width:
            whole = sum(self.sides.sizes())
            self.sides.setSizes([max(whole - layout.side_width, 1), layout.side_width])
        self.arrangement.share(layout.widths)

    def show_preferences(self) -> None:
        self.helper.show_preferences(self.take_preferences)

    def take_preferences(self) -> None:
        self.slices.budget = self.settings.frame_seconds
        self.surface.threads = self.settings.surface_threads

    def focusNextPrevChild(self, forward: bool) -> bool:
        return move_focus(self, forward)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:  # on another screen, with more pixels or fewer
            self.scene_view.request()
            self.slice_link.redraw()
        return super().event(event)

    # The end

    @property
    def settled(self) -> bool:
        """Everything that is to be computed is, and drawn."""
        session = self.store.session
        return (
            session.opened is not None
            and not self.opener.busy
            and not self.reloader.busy
            and self.surface.finished
            and self.neurons.finished
            and all(self.slices.finished(part.key) for part in session.slices)
            and self.board.settled
            and self.scene_view.settled
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close what moves first, and workers, which deliver nothing any more; then what VTK holds; then the window."""
        if self.leaving.open_question:
            event.ignore()
            self.leaving.leave(self.close, lambda: None)
            return
        if self._keeps_layout:
            self.arrangement.show_space()
            self.settings.store(self, self._splitters)
            self.settings.side = self.side.shown
            self.settings.reloads = self.checkpoints.automatic.isChecked()
        self.player.halt()
        self.opener.close()
        self.compilation.close()
        self.keeper.close()
        self.reloader.close()
        self.surface.close()
        self.slices.close()
        self.slice_link.close_worker()
        self.neurons.close_worker()
        self.scene_link.close_worker()
        self.scene_view.close_scene()
        super().closeEvent(event)


def _take_copy(event: QDropEvent) -> None:
    """Never what the source may propose: to move a file, which it would then delete."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()
