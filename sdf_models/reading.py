"""The reading of a file where its content leaves more than one way: choices, and the questions that ask for them."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

FAMILIES: Final = ("deepsdf", "sal", "igr", "idr", "occupancy", "bsp-net", "mlp")
SMOOTH: Final = ("softplus", "sine", "tanh", "sigmoid", "elu", "gelu", "silu")
PIECEWISE_LINEAR: Final = ("relu", "leaky_relu", "relu6", "hardtanh", "abs")
LAST_ACTIVATIONS: Final = ("none", "tanh", "tanh-twice", "x+tanh", "sigmoid", "abs")
RESIDUALS: Final = ("none", "layer", "sum", "pre", "post")
_LONGEST_LIST: Final = 900  # characters of the answers to a question on one line
_LARGEST: Final = 1e6  # parameter of an activation, and of its inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The choices made for a file; None leaves a choice to what the file says.

    family           the public code that defines the architecture, one of FAMILIES
    network          the path of the network in a file that holds several
    activation       between layers: one of PIECEWISE_LINEAR or SMOOTH, its parameter after a colon ("leaky_relu:0.2")
    last_activation  after the last layer, one of LAST_ACTIVATIONS
    skip_scale       what a concatenation with the input is multiplied by: 1, or sqrt(1/2)
    skip_order       where the input stands in it: "last" or "first"
    norm_order       where batch norm stands by the activation: "before" or "after" it
    residual         what is added where: one of RESIDUALS
    phase            of the training of BSP-Net, which defines its generator: "0" to "4"
    order            the names of the layers as they follow each other, of runs the ends: "net.0..net.4,out"
    slopes           vectors beside the layers: "prelu" where they are slopes, "snake" or "other" where they are not
    row_bounds       what numbers beside the layers do to the rows of their matrices: "softplus", "plain" or "none"
    norm_eps         what is added to the variance of batch norms
    ignore           tensors, or the modules or ends of names of several, that do not change the network's values
    latent           the constant part of the input: "zeros", "mean", "FILE", "FILE:INDEX", the numbers themselves, or
                     "none" when all is input
    coordinates      which inputs are coordinates, where others are held: "first", "last", or their indices
    output           the index of the one output to draw
    bounds           the domain: a range for all axes, or the lower corner and then the upper one
    input_transform  the network is applied to A x + t: a scale, a scale and t, or the rows of [A | t]
    output_transform the output f becomes s f + t: s, or s and t
    relu_limit       read Softplus as ReLU, an approximation
    flip_sign        negate the output, for networks that are positive inside
    """

    family: str | None = None
    network: str | None = None
    activation: str | None = None
    last_activation: str | None = None
    skip_scale: float | None = None
    skip_order: str | None = None
    norm_order: str | None = None
    residual: str | None = None
    phase: str | None = None
    order: str | None = None
    slopes: str | None = None
    row_bounds: str | None = None
    norm_eps: float | None = None
    ignore: str | None = None
    latent: str | None = None
    coordinates: str | None = None
    output: int | None = None
    bounds: tuple[float, ...] | None = None
    input_transform: tuple[float, ...] | None = None
    output_transform: tuple[float, ...] | None = None
    relu_limit: bool = False
    flip_sign: bool = False

    def answered(self, choice: str, text: str) -> Self:
        """This reading with one more choice made, given as text.  Raises ValueError, naming what is possible."""
        if choice not in PARSERS:
            raise ValueError(f"there is no choice {choice!r:.40}; there are {', '.join(PARSERS)}")
        return replace(self, **{choice: PARSERS[choice](text)})

    def made(self) -> dict[str, Any]:
        """The choices that were made, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None and value is not False}

    def to_json(self) -> dict[str, str]:
        """The choices made as text: what `from_json` reads, to be kept beside a session or a file."""
        return {name: as_text(value) for name, value in self.made().items()}

    @classmethod
    def from_json(cls, description: Any) -> Self:
        """The inverse of `to_json`; a ValueError says what is wrong."""
        if not isinstance(description, dict) or not all(isinstance(name, str) for name in description):
            raise ValueError("choices are a JSON object with the names of options as keys")
        reading = cls()
        for name, value in description.items():
            try:
                reading = reading.answered(name, _written(name, value))
            except ValueError as error:
                raise ValueError(f"{name}: {error}" if name in PARSERS else str(error)) from error
        return reading


def _written(name: str, value: Any) -> str:
    """A choice's value in JSON as it is written after its option; rows of numbers follow each other."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return json.dumps(value)
    rows = [row for row in value if isinstance(row, list)]
    if name == "bounds" and rows and len(value) != 2:
        raise ValueError("write a range for all axes, [-1, 1], or two corners, [[-1, -1, -1], [1, 1, 1]]")
    items = [item for row in value for item in (row if isinstance(row, list) else [row])]
    return ", ".join(item if isinstance(item, str) else json.dumps(item) for item in items)


