"""Pictures of the window's main states: `make pictures` runs this.

Those that the README shows are written beside this file, all of them into out/pictures.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest

from app.application import application
from app.jobs.opening import open_module
from app.state import actions
from app.state.geometry.planes import shifted
from app.state.look import Fill
from app.window.main_window import MainWindow
from app.window.parts.picture_file import write_png
from engine import Neuron, SlicePlane
from sdf_models import ReluMLP
from sdf_models.architectures import Architecture

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINTS = ROOT / "resources" / "checkpoints"
OUT = ROOT / "out" / "pictures"
IN_README = ("start", "inside", "compare", "training")
STAGES = (("spot-early", 250), ("spot-middle", 2500), ("spot", 24000))


def let_run(milliseconds: int) -> None:
    """Unlike ``QTest.qWait``, which keeps Python's lock from the threads that compute."""
    timer = QTimer()
    timer.setSingleShot(True)
    timer.start(milliseconds)
    while timer.isActive():
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


@dataclass
class Studio:
    """A window to bring into a state, and to take a picture of."""

    window: MainWindow

    def settle(self, seconds: float = 240.0) -> None:
        end = time.monotonic() + seconds
        while not self.window.settled:
            if time.monotonic() > end:
                raise TimeoutError("the window did not settle")
            let_run(20)

    def open(self, name: str) -> None:
        self.window.open_path(CHECKPOINTS / f"{name}.safetensors")
        self.settle()

    def do(self, action: actions.Action) -> None:
        self.window.store.do(action)

    def look(self, **changes: object) -> None:
        self.do(actions.ChangeLook(replace(self.window.store.session.look, **changes)))


def start(studio: Studio) -> None:
    studio.open("spot")


def dragging(studio: Studio) -> None:
    """The hand holds the plane z; the picture is taken before it rests."""
    studio.open("spot")
    view, part = studio.window.scene_view, studio.window.store.session.active_slice
    opened = studio.window.store.session.opened
    for _ in range(12):
        part = studio.window.store.session.active_slice
        studio.do(actions.MovePlane(part.key, shifted(part.plane, 0.03, opened.domain), live=True))
        let_run(60)
    end = time.monotonic() + 20
    while studio.window.slices.result(part.key).plane is not studio.window.store.session.active_slice.plane:
        studio.window.slices._rest.start()
        if time.monotonic() > end:
            raise TimeoutError("no slice followed the hand")
        let_run(5)
    let_run(150)
    view.repaint()


def isolated(studio: Studio) -> None:
    studio.open("spot")
    studio.window.hand.isolate_depth(2)


def values(studio: Studio) -> None:
    studio.open("gyroid")
    studio.do(actions.ChangeFill(Fill.VALUE))


def gradients(studio: Studio) -> None:
    studio.open("spot")
    studio.do(actions.ChangeFill(Fill.GRADIENT))
    studio.do(actions.ActivateSlice(studio.window.store.session.slices[0].key))
    studio.do(actions.TileSlices(False))


def random_colours(studio: Studio) -> None:
    studio.open("torus")
    studio.do(actions.ChangeFill(Fill.RANDOM))


def highlighted(studio: Studio) -> None:
    studio.open("spot")
    studio.do(actions.SelectNeuron(Neuron(3, 17)))


def inside(studio: Studio) -> None:
    """The surface cut open at an oblique plane."""
    studio.open("spot")
    session = studio.window.store.session
    for part in session.slices[:2]:
        studio.do(actions.ShowSlice(part.key, False))
    plane = SlicePlane.from_normal((0.0, 0.05, 0.02), (-0.93, -0.05, -0.35), (0.0, 0.0, 1.0))
    studio.do(actions.MovePlane(session.slices[2].key, plane))
    studio.do(actions.RenameSlice(session.slices[2].key, "oblique"))
    studio.do(actions.ChangeFill(Fill.SIGN))
    studio.look(clip=True)


