"""The networks that are compared, and whether they can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine import Network

if TYPE_CHECKING:
    from torch import nn

    from sdf_models import Checkpoint


class ComparisonError(ValueError):
    """Networks that cannot be compared as they are; one line: which, why, what can be done."""


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """A network to be compared: its name, its box (2, D), the level of its values, and how it differs from the
    checkpoint's own, in words, "" when it does not.
    """

    name: str
    network: Network
    domain: NDArray[np.float64]
    level: float = 0.0
    approximation: str = ""


def subject_of(module_or_checkpoint: nn.Module | Checkpoint, name: str, level: float = 0.0) -> Subject:
    """Trace a module, looked at in [-1, 1]^3, or a checkpoint in its own domain.

    level: of the file's own output.  Raises ValueError.
    """
    from app.modules import module_and_domain
    from sdf_models import Checkpoint

    module, domain = module_and_domain(module_or_checkpoint, None)
    network = Network.trace(module, input_shape=(domain.shape[1],))
    if not isinstance(module_or_checkpoint, Checkpoint):
        return Subject(name, network, domain, level)
    approximation = module_or_checkpoint.approximation
    own_level = module_or_checkpoint.level(level)
    return Subject(name, network, domain, own_level, "" if approximation is None else str(approximation))


def shared_domain(subjects: Sequence[Subject], domain: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the box in which all networks are compared: the given one, or that of all of them.

    Raises ComparisonError when dimensions, outputs, levels or domains differ.
    """
    first = subjects[0]
    for other in subjects:
        if other.network.output_size != 1:
            raise ComparisonError(
                f"{other.name} has {other.network.output_size} outputs; choose the one to compare by its reading"
            )
        if other.network.input_size != first.network.input_size:
            raise ComparisonError(
                f"{first.name} takes {first.network.input_size} inputs and {other.name} {other.network.input_size}; "
                "only networks of the same space can be compared: hold further inputs constant by a reading"
            )
        if other.level != first.level:
            raise ComparisonError(
                f"the level is {first.level:g} in the values of {first.name} and {other.level:g} in those of "
                f"{other.name}, whose last layers differ; compare them at their zero level set"
            )
    if domain is not None:
        return np.asarray(domain, np.float64)
    for other in subjects:
        if not np.array_equal(other.domain, first.domain):
            raise ComparisonError(_different_domains(first, other))
    return first.domain


def _different_domains(first: Subject, other: Subject) -> str:
    low = np.maximum(first.domain[0], other.domain[0])
    high = np.minimum(first.domain[1], other.domain[1])
    both = (
        f"compare what they share with --bounds={','.join(f'{value:g}' for value in (*low, *high))}, or "
        if (low < high).all()
        else "they share nothing; "
    )
    return (
        f"{first.name} is of the box {_box(first.domain)} and {other.name} of {_box(other.domain)}; {both}"
        "map the boxes onto the first one's with --align"
    )


def _box(domain: NDArray[np.float64]) -> str:
    return " to ".join("(" + ", ".join(f"{value:g}" for value in corner) + ")" for corner in domain)


def aligned(subject: Subject, domain: NDArray[np.float64]) -> Subject:
    """Return a network whose box is mapped onto another one, values scaled with it as distances are.

    Raises ComparisonError where the box would be stretched by other factors along other axes.
    """
    from engine import mapped

    sides, wanted = (np.ptp(box, axis=0) for box in (subject.domain, domain))
    factors = sides / wanted
    if not np.allclose(factors, factors[0], rtol=1e-9, atol=0.0):
        raise ComparisonError(
            f"{subject.name}: its box {_box(subject.domain)} has other proportions than {_box(domain)}, so that "
            "aligning would bend distances; choose a common box with --bounds"
        )
    if np.array_equal(subject.domain, domain):
        return subject
    factor = float(factors[0])
    network = mapped(subject.network, factor, subject.domain[0] - factor * domain[0], 1.0 / factor)
    return Subject(subject.name, network, domain, subject.level / factor, subject.approximation)
