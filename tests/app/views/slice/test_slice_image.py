"""A slice as pixels: the level set is the heaviest line of all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from app.state.line_style import NARROWEST, WIDEST, LineStyle
from app.state.palette import RGB, depth_colors
from app.state.slices import SliceResult
from app.views.slice.framing import Framing
from app.views.slice.slice_image import HIGHLIGHT, draw, slice_picture

RED: RGB = (1.0, 0.0, 0.0)
DENSE = 3.0  # device pixels per pixel


def width_of(
    image: NDArray[np.uint8], framing: Framing, at: NDArray[np.float64], way: NDArray[np.float64], color: RGB
) -> float:
    """Pixels of a colour across a line through a point: on a section as long as 60 of them."""
    x, y = framing.to_pixel(*at.tolist())
    steps = np.arange(-30.0, 30.0, 0.05)
    across = np.array([way[1], way[0]]) / np.hypot(*way)  # in pixels, where y points down
    columns, rows = np.array([[x], [y]]) + across[:, None] * steps
    found = image[rows.astype(int), columns.astype(int), :3].astype(float)
    return 0.05 * float((np.abs(found - 255 * np.array(color)).max(axis=1) < 60).sum())


@pytest.mark.parametrize(("style", "times"), [(LineStyle(), 2.0), (LineStyle(lines=WIDEST, level=NARROWEST), 1.4)])
@pytest.mark.parametrize("zoom", [1.0, 6.0, 300.0])
def test_the_level_set_is_the_heaviest_line(
    make_slice: Callable[..., SliceResult], zoom: float, style: LineStyle, times: float
) -> None:
    result = make_slice()
    partition, polylines = result.partition, result.level_set.polylines
    layers = len(partition.network.kinks)
    edges, layer = partition.vertices[partition.edges], partition.edge_layer
    lengths = np.hypot(*(edges[:, 1] - edges[:, 0]).T)
    longest = int(np.argmax(np.where((layer >= 0) & (layer < layers - 1), lengths, 0.0)))
    depth, line = int(layer[longest]), edges[longest]
    neuron = depth, int(partition.edge_neuron[longest])
    segments = np.concatenate([np.stack([part[:-1], part[1:]], axis=1) for part in polylines])
    level = segments[np.argmax(np.hypot(*(segments[:, 1] - segments[:, 0]).T))]

    def drawn(ends: NDArray[np.float64], color: RGB, highlight: tuple[int, int] | None = None) -> float:
        framing = Framing((float(ends[:, 0].mean()), float(ends[:, 1].mean())), 100 * zoom, 201, 201)
        image = draw(slice_picture(partition, polylines, highlight), framing, RED, pixel_ratio=DENSE, style=style)
        return width_of(image, framing.enlarged(DENSE), ends.mean(axis=0), ends[1] - ends[0], color) / DENSE

    most = drawn(line, depth_colors(layers)[depth])
    assert most > 0 or zoom < 300
    assert drawn(level, RED) > times * most - 3 / DENSE  # each is measured to a device pixel or so
    assert drawn(level, RED, neuron) > 1.3 * drawn(line, HIGHLIGHT, neuron) > 1.3
