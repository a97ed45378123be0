"""Depth must be readable as an order, also by colour-blind eyes and in grey; level sets must stand out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.state.palette import ACCENTS, Palette, accent, depth_colors, ink
from app.state.paper import NIGHT, WHITE, Paper
from app.views.slice.slice_image import HIGHLIGHT

# Simulated vision on linear RGB: Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of
# color vision deficiency" (2009), severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def cielab(colors: object, vision: str = "normal") -> NDArray[np.float64]:
    srgb = np.asarray(colors, dtype=float)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ VISION[vision].T, 0, 1) @ XYZ.T / XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("layers", [2, 3, 8, 24])
@pytest.mark.parametrize("palette", Palette)
def test_lightness_rises_with_depth(palette: Palette, layers: int, vision: str) -> None:
    lightness = cielab(depth_colors(layers, palette), vision)[:, 0]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] < 80  # readable on white


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("layers", [2, 3, 8, 24])
@pytest.mark.parametrize("palette", Palette)
def test_on_dark_ground_lightness_falls_with_depth(palette: Palette, layers: int, vision: str) -> None:
    lightness = cielab(NIGHT.depth_colors(layers, palette), vision)[:, 0]
    assert (np.diff(lightness) < 0).all()
    assert lightness[-1] > cielab(NIGHT.ground)[0] + 25  # readable on it


@pytest.mark.parametrize("paper", [WHITE, NIGHT])
@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", Palette)
def test_eight_layers_are_told_apart(palette: Palette, vision: str, paper: Paper) -> None:
    colors = cielab(paper.depth_colors(8, palette), vision)
    assert np.linalg.norm(np.diff(colors, axis=0), axis=1).min() > 5


@pytest.mark.parametrize(("paper", "least"), [(WHITE, 40), (NIGHT, 35)])
@pytest.mark.parametrize("palette", Palette)
def test_level_sets_are_told_from_every_depth_and_from_paper(palette: Palette, paper: Paper, least: float) -> None:
    others = cielab([*paper.depth_colors(24, palette), paper.ground])
    for color in cielab([*map(paper.accent, ACCENTS), HIGHLIGHT]):
        assert np.linalg.norm(others - color, axis=1).min() > least


@pytest.mark.parametrize("vision", ["protanopia", "deuteranopia"])
def test_blue_and_yellow_are_the_steps_that_most_colour_blind_eyes_see_best(vision: str) -> None:
    steps = {
        palette: np.linalg.norm(np.diff(cielab(depth_colors(8, palette), vision), axis=0), axis=1).min()
        for palette in Palette
    }
    assert max(steps, key=steps.__getitem__) is Palette.BLUE_YELLOW


def test_grey_has_no_hue() -> None:
    assert np.abs(cielab(depth_colors(24, Palette.GREY))[:, 1:]).max() < 0.1


@pytest.mark.parametrize("palette", Palette)
def test_colors_are_srgb_for_any_number_of_layers(palette: Palette) -> None:
    for layers in (0, 1, 2, 500):
        for paper in (WHITE, NIGHT):
            colors = paper.depth_colors(layers, palette)
            assert len(set(colors)) == layers
            assert all(0 <= channel <= 1 for color in colors for channel in color)


def test_accents_are_read_as_words_on_both_themes() -> None:
    for ground in ("#ffffff", "#23272f"):
        paper = [int(ground[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        for color in ACCENTS:
            one, other = sorted(cielab([paper, ink(color)])[:, 0])
            low, high = (((lightness + 16) / 116) ** 3 for lightness in (one, other))
            assert (high + 0.05) / (low + 0.05) > 3


def test_slices_are_told_apart_until_accents_repeat() -> None:
    count = len(ACCENTS)
    assert [accent(i) for i in range(count + 1)] == [*ACCENTS, ACCENTS[0]]
    for paper in (WHITE, NIGHT):
        colors = cielab([*map(paper.accent, ACCENTS), HIGHLIGHT])
        distances = np.linalg.norm(colors[:, None] - colors, axis=2)
        assert distances[~np.eye(count + 1, dtype=bool)].min() > 25
