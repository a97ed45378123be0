"""What holds of every level surface."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine import Surface
from engine.arrays import Float
from engine.network.steps import Kink, evaluate

_POINTS = 10_000


def check(surface: Surface, rounding: float = 1e-12) -> None:
    """Every promise of a Surface; rounding: of values, relative to the field's scale."""
    if surface.empty:
        assert len(surface.vertices) == len(surface.edges) == 0
        return
    _is_on_the_level(surface, rounding)
    _polygons_are_planar_and_turn_around_their_gradients(surface)
    _edges_join_facets(surface)
    _edges_lie_on_their_neurons(surface, rounding)
    _facets_lie_in_their_regions(surface, rounding)
    _report_counts(surface)


def distances(points: Float, polylines: Sequence[Float]) -> Float:
    """(N,) distances of points (N, 2) from polylines."""
    segments = np.concatenate([np.stack([line[:-1], line[1:]], axis=1) for line in polylines])
    nearest = np.full(len(points), np.inf)
    for lo in range(0, len(points), 256):
        p, a = points[lo : lo + 256, None], segments[None, :, 0]
        d = segments[None, :, 1] - a
        t = np.clip(((p - a) * d).sum(axis=2) / np.maximum((d * d).sum(axis=2), 1e-300), 0.0, 1.0)
        nearest[lo : lo + 256] = np.linalg.norm(a + t[..., None] * d - p, axis=2).min(axis=1)
    return nearest


def random_points(surface: Surface, count: int) -> tuple[Float, np.ndarray]:
    """Points (N, 3) inside facets chosen at random, and the facets (N,)."""
    rng = np.random.default_rng(0)
    facets = rng.integers(0, surface.facets, count)
    sizes = np.diff(surface.face_offsets)[facets]
    owner = np.repeat(np.arange(count), sizes)
    corner = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    weights = rng.exponential(size=len(owner))
    weights /= np.bincount(owner, weights)[owner]
    points = np.zeros((count, 3))
    np.add.at(
        points,
        owner,
        weights[:, None] * surface.vertices[surface.face_vertices[surface.face_offsets[facets][owner] + corner]],
    )
    return points, facets


def _scale(surface: Surface) -> float:
    """The field's: the largest value in the box, or what the steepest facet could make of a coordinate."""
    corners = np.random.default_rng(0).uniform(*surface.domain, (500, 3))
    largest = float(np.abs(surface.network.forward(corners)).max())
    steepest = float(np.linalg.norm(surface.gradients, axis=1).max()) * float(np.abs(surface.domain).max())
    return max(largest, steepest)


def _is_on_the_level(surface: Surface, rounding: float) -> None:
    points, _ = random_points(surface, _POINTS)
    for where in (surface.vertices, points):
        values = surface.network.forward(where)[:, 0] - surface.level
        assert np.abs(values).max() <= rounding * _scale(surface)
    assert (surface.vertices >= surface.domain[0]).all()
    assert (surface.vertices <= surface.domain[1]).all()


def _following(surface: Surface) -> np.ndarray:
    following = np.arange(1, len(surface.face_vertices) + 1)
    following[surface.face_offsets[1:] - 1] = surface.face_offsets[:-1]
    return following


def _polygons_are_planar_and_turn_around_their_gradients(surface: Surface) -> None:
    assert (np.diff(surface.face_offsets) >= 3).all()
    vertices = surface.vertices - surface.domain.mean(axis=0)
    a, b = vertices[surface.face_vertices], vertices[surface.face_vertices[_following(surface)]]
    # the vector area of each loop is its area times its normal
    vector = 0.5 * np.add.reduceat(np.cross(a, b), surface.face_offsets[:-1], axis=0)
    np.testing.assert_allclose(vector, surface.areas[:, None] * surface.normals, rtol=0, atol=1e-7)
    assert (surface.areas >= -1e-12).all()


