"""Slice planes and the polygons in which they meet boxes."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.errors import PlaneError
from engine.plane import SlicePlane, convex_polygon, plane_box_polygon, square_polygon

CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])

finite = st.floats(-1e3, 1e3, allow_subnormal=False)
seeds = st.integers(0, 2**32 - 1)


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


def assert_right_handed(plane: SlicePlane) -> None:
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), rtol=0, atol=1e-15)
    if plane.dimension == 3:
        np.testing.assert_allclose(np.cross(*plane.axes), plane.normal, rtol=0, atol=1e-15)


def assert_strictly_convex(polygon: np.ndarray) -> None:
    assert polygon.dtype == np.float64
    assert not polygon.flags.writeable
    assert polygon.shape[0] >= 3
    before, after = polygon - np.roll(polygon, 1, axis=0), np.roll(polygon, -1, axis=0) - polygon
    assert (np.hypot(*before.T) > 0).all()
    assert (before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0] > 0).all()


@pytest.mark.parametrize(("name", "first", "second"), [("x", "y", "z"), ("y", "z", "x"), ("z", "x", "y")])
@pytest.mark.parametrize("offset", [0.0, 0.1, -1e-17])
def test_axis_planes_pass_coordinates_through(name: str, first: str, second: str, offset: float) -> None:
    plane = SlicePlane.from_axis(name, offset)
    unit = dict(zip("xyz", np.eye(3), strict=True))
    np.testing.assert_array_equal(plane.axes, [unit[first], unit[second]])
    np.testing.assert_array_equal(plane.normal, unit[name])
    uv = np.random.default_rng(0).normal(size=(100, 2))
    points = plane.to_input(uv)
    np.testing.assert_array_equal(points[:, ["xyz".index(first), "xyz".index(second)]], uv)
    np.testing.assert_array_equal(points[:, "xyz".index(name)], offset)
    assert plane.describe() == f"{name} = {offset:g}"
    np.testing.assert_array_equal(SlicePlane.parse(f" {name.upper()} = {offset!r}").origin, plane.origin)


@pytest.mark.parametrize("offset", [-0.1, -0.0, 0.0, 0.1])
@pytest.mark.parametrize("axis", "xyz")
def test_axis_planes_have_no_negative_zeros(axis: str, offset: float) -> None:
    plane = SlicePlane.from_axis(axis, offset)
    assert "-0.0," not in json.dumps(plane.to_json())
    assert "-0.0]" not in json.dumps(plane.to_json())
    np.testing.assert_array_equal(plane.origin, offset * np.eye(3)["xyz".index(axis)])


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e150, 1e200, 1.7e308])
def test_what_float64_cannot_measure_is_refused_for_its_size(size: float) -> None:
    reason = r"size beyond what float64 can measure.* from 1e-140 to 1e\+140"
    with pytest.raises(PlaneError, match=f"^the domain from .*{reason}"):
        plane_box_polygon(SlicePlane.from_axis("z", 0.0), size * CUBE)
    with pytest.raises(PlaneError, match=f"^a square of half width .*{reason}"):
        square_polygon(size)
    with pytest.raises(PlaneError, match=f"^the polygon .*{reason}"):
        convex_polygon([[0, 0], [size, 0], [0, size]])


@pytest.mark.parametrize("size", [2e-140, 1e-100, 1e100, 9e139])
def test_what_float64_can_measure_has_the_shape_of_any_other(size: float) -> None:
    for polygon, expected in [
        (plane_box_polygon(SlicePlane.from_axis("z", 0.0), size * CUBE), 2),
        (convex_polygon(square_polygon(size)), 2),
        (convex_polygon([[0, 0], [2 * size / 3, 0], [0, size]]), 1),
    ]:
        assert_strictly_convex(polygon)
        np.testing.assert_allclose(np.ptp(polygon, axis=0).max(), expected * size, rtol=1e-15)


@pytest.mark.parametrize("text", ["", "z", "w=1", "z=", "z=a", "=1", "z=nan", "z=inf", "xy=1", "z=1=2"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(PlaneError):
        SlicePlane.parse(text)


@given(arrays(np.float64, 3, elements=finite), arrays(np.float64, 3, elements=finite))
def test_plane_from_a_normal(origin: np.ndarray, normal: np.ndarray) -> None:
    assume(normal.any())
    plane = SlicePlane.from_normal(origin, normal)
    assert_right_handed(plane)
    largest = np.abs(normal).max()
    np.testing.assert_allclose(plane.normal, normal / largest / np.linalg.norm(normal / largest), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(plane.origin, origin)


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize("length", [1.0, 1e-300, 1e300, 7.0])
def test_a_normal_along_an_axis_gives_the_axis_plane(axis: str, length: float) -> None:
    expected = SlicePlane.from_axis(axis, 0.25)
    plane = SlicePlane.from_normal(expected.origin, length * expected.normal)
    np.testing.assert_array_equal(plane.axes, expected.axes)
    assert plane.describe() == expected.describe()


@given(arrays(np.float64, (2, 3), elements=finite))
def test_the_first_axis_is_projected(vectors: np.ndarray) -> None:
    assume((np.abs(vectors).max(axis=1) > 1e-3).all())
    normal, first = vectors
    cross = np.cross(normal, first)
    assume(np.linalg.norm(cross) > 1e-3 * np.linalg.norm(normal) * np.linalg.norm(first))
    plane = SlicePlane.from_normal(np.zeros(3), normal, first)
    assert_right_handed(plane)
    expected = np.cross(cross, normal)
    np.testing.assert_allclose(plane.axes[0], expected / np.linalg.norm(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("normal", "first", "reason"),
    [
        ((0, 0, 0), None, "the normal is zero"),
        ((np.nan, 0, 1), None, "normal must be finite"),
        ((0, np.inf, 1), None, "normal must be finite"),
        ((0, 1), None, "three dimensions, not 2"),
        ((0, 0, 2), (0, 0, -1), "parallel to the normal"),
        ((0, 0, 2), (0, 0, 0), "the first axis is zero"),
        ((0, 0, 2), (0, 1), "three dimensions, not 2"),
    ],
)
def test_bad_normals(normal: tuple[float, ...], first: tuple[float, ...] | None, reason: str) -> None:
    with pytest.raises(PlaneError, match=reason):
        SlicePlane.from_normal((0.0, 0.0, 0.0), normal, first)


@given(st.integers(2, 12), seeds)
def test_plane_through_three_points(dimension: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(3, dimension))
    plane = SlicePlane.from_points(*points)
    coordinates = plane.to_plane(points)
    np.testing.assert_allclose(plane.to_input(coordinates), points, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(coordinates[0], 0)
    assert coordinates[1, 0] > 0
    assert coordinates[2, 1] > 0
    np.testing.assert_allclose(coordinates[1, 1], 0, atol=1e-14)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "points", [([0, 0], [0, 0], [1, 0]), ([0, 1, 0], [1, 1, 0], [3, 1, 0]), ([1, 2], [2, 3], [1, 2])]
)
def test_three_points_on_a_line(points: tuple[list[float], ...]) -> None:
    with pytest.raises(PlaneError, match="on one line"):
        SlicePlane.from_points(*points)


def test_points_of_different_dimensions() -> None:
    with pytest.raises(PlaneError, match="2, 3, 3 coordinates"):
        SlicePlane.from_points([0, 0], [0, 0, 1], [0, 1, 0])


def test_random_planes_are_uniform_and_fixed_by_their_seed() -> None:
    centre = np.arange(5.0)
    planes = [SlicePlane.random(centre, seed) for seed in range(2000)]
    for plane in planes[:100]:
        assert_right_handed(plane)
        np.testing.assert_array_equal(plane.origin, centre)
    np.testing.assert_array_equal(SlicePlane.random(centre, 7).axes, planes[7].axes)
    # The projection on a uniformly random plane is 2/D times the identity on average.
    mean = np.mean([plane.axes.T @ plane.axes for plane in planes], axis=0)
    np.testing.assert_allclose(mean, 0.4 * np.eye(5), atol=0.04)


def test_planes_are_frozen_copies_that_survive_json() -> None:
    origin = np.zeros(3)
    plane = SlicePlane.random(origin, 3)
    origin[0] = 1
    assert plane.origin[0] == 0
    assert not plane.origin.flags.writeable
    assert not plane.axes.flags.writeable
    again = SlicePlane(**json.loads(json.dumps(plane.to_json())))
    np.testing.assert_array_equal(again.origin, plane.origin)
    np.testing.assert_array_equal(again.axes, plane.axes)
    assert plane.describe().startswith("through (0, 0, 0), normal (")
    assert SlicePlane.identity().describe() == "the input plane"
    assert SlicePlane.random(np.zeros(8), 0).describe().startswith("plane in 8 dimensions")


def test_bad_planes() -> None:
    with pytest.raises(PlaneError, match="orthonormal"):
        SlicePlane(np.zeros(2), np.ones((2, 2)))
    with pytest.raises(PlaneError, match=r"axes \(2, D\)"):
        SlicePlane(np.zeros(3), np.eye(3))
    with pytest.raises(PlaneError, match="finite"):
        SlicePlane(np.array([np.nan, 0]), np.eye(2))
    with pytest.raises(PlaneError, match="no normal"):
        _ = SlicePlane.identity().normal


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize("offset", [0.0, 0.3, -1.0, 1.0])
def test_axis_planes_give_exact_rectangles(axis: str, offset: float) -> None:
    box = np.array([[-1.0, -1.1, -1.3], [1.0, 1.7, 1.9]])
    plane = SlicePlane.from_axis(axis, offset)
    k = "xyz".index(axis)
    (u0, v0), (u1, v1) = box[:, [(k + 1) % 3, (k + 2) % 3]]
    polygon = plane_box_polygon(plane, box)
    assert_strictly_convex(polygon)
    assert {tuple(corner) for corner in polygon.tolist()} == {(u0, v0), (u1, v0), (u1, v1), (u0, v1)}
    assert len(polygon) == 4


def test_the_whole_input_plane_is_the_box_itself() -> None:
    polygon = plane_box_polygon(SlicePlane.identity(), [[-0.1, 0.2], [0.3, 0.7]])
    assert sorted(map(tuple, polygon.tolist())) == [(-0.1, 0.2), (-0.1, 0.7), (0.3, 0.2), (0.3, 0.7)]


def clipped_hull(plane: SlicePlane, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Independently: the crossings of the box's twelve edges with the plane, in order of their angle."""
    corners = np.array([[(upper if bit else lower)[k] for k, bit in enumerate(bits)] for bits in np.ndindex(2, 2, 2)])
    crossings = []
    for a, b in combinations(corners, 2):
        if (a != b).sum() == 1:
            sa, sb = (a - plane.origin) @ plane.normal, (b - plane.origin) @ plane.normal
            if sa * sb < 0:
                crossings.append(a + sa / (sa - sb) * (b - a))
    if len(crossings) < 3:
        return np.zeros((0, 2))
    points = plane.to_plane(crossings)
    centred = points - points.mean(axis=0)
    return points[np.argsort(np.arctan2(centred[:, 1], centred[:, 0]))]