def small(studio: Studio) -> None:
    studio.window.resize(1100, 700)
    studio.open("gyroid")


def hovering(studio: Studio) -> None:
    studio.open("torus")
    tile = studio.window.board.tiles[studio.window.store.session.active]
    view = tile.view
    view.framing = view.framing.zoomed(3.0, 200, 60)
    view.redraw()
    studio.settle()
    QTest.mouseMove(view, QPoint(view.width() // 2, view.height() // 3))
    let_run(100)


def nothing(studio: Studio) -> None:
    """A network without a zero level set."""
    module = ReluMLP(Architecture(16, 3))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)
        module.output.bias += 4.0
    domain = np.array([[-1.0] * 3, [1.0] * 3])
    studio.window.opener.show_network(open_module(module, domain, "nowhere zero"))


def compare(studio: Studio) -> None:
    """Two stages of Spot, A at the left of a line and B at its right."""
    for name in ("spot-early", "spot"):
        studio.open(name)
    session = studio.window.store.session
    studio.do(actions.ShowSlice(session.slices[1].key, False))
    studio.window.commands["swipe"].trigger()


def training(studio: Studio) -> None:
    """The last stage of Spot beside an earlier one, and curves over its stages."""
    folder = OUT / "training"
    folder.mkdir(exist_ok=True)
    for name, step in STAGES:
        shutil.copy(CHECKPOINTS / f"{name}.safetensors", folder / f"step-{step}.safetensors")
    studio.open("spot")
    session = studio.window.store.session
    for part in session.slices[:2]:
        studio.do(actions.ShowSlice(part.key, False))
    studio.window.open_path(folder)
    studio.settle()
    studio.window.timeline.timeline.go(0)
    studio.settle()
    studio.window.commands["compare"].trigger()
    studio.window.commands["3D columns"].trigger()
    studio.settle()
    shutil.rmtree(folder)


def error(studio: Studio) -> None:
    studio.open("torus")
    broken = OUT / "broken.npz"
    broken.write_bytes(b"this is not a checkpoint")
    studio.window.open_path(broken)
    while studio.window.file_dialogs.error_dialog is None:
        let_run(20)
    broken.unlink()


STATES: dict[str, Callable[[Studio], None]] = {
    "start": start, "dragging": dragging, "isolated": isolated, "values": values, "gradients": gradients,
    "random": random_colours, "highlighted": highlighted, "inside": inside, "small": small, "hovering": hovering,
    "nothing": nothing, "error": error, "compare": compare, "training": training,
}  # fmt: skip


def main(names: list[str]) -> None:
    running = application()
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names or STATES:
        window = MainWindow()
        window.resize(1600, 1000)
        window.show()
        try:
            take(name, window)
        finally:  # also after an error, or its threads would keep the program from ending
            window.close()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            running.processEvents()


def take(name: str, window: MainWindow) -> None:
    """Bring a window into a state, and save the picture of it."""
    studio = Studio(window)
    STATES[name](studio)
    if name not in ("dragging", "error", "hovering"):
        studio.settle()
    picture = window.grab().toImage()
    dialog = window.file_dialogs.error_dialog
    if dialog is not None:
        picture = with_dialog(window)
        dialog.accept()
    write_png(picture, OUT / f"{name}.png")
    if name in IN_README:
        write_png(picture, Path(__file__).parent / f"window-{name}.png")
    print(f"{name}: {OUT / name}.png")


def with_dialog(window: MainWindow) -> QImage:
    """The window and the dialog where it is on it."""
    let_run(200)
    picture = window.grab()
    painter = QPainter(picture)
    painter.fillRect(picture.rect(), QColor(20, 24, 32, 70))
    dialog = window.file_dialogs.error_dialog
    at = QPoint((window.width() - dialog.width()) // 2, (window.height() - dialog.height()) // 3)
    painter.drawPixmap(at, dialog.grab())
    painter.end()
    return picture.toImage()


if __name__ == "__main__":
    main(sys.argv[1:])
