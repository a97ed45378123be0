"""Sessions in the real window: saved, opened in another one, recovered after a crash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.jobs.autosave import Autosave, left_behind
from app.state import actions
from app.state.geometry.planes import same_plane
from app.state.geometry.viewpoint import Viewpoint
from app.state.look import Fill
from app.state.saved_session import SavedSession, saved_session
from app.state.session import Session, same
from app.state.session_file import read_session, write_session
from app.state.texts.facts_text import facts_json
from app.window.main_window import MainWindow
from engine import Neuron, SlicePlane
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, ROOT, random_module
from tests.app.on_screen import LEFT, Driver, wait_until
from tests.app.waiting import let_run
from tests.engine.sameness import assert_same_partition


@pytest.fixture
def files(tmp_path: Path, checkpoint: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    shutil.copy(checkpoint, first)
    save_checkpoint(second, random_module(seed=4, depth=2), DOMAIN)
    return first, second


@pytest.fixture
def other_window(empty_window: Driver) -> Iterator[Driver]:
    window = MainWindow()
    window.show()
    yield Driver(window)
    window.close()
    window.deleteLater()
    del window
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def worked(driver: Driver, files: tuple[Path, Path], session: Path) -> None:
    """A window with two checkpoints and much changed, saved."""
    for file in files:
        driver.open(file)
    store = driver.window.store
    key = store.session.active
    store.do(actions.MovePlane(key, SlicePlane.from_normal([0.1, 1 / 3, 0], [1, 2, 3], [0.3, 1, 0])))
    store.do(actions.AddSlice(SlicePlane.from_axis("y", 0.2), "fourth"))
    store.do(actions.RemoveSlice(store.session.slices[0].key))
    store.do(actions.RenameSlice(key, "tilted"))
    store.do(actions.ChangeFill(Fill.GRADIENT))
    store.do(actions.SelectNeuron(Neuron(1, 2)))
    store.do(actions.ChangeLook(replace(store.session.look, creases=True, hidden_depths=frozenset({0}))))
    store.do(actions.ShowNetwork(store.session.networks[0]))
    driver.window.scene_view.look_from((1.0, 0.3, -0.2))
    driver.settle()
    saved: list[str] = []
    driver.window.keeper.saved.connect(saved.append)
    driver.window.keeper.save_to(session)
    wait_until(lambda: saved)


def without_networks(session: Session) -> Session:
    return replace(session, opened=None, networks=())


def test_a_saved_session_is_the_same_in_another_window(
    empty_window: Driver, other_window: Driver, files: tuple[Path, Path], tmp_path: Path
) -> None:
    session = tmp_path / "work.json"
    worked(empty_window, files, session)
    other_window.open(session)
    one, other = empty_window.window, other_window.window
    assert same(without_networks(one.store.session), without_networks(other.store.session))
    names = [opened.name for opened in other.store.session.networks]
    assert names == ["first.safetensors", "second.safetensors"]
    assert other.store.session.opened.name == "first.safetensors"
    assert one.scene_view.scene.viewpoint == other.scene_view.scene.viewpoint
    assert other.size() == one.size()
    for part in one.store.session.slices:
        a, b = (w.slices.result(part.key).answer.partition for w in (one, other))
        assert_same_partition(b, a)
    assert not other.notice.isVisible()
    assert other.keeper.path == session
    other.commands["undo"].trigger()
    assert other.store.session.opened is None


def test_pins_and_their_side_come_back(
    empty_window: Driver, other_window: Driver, checkpoint: Path, tmp_path: Path
) -> None:
    file, session = tmp_path / "net.safetensors", tmp_path / "work.json"
    shutil.copy(checkpoint, file)
    empty_window.open(file)
    one, other = empty_window.window, other_window.window
    key, plane = one.store.session.active, one.store.session.active_slice.plane
    one.pins.pin(key, 0.11, 0.23)
    one.store.do(actions.MovePlane(key, SlicePlane.from_normal([0.1, 0.2, 0.1], [1, 2, 3], [0.3, 1, 0])))
    empty_window.settle()
    one.pins.pin(key, -0.4, 0.3)
    mesh = one.surface.drawn.mesh
    facet = len(mesh.colors) // 2
    one.pins.pin_facet(mesh, facet, mesh.vertices[mesh.face_vertices[mesh.face_offsets[facet]]])
    one.store.do(actions.Unpin(2))
    one.pins.pin(key, 0.05, -0.1)
    one.resize(1400, 800)  # room for it
    one.side.open(one.inspector)
    let_run(1)
    whole = sum(one.sides.sizes())
    one.sides.setSizes([whole - 417, 417])
    pins = one.store.session.pins
    assert [pin.number for pin in pins] == [1, 3, 2]
    saved: list[str] = []
    one.keeper.saved.connect(saved.append)
    one.keeper.save_to(session)
    wait_until(lambda: saved)
    other_window.open(session)
    found = other.store.session.pins
    assert [facts_json(pin, "z") for pin in found] == [facts_json(pin, "z") for pin in pins]
    assert [(pin.number, pin.key) for pin in found] == [(pin.number, pin.key) for pin in pins]
    assert [other.store.session.in_place(pin) for pin in found] == [False, True, True]
    assert not other.notice.isVisible()
    assert (other.side.shown, other.side.width()) == ("inspector", 417)
    assert [card.pin.number for card in other.inspector.cards] == [2, 3, 1]
    other.inspector.cards[-1].back.click()
    assert same_plane(other.store.session.slice(key).plane, plane)
    other_window.settle()
    other.pins.go(found[0], found[0].facts.neighbours[0].region)  # numbers of regions are those of the partition
    assert other.store.session.pins[0].number == 1

    save_checkpoint(file, random_module(seed=9), DOMAIN)
    other.opener.open_path(session)
    wait_until(lambda: other.store.session.pins == ())
    other_window.settle()
    assert other.notice.text.text() == (
        "net.safetensors has changed since the session was saved. "
        "3 pins were left out: their regions are not there any more."
    )


def test_the_side_is_as_wide_after_a_restart(empty_window: Driver, other_window: Driver) -> None:
    one, other = empty_window.window, other_window.window
    one.resize(1400, 800)
    one.layouts.keep()
    one.side.open(one.neurons)
    let_run(1)
    one.sides.setSizes([sum(one.sides.sizes()) - 433, 433])
    let_run(1)
    one.side.close_side()
    one.close()
    other.layouts.keep()
    assert other.side.isHidden()
    other.side.open(other.inspector)
    let_run(1)
    assert other.side.width() == 433
    other.close()
    third = MainWindow()
    third.layouts.keep()
    third.show()
    let_run(1)
    assert (third.side.shown, third.side.width()) == ("inspector", 433)
    third.close()
    third.deleteLater()


def test_a_changed_file_opens_with_a_notice_and_a_missing_one_with_a_question(
    empty_window: Driver, other_window: Driver, files: tuple[Path, Path], tmp_path: Path
) -> None:
    session = tmp_path / "work.json"
    worked(empty_window, files, session)
    save_checkpoint(files[0], random_module(seed=9), DOMAIN)
    files[1].rename(tmp_path / "elsewhere.safetensors")
    window = other_window.window
    window.open_path(session)
    wait_until(window.notice.isVisible)
    assert "second.safetensors" in window.notice.text.text()
    assert [button.text() for button in window.notice.buttons] == ["Find…", "Leave it out"]
    assert window.store.session.opened is None
    window.notice.buttons[1].click()
    other_window.settle()
    assert [opened.name for opened in window.store.session.networks] == ["first.safetensors"]
    assert window.notice.text.text() == "first.safetensors has changed since the session was saved."
    window.opener.open_path(session, moved={files[1]: tmp_path / "elsewhere.safetensors"})
    wait_until(lambda: len(window.store.session.networks) == 2)
    other_window.settle()


def test_a_broken_session_changes_nothing(window: Driver, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"splinescope session": 1, "checkpoints": [{"path": "/dev/zero", "sha256": "", "reading": null}]}')
    before = window.window.store.session
    window.window.open_path(path)
    wait_until(lambda: window.window.file_dialogs.error_dialog is not None)
    message = window.window.file_dialogs.error_dialog.message.text()
    assert "this session cannot be opened" in message
    assert "\n" not in message
    window.window.file_dialogs.error_dialog.accept()
    assert window.window.store.session is before


def test_a_session_that_cannot_be_written_says_why(window: Driver, tmp_path: Path) -> None:
    window.window.keeper.save_to(tmp_path / "no folder" / "a.json")
    wait_until(lambda: window.window.file_dialogs.error_dialog is not None)
    dialog = window.window.file_dialogs.error_dialog
    assert "no folder" in dialog.message.text()
    assert "choose another folder" in dialog.message.text()
    assert window.window.keeper.path is None
    window.window.file_dialogs.error_dialog.accept()


def test_a_window_that_closes_at_once_has_saved_its_session(window: Driver, tmp_path: Path) -> None:
    window.window.keeper.save_to(tmp_path / "work.json")
    window.window.close()
    assert len(read_session(tmp_path / "work.json").session.slices) == 3


def test_what_a_crash_left_is_offered_once(window: Driver, other_window: Driver, tmp_path: Path) -> None:
    folder = tmp_path / "autosave"
    script = (
        "import sys, os, signal; from pathlib import Path; from app.jobs.autosave import Autosave;"
        "from tests.app.state.test_saved_session import example; from dataclasses import replace;"
        "from app.state.saved_session import SavedCheckpoint; saved = example();"
        "part = SavedCheckpoint(Path(sys.argv[2]), '', None);"
        "Autosave.start(Path(sys.argv[1])).write(replace(saved, checkpoints=(part,), shown=0, pins=()));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = window.window.store.session.opened.path
    subprocess.run([sys.executable, "-c", script, folder, path], cwd=ROOT, check=False)
    first, second = window.window, other_window.window
    for running in (first, second):
        running.keeper.keep_autosaves(folder)
    assert first.notice.isVisible()
    assert not second.notice.isVisible()  # the first one holds it
    first.notice.buttons[0].click()
    wait_until(lambda: [part.name for part in first.store.session.slices] == ["x", "oblique é"])
    window.settle()
    assert first.keeper.path is None
    wait_until(lambda: len(list(folder.glob("*.json"))) == 1)  # the first window's own
    saved = read_session(next(folder.glob("*.json")))
    assert same(without_networks(saved.session), without_networks(first.store.session))
    first.close()
    second.close()
    assert list(folder.iterdir()) == []


def test_a_camera_that_moved_is_saved_by_itself(window: Driver, tmp_path: Path) -> None:
    running = window.window
    running.keeper.keep_autosaves(tmp_path / "autosave")
    running.scene_view.look_from((1.0, 0.0, 0.0))
    wait_until(lambda: list((tmp_path / "autosave").glob("*.json")))
    path = next((tmp_path / "autosave").glob("*.json"))
    for move_ in (lambda: window.wheel(running.scene_view, QPoint(50, 50), 3), lambda: turn(window)):
        move_()
        seen = running.scene_view.scene.viewpoint
        wait_until(lambda seen=seen: read_session(path).viewpoint == seen)


def turn(driver: Driver) -> None:
    driver.drag(driver.window.scene_view, np.array([20.0, 20.0]), [np.array([60.0, 40.0])])
    QTest.mouseRelease(driver.window.scene_view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(60, 40))


@pytest.mark.parametrize("position", [(1e12, 0.0, 0.0), (1e-300, 0.0, 0.0)])
def test_a_camera_from_which_there_is_nothing_to_see_is_left_out(
    window: Driver, tmp_path: Path, position: tuple[float, float, float]
) -> None:
    running = window.window
    seen = running.scene_view.scene.viewpoint
    saved = saved_session(running.store.session, Viewpoint(position, (0.0, 0.0, 0.0), (0.0, 1.0, 0.0)), None)
    write_session(tmp_path / "far.json", saved)
    turn(window)
    window.open(tmp_path / "far.json")
    wait_until(running.notice.isVisible)
    assert running.notice.text.text().startswith("The camera was too far from the box")
    assert running.scene_view.lens is not None
    assert running.scene_view.scene.viewpoint.focus == seen.focus
    for notches in (400, -800):  # nor does a hand get there
        window.wheel(running.scene_view, QPoint(50, 50), notches)
        window.settle()
        corners = running.scene_view.lens.to_pixels(np.stack([DOMAIN[0], DOMAIN[1]]))
        assert np.isfinite(corners).all()


def test_what_a_crash_left_stays_until_the_window_has_saved_it(
    window: Driver, other_window: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, folder = other_window.window.keeper, tmp_path / "autosave"
    folder.mkdir()
    left = folder / "1-left.session.json"
    window.window.keeper.save_to(left)
    wait_until(lambda: window.window.keeper.path == left)
    keeper.keep_autosaves(folder)
    with monkeypatch.context() as full_disk:
        full_disk.setattr(Autosave, "write", _fail_to_write)
        other_window.window.notice.buttons[0].click()
        wait_until(lambda: "could not be saved" in other_window.window.notice.text.text())
        assert left.is_file()
    other_window.window.store.do(actions.ChangeFill(Fill.AREA))
    wait_until(lambda: not left.exists())
    assert len(list(folder.glob("*.json"))) == 1  # the window's own
    other_window.settle()


def _fail_to_write(autosave: Autosave, saved: SavedSession) -> None:
    raise OSError(28, "No space left on device")


def test_the_session_of_a_running_program_is_not_taken(tmp_path: Path) -> None:
    running = Autosave.start(tmp_path)
    running.path.write_text("{}")
    assert left_behind(tmp_path) is None
    running.leave()
    found = left_behind(tmp_path)
    assert found is not None
    assert found.path == running.path
    assert left_behind(tmp_path) is None
    found.remove()
    assert os.listdir(tmp_path) == []


def test_what_a_killed_window_left_without_a_session_is_swept(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal; from pathlib import Path; from app.files import written_together;"
        "from app.jobs.autosave import Autosave; kept = Autosave.start(Path(sys.argv[1]));"
        "writing = written_together([kept.path]); writing.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=False)
    left = sorted(path.suffix for path in tmp_path.iterdir())
    assert left == [".lock", ".part"]
    running = Autosave.start(tmp_path)
    assert left_behind(tmp_path) is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]  # of the one that runs
    running.remove()
    assert os.listdir(tmp_path) == []


def test_the_command_takes_sessions(window: Driver, command, tmp_path: Path) -> None:
    saved: list[str] = []
    window.window.keeper.saved.connect(saved.append)
    window.window.keeper.save_to(tmp_path / "work.json")
    wait_until(lambda: saved)
    let_run(1)
    picture = tmp_path / "work.png"
    ran = command("open", tmp_path / "work.json", "--screenshot", picture, "--size", "1000x700")
    assert (ran.code, ran.out) == (0, f"wrote {picture}\n"), ran.err
    bad = tmp_path / "bad.json"
    bad.write_text('{"splinescope session": "x"}')
    ran = command("open", bad, "--screenshot", tmp_path / "bad.png")
    assert ran.code == 2
    assert ran.err.startswith(f"splinescope: {bad}: this session cannot be opened: ")
