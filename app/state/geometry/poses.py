"""The pose of a slice plane as one line of text, the same in the window, in documents and on the command line.

origin=0.0,0.0,0.25 normal=0.0,0.0,1.0 u=1.0,0.0,0.0

u is the first axis in the plane.  Where origin, normal and u do not give the second axis to the last bit, u and v are
written instead of normal and u: what is read is always exactly what was written.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from app.state.geometry.planes import same_plane
from engine import PlaneError, SlicePlane

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST: Final = 4000
_KEYS: Final = ("origin", "normal", "u", "v", "half-width")
_ADVICE: Final = "write it as origin=0,0,0 normal=0,0,1 u=1,0,0, or as z=0.25"


class PoseError(ValueError):
    """A text is no pose; one line: what is wrong, and how poses are written."""


@dataclass(frozen=True, eq=False, slots=True)
class Pose:
    """A plane in 3D; half_width: of the square around its origin that is its extent, None for the domain."""

    plane: SlicePlane
    half_width: float | None = None

    def __str__(self) -> str:
        plane = self.plane
        origin, normal, u, v = plane.origin, plane.normal, *plane.axes
        parts = {"origin": origin, "u": u, "v": v}
        if same_plane(SlicePlane.from_normal(origin, normal, u), plane):
            parts = {"origin": origin, "normal": normal, "u": u}
        text = " ".join(f"{name}={numbers_text(vector.tolist())}" for name, vector in parts.items())
        return text if self.half_width is None else f"{text} half-width={self.half_width!r}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pose that a text says, also one such as "z=0.25".  Raises PoseError."""
        if len(text) > _LONGEST:
            raise PoseError(f"a text of {len(text):,} characters is no pose; {_ADVICE}")
        clean = re.sub(r"\s*([,=])\s*", r"\1", text.replace("\N{MINUS SIGN}", "-").strip().strip("\"'"))
        found: dict[str, list[float]] = {}
        try:
            if re.fullmatch(r"[xyzXYZ]=[^\s,]+", clean):
                return cls(SlicePlane.parse(clean))
            for part in clean.split():
                name, _, values = part.partition("=")
                if name not in _KEYS or name in found:
                    raise PoseError(f"{part!r:.60} is no part of a pose; {_ADVICE}")
                found[name] = _numbers(name, values)
            return cls(_plane(found), found["half-width"][0] if "half-width" in found else None)
        except PlaneError as error:
            raise PoseError(f"{error}; {_ADVICE}") from error


def numbers_text(values: list[float]) -> str:
    """Numbers after a keyword or an option: exact, without spaces or negative zeros."""
    return ",".join(repr(value + 0.0) for value in values)


def _plane(found: dict[str, list[float]]) -> SlicePlane:
    names = found.keys() - {"half-width"}
    if names == {"origin", "u", "v"}:
        return SlicePlane(_array(found["origin"]), _array([found["u"], found["v"]]))
    if names in ({"origin", "normal", "u"}, {"origin", "normal"}):
        return SlicePlane.from_normal(found["origin"], found["normal"], found.get("u"))
    raise PoseError(f"a pose needs an origin, and a normal or two axes u and v; {_ADVICE}")


def _array(values: list[float] | list[list[float]]) -> NDArray[np.float64]:
    return np.array(values, np.float64)


def _numbers(name: str, text: str) -> list[float]:
    wanted = 1 if name == "half-width" else 3
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        values = []
    if len(values) != wanted or not all(math.isfinite(value) for value in values):
        raise PoseError(f"{name}={text!s:.60} should be {'three numbers' if wanted == 3 else 'a number'}; {_ADVICE}")
    if wanted == 1 and values[0] <= 0:
        raise PoseError(f"the half width {text:.30} is not positive; {_ADVICE}")
    return values