@settings(max_examples=300)
@given(seeds, st.floats(0.01, 100), st.floats(0, 1.5))
def test_oblique_planes_in_a_box(seed: int, size: float, distance: float) -> None:
    rng = np.random.default_rng(seed)
    lower = rng.uniform(-2, 0, 3) * size
    upper = lower + rng.uniform(0.1, 2, 3) * size
    centre = (lower + upper) / 2
    plane = SlicePlane.random(centre + distance * rng.uniform(-0.5, 0.5, 3) * (upper - lower), seed)
    expected = clipped_hull(plane, lower, upper)
    try:
        polygon = plane_box_polygon(plane, [lower, upper])
    except PlaneError:
        assert len(expected) == 0 or area(expected) < 1e-9 * size**2
        return
    assert_strictly_convex(polygon)
    assert len(polygon) <= 6
    points = plane.to_input(polygon)
    rounding = 1e-13 * size * 8
    assert (points >= lower - rounding).all()
    assert (points <= upper + rounding).all()
    # A corner lies on an edge of the box: on two of its faces.
    on_face = (np.abs(points - lower) <= rounding) | (np.abs(points - upper) <= rounding)
    assert (on_face.sum(axis=1) >= 2).all()
    assert area(polygon) == pytest.approx(area(expected), rel=1e-9, abs=1e-11 * size**2)


