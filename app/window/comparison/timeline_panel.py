"""The steps of a training below the views: a slider, Play, and curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, QTimer
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.control.timeline import Timeline
from app.state import actions
from app.state.palette import RGB, depth_colors
from app.views.comparison.curves_view import Curves, CurvesView
from app.window.parts.controls import ElidedLabel, Slider, command_button, label
from app.window.parts.icons import icon

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.control.slice_cache import SliceCache
    from app.jobs.opening import OpenFile
    from app.state.store import Change, Store
    from app.window.commands.commands import Commands

_STEP_MILLISECONDS: Final = 450
_CURVES: Final = (
    ("regions", "regions"), ("line_length", "length of lines, by depth"), ("level_length", "length of the level set"),
    ("level_hausdorff", "level set moved by"), ("mean_size", "mean |change of f|"),
    ("agreement_whole", "area with the same pattern"),
)  # fmt: skip
"""Measures of the active slice; those from level_hausdorff on are of the change from the step before."""


class TimelinePanel(QFrame):
    """timeline: the steps.  Shown while a folder is followed."""

    def __init__(
        self, store: Store, cache: SliceCache, open_file: OpenFile, commands: Commands, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._store, self._commands = store, commands
        self.timeline = Timeline(store, cache, open_file, self)
        self.timeline.changed.connect(self._show)
        self.slider = Slider(self)
        self.slider.setAccessibleName("step")
        self.slider.setToolTip("The step of the training that is shown (Alt and Page Up, Page Down)")
        self.slider.valueChanged.connect(lambda at: self.timeline.go(at, live=True))
        self.slider.sliderReleased.connect(store.history.pause)
        self._name, self._state = ElidedLabel(self), label("", "muted")
        self._name.setObjectName("heading")
        self._name.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.curves = CurvesView(self)
        self.curves.jumped.connect(self._jump)
        self.play = command_button(commands["play steps"])
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MILLISECONDS)
        self._timer.timeout.connect(self._step)
        row = QHBoxLayout()
        row.setSpacing(8)
        for part in (self.play, self.slider, self._name, self._state, command_button(commands["end timeline"], False)):
            row.addWidget(part, 1 if part is self.slider else 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 2, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.curves)
        self.hide()
        store.listen(self._changed)

    @property
    def settled(self) -> bool:
        return self._store.session.timeline is None or self.timeline.finished

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {
            "timeline": self.choose,
            "play steps": self.toggle,
            "next step": lambda: self._jump(self.timeline.at + 1),
            "previous step": lambda: self._jump(self.timeline.at - 1),
        }

    def choose(self) -> None:
        """Ask for a folder."""
        shown = self._store.session.opened
        start = "" if shown is None or shown.path is None else str(shown.path.parent)
        name = QFileDialog.getExistingDirectory(self, "Follow the checkpoints of a folder", start)
        if name:
            self.open(Path(name))

    def open(self, folder: Path) -> None:
        """Take the checkpoints of a folder for the steps of a training."""
        self._store.do(actions.FollowFolder(folder.absolute()))

    def close(self) -> bool:
        self._timer.stop()
        self.timeline.close()
        return True

    def toggle(self) -> None:
        """Play the steps from here, from the first one after the last, or stop."""
        if self.playing:
            self._stop()
        else:
            self._timer.start()
            self._label("Stop", "stop")

    def _stop(self) -> None:
        self._timer.stop()
        self._store.history.pause()
        self._label("Play", "play")

    def _label(self, words: str, sign: str) -> None:
        self._commands["play steps"].setIconText(words)
        self._commands["play steps"].setIcon(icon(sign))

    def _step(self) -> None:
        """To the next step, once its slices are there."""
        timeline = self.timeline
        following = next((k for k in range(timeline.at + 1, len(timeline.steps)) if not timeline.steps[k].gap), None)
        if following is None:
            following = next((k for k, step in enumerate(timeline.steps) if not step.gap), 0)
        if timeline.is_ready(following):
            timeline.go(following, live=True)

    def _jump(self, at: int) -> None:
        self._store.history.pause()
        self.timeline.go(at)

    def _changed(self, change: Change) -> None:
        if change.before.timeline == change.after.timeline:
            return
        if self.playing:
            self._stop()
        self.setVisible(change.after.timeline is not None)

    def _show(self) -> None:
        timeline = self.timeline
        steps, count = timeline.steps, len(timeline.steps)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(count - 1, 0))
            self.slider.setValue(timeline.at)
        shown = steps[timeline.at].name if steps else "no checkpoint in this folder"
        self._name.show_text(shown, str(self._store.session.timeline or ""))
        gaps = {k: step.gap for k, step in enumerate(steps) if step.gap}
        used, most = timeline.memory
        full = ", memory full" if timeline.full else ""
        unread = f", {len(gaps)} not read" if gaps else ""
        self._state.setText(f"{timeline.at + 1} of {count}  \N{MIDDLE DOT}  {timeline.ready} ready{unread}{full}")
        self._state.setToolTip(
            f"Slices are computed ahead, those of the nearest steps first: {used:,} of {most:,} MB of memory"
        )
        self.curves.show_curves(self._curves(), [step.name for step in steps], gaps, timeline.at)

    def _curves(self) -> list[Curves]:
        steps, found = self.timeline.steps, []
        for key, title in _CURVES:
            rows = [step.measures.get(key) for step in steps]
            depths = max((len(row) for row in rows if isinstance(row, list)), default=0)
            if depths:
                colors = depth_colors(depths, self._store.session.look.style.palette)
                lines = tuple(
                    (color, tuple(row[k] if isinstance(row, list) and k < len(row) else None for row in rows))
                    for k, color in enumerate(colors)
                )
            else:
                lines = ((_BLUE, tuple(row if isinstance(row, int | float) else None for row in rows)),)
            found.append(Curves(title, lines))
        return found


_BLUE: Final[RGB] = (0.18, 0.36, 0.82)
