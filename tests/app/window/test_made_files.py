"""Files that this program made, dropped on a window: it shows what they show."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from app.state import actions
from app.state.look import Fill
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, Ran, random_module
from tests.app.on_screen import Driver, press, wait_until

Run = Callable[..., Ran]


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(checkpoint, tmp_path / "net.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def drop(driver: Driver, path: Path) -> None:
    carried = QMimeData()
    carried.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(driver.window, QDragEnterEvent(QPoint(50, 50), copy, carried, left, none))
    QApplication.sendEvent(driver.window, QDropEvent(QPointF(50, 50), copy, carried, left, none))


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_a_figure_brings_back_what_it_shows(empty_window: Driver, splinescope: Run, folder: Path, kind: str) -> None:
    path = folder / f"a.{kind}"
    ran = splinescope(
        "figure", "net.safetensors", "--layout", "method", "--plane=x=0.25", "--plane=z=-0.5", "--fill=sign",
        "--camera=1,0,0.25", "--dpi=30", "--bounds=-0.75,1", "--level=0.01", "--out", path,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    drop(empty_window, path)
    store = empty_window.window.store
    wait_until(lambda: store.session.opened is not None and len(store.session.slices) == 2)
    empty_window.settle()
    session = store.session
    assert session.opened.name == "net.safetensors"
    assert session.opened.level == 0.01
    np.testing.assert_array_equal(session.opened.domain, [[-0.75] * 3, [1.0] * 3])
    assert [part.plane.describe() for part in session.slices] == ["x = 0.25", "z = -0.5"]
    assert [part.colour for part in session.slices] == [0, 1]
    assert session.fill is Fill.SIGN
    view = empty_window.window.scene_view.scene.viewpoint
    arm = np.array(view.position) - np.array(view.focus)
    np.testing.assert_allclose(arm / arm[0], [1, 0, 0.25], atol=1e-9)


def test_data_bring_back_their_plane_and_one_step_undoes_it(
    empty_window: Driver, splinescope: Run, folder: Path
) -> None:
    assert splinescope("slice", "net.safetensors", "--plane=y=0.125", "--out", folder / "a.npz").code == 0
    empty_window.open(folder / "net.safetensors")
    empty_window.settle()
    store = empty_window.window.store
    before = store.session
    drop(empty_window, folder / "a.npz")  # of what is open already
    assert [part.plane.describe() for part in store.session.slices] == ["y = 0.125"]
    empty_window.settle()
    press(empty_window, "Ctrl+Z")
    assert store.session.slices == before.slices
    store.do(actions.ActivateSlice(before.active))


def test_a_checkpoint_that_has_changed_is_told(empty_window: Driver, splinescope: Run, folder: Path) -> None:
    assert splinescope("slice", "net.safetensors", "--plane=y=0.125", "--out", folder / "a.svg").code == 0
    save_checkpoint(folder / "net.safetensors", random_module(seed=1), DOMAIN, {"target": "nothing"})
    drop(empty_window, folder / "a.svg")
    wait_until(lambda: "has changed since a.svg was made" in empty_window.window.notice.told)
    empty_window.settle()


@pytest.mark.parametrize("case", ["no record", "no checkpoint"])
def test_files_that_lead_nowhere_are_told(empty_window: Driver, splinescope: Run, folder: Path, case: str) -> None:
    path = folder / "a.svg"
    assert splinescope("slice", "net.safetensors", "--plane=y=0.125", "--out", path).code == 0
    if case == "no record":
        path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    else:
        (folder / "net.safetensors").unlink()
    drop(empty_window, path)
    dialog = empty_window.window.file_dialogs.error_dialog
    assert dialog is not None
    told = {"no record": "holds no record", "no checkpoint": "which is not beside it"}[case]
    assert told in dialog.message.text()
    dialog.accept()
    assert empty_window.window.store.session.opened is None