DEGENERATE = [
    # origin, normal, number of corners, area
    ((0, 0, 0), (1, 1, 1), 6, 3 * np.sqrt(3)),
    ((0, 0, 0), (1, 1, 0), 4, 4 * np.sqrt(2)),  # through four edges' ends: two edges of the box lie in the plane
    ((1, 1, -1), (1, 1, 1), 3, 2 * np.sqrt(3)),  # through three corners
    ((0, 0, 0), (1, 2, 1), 4, 2 * np.sqrt(6)),  # through two opposite corners
    ((0, 0, 1), (0, 0, 1), 4, 4.0),  # a face
    ((1, 0, 0), (-3, 0, 0), 4, 4.0),
    ((0.2, 0.3, 1 - 1e-14), (0, 1e-15, 1), 4, 4.0),  # a face, but for rounding
]


@pytest.mark.parametrize(("origin", "normal", "corners", "size"), DEGENERATE)
def test_planes_through_corners_edges_and_faces(
    origin: tuple[float, ...], normal: tuple[float, ...], corners: int, size: float
) -> None:
    polygon = plane_box_polygon(SlicePlane.from_normal(origin, normal), CUBE)
    assert_strictly_convex(polygon)
    assert len(polygon) == corners
    assert area(polygon) == pytest.approx(size, rel=1e-12)


