"""Tensors around a network that normalise its input or scale its output: what they may do is asked, not guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdf_models.families.network import FoundNetwork
from sdf_models.families.weights import DOMAINS, Metadata
from sdf_models.reading import Alternative, Choices, Question, as_text


def _names(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(^|[._])({'|'.join(patterns)})$", re.IGNORECASE)


_SHIFT = _names("cent(er|re)s?", "centroid", "mean", "mu", "offset", "shift", "loc", "trans(lation)?", "origin")
_SCALE = _names("radius", "scal(e|ing)", "std", "sigma", "extents?", "(half_?)?size", "factor")
_LOWER = _names("lower", "low", "mins?", "b?b(ox|ounds?)?_?min", "(min|lower)_?bounds?", "aabb_?min")
_UPPER = _names("upper", "high", "max", "b?b(ox|ounds?)?_?max", "(max|upper)_?bounds?", "aabb_?max")
_OF_POINTS = (_SHIFT, _SCALE, _LOWER, _UPPER)
_STATED = _names("radius", "scal(e|ing)")
_MOST_SHOWN = 4
ROLES = {
    "input_transform": "of the input's normalisation, by --input-transform",
    "output_transform": "of the output's scale, by --output-transform",
}
"""Of tensors that are left over, by the choice that says what they do."""
_OUTPUT = _names(r"(out|outputs?|sdf|dist(ance)?|y|target)_(?P<what>\w+)")

Vector = NDArray[np.float64]


def surroundings(network: FoundNetwork, left: list[str], choices: Choices) -> Mapping[str, str]:
    """The roles of tensors that are left over, by the transforms that were chosen.  Raises Open.

    left: the names of those beside the layers.
    """
    values = {
        name: network.weights.tensors[name].double().numpy().reshape(-1)
        for name in left
        if network.weights.tensors[name].numel() in (1, network.inputs, 2 * network.inputs)
        and bool(network.weights.tensors[name].isfinite().all())
    }
    outputs = {name: value for name, value in values.items() if _OUTPUT.search(name) and len(value) == 1}
    inputs = {name: value for name, value in values.items() if name not in outputs}
    return {**_of_input(network, inputs, choices), **_of_output(outputs, choices)}


def note_stated(metadata: Metadata, choices: Choices) -> None:
    """Say numbers that a file states beside its tensors and that may normalise the network's input."""
    found = {
        name: value
        for name, value in metadata.items()
        if (_is_number(value) and _STATED.search(name))
        or (isinstance(value, (list, tuple)) and len(value) in (2, 3) and any(p.search(name) for p in _OF_POINTS))
    }
    if found and choices.peek("input_transform") is None:
        shown = ", ".join(f"{name} {value!s:.40}" for name, value in list(found.items())[:_MOST_SHOWN])
        choices.notes.append(f"the file states {shown}: nothing of it is applied, --input-transform does")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _of_input(network: FoundNetwork, values: Mapping[str, Vector], choices: Choices) -> dict[str, str]:
    size = network.inputs
    corners = next((name for name in values if name.rpartition(".")[2].lower() in DOMAINS), None)
    if corners is not None and len(values[corners]) == 2 * size:
        shape = tuple(network.weights.tensors[corners].shape)
        lower, upper = values[corners].reshape(size, 2).T if shape == (size, 2) else values[corners].reshape(2, size)
        return _asked_input([corners], _mapped(lower, upper), choices)
    narrow = {name: value for name, value in values.items() if len(value) in (1, size)}
    found = [next((name for name in narrow if p.search(name)), None) for p in (_LOWER, _UPPER, _SHIFT, _SCALE)]
    low, high, shift, scale = found
    if low is not None and high is not None:
        return _asked_input([low, high], _mapped(*(np.broadcast_to(narrow[x], size) for x in (low, high))), choices)
    if shift is None and scale is None:
        return {}
    names = [name for name in (shift, scale) if name is not None]
    if all(len(narrow[name]) == 1 for name in names) and size > 1:  # of the input or of the output
        return _chosen(names, choices)
    t = np.broadcast_to(narrow[shift] if shift is not None else np.zeros(1), size)
    s = np.broadcast_to(narrow[scale] if scale is not None else np.ones(1), size)
    if (s == 0).any():
        return {}
    a, b = shift or "", scale or ""
    ways = {
        (True, True): [
            (1 / s, -t / s, f"(x - {a}) / {b}"),
            (s, -t * s, f"(x - {a}) * {b}"),
            (s, t, f"x * {b} + {a}"),
            (1 / s, t, f"x / {b} + {a}"),
        ],
        (True, False): [(s, -t, f"x - {a}"), (s, t, f"x + {a}")],
        (False, True): [(1 / s, t, f"x / {b}"), (s, t, f"x * {b}")],
    }[shift is not None, scale is not None]
    return _asked_input(names, ways, choices)


