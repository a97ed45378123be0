"""Surfaces beside the first of them: distances from points of each to the other, what they enclose, their facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.comparison.shapes import Shape, shape_of
from app.comparison.slices import Tell, Values
from app.comparison.subjects import ComparisonError, Subject
from engine import Cancelled, Surface, extract_surface

Float = NDArray[np.float64]

POINTS = 100_000
GRID = 64
F_SCORE_AT = 0.01  # of the box's longest side
_SEED = 0
_SEEDS_GRID = 32  # where the surface is looked for
_BOUND_WITHIN = 1e-4  # of the box's diagonal
_MOST_BOUNDING = 1_000_000  # distances that are computed for it beyond those of corners
_BLOCK = 4096


@dataclass(frozen=True, eq=False, slots=True)
class ComparedSurfaces:
    """names: of the surfaces, that which the others are compared with first; surfaces: those of networks, None for a
    mesh; own: measures of each; differences: of each from the first one, empty for itself.
    """

    names: tuple[str, ...]
    surfaces: tuple[Surface | None, ...]
    own: tuple[Values, ...]
    differences: tuple[Values, ...]


def compare_surfaces(
    subjects: Sequence[Subject],
    domain: NDArray[np.float64],
    reference: Shape | None = None,
    tell: Tell = lambda _: None,
    cancel: Callable[[], bool] | None = None,
    points: int = POINTS,
) -> ComparedSurfaces:
    """Extract the level surfaces of networks in a box (2, 3), and compare them with the first one or a reference.

    Raises engine.EngineError, ComparisonError where a network has no surface, and engine.Cancelled.
    """
    ask = cancel or (lambda: False)
    surfaces: list[Surface | None] = [] if reference is None else [None]
    shapes = [] if reference is None else [reference]
    for subject in subjects:
        tell(f"surface: {subject.name}")
        surface = extract_surface(subject.network, domain, subject.level, _SEEDS_GRID, None, ask)
        if surface.empty:
            raise ComparisonError(f"{subject.name}: {surface.describe()}; choose another level or box")
        surfaces.append(surface)
        shapes.append(shape_of(surface, subject.name))
    differences = [Values()]
    for shape in shapes[1:]:
        tell(f"surface: {shape.name} with {shapes[0].name}")
        differences.append(surface_differences(shapes[0], shape, domain, ask, points))
    return ComparedSurfaces(
        tuple(shape.name for shape in shapes),
        tuple(surfaces),
        tuple(shape.facts for shape in shapes),
        tuple(differences),
    )


def surface_differences(
    first: Shape, second: Shape, domain: NDArray[np.float64], cancel: Callable[[], bool], points: int = POINTS
) -> Values:
    """Measure two surfaces in a box (2, 3): see the table of measures."""
    sides = domain[1] - domain[0]
    diagonal = float(np.linalg.norm(sides))
    values: Values = {}
    if np.array_equal(first.vertices, second.vertices) and np.array_equal(first.faces, second.faces):
        values = {"chamfer": 0.0, "chamfer_squared": 0.0, "hausdorff": 0.0, "hausdorff_bound": 0.0}
        values |= {"normal_consistency": 1.0, "f_score": 1.0}
    else:
        ways = [_Way.measure(one, other, diagonal, points, cancel) for one, other in ((first, second), (second, first))]
        within = F_SCORE_AT * float(sides.max())
        shares = [float((way.distances <= within).mean()) for way in ways]
        values = {
            "chamfer": 0.5 * sum(float(way.distances.mean()) for way in ways),
            "chamfer_squared": sum(float((way.distances**2).mean()) for way in ways),
            "hausdorff": max(way.largest for way in ways),
            "hausdorff_bound": max(way.bound for way in ways),
            "normal_consistency": float(np.mean([way.consistency for way in ways])),
            "f_score": 2.0 * shares[0] * shares[1] / sum(shares) if any(shares) else 0.0,
        }
    values["volume_iou"] = _volume_iou(first, second, domain, cancel)
    values["chamfer_share"] = values["chamfer"] / diagonal
    values["chamfer_squared_share"] = values["chamfer_squared"] / diagonal**2
    values["hausdorff_share"] = values["hausdorff"] / diagonal
    return values


@dataclass(frozen=True, eq=False, slots=True)
class _Way:
    """From one surface to another: distances (N,) of points of it, drawn by area; the largest one found, corners of
    triangles included, and a bound that none exceeds; the mean of |n . n'|.
    """

    distances: Float
    largest: float
    bound: float
    consistency: float

    @classmethod
    def measure(cls, one: Shape, other: Shape, diagonal: float, count: int, cancel: Callable[[], bool]) -> _Way:
        """Measure by VTK's locator of cells."""
        nearest = _Nearest(other, cancel)
        rng = np.random.default_rng(_SEED)
        areas = one.areas
        chosen = rng.choice(len(areas), count, p=areas / areas.sum())
        # uniform on a triangle: Osada et al., "Shape distributions" (2002), section 4.2
        root, share = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
        a, b, c = (one.vertices[one.faces[chosen, corner]] for corner in range(3))
        distances, cells = nearest(a + root * ((1.0 - share) * (b - a) + share * (c - a)))
        alike = np.abs((one.normals[chosen] * other.normals[cells]).sum(axis=1))
        largest, bound = _largest(one, nearest, float(distances.max()), diagonal)
        return cls(distances, largest, bound, float(np.minimum(alike, 1.0).mean()))