@settings(max_examples=200)
@given(
    st.tuples(*[st.integers(-2, 2)] * 3).filter(any),
    st.tuples(*[st.integers(-2, 2)] * 3),
    st.permutations(range(3)),
)
def test_integer_planes_in_the_cube(normal: tuple[int, ...], through: tuple[int, ...], order: list[int]) -> None:
    plane = SlicePlane.from_normal(through, normal)
    heights = [
        np.dot(corner, normal) - np.dot(through, normal) for corner in 2 * np.array(list(np.ndindex(2, 2, 2))) - 1
    ]
    on_plane = heights.count(0)
    cut = min(heights) < 0 < max(heights)
    if not cut and on_plane < 3:
        with pytest.raises(PlaneError, match="does not cut the box"):
            plane_box_polygon(plane, CUBE)
        return
    polygon = plane_box_polygon(plane, CUBE)
    assert_strictly_convex(polygon)
    # Every corner is an end or an inner point of an edge of the cube, each of them once.
    between = sum(heights[a] * heights[b] < 0 for a, b in combinations(range(8), 2) if (a ^ b).bit_count() == 1)
    assert len(polygon) == on_plane + between
    # The same plane seen along other axes has the same shape.
    turned = SlicePlane.from_normal(np.array(through)[order], np.array(normal)[order])
    assert area(plane_box_polygon(turned, CUBE)) == pytest.approx(area(polygon), rel=1e-12)


@pytest.mark.parametrize(
    ("plane", "reason"),
    [
        (SlicePlane.from_axis("z", 2.0), r"\(z = 2\).*from \(-1, -1, -1\) to \(1, 1, 1\): it misses it by 1;"),
        (SlicePlane.from_normal((2, 2, 2), (1, 1, 1)), "misses it by 1.73"),
        (SlicePlane.from_normal((1, 1, 1), (1, 1, 1)), "only touches its border"),
        (SlicePlane.from_normal((1, 1, 0), (1, 1, 0)), "only touches its border"),
    ],
)
def test_a_plane_beside_the_box(plane: SlicePlane, reason: str) -> None:
    with pytest.raises(PlaneError, match=reason):
        plane_box_polygon(plane, CUBE)