def _chosen(names: list[str], choices: Choices) -> dict[str, str]:
    """The role of numbers that may be of the input or of the output: that of which a transform was chosen, if any."""
    for choice, role in ROLES.items():
        if choices.peek(choice) is not None:
            return dict.fromkeys(names, role)
    return {}


def may_transform(name: str) -> bool:
    """Return whether a tensor's name is one of what scales or shifts the input or the output."""
    return any(pattern.search(name) for pattern in _OF_POINTS)


def _mapped(lower: Vector, upper: Vector) -> list[tuple[Vector, Vector, str]]:
    """The maps of a box to [-1, 1] and to [0, 1]; none of an empty one."""
    if not (lower < upper).all():
        return []
    size = upper - lower
    return [
        (2 / size, -(upper + lower) / size, "the box is mapped to [-1, 1]"),
        (1 / size, -lower / size, "the box is mapped to [0, 1]"),
    ]


def _asked_input(names: list[str], ways: list[tuple[Vector, Vector, str]], choices: Choices) -> dict[str, str]:
    if not ways:
        return {}
    question = Question(
        "input_transform",
        f"{_named(names)} beside the layers may normalise the network's input, which the file does not say",
        (
            *(Alternative(_affine_text(scale, shift), meaning) for scale, shift, meaning in ways),
            Alternative("1", "the input is taken as it is"),
        ),
        other="NUMBERS",
    )
    choices.settle(question)
    return dict.fromkeys(names, ROLES["input_transform"])


def _affine_text(scale: Vector, shift: Vector) -> str:
    """x -> scale x + shift as it is written after --input-transform."""
    if (scale == scale[0]).all():
        return as_text((float(scale[0]), *shift.tolist()))
    rows = np.column_stack([np.diag(scale), shift])
    return as_text(tuple(rows.reshape(-1).tolist()))


def _of_output(values: Mapping[str, Vector], choices: Choices) -> dict[str, str]:
    """A factor and a term of the output, of one number each."""
    kinds = {name: match["what"] for name in values if (match := _OUTPUT.search(name))}
    scale = next((name for name, what in kinds.items() if re.search(r"scale|factor|gain|std|weight", what)), None)
    shift = next((name for name, what in kinds.items() if re.search(r"shift|offset|bias|mean", what)), None)
    names = [name for name in (scale, shift) if name is not None]
    s, t = (1.0 if scale is None else values[scale][0]), (0.0 if shift is None else values[shift][0])
    if not names or s == 0:
        return {}
    ways = [(s, t, "f s + t"), (s, s * t, "(f + t) s"), (1 / s, t, "f / s + t"), (1 / s, -t / s, "(f - t) / s")]
    meanings: dict[str, str] = {}
    for factor, term, meaning in ways:
        meanings.setdefault(as_text((float(factor), float(term))), meaning)
    question = Question(
        "output_transform",
        f"{_named(names)} beside the layers may scale or shift the network's output f, which the file does not say",
        (*(Alternative(text, meaning) for text, meaning in meanings.items()), Alternative("1", "f as it is")),
        other="NUMBERS",
    )
    choices.settle(question)
    return dict.fromkeys(names, ROLES["output_transform"])


def _named(names: list[str]) -> str:
    return " and ".join(f"{name!r:.60}" for name in names)
