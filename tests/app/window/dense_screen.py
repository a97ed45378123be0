"""What a window does on a dense screen, as JSON: run as a program, with QT_SCALE_FACTOR and a checkpoint.

Mouse positions are in the window's pixels, pictures in the screen's: what is clicked must be what is drawn there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.application import application
from app.state import actions
from app.state.geometry.picking import surface_point
from app.views.scene.plane_handle import Grip
from app.window.main_window import MainWindow
from engine import areas, centroids
from tests.app.waiting import let_run

LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def colors(widget: QWidget) -> NDArray[np.float64]:
    """(H, W, 3): what the screen shows of a widget, in the screen's pixels."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3) / 255.0


def seen_at(picture: NDArray[np.float64], ratio: float, points: NDArray[np.float64], color: object) -> float:
    """The share of points, in the window's pixels, where a picture has a colour, give or take a pixel."""
    found = 0
    for x, y in points * ratio:
        spot = picture[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2]
        found += bool((np.abs(spot - np.array(color)).max(axis=2) < 0.15).any())
    return found / len(points)


def main(path: Path) -> dict[str, object]:
    application()
    window = MainWindow()
    window.resize(1200, 800)
    window.show()
    window.open_path(path)

    def settle() -> None:
        let_run(20)
        while not window.settled:
            let_run(20)

    settle()
    store, scene = window.store, window.scene_view
    tile = window.board.tiles[store.session.active]
    view, part = tile.view, store.session.active_slice
    ratio = window.devicePixelRatioF()
    said: dict[str, object] = {"ratio": ratio}

    picture, image = view._image[0], colors(view)
    width, height = view._area()
    said["2D picture"] = [picture.width() - round(width * ratio), picture.height() - round(height * ratio)]
    level = window.slices.result(tile.key).picture.level
    places = np.array([view.position_of(*point).toTuple() for point in level.tolist()])
    said["level set in 2D"] = seen_at(image, ratio, places, part.accent)
    said["3D picture"] = [
        scene._picture.pixels.shape[1] - round(scene.width() * ratio),
        scene._picture.pixels.shape[0] - round(scene.height() * ratio),
    ]
    corners = scene.scene._slices[tile.key].corners
    sides = np.concatenate([t * corners + (1 - t) * np.roll(corners, -1, axis=0) for t in (0.2, 0.35)])
    seen = scene.lens.to_pixels(sides)
    inside = (seen > 3).all(axis=1) & (seen < [scene.width() - 3, scene.height() - 3]).all(axis=1)
    said["frame in 3D"] = seen_at(colors(scene), ratio, seen[inside], part.accent)
    said["frame grips"] = [scene.scene.frame_at(scene.lens, *point) == tile.key for point in seen[inside].tolist()]
    foot, tip = scene.lens.to_pixels(scene.scene.handle.points)
    said["handle grips"] = [scene.scene.handle.grip_at(scene.lens, *at) is grip
                            for at, grip in ((foot, Grip.SHIFT), (tip, Grip.TILT))]  # fmt: skip

    partition = window.slices.result(tile.key).answer.partition
    wanted = np.argsort(areas(partition))[::-1][:8].tolist()
    middles = [view.position_of(*centroids(partition)[region]).toPoint() for region in wanted]
    for at in middles:
        QTest.mouseClick(view, LEFT, SHIFT, at)
    said["regions"] = [pin.facts.region for pin in store.session.pins] == wanted
    store.do(actions.Unpin(None))

    for other in store.session.slices:
        store.do(actions.ShowSlice(other.key, False))
    settle()
    surface, facets = window.surface.drawn.surface, []
    for x in np.linspace(0.2, 0.8, 13):
        at = QPoint(round(x * scene.width()), scene.height() // 2)
        hit = surface_point(surface, *scene.lens.ray(at.x(), at.y()))
        QTest.mouseClick(scene, LEFT, NONE, at)
        let_run(20)
        facets.append((None if hit is None else hit.face, [pin.facts.region for pin in store.session.pins]))
        store.do(actions.Unpin(None))
    said["facets"] = [found == ([] if face is None else [face]) for face, found in facets]
    said["facets met"] = sum(face is not None for face, _ in facets)
    cell = window.legend.cell(1).center().toPoint()
    QTest.mouseClick(window.legend, LEFT, NONE, cell)
    said["hidden"] = sorted(store.session.look.hidden_depths)
    window.close()
    return said


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
