"""The window: files, hovering and clicking, the legend, fills, closing."""

from __future__ import annotations

import warnings
from pathlib import Path

import numba
import numpy as np
import pytest
import torch
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

import app
from app.control.drawn_slice import DrawnSlice
from app.inspection import checkpoint_notes
from app.jobs.slicing import SliceAnswer
from app.state import actions
from app.state.geometry.planes import shifted
from app.state.look import Fill
from app.window.dialogs.notes_dialog import NotesDialog
from app.window.dialogs.picture_dialog import PictureDialog
from app.window.main_window import MainWindow
from engine import Neuron, Partition, SlicePlane, extract_surface
from sdf_models import load_checkpoint, save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import LEFT, Driver, check_nothing_left, move, wait_until
from tests.app.waiting import let_run
from tests.engine.sameness import assert_same_surface


def long_edge(partition: Partition) -> tuple[int, np.ndarray]:
    """The longest edge that a neuron made, and its middle."""
    ends = partition.vertices[partition.edges]
    lengths = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    lengths[(partition.edge_layer < 0) | (partition.edge_layer >= len(partition.network.kinks))] = 0
    edge = int(np.argmax(lengths))
    return edge, ends[edge].mean(axis=0)


def pre_activation(module: torch.nn.Module, point: np.ndarray, layer: int, neuron: int) -> float:
    """By the module itself, hooked at its linear layers."""
    seen: list[torch.Tensor] = []
    linear = [part for part in module.modules() if isinstance(part, torch.nn.Linear)]
    hooks = [part.register_forward_hook(lambda _m, _i, output: seen.append(output)) for part in linear]
    module(torch.tensor(point[None], dtype=torch.float64))
    for hook in hooks:
        hook.remove()
    return float(seen[layer][0, neuron])


def test_hovering_names_the_neuron_whose_line_it_is(window: Driver, checkpoint: Path) -> None:
    module = load_checkpoint(checkpoint).module.double()
    view, partition = window.tile.view, window.window.slices.result(window.tile.key).answer.partition
    edge, middle = long_edge(partition)
    move(view, view.position_of(*middle).toPoint())
    wait_until(lambda: "neuron" in window.window.status.left.whole)
    layer, neuron = int(partition.edge_layer[edge]), int(partition.edge_neuron[edge])
    text = window.window.status.left.whole
    assert text.startswith(f"layer {layer} ({partition.network.layer_names[layer]}), neuron {neuron} ")
    point = partition.plane.to_input(middle[None])[0]
    assert abs(pre_activation(module, point, layer, neuron)) < 1e-12
    found = window.window.hover.at(window.tile.key, *middle, 0.01)
    assert found is not None
    x = torch.tensor(found.point[None], dtype=torch.float64, requires_grad=True)
    value = module(x)
    value.sum().backward()
    assert found.value == pytest.approx(float(value.detach()), abs=1e-12)


def test_hovering_tells_the_facts_of_a_region(window: Driver, checkpoint: Path) -> None:
    module = load_checkpoint(checkpoint).module.double()
    partition = window.window.slices.result(window.tile.key).answer.partition
    sizes = np.diff(partition.face_offsets)
    face = int(np.argmax(sizes))
    corners = partition.vertices[
        partition.face_vertices[partition.face_offsets[face] : partition.face_offsets[face + 1]]
    ]
    found = window.window.hover.at(window.tile.key, *corners.mean(axis=0), 0.0)
    assert found is not None
    assert found.neuron is None
    x = torch.tensor(found.point[None], dtype=torch.float64, requires_grad=True)
    value = module(x)
    value.sum().backward()
    assert found.value == pytest.approx(float(value.detach()), abs=1e-12)
    assert found.gradient == pytest.approx(float(x.grad.norm()), rel=1e-9)


def test_a_click_highlights_the_neuron_in_every_slice(window: Driver) -> None:
    view, partition = window.tile.view, window.window.slices.result(window.tile.key).answer.partition
    edge, middle = long_edge(partition)
    QTest.mouseClick(view, LEFT, Qt.KeyboardModifier.NoModifier, view.position_of(*middle).toPoint())
    neuron = Neuron(int(partition.edge_layer[edge]), int(partition.edge_neuron[edge]))
    assert window.window.store.session.neuron == neuron
    window.settle()
    for part in window.window.store.session.slices:
        drawn = window.window.slices.result(part.key)
        found = drawn.answer.partition
        own = (found.edge_layer == neuron.layer) & (found.edge_neuron == neuron.index)
        assert np.array_equal(drawn.picture.highlight, found.edges[own])
    name = window.window.store.session.opened.network.layer_names[neuron.layer]
    assert f"layer {neuron.layer} ({name}), neuron {neuron.index}" in window.window.scene_view.message
    assert window.window.strip.search.text() == f"{neuron.layer}/{neuron.index}"
    QTest.keyClick(window.window, Qt.Key.Key_Escape)
    assert window.window.store.session.neuron is None


