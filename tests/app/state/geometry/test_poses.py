"""Poses as text: exact both ways, refused in one line, and the same for the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.export.recipes import slice_command, slice_python
from app.jobs.opening import open_file
from app.state.geometry.planes import rotated
from app.state.geometry.poses import Pose, PoseError
from engine import PlaneError, SlicePlane
from sdf_models import Reading

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
vectors = st.tuples(numbers, numbers, numbers)


@given(origin=vectors, normal=vectors, u=vectors, degrees=st.floats(0, 360), half=st.none() | st.floats(1e-6, 1e6))
@settings(max_examples=120, deadline=None)
def test_the_text_of_a_pose_says_it_to_the_last_bit(origin, normal, u, degrees, half) -> None:
    try:
        plane = rotated(SlicePlane.from_normal(origin, normal, u), degrees)
    except PlaneError:
        return
    text = str(Pose(plane, half))
    assert "\n" not in text
    back = Pose.parse(text)
    assert np.array_equal(back.plane.origin, plane.origin)
    assert np.array_equal(back.plane.axes, plane.axes)
    assert back.half_width == half
    assert str(back) == text


@given(st.text(max_size=200) | st.from_regex(r"(origin|normal|u|v|half-width|x|y|z)=[-+0-9.,einfa ]*", fullmatch=True))
@settings(max_examples=120, deadline=None)
def test_any_other_text_is_refused_in_one_line(text: str) -> None:
    said = ""
    try:
        assert np.isfinite(Pose.parse(text).plane.origin).all()
    except PoseError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 500


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a pose needs an origin"),
        ("origin=0,0,0", "a pose needs an origin, and a normal"),
        ("origin=0,0,nan normal=0,0,1", "three numbers"),
        ("origin=0,0,0 normal=0,0,0", "no direction"),
        ("origin=0,0,0 origin=0,0,0 normal=0,0,1", "no part of a pose"),
        ("origin=0,0,0 u=1,0,0 v=1,0,0", "orthonormal"),
        ("origin=0,0,0 normal=0,0,1 half-width=-1", "not positive"),
        ("z=inf", "finite"),
        ("x" * 5000, "5,000 characters"),
    ],
)
def test_what_is_wrong_with_a_pose_is_said(text: str, says: str) -> None:
    with pytest.raises(PoseError, match=says):
        Pose.parse(text)


def test_poses_are_read_as_people_write_them() -> None:
    for text in (" z = 0.25 ", "'origin=0, 0, 0.25 normal=0,0,1'", "origin=0,0,0.25  u=1,0,0 v=0,1,\N{MINUS SIGN}0"):
        plane = SlicePlane.from_axis("z", 0.25)
        np.testing.assert_array_equal(Pose.parse(text).plane.origin, plane.origin)
        np.testing.assert_array_equal(Pose.parse(text).plane.axes, plane.axes)


@pytest.mark.parametrize("options", [[], ["--half-width", "0.25"]])
def test_the_command_line_takes_poses(splinescope, checkpoint: Path, tmp_path: Path, options: list[str]) -> None:
    plane = rotated(SlicePlane.from_normal([0.1, 0, 0.05], [1, 2, 3], [1, 0, 0]), 33.0)
    half = " half-width=0.25" if options else ""
    ran = splinescope("slice", checkpoint, "--pose", f"{Pose(plane)}{half}", "--out", tmp_path / "pose.npz")
    assert ran.code == 0, ran.err
    with np.load(tmp_path / "pose.npz") as data:
        assert np.array_equal(data["axes"], plane.axes)
        if options:
            assert np.abs(data["vertices"]).max() == 0.25
    ran = splinescope("slice", checkpoint, "--pose", "origin=1,2 normal=0,0,1", "--out", tmp_path / "pose.npz")
    assert ran.code == 2
    assert ran.err.count("\n") == 1


def test_recipes_say_how_the_file_was_read(checkpoint: Path) -> None:
    reading = Reading(flip_sign=True, bounds=(-0.1, 0.3))
    opened = open_file(checkpoint, lambda: False, reading)
    plane = SlicePlane.from_axis("z", 0.0)
    command = slice_command(opened, plane)
    assert "--flip-sign" in command
    assert "--bounds=-0.1,-0.1,-0.1,0.3,0.3,0.3" in command
    assert "Reading(bounds=(-0.1, 0.3), flip_sign=True)" in slice_python(opened, plane)
    assert slice_python(opened, plane).count("\n") == 3