def _edges_join_facets(surface: Surface) -> None:
    ends = np.stack([surface.face_vertices, surface.face_vertices[_following(surface)]], axis=1)
    owner = np.repeat(np.arange(surface.facets), np.diff(surface.face_offsets))
    first = surface.edge_faces[surface.face_edges, 0] == owner
    same = (surface.edges[surface.face_edges] == ends).all(axis=1)
    turned = (surface.edges[surface.face_edges] == ends[:, ::-1]).all(axis=1)
    assert (same | turned).all()
    assert (first | (surface.edge_faces[surface.face_edges, 1] == owner)).all()
    inner = (surface.edge_faces >= 0).all(axis=1)
    np.testing.assert_array_equal(np.bincount(surface.face_edges, minlength=len(surface.edges)), 1 + inner)
    # an edge is known by its ends
    assert (surface.edges[:, 0] != surface.edges[:, 1]).all()
    assert len(np.unique(np.sort(surface.edges, axis=1), axis=0)) == len(surface.edges)
    np.testing.assert_array_equal(np.unique(surface.edges), np.arange(len(surface.vertices)))
    assert (surface.edge_layer[inner] >= 0).all()
    assert surface.report.open_edges == np.count_nonzero(~inner & (surface.edge_layer >= 0))
    assert surface.report.closed == bool(inner.all())
    assert (surface.components[surface.edge_faces[inner, 0]] == surface.components[surface.edge_faces[inner, 1]]).all()
    rows = np.ascontiguousarray(surface.signatures).view(np.dtype((np.void, 8 * surface.signatures.shape[1])))
    assert len(np.unique(rows)) == surface.facets


def _edges_lie_on_their_neurons(surface: Surface, rounding: float) -> None:
    values = {0: surface.vertices}
    depth = 0
    for step in surface.network.steps:
        if isinstance(step, Kink):
            mine = np.flatnonzero(surface.edge_layer == depth)
            z = values[step.source]
            scale = np.abs(z).max() + np.abs(np.where(np.isfinite(step.breakpoints), step.breakpoints, 0.0)).max()
            neuron = surface.edge_neuron[mine]
            at_ends = z[surface.edges[mine]][np.arange(len(mine)), :, neuron]
            gap = np.abs(at_ends[..., None] - step.breakpoints[neuron][:, None]).min(axis=2)
            assert (gap <= max(1e3 * rounding, 1e-9) * max(scale, 1.0)).all()
            depth += 1
        values[step.target] = evaluate(step, values, len(surface.vertices))
    side = surface.edge_neuron[surface.edge_layer == -1]
    ends = surface.vertices[surface.edges[surface.edge_layer == -1]]
    bound = surface.domain[side % 2, side // 2]
    np.testing.assert_allclose(ends[np.arange(len(side)), :, side // 2], np.stack([bound, bound], axis=1), rtol=1e-12)


def _facets_lie_in_their_regions(surface: Surface, rounding: float) -> None:
    """The signs of pre-activations inside facets are those of their signatures, where they can be told."""
    points, facets = random_points(surface, 500)
    patterns = surface.activation_pattern(facets.astype(np.int32))
    values, row = {0: points}, 0
    for step in surface.network.steps:
        if isinstance(step, Kink):
            z = values[step.source][:, step.row_neuron] - step.row_breakpoint
            mine = patterns[:, row : row + len(step.row_neuron)]
            tell = np.abs(z) > max(1e3 * rounding, 1e-9) * max(1.0, np.abs(z).max())
            assert (np.sign(z)[tell] == mine[tell]).all()
            row += len(step.row_neuron)
        values[step.target] = evaluate(step, values, len(points))


def _report_counts(surface: Surface) -> None:
    report = surface.report
    assert (report.facets, report.vertices) == (surface.facets, len(surface.vertices))
    assert report.components == surface.components.max() + 1 == len(report.euler)
    assert report.border_edges == np.count_nonzero(surface.edge_layer == -1)
    volume = surface.volume()
    assert (volume is not None) == report.closed
