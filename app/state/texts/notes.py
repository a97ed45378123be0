"""What there is to know about an open network, in a few short lines."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from app.state.texts.numbers import number_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.state.session import OpenNetwork

Note = tuple[str, str]


def network_notes(opened: OpenNetwork) -> tuple[Note, ...]:
    """(label, text): architecture, domain, verdict, and what had to be assumed."""
    error = opened.network.max_forward_error
    assumed = [text for label, text in opened.facts if label == "note"] + list(opened.network.notes)
    return (
        ("layers", architecture(opened)),
        ("domain", domain_text(opened.domain)),
        *((("level", f"f = {opened.level:g}".replace("-", "\N{MINUS SIGN}")),) if opened.level else ()),
        ("verdict", f"piecewise linear ({exactness(error.double)})"),
        *((("approximation", opened.approximation),) if opened.approximation else ()),
        *(("assumed", text) for text in assumed),
    )


def exactness(error: float) -> str:
    """How far a traced network is from the original one."""
    return f"to {error:.0e}" if error else "exactly"


def full_notes(opened: OpenNetwork) -> tuple[Note, ...]:
    """(label, text): all of them, file and assumptions, the verdict on every layer, the checks against the module."""
    where = str(opened.path) if opened.path is not None else "a module of the calling program"
    known = {text for _, text in opened.facts}
    return (("file", where), *opened.facts, *(("note", text) for text in opened.network.notes if text not in known))


def notes_text(opened: OpenNetwork) -> str:
    """All notes as lines of text."""
    return "\n".join(f"{name}: {text}" for name, text in full_notes(opened))


def architecture(opened: OpenNetwork) -> str:
    """Neurons of the layers, such as "8 x 64" or "2 x 32, 16"."""
    widths = [len(kink.breakpoints) for kink in opened.network.kinks]
    runs = [(width, len(list(run))) for width, run in groupby(widths)]
    text = ", ".join(f"{count} \N{MULTIPLICATION SIGN} {width}" if count > 1 else f"{width}" for width, count in runs)
    return f"{text} neuron{'' if widths == [1] else 's'}" if widths else "affine"


def domain_text(domain: NDArray[np.float64]) -> str:
    """A box (2, 3), such as "[-1, 1]^3"."""
    ranges = [
        f"[{number_text(low, 1e-3 * (high - low))}, {number_text(high, 1e-3 * (high - low))}]"
        for low, high in domain.T.tolist()
    ]
    same = len(set(ranges)) == 1
    text = f"{ranges[0]}\N{SUPERSCRIPT THREE}" if same else " \N{MULTIPLICATION SIGN} ".join(ranges)
    return text.replace("-", "\N{MINUS SIGN}")
