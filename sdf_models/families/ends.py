"""The activation after the last layer: increasing odd functions are left out, the absolute value is drawn."""

from __future__ import annotations

from sdf_models.families.modules import Absolute, Call
from sdf_models.last_activation import LastActivation
from sdf_models.reading import Choices


def last_activation(last: str, known: bool, why: str, choices: Choices) -> LastActivation:
    """The last activation as chosen or else as `last` (because of `why`), with a note on what is left out."""
    chosen = choices.peek("last_activation")
    if chosen is not None:
        last, known, why = chosen, True, "by --last-activation"
    if last == "none" and not known:
        choices.notes.append(why)
    elif last not in ("none", "abs"):
        choices.notes.append(
            f"the last activation, {last}, is left out ({why}): the values are those before it; it changes neither the "
            f"regions nor the zero level set{', which is its level 0.5' if last == 'sigmoid' else ''}"
        )
    return LastActivation(last, known)


def drawn(last: LastActivation) -> list[Call]:
    """The part of a last activation that is piecewise linear and stays."""
    return [Call("last_abs", Absolute())] if last.name == "abs" else []