def test_boxes_of_very_different_sides() -> None:
    for sides in (np.array([1e-3, 1.0, 1e6]), np.array([1e-5, 1.0, 1e3])):
        for axis in range(3):
            polygon = plane_box_polygon(SlicePlane.from_axis("xyz"[axis]), [-sides / 2, sides / 2])
            assert area(polygon) == pytest.approx(sides.prod() / sides[axis], rel=1e-12)
    sides = np.array([1e-6, 1.0, 1e6])
    for plane in (SlicePlane.from_axis("z"), SlicePlane.from_axis("y"), SlicePlane.from_normal((0, 0, 0), (0, 1, 1))):
        with pytest.raises(PlaneError, match=r"its side of 1e-06 is lost in rounding beside the others; use"):
            plane_box_polygon(plane, [-sides / 2, sides / 2])
    assert area(plane_box_polygon(SlicePlane.from_axis("x"), [-sides / 2, sides / 2])) == pytest.approx(1e6)


@given(st.integers(2, 8), seeds)
def test_boxes_of_any_dimension(dimension: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lower, upper = -rng.uniform(0.5, 2, dimension), rng.uniform(0.5, 2, dimension)
    plane = SlicePlane.random(rng.uniform(-0.4, 0.4, dimension), seed)
    polygon = plane_box_polygon(plane, [lower, upper])
    assert_strictly_convex(polygon)
    points = plane.to_input(polygon)
    assert (points >= lower - 1e-12).all()
    assert (points <= upper + 1e-12).all()
    # Inside the polygon is inside the box, and outside is outside.
    uv = rng.uniform(-4, 4, (2000, 2))
    sides = np.roll(polygon, -1, axis=0) - polygon
    offset = uv[:, None] - polygon
    in_polygon = (sides[:, 0] * offset[:, :, 1] - sides[:, 1] * offset[:, :, 0] > 0).all(axis=1)
    where = plane.to_input(uv)
    np.testing.assert_array_equal(in_polygon, ((where > lower) & (where < upper)).all(axis=1))


@pytest.mark.parametrize(
    "domain", [[[0, 0], [1, 1]], [[0, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, np.nan, 1]], [[1, 1, 1], [0, 0, 0]], [1, 2, 3]]
)
def test_bad_boxes(domain: list[object]) -> None:
    with pytest.raises(PlaneError, match="domain"):
        plane_box_polygon(SlicePlane.from_axis("z"), domain)


def test_squares() -> None:
    polygon = square_polygon(0.3)
    assert_strictly_convex(polygon)
    np.testing.assert_array_equal(polygon, [[-0.3, -0.3], [0.3, -0.3], [0.3, 0.3], [-0.3, 0.3]])
    for half_width in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(PlaneError, match="must be positive"):
            square_polygon(half_width)


@given(st.lists(st.floats(0, 2 * np.pi), min_size=3, max_size=12, unique=True), st.booleans(), st.integers(0, 3))
def test_convex_polygons_are_normalised(angles: list[float], clockwise: bool, repeats: int) -> None:
    angles = sorted(angles)
    gaps = np.diff([*angles, angles[0] + 2 * np.pi])
    assume(gaps.min() > 1e-2)
    corners = 3 * np.column_stack([np.cos(angles), np.sin(angles)]) + [10, -20]
    given_corners = np.concatenate([corners, (corners + np.roll(corners, -1, axis=0)) / 2], axis=1).reshape(-1, 2)
    given_corners = np.repeat(given_corners, repeats + 1, axis=0)
    polygon = convex_polygon(given_corners[::-1] if clockwise else given_corners)
    assert_strictly_convex(polygon)
    assert {tuple(c) for c in polygon.tolist()} == {tuple(c) for c in corners.tolist()}


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([[0, 0], [1, 0]], "three corners"),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "two finite coordinates"),
        ([[0, 0], [1, 0], [np.nan, 1]], "two finite coordinates"),
        ([[0, 0], [1, 0], [2, 0]], "no area"),
        ([[0, 0], [0, 0], [0, 0]], "no area"),
        ([[0, 0], [2, 0], [0.5, 0.5], [0, 2]], "not convex"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "no area|not convex"),
        ([[np.cos(4 * np.pi * k / 5), np.sin(4 * np.pi * k / 5)] for k in range(5)], "not convex"),
        ([[0, 0], [3, 0], [1, 0], [1, 1]], "not convex"),
    ],
)
def test_other_polygons_are_refused(points: list[list[float]], reason: str) -> None:
    with pytest.raises(PlaneError, match=reason):
        convex_polygon(points)
