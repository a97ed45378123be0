"""Moving pictures: planes that travel, cameras that turn, and files that are whole or not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.figures import making
from app.figures.layouts import lay_out
from app.figures.motion import moments_of
from app.figures.spec import SlicePanel, SpecError, SurfacePanel
from app.state.geometry.poses import Pose
from tests.app.conftest import DOMAIN, Ran

Run = Callable[..., Ran]


def test_a_plane_travels_through_the_box_and_back_and_a_camera_turns_once() -> None:
    spec = lay_out("method", [SlicePanel("x=0"), SlicePanel("z=0.5")], 3)
    moments = moments_of(spec, DOMAIN, 8, travel=True, turn=True)
    places, angles = [], []
    for moment in moments:
        surface, first, second = moment.panels
        assert isinstance(surface, SurfacePanel)
        assert isinstance(first, SlicePanel)
        assert second == spec.panels[2]
        plane = Pose.parse(first.plane).plane
        np.testing.assert_array_equal(plane.normal, [1, 0, 0])
        places.append(float(plane.origin[0]))
        x, y, z = surface.camera
        assert y == pytest.approx(0.62)
        angles.append(np.arctan2(x, z))
    assert places[0] == min(places) > -1
    assert max(places) == places[4] == pytest.approx(-places[0])
    assert places[1:4] == places[:4:-1]  # back by the same way
    np.testing.assert_allclose(np.diff(np.unwrap(angles)), np.pi / 4)


@pytest.mark.parametrize(
    ("layout", "travel", "turn", "told"),
    [("grid", False, True, "--turn moves"), ("grid", False, False, "nothing moves")],
)
def test_what_cannot_move_is_told(layout: str, travel: bool, turn: bool, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        moments_of(lay_out(layout, [SlicePanel("x=0")], 3), DOMAIN, 4, travel, turn)


def test_animate_writes_movies_and_pictures(splinescope: Run, checkpoint: Path, tmp_path: Path) -> None:
    ran = splinescope(
        "animate", checkpoint, "--plane=z=0", "--travel", "--count=4", "--seconds=2", "--width=40", "--dpi=50",
        "--out", tmp_path / "a.webp", "--out", tmp_path / "a.gif", "--frames", tmp_path / "all",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.out.startswith("4 pictures, 78 x ")
    for name in ("a.webp", "a.gif"):
        with Image.open(tmp_path / name) as movie:
            durations = []
            for frame in range(movie.n_frames):
                movie.seek(frame)
                movie.load()
                durations.append(movie.info["duration"])
            assert sum(durations) == 2000
    assert [path.name for path in sorted((tmp_path / "all").iterdir())] == [f"000{k}.png" for k in range(1, 5)]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--travel", "--out", "a.mp4"), "no codec for it comes without GPL code"),
        (("--travel",), "nothing would be written"),
        (("--travel", "--count=1", "--out", "a.gif"), "give 2 to"),
        (("--turn", "--out", "a.gif"), "--turn moves the camera"),
        (("--travel", "--frames", "no/such"), "no folder can be made there"),
    ],
)
def test_animations_that_cannot_be_made_are_told(
    splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...],
    told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    ran = splinescope("animate", checkpoint, "--plane=z=0", *options)
    assert ran.code == 2
    assert told in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(
    splinescope: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def draw(*_: object) -> object:
        drawn.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(making.Drawer, "draw", draw)
    ran = splinescope(
        "animate", checkpoint, "--plane=z=0", "--travel", "--out", tmp_path / "a.gif", "--frames", tmp_path / "all"
    )
    assert ran.code == 130
    assert drawn == [1]
    assert list(tmp_path.iterdir()) == []
