"""An activation after the last layer that is left out: it changes values, but no region and not the zero level set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sdf_models.reading import Alternative, Open, Question


@dataclass(frozen=True, slots=True)
class LastActivation:
    """The increasing function of the network's values that is the file's own output.

    known: whether that is certain; sign: -1 where the values that are shown are the network's with the sign flipped.
    """

    name: str = "none"
    known: bool = True
    sign: float = 1.0

    def level(self, value: float) -> float:
        """The level of the shown values at which the file's own output is `value`.

        0 is always the zero level set of the shown values.  Raises ValueError for a level outside of the function's
        range, and Open when the function is not known.
        """
        if value == 0.0:
            return 0.0
        if not self.known:
            raise Open(
                Question(
                    "last_activation",
                    f"which activation follows the last layer is not known, nor so what the level {value:g} belongs to",
                    tuple(Alternative(name, MEANINGS[name]) for name in ("none", "tanh", "x+tanh", "sigmoid")),
                )
            )
        try:
            return self.sign * _INVERSES[self.name](value)
        except ValueError:
            raise ValueError(f"the level {value:g} is outside of what {MEANINGS[self.name]} can give") from None


NOTHING: Final = LastActivation()

MEANINGS: Final = {
    "none": "nothing follows the last layer",
    "tanh": "tanh",
    "tanh-twice": "tanh, twice",
    "x+tanh": "x + tanh(x)",
    "sigmoid": "sigmoid",
    "abs": "the absolute value, which is drawn",
}


def _inverse_of_x_plus_tanh(value: float) -> float:
    """By bisection: x + tanh(x) is increasing, and x lies between value - 1 and value + 1."""
    low, high = value - 1.0, value + 1.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle + math.tanh(middle) < value else (low, middle)
    return 0.5 * (low + high)


def _logit(value: float) -> float:
    if not 0.0 < value < 1.0:
        raise ValueError
    return math.log(value / (1.0 - value))


_INVERSES: Final[dict[str, Callable[[float], float]]] = {
    "none": float,
    "abs": float,
    "tanh": math.atanh,
    "tanh-twice": lambda value: math.atanh(math.atanh(value)),
    "x+tanh": _inverse_of_x_plus_tanh,
    "sigmoid": _logit,
}