def as_text(value: Any) -> str:
    """A choice's value as it is written after its option."""
    if isinstance(value, tuple):
        return ",".join(_digits(number) for number in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _digits(value: float) -> str:
    """The shortest text that is read as the same number."""
    return repr(float(value)).removesuffix(".0")


def _shown(value: Any) -> str:
    """A choice's value for people."""
    if isinstance(value, float):
        return "1/sqrt2" if value == math.sqrt(0.5) else f"{value:g}"
    return as_text(value)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One answer to a question: the text to give, and what it means."""

    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a file leaves open.  choice: the field of Reading that answers it; text: what is open and why.

    other: how answers that are not listed are written ("FILE:INDEX"); "" when there are none.
    """

    choice: str
    text: str
    alternatives: tuple[Alternative, ...]
    other: str = ""

    @property
    def option(self) -> str:
        return option(self.choice)

    def __str__(self) -> str:
        answers = [f"{a.value} ({a.meaning})" if a.meaning else a.value for a in self.alternatives]
        answers += [self.other] * bool(self.other)
        listed = ", ".join(answers)
        if len(listed) > _LONGEST_LIST:
            listed = f"{textwrap.shorten(listed, _LONGEST_LIST, placeholder=' ...')} ({len(answers)} in all)"
        return f"{self.text}; say {self.option} with one of: {listed}"


def option(choice: str) -> str:
    """The command line's option for a choice."""
    return f"--{choice.replace('_', '-')}"


class Open(Exception):  # noqa: N818  becomes an OpenQuestionError once the file's name is known
    """A reader cannot go on before a question is answered."""

    def __init__(self, question: Question) -> None:
        super().__init__(str(question))
        self.question = question


class Choices:
    """The choices made for one file, with their origins, as its reader asks for them; collects notes on these."""

    def __init__(self, options: Reading, side_file: Reading = Reading(), side_name: str = "") -> None:
        self._made = {name: (value, f"by {side_name}") for name, value in side_file.made().items()}
        self._made |= {name: (value, f"by {option(name)}") for name, value in options.made().items()}
        self._given = set(options.made())
        self._asked: set[str] = set()
        self.notes: list[str] = []

    def peek(self, choice: str) -> Any | None:
        """The value of a choice, without a note on it."""
        self._asked.add(choice)
        return self._made.get(choice, (None, ""))[0]

    def settle(self, question: Question, known: Any | None = None, why: str = "") -> Any:
        """The value of a choice: as it was made, else as `known` (because of `why`), else the question is raised."""
        self._asked.add(question.choice)
        name = question.choice.replace("_", " ")
        if question.choice in self._made:
            value, origin = self._made[question.choice]
            differs = f"; otherwise {_shown(known)}, {why}" if known is not None and known != value else ""
            self._note(f"{name} {_shown(value)}, {origin}{differs}")
            return value
        if known is None:
            raise Open(question)
        self._note(f"{name} {_shown(known)}: {why}")
        return known

    def _note(self, text: str) -> None:
        if text not in self.notes:  # a choice may be asked for in several places
            self.notes.append(text)

    def unused(self) -> list[str]:
        """The options that were given and never asked for."""
        return [option(name) for name in sorted(self._given - self._asked)]


def activation_parts(text: str) -> tuple[str, float | None]:
    """The name and the parameter of an activation."""
    name, _, parameter = text.partition(":")
    return name, float(parameter) if parameter else None


def _activation(text: str) -> str:
    name, separator, parameter = text.strip().lower().partition(":")
    name = {"sin": "sine", "swish": "silu", "leakyrelu": "leaky_relu"}.get(name, name)
    if name not in (*PIECEWISE_LINEAR, *SMOOTH):
        raise ValueError(f"{text!r:.40} is not an activation; there are {', '.join((*PIECEWISE_LINEAR, *SMOOTH))}")
    if not separator:
        return name
    if name not in ("leaky_relu", "softplus", "elu", "sine"):
        raise ValueError(f"{name} takes no parameter, as in {text!r:.40}; leave it out")
    value = _number(parameter)
    if name in ("softplus", "sine") and value <= 0:
        raise ValueError(f"the parameter of {name} must be positive, not {value:g}")
    if abs(value) > _LARGEST or 0 < abs(value) < 1 / _LARGEST:
        raise ValueError(f"the parameter of {name} must be from {1 / _LARGEST:g} to {_LARGEST:g}, not {value:g}")
    return f"{name}:{_digits(value)}"


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text!r:.40} is not a finite number")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if not 0 < value < 1:
        raise ValueError(f"{text!r:.40} is not a small positive number, as 1e-3")
    return value


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(_number(part) for part in text.split(","))