def test_the_search_goes_to_a_neuron_or_turns_red(window: Driver) -> None:
    search = window.window.strip.search
    search.setFocus()
    QTest.keyClicks(search, "2/7")
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert window.window.store.session.neuron == Neuron(2, 7)
    for wrong in ("9/1", "2/800", "a", "1/-1"):
        search.clear()
        QTest.keyClicks(search, wrong)
        QTest.keyClick(search, Qt.Key.Key_Return)
        assert search.property("wrong") is True
        assert window.window.store.session.neuron is None


def test_a_click_on_the_legend_hides_a_layer_and_a_double_click_isolates_it(window: Driver) -> None:
    legend, store = window.window.legend, window.window.store
    image = window.tile.view.grab().toImage()
    QTest.mouseClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, legend.cell(1).center().toPoint())
    assert store.session.look.hidden_depths == {1}
    window.settle()
    assert window.tile.view.grab().toImage() != image
    QTest.mouseClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, legend.cell(1).center().toPoint())
    assert store.session.look.hidden_depths == frozenset()
    for expected, name in (({0, 1}, "Only layer 2"), (set(), "Show all layers")):
        QTest.mouseDClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, legend.cell(2).center().toPoint())
        assert store.session.look.hidden_depths == expected
        assert window.window.commands["undo"].text() == f"&Undo {name}"
    window.settle()
    assert window.tile.view.grab().toImage() == image


def test_fills_have_a_colour_bar(window: Driver) -> None:
    pictures = [window.tile.view.grab().toImage()]
    box = window.window.strip.fill
    for fill in [fill for fill in Fill if fill is not Fill.NONE] + [Fill.NONE]:
        box.setCurrentIndex(box.findData(fill))
        box.activated.emit(box.currentIndex())
        window.settle()
        assert window.window.color_bar.isVisible() == (fill not in (Fill.NONE, Fill.RANDOM)), fill
        pictures.append(window.tile.view.grab().toImage())
    assert pictures[-1] == pictures[0]
    assert all(one != other for k, one in enumerate(pictures[:-1]) for other in pictures[:k])


def test_double_click_fits_and_the_wheel_zooms_at_the_mouse(window: Driver) -> None:
    view = window.tile.view
    whole = view.framing
    at = QPoint(120, 40)
    before = view.at(QPointF(at))
    window.wheel(view, at, 5)
    assert view.framing.scale > 2 * whole.scale
    np.testing.assert_allclose(view.at(QPointF(at)), before, atol=1e-12)
    window.drag(view, np.array([120.0, 60.0]), [np.array([130.0, 60.0]), np.array([150.0, 70.0])])
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(150, 70))
    np.testing.assert_allclose(view.at(QPointF(150, 70)), view.framing.to_slice(150 - 40, 70))
    QTest.mouseDClick(view, LEFT, Qt.KeyboardModifier.NoModifier, at)
    assert view.framing == whole


def test_a_zoomed_view_keeps_the_slice_in_sight_when_its_plane_moves(window: Driver) -> None:
    view, store = window.tile.view, window.window.store
    window.wheel(view, QPoint(60, 20), 25)
    zoomed = view.framing
    for normal, origin in (((1.0, 1.0, 1.0), (0.9, 0.9, 0.9)), ((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))):
        store.do(actions.MovePlane(store.session.active, SlicePlane.from_normal(np.array(origin), np.array(normal))))
        window.settle()
        assert view.framing.scale == zoomed.scale
        nearest = view._bounds().in_sight(view.framing)
        middle = nearest.to_pixel(*view.framing.centre)
        np.testing.assert_allclose(middle, (nearest.width / 2, nearest.height / 2), atol=1.0)