class _Nearest:
    """The nearest points of a surface, by VTK."""

    def __init__(self, shape: Shape, cancel: Callable[[], bool]) -> None:
        from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
        from vtkmodules.vtkCommonCore import reference, vtkPoints
        from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkStaticCellLocator

        places, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
        places.SetData(numpy_to_vtk(np.ascontiguousarray(shape.vertices), deep=True))
        cells.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(shape.faces.ravel()), deep=True))
        data.SetPoints(places)
        data.SetPolys(cells)
        self._locator = vtkStaticCellLocator()
        self._locator.SetDataSet(data)
        self._locator.BuildLocator()
        self._cancel = cancel
        self._triangles = shape.vertices[shape.faces]
        self._found: tuple[Any, Any, Any] = (reference(0), reference(0), reference(0.0))

    def __call__(self, points: Float) -> tuple[Float, NDArray[np.int64]]:
        """Return the distances (N,) of points (N, 3), and the triangles that are nearest."""
        squares, cells = np.empty(len(points)), np.empty(len(points), np.int64)
        cell, part, square = self._found
        find, closest = self._locator.FindClosestPoint, [0.0, 0.0, 0.0]
        for i, point in enumerate(points.tolist()):
            if i % _BLOCK == 0 and self._cancel():
                raise Cancelled
            find(point, closest, cell, part, square)
            squares[i], cells[i] = square.get(), cell.get()
        return np.sqrt(squares), cells

    def bounds(self, triangles: Float) -> Float:
        """Return a bound (N,) of the distances of the points of triangles (N, 3, 3): those of their corners from the
        triangle nearest to the middle.
        """
        from trimesh.triangles import closest_point

        if not len(triangles):
            return np.empty(0)
        others = np.repeat(self._triangles[self(triangles.mean(axis=1))[1]], 3, axis=0)
        corners = triangles.reshape(-1, 3)
        apart = np.linalg.norm(closest_point(others, corners) - corners, axis=1)
        return np.asarray(apart.reshape(-1, 3).max(axis=1))


def _largest(one: Shape, nearest: _Nearest, largest: float, diagonal: float) -> tuple[float, float]:
    """Return the largest distance of a point of a surface from the other that was found, and a bound of all.

    A point of a triangle is at most its longest side over sqrt 3 from a corner, and distances differ by no more than
    places do; the distance from one triangle of the other surface is convex, so that it is largest in a corner.
    Triangles whose bounds are larger than what was found are cut into four.
    """
    at_corner = np.full(len(one.vertices), np.nan)
    used = np.unique(one.faces)
    at_corner[used] = nearest(one.vertices[used])[0]
    largest = max(largest, float(at_corner[used].max()))
    corners, distances = one.vertices[one.faces], at_corner[one.faces]
    left = _MOST_BOUNDING
    while True:
        sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
        bounds = distances.max(axis=1) + sides / np.sqrt(3.0)
        open_ = bounds > largest + _BOUND_WITHIN * diagonal
        left -= 4 * int(open_.sum())
        if left < 0:
            return largest, float(bounds.max())
        bounds[open_] = np.minimum(bounds[open_], nearest.bounds(corners[open_]))
        open_ &= bounds > largest + _BOUND_WITHIN * diagonal
        if not open_.any():
            return largest, largest + _BOUND_WITHIN * diagonal
        corners, distances = corners[open_], distances[open_]
        middles = 0.5 * (corners + np.roll(corners, -1, axis=1))  # of the side from each corner to the next
        at_middle = nearest(middles.reshape(-1, 3))[0].reshape(-1, 3)
        largest = max(largest, float(at_middle.max()))
        parts = [(corners[:, [k]], middles[:, [k]], middles[:, [k - 1]]) for k in range(3)]
        values = [(distances[:, [k]], at_middle[:, [k]], at_middle[:, [k - 1]]) for k in range(3)]
        corners = np.concatenate([*(np.concatenate(part, axis=1) for part in parts), middles])
        distances = np.concatenate([*(np.concatenate(part, axis=1) for part in values), at_middle])


def _volume_iou(first: Shape, second: Shape, domain: NDArray[np.float64], cancel: Callable[[], bool]) -> float | None:
    """Return the intersection over union of the insides, at the middles of GRID^3 cells; None where one is open."""
    if first.inside is None or second.inside is None:
        return None
    axes = [low + (high - low) * (np.arange(GRID) + 0.5) / GRID for low, high in domain.T]
    both = any_ = 0
    for x in axes[0]:
        if cancel():
            raise Cancelled
        points = np.stack([part.ravel() for part in np.meshgrid([x], *axes[1:], indexing="ij")], axis=1)
        one, other = first.inside(points), second.inside(points)
        both += int(np.count_nonzero(one & other))
        any_ += int(np.count_nonzero(one | other))
    return both / any_ if any_ else None
