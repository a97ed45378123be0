"""Procedural shapes, written as expressions: torus(0.6, 0.25), difference(rounded_box(0.6, 0.6, 0.6), sphere(0.75)).

A shape is a field on space, negative inside.  Distances follow Quilez, "Distance functions" (iquilezles.org).
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

LONGEST_EXPRESSION = 1_000


class ShapeError(ValueError):
    """An expression does not describe a shape; the message says where and what would."""


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """field: (N, 3) float64 points -> (N,) float64, negative inside; exact: it is the signed distance, everywhere.

    expression: the call that makes the shape, every argument written out.
    """

    field: Callable[[Float], Float]
    exact: bool
    expression: str = ""


def sphere(radius: float = 0.8) -> Shape:
    return Shape(lambda p: np.linalg.norm(p, axis=1) - radius, exact=True)


def torus(major: float = 0.6, minor: float = 0.25) -> Shape:
    """Around the z axis."""

    def field(p: Float) -> Float:
        distance: Float = np.hypot(np.hypot(p[:, 0], p[:, 1]) - major, p[:, 2]) - minor
        return distance

    return Shape(field, exact=minor <= major)


def rounded_box(x: float = 0.6, y: float = 0.5, z: float = 0.4, radius: float = 0.1) -> Shape:
    """x, y, z: half sizes, rounding included."""
    core = np.array([x, y, z]) - radius
    if core.min() < 0:
        raise ShapeError("rounded_box: the radius must not exceed a half size")

    def field(p: Float) -> Float:
        q = np.abs(p) - core
        distance: Float = np.linalg.norm(np.maximum(q, 0.0), axis=1) + np.minimum(q.max(axis=1), 0.0) - radius
        return distance

    return Shape(field, exact=True)


def gyroid(radius: float = 0.85, period: float = 1.0) -> Shape:
    """One of the two labyrinths of the gyroid (Schoen 1970), inside a ball."""
    if period <= 0:
        raise ShapeError("gyroid: the period must be positive")
    wave_number = 2.0 * np.pi / period

    def labyrinth(p: Float) -> Float:
        sine, cosine = np.sin(wave_number * p), np.cos(wave_number * p)
        # The gradient's norm is at most sqrt(3) times the wave number.
        value: Float = (sine * np.roll(cosine, -1, axis=1)).sum(axis=1) / (np.sqrt(3.0) * wave_number)
        return value

    return intersection(Shape(labyrinth, exact=False), sphere(radius))


def union(*shapes: Shape) -> Shape:
    return Shape(lambda p: np.min([shape.field(p) for shape in shapes], axis=0), exact=False)


def intersection(*shapes: Shape) -> Shape:
    return Shape(lambda p: np.max([shape.field(p) for shape in shapes], axis=0), exact=False)


def difference(shape: Shape, *others: Shape) -> Shape:
    return Shape(lambda p: np.max([shape.field(p), *(-other.field(p) for other in others)], axis=0), exact=False)


def move(shape: Shape, x: float, y: float, z: float) -> Shape:
    offset = np.array([x, y, z])
    return Shape(lambda p: shape.field(p - offset), shape.exact)


SHAPES: dict[str, Callable[..., Shape]] = {
    function.__name__: function
    for function in (sphere, torus, rounded_box, gyroid, union, intersection, difference, move)
}


def parse_shape(expression: str) -> Shape:
    """The shape of an expression: a name of SHAPES, or a call of one with numbers and shapes.  Raises ShapeError."""
    if len(expression) > LONGEST_EXPRESSION:
        raise ShapeError(f"the expression is longer than {LONGEST_EXPRESSION} characters; write a shorter one")
    source = expression.strip()
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ShapeError(f"{expression!r:.80} is not a shape; write one such as torus(0.6, 0.25)") from error
    shape = _evaluate(tree, source)
    if not isinstance(shape, Shape):
        raise ShapeError(f"{expression!r:.80} is not a shape; write one such as torus(0.6, 0.25)")
    return shape


def _evaluate(node: ast.expr, source: str) -> Shape | float:
    match node:
        case ast.Constant(value=int() | float() as value) if type(value) is not bool and np.isfinite(value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as operand):
            positive = _evaluate(operand, source)
            assert isinstance(positive, float)
            return -positive
        case ast.Name(id=name):
            return _make(name, [], {})
        case ast.Call(func=ast.Name(id=name), args=positional, keywords=keywords):
            named = {keyword.arg or "**": _evaluate(keyword.value, source) for keyword in keywords}
            return _make(name, [_evaluate(argument, source) for argument in positional], named)
        case _:
            part = ast.get_source_segment(source, node)
            raise ShapeError(f"{part!r:.60} is neither a number nor a shape; shapes are {', '.join(SHAPES)}")


def _make(name: str, positional: list[Shape | float], named: dict[str, Shape | float]) -> Shape:
    function = SHAPES.get(name)
    if function is None:
        raise ShapeError(f"no shape is called {name!r:.40}; shapes are {', '.join(SHAPES)}")
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*positional, **named)
    except TypeError as error:
        raise ShapeError(f"{name}: {error}; its arguments are {_usage(signature)}") from error
    for parameter, value in bound.arguments.items():
        kind = signature.parameters[parameter].annotation
        values = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(item, Shape if kind == "Shape" else float) for item in values):
            raise ShapeError(f"{name}: {parameter} must be a {'shape' if kind == 'Shape' else 'number'}")
    if signature.parameters.keys() == {"shapes"} and not positional:
        raise ShapeError(f"{name}: it needs at least one shape")
    bound.apply_defaults()
    shape = function(*bound.args, **bound.kwargs)
    written = [value.expression if isinstance(value, Shape) else f"{value:g}" for value in bound.args]
    return replace(shape, expression=f"{name}({', '.join(written)})")


def _usage(signature: inspect.Signature) -> str:
    return ", ".join(
        name if parameter.default is parameter.empty else f"{name}={parameter.default:g}"
        for name, parameter in signature.parameters.items()
    )
