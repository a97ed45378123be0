"""The window: the session in the middle, views around it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from app.control.figure_maker import FigureMaker
from app.control.file_opener import FileOpener
from app.control.hand import STEP, Hand
from app.control.hover import Hover
from app.control.live_neuron import LiveNeuron
from app.control.live_slices import LiveSlices
from app.control.live_surface import LiveSurface
from app.control.made_files import MadeFiles
from app.control.pause import Pause
from app.control.picker import Picker, Task
from app.control.pins import Pins
from app.control.poses import Poses
from app.control.reloader import Reloader
from app.control.scene_link import SceneLink
from app.control.session_keeper import SessionKeeper
from app.control.settings import Settings
from app.control.slice_link import SliceLink
from app.control.snapping import Snapping
from app.control.space_hover import SpaceHover
from app.control.spots import Spots
from app.jobs.compilation import Compilation
from app.jobs.opening import OpenFile, open_file
from app.state.look import SceneLook
from app.state.session import Session
from app.state.store import Store
from app.views.scene.scene_view import SceneView
from app.views.slice.legend import ColorBar, DepthLegend
from app.window.body import Body
from app.window.camera_commands import CameraCommands
from app.window.commands.commands import Commands
from app.window.comparison.compare_board import CompareBoard
from app.window.comparison.timeline_panel import TimelinePanel
from app.window.context_menus import ContextMenus
from app.window.file_dialogs import FileDialogs
from app.window.file_drop import FileDrop
from app.window.helper import Helper
from app.window.layout_keeper import LayoutKeeper
from app.window.leaving import Leaving
from app.window.panels.approximation_bar import ApproximationBar
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
from app.window.parts.icons import application_icon
from app.window.parts.tab_order import move_focus, move_pane
from app.window.pictures import Pictures
from app.window.readout import Readout
from app.window.recent_menu import show_recent
from app.window.spot_calls import SpotCalls
from app.window.title import Title

if TYPE_CHECKING:
    from collections.abc import Callable

    from sdf_models import Reading


class MainWindow(QMainWindow):
    def __init__(self, parent: QWidget | None = None, open_file: OpenFile = open_file) -> None:
        super().__init__(parent)
        self.setWindowIcon(application_icon())
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
        self.neuron = LiveNeuron(self.store, self.surface, self)
        self.slice_link = SliceLink(self.store, self.slices, self.hover, self)
        self.board = SliceBoard(self.store, self.slices, self.slice_link, self)
        self.compare = CompareBoard(self.store, self.slices, self.surface, self.commands, self)
        self.timeline = TimelinePanel(self.store, self.slices.cache, open_file, self.commands, self)
        self.pins = Pins(self.store, self.slices, self.surface, self.slice_link, self.scene_view, self)
        self.inspector = Inspector(self.store, self.pins, self.slices, self.surface, self.commands, self)
        self.neurons = NeuronTable(self.store, self.slices, self)
        self.side = SideArea(self)
        self.legend, self.color_bar = DepthLegend(self), ColorBar(self)
        self.status, self.notice, self.task_bar = StatusLine(self), NoticeBar(self), TaskBar(self)
        self.player = Player(self.store, self.commands["travel"], self._held, self)
        snapping = Snapping(self.scene_view, self.slices, self.surface)
        self.picker = Picker(self.store, self.scene_view, self.slice_link, snapping, self)
        self.opener = FileOpener(self.store, self.settings, open_file, self)
        self.hand = Hand(self.store, self.scene_view)
        self.camera = CameraCommands(self.scene_view, self.hand, self.neuron, self.commands, self)
        self.helper = Helper(self.store, self.settings, self.notice, self.take_preferences, self)
        self.poses = Poses(self.store, self.notice)
        self.readout = Readout(
            self.store, self.slices, self.surface, self.neuron, self.compilation, self.slice_link, self.scene_view,
            self.legend, self.color_bar, self.status, self,
        )  # fmt: skip
        self.reloader = Reloader(self.store, self.notice, open_file, self)
        self.keeper = SessionKeeper(
            self.store, self.scene_view, self.opener, self.settings, self.notice, lambda: self.layouts.now, self
        )
        self.file_dialogs = FileDialogs(self.opener, self.keeper, self.settings, self.notice, self)
        self.exporter = FigureMaker(self.store, self.slices, self.surface, self.scene_link, self.scene_view, self)
        pictured = self.board, self.scene_view, self.scene_link
        self.pictures = Pictures(self.store, *pictured, self.exporter, self.file_dialogs, self.settings, self)
        spots = Spots(self.store, self.hover, self.pins, self.slice_link, self.scene_view)
        self.context_menus = menus = ContextMenus(self.store, self.commands, spots, self.board, self.scene_view, self)
        self.spot_calls = SpotCalls(
            self.store, lambda: menus.spot, self.hand, self.pins, self.reloader, self.notice, self
        )
        self.leaving = Leaving(self.keeper, self)
        self.opener.leave = self.leaving.leave
        self.pause = Pause(self.store, self._held, self)
        FileDrop(self, MadeFiles(self.store, self.opener, self.scene_view, self.notice, self).open_paths)
        Title(self.store, self.keeper, self)
        self.take_preferences()
        self._arrange()
        self.commands.attach(self._calls())
        (self.recent,) = self.commands.fill(self.menuBar()).values()
        self._show_recent()
        self._connect()

    def _arrange(self) -> None:
        self.frame = FrameFields(self.store, self)
        self.panel.put_above(self.frame)
        self.panel.put_above(self.checkpoints)
        self.panel.put_below("travel", self.player)
        self.side.add("Inspector", self.commands["inspector"].toolTip(), self.inspector)
        self.side.add("Neurons", self.commands["neurons"].toolTip(), self.neurons)
        self.approximation = ApproximationBar(self.store, self)
        bars = (self.strip, self.approximation, self.notice, self.task_bar)
        self.body = Body(
            self.store, bars, self.panel, self.scene_view, self.board, self.legend, self.color_bar, self.compare,
            self.timeline, self.side, self,
        )  # fmt: skip
        self.splitter, self.sides, self.arrangement = self.body.splitter, self.body.sides, self.body.arrangement
        self.layouts = LayoutKeeper(
            self, self.settings, self.commands, self.arrangement, self.splitter, self.sides, self.side,
            self.slice_link.linked, self.checkpoints.automatic,
        )  # fmt: skip
        self.setCentralWidget(self.body)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        self.board.enlarged.connect(self.arrangement.maximise)
        self.checkpoints.reload_wanted.connect(self.reloader.reload)
        self.checkpoints.automatic.toggled.connect(self._reload_at_once)
        self.opener.busy_with.connect(self.readout.show_opening)
        self.opener.busy_with.connect(self.board.show_opening)
        self.opener.folder.connect(self.timeline.open)
        self.opener.remembered.connect(self._show_recent)
        self.opener.session_opened.connect(self.keeper.show)
        self.keeper.saved.connect(self._saved)
        self.keeper.laid_out.connect(self.layouts.lay_out)
        self.slice_link.nudged.connect(lambda key, notches: self.hand.shift(key, notches * 2 * STEP))
        for legend in (self.legend, self.compare.legend):
            legend.toggled.connect(self.hand.toggle_depth)
            legend.isolated.connect(self.hand.isolate_depth)
        for what in (self.hover, self.compare):
            what.found.connect(self.status.show_hover)
        self.scene_view.hand.facet_clicked.connect(self.pins.pin_facet)
        SpaceHover(self.scene_view, self.slice_link, self.hover, self)
        self.hover.inside.connect(self.pins.pin)
        for half in (self.hover, self.pins):
            self.slice_link.fitted.connect(half.take_back)
        self.pins.kept.connect(lambda: self.side.open(self.inspector))
        self.pins.refused.connect(self.notice.tell)
        self.side.changed.connect(self._show_side)
        self.surface.computed.connect(self.scene_link.show_surface)
        self.neuron.found.connect(self.scene_link.show_neuron)
        self.scene_link.renderer_known.connect(self.helper.note_renderer)
        self.status.stopped.connect(self._stop)
        self.picker.told.connect(self.task_bar.tell)
        self.picker.ended.connect(self.task_bar.hide)
        self.strip.refused.connect(self.status.say)
        self.exporter.told.connect(self.status.say)
        menus = self.context_menus
        self.board.menu_wanted.connect(menus.over_slice)
        self.panel.menu_wanted.connect(menus.over_row)
        self.scene_view.hand.called.connect(menus.in_space)
        self.checkpoints.menu_wanted.connect(menus.on_checkpoint)
        self.neurons.menu_wanted.connect(menus.on_neuron)
        self.inspector.menu_wanted.connect(menus.on_pin)
        self.task_bar.copied.connect(self.picker.copy)
        self.task_bar.left.connect(self.picker.leave)

    def _calls(self) -> dict[str, Callable[[], object]]:
        """Calls of the commands that are no actions on the session."""
        rooms = (
            self.file_dialogs, self.pictures, self.poses, self.hand, self.camera, self.arrangement, self.helper,
            self.context_menus, self.spot_calls, self.timeline,
        )  # fmt: skip
        return {
            **{name: call for room in rooms for name, call in room.calls().items()},
            "reload": self.reloader.reload_shown,
            "quit": self.close,
            "undo": self.store.undo,
            "redo": self.store.redo,
            "three points": lambda: self._begin(Task.THREE_POINTS),
            "across surface": lambda: self._begin(Task.UPRIGHT),
            "tangent": lambda: self._begin(Task.TANGENT),
            "measure": lambda: self.picker.begin(Task.MEASURE),
            "turn about": lambda: self._begin(Task.CENTRE),
            "travel": self.player.toggle,
            "link": self._link_views,
            "find": self.strip.search.setFocus,
            "next pane": lambda: move_pane(self._panes, 1),
            "previous pane": lambda: move_pane(self._panes, -1),
            "inspector": lambda: self.side.toggle(self.inspector),
            "neurons": lambda: self.side.toggle(self.neurons),
        }

    def _begin(self, task: Task) -> None:
        """Pick points of the surface."""
        self.arrangement.show_space()
        self.picker.begin(task)

    @property
    def _panes(self) -> tuple[QWidget, ...]:
        return self.strip, self.panel, self.scene_view, self.board, self.compare, self.timeline, self.side

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
        self.status.say(f"saved {path}")

    def _reload_at_once(self, on: bool) -> None:
        self.reloader.automatic = on

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

    def _link_views(self) -> None:
        linked = self.slice_link.linked
        linked.on = not linked.on

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
            and self.neuron.finished
            and self.neurons.finished
            and all(self.slices.finished(part.key) for part in session.slices)
            and self.compare.settled
            and self.timeline.settled
            and self.board.settled
            and self.scene_view.settled
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close what moves first, and workers, which deliver nothing any more; then what VTK holds; then the window."""
        if self.leaving.open_question:
            event.ignore()
            self.leaving.leave(self.close, lambda: None)
            return
        self.layouts.leave()
        self.player.halt()
        at_work = (
            self.opener, self.compilation, self.keeper, self.exporter, self.reloader, self.surface, self.neuron,
            self.slices, self.timeline,
        )  # fmt: skip
        for part in at_work:
            part.close()
        self.compare.close_workers()
        self.slice_link.close_worker()
        self.neurons.close_worker()
        self.scene_link.close_worker()
        self.scene_view.close_scene()
        super().closeEvent(event)
