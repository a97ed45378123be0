"""A camera turned by hand: upright, at its distance, also from straight above."""

from __future__ import annotations

import numpy as np
import pytest
from vtkmodules.vtkRenderingCore import vtkCamera

from app.views.camera import Lens, orbit

UP = np.array([0.0, 1.0, 0.0])


def seen_from(direction: tuple[float, float, float], up: tuple[float, float, float]) -> vtkCamera:
    camera = vtkCamera()
    camera.SetFocalPoint(0.1, 0.2, 0.3)
    camera.SetPosition(*(np.array([0.1, 0.2, 0.3]) + 4 * np.array(direction)))
    camera.SetViewUp(*up)
    return camera


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("drag", [(0, 0), (5, 0), (-3, 4), (0, -6), (30, 40)])
def test_from_straight_above_or_below_it_becomes_upright(side: float, drag: tuple[int, int]) -> None:
    camera = seen_from((0, side, 0), (0, 0, -1))
    orbit(camera, *drag, 600, UP)
    arm = np.array(camera.GetPosition()) - np.array([0.1, 0.2, 0.3])
    assert np.linalg.norm(arm) == pytest.approx(4.0)
    assert abs(arm @ UP) < 0.997 * 4
    ahead, right = Lens(camera, 600, 600).to_pixels(np.array([[0.1, 0.2, 0.2], [0.2, 0.2, 0.3]]))
    assert np.hypot(*(ahead - right)) > 5  # nothing is flattened
    if drag == (0, 0):
        assert ahead[1] < 300  # what was upwards in the picture still is
        assert abs(ahead[0] - 300) < 1e-6


def test_elsewhere_a_drag_turns_about_the_vertical() -> None:
    camera = seen_from((0.6, 0.0, 0.8), (0, 1, 0))
    orbit(camera, 60, 0, 600, UP)
    arm = (np.array(camera.GetPosition()) - np.array([0.1, 0.2, 0.3])) / 4
    assert arm[1] == pytest.approx(0.0, abs=1e-12)
    assert arm @ [0.6, 0.0, 0.8] == pytest.approx(np.cos(np.radians(26.0)))