def _skip_scale(text: str) -> float:
    named = {"1": 1.0, "none": 1.0, "sqrt2": math.sqrt(0.5), "1/sqrt2": math.sqrt(0.5), "1/sqrt(2)": math.sqrt(0.5)}
    value = named.get(text.strip().lower())
    value = _number(text) if value is None else value
    if value == 0:
        raise ValueError("a skip scale of 0 would drop everything; write 1 or 1/sqrt2")
    return value


def _index(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text.strip()):
        raise ValueError(f"{text!r:.40} is not an index, counted from 0")
    return int(text)


def _coordinates(text: str) -> str:
    value = text.strip().lower()
    if value not in ("first", "last") and not re.fullmatch(r"\d{1,6}(\s*,\s*\d{1,6})*", value):
        raise ValueError(f"{text!r:.40} is not possible; write first, last, or indices counted from 0, as 0,1,2")
    return value


def _flag(text: str) -> bool:
    known = {"yes": True, "true": True, "no": False, "false": False}
    if text.strip().lower() not in known:
        raise ValueError(f"{text!r:.40} is neither yes nor no")
    return known[text.strip().lower()]


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.strip().lower() not in values:
            raise ValueError(f"{text!r:.40} is not possible; there are {', '.join(values)}")
        return text.strip().lower()

    return parse


PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "family": _one_of(FAMILIES),
    "network": str.strip,
    "activation": _activation,
    "last_activation": _one_of(LAST_ACTIVATIONS),
    "skip_scale": _skip_scale,
    "skip_order": _one_of(("last", "first")),
    "norm_order": _one_of(("before", "after")),
    "residual": _one_of(RESIDUALS),
    "phase": _one_of(("0", "1", "2", "3", "4")),
    "order": str.strip,
    "slopes": _one_of(("prelu", "snake", "other")),
    "row_bounds": _one_of(("softplus", "plain", "none")),
    "norm_eps": _positive,
    "ignore": str.strip,
    "latent": str.strip,
    "coordinates": _coordinates,
    "output": _index,
    "bounds": _numbers,
    "input_transform": _numbers,
    "output_transform": _numbers,
    "relu_limit": _flag,
    "flip_sign": _flag,
}
"""From the text of each choice to its value; a ValueError says what is possible."""