def test_the_exact_surface_takes_the_place_of_the_coarse_one(window: Driver) -> None:
    opened = window.window.store.session.opened
    surface = window.window.surface.drawn.surface
    expected = extract_surface(opened.network, opened.domain)
    assert_same_surface(surface, expected)
    assert len(opened.preview.face_offsets) > 1


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04\x95."])
def test_a_broken_file_changes_nothing_and_says_why(window: Driver, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    before = window.window.store.session
    window.window.open_path(path)
    wait_until(lambda: window.window.file_dialogs.error_dialog is not None)
    dialog = window.window.file_dialogs.error_dialog
    assert str(path) in dialog.message.text()
    assert "small.safetensors stays open" in dialog.message.text()
    QTest.mouseClick(dialog.copy, LEFT)
    assert QGuiApplication.clipboard().text() == dialog.detail
    assert dialog.text.isHidden()  # it says what the sentence says
    dialog.accept()
    assert window.window.store.session is before
    assert window.window.settings.recent() == [
        Path(dict(before.opened.facts).get("path", before.opened.path)).resolve()
    ]


def test_a_dropped_file_is_opened_and_remembered(empty_window: Driver, checkpoint: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(checkpoint))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the only way to make one
        both = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        enter = QDragEnterEvent(QPoint(50, 50), both, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(empty_window.window, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(50, 50), both, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(empty_window.window, event)
    assert enter.dropAction() is event.dropAction() is Qt.DropAction.CopyAction  # a moved file may be deleted
    empty_window.settle()
    assert empty_window.window.settings.recent() == [checkpoint.resolve()]
    assert [entry.text() for entry in empty_window.window.recent.actions()] == [str(checkpoint.resolve())]


def test_an_empty_slice_says_so(empty_window: Driver, tmp_path: Path) -> None:
    module = random_module()
    with torch.no_grad():
        module.output.bias += 100.0
    path = tmp_path / "nowhere.safetensors"
    save_checkpoint(path, module, DOMAIN)
    empty_window.open(path)
    assert empty_window.tile.view.note == "no zero level set in this slice"
    assert "no zero level set" in empty_window.window.status.left.whole
    assert "no zero level surface" in empty_window.window.scene_view.message


def test_a_part_of_a_slice_is_told_to_be_one(window: Driver) -> None:
    """Nothing is said of layers that nobody has computed: no zeros for their lines, no number of all regions."""
    main = window.window
    main.slices.budget = -1.0  # enough after the first layer
    told: list[tuple[SliceAnswer, str, str]] = []
    notes: list[tuple[str, str]] = []  # when a slice is computed, and when its picture is on the screen

    def listen(key: int, drawn: DrawnSlice) -> None:
        told.append((drawn.answer, main.status.left.whole, main.checkpoints.cards[0].regions.whole))
        notes.append(("computed", main.board.tiles[key].view.note))

    def see(key: int) -> None:
        if notes:  # before, a picture of the size that the tile had may still be on its way
            notes.append(("drawn", main.board.tiles[key].view.note))

    main.slices.computed.connect(listen)
    main.slice_link.drawn.connect(see)
    part = main.store.session.active_slice
    assert part is not None
    plane = shifted(part.plane, 0.01, main.store.session.opened.domain)
    main.store.do(actions.MovePlane(part.key, plane, live=True))
    wait_until(lambda: told)
    answer, status, card = told[0]
    assert (answer.done, answer.complete) == (1, False)
    lines = int((answer.partition.edge_layer == 0).sum())
    assert "regions by layers 0..0 · " in status
    assert status.endswith(f" · lines per depth {lines:,}")
    assert card.endswith(f"{part.name} {answer.partition.regions:,}…")
    window.settle()
    answer, status, card = told[-1]
    assert answer.complete
    assert "by layers" not in status
    assert "…" not in card
    part_of_it = f"layers 0..0 of {answer.layers - 1}"
    assert notes[:2] == [("computed", ""), ("drawn", part_of_it)]
    assert ("computed", part_of_it) in notes  # the whole slice is there, its picture not yet
    assert notes[-1] == ("drawn", "")


def test_closing_in_the_middle_of_everything_leaves_nothing(empty_window: Driver, checkpoint: Path) -> None:
    for wait in (0, 30, 200):
        window = MainWindow()
        window.show()
        window.open_path(checkpoint)
        let_run(wait)
        if window.store.session.active is not None:
            part = window.store.session.active_slice
            window.store.do(actions.MovePlane(part.key, part.plane, live=True))
        window.close()
        window.deleteLater()
        del window
    empty_window.window.close()
    let_run(20)
    check_nothing_left()


def test_pictures_of_any_size_with_transparency(window: Driver, tmp_path: Path) -> None:
    main = window.window
    link, show_problem = main.scene_link, main.file_dialogs.show_problem
    dialog = PictureDialog(main.scene_view, link.submit, link.draw_still, show_problem, main)
    dialog.width_field.setValue(301)
    dialog.height_field.setValue(207)
    dialog.transparent.setChecked(True)
    dialog.save(tmp_path / "scene.png")
    wait_until((tmp_path / "scene.png").exists)
    image = QImage(str(tmp_path / "scene.png"))
    assert (image.width(), image.height()) == (301, 207)
    assert image.pixelColor(0, 0).alpha() == 0
    dialog = PictureDialog(main.scene_view, link.submit, link.draw_still, show_problem, main)
    dialog.save(tmp_path / "no such folder" / "scene.png")
    wait_until(lambda: main.file_dialogs.error_dialog is not None and main.file_dialogs.error_dialog.isVisible())
    assert str(tmp_path) in main.file_dialogs.error_dialog.message.text()
    main.file_dialogs.error_dialog.accept()
    dialog.reject()


def test_compiling_kernels_is_told(empty_window: Driver) -> None:
    """numba compiles something, as it does with the engine's kernels on the first run on a machine."""
    compiled = numba.njit(lambda x: x + 1)
    assert compiled(1) == 2
    wait_until(empty_window.window.status.compiling.isVisible)
    wait_until(lambda: not empty_window.window.status.compiling.isVisible())


def test_all_notes_on_a_checkpoint_can_be_read_and_copied(window: Driver, checkpoint: Path) -> None:
    card = window.window.checkpoints.cards[0]
    QTest.mouseClick(card.details, LEFT)
    dialog = next(found for found in card.findChildren(NotesDialog))
    copy = next(found for found in dialog.findChildren(QPushButton) if found.text() == "C&opy")
    QTest.mouseClick(copy, LEFT)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == f"file: {checkpoint.absolute()}"
    for note in checkpoint_notes(load_checkpoint(checkpoint)).lines()[1:]:
        assert ": ".join(note) in lines
    dialog.reject()


def test_a_live_module_is_shown_from_python(checkpoint: Path) -> None:
    module = random_module()
    module.train()
    seen: list[str] = []

    def look() -> None:
        shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()]
        if not shown:
            QTimer.singleShot(100, look)
            return
        seen.append(shown[0].windowTitle())
        shown[0].close()

    QTimer.singleShot(300, look)
    app.show(module, domain=DOMAIN)
    assert seen == ["ReluMLP \N{EM DASH} SplineScope"]
    assert module.training
    check_nothing_left()
    with pytest.raises(ValueError, match="lower and upper corner"):
        app.show(module, domain=[[1, 1, 1], [0, 0, 0]])


def test_the_command_takes_a_picture_of_the_whole_window(command, checkpoint: Path, tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    ran = command("open", checkpoint, "--screenshot", picture, "--size", "1000x700")
    assert (ran.code, ran.out) == (0, f"wrote {picture}\n"), ran.err
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1000, 700)


def test_the_command_takes_no_picture_of_a_broken_file(command, tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    ran = command(tmp_path / "broken.npz", "--screenshot", tmp_path / "other.png")
    assert ran.code == 2
    assert ran.err.startswith(f"splinescope: {tmp_path / 'broken.npz'}: ")
    assert not (tmp_path / "other.png").exists()


def test_without_a_display_a_picture_is_taken_without_a_word_too_many(
    splinescope_process, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    ran = splinescope_process("open", checkpoint, "--screenshot", "window.png", "--size", "1000x700")
    assert (ran.code, ran.out, ran.err) == (0, "wrote window.png\n", "")
    assert not QImage(str(tmp_path / "window.png")).isNull()


def test_on_another_screen_everything_is_drawn_anew(window: Driver) -> None:
    wanted: list[object] = []
    for view in (window.window.scene_view, *(tile.view for tile in window.window.board.tiles.values())):
        view.drawing_wanted.connect(wanted.append)
    QApplication.sendEvent(window.window, QEvent(QEvent.Type.DevicePixelRatioChange))
    wait_until(lambda: len(wanted) >= 4)
    window.settle()
