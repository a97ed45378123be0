"""What the application is showing, as one frozen value: a network, slices, and how they are drawn.

Every change makes a new session (see `app.state.actions`), so that earlier ones can be kept and come back.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.state.comparison import Compared
from app.state.geometry.planes import same_plane
from app.state.geometry.surfaces import CoarseSurface
from app.state.look import Fill, SceneLook
from app.state.palette import RGB, accent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine import Network, Neuron, RegionFacts, SlicePlane
    from sdf_models import Reading


@dataclass(frozen=True, eq=False, slots=True)
class OpenNetwork:
    """A network to look at.

    name: for people; path: the file it came from, None for a module of the caller's; domain (2, 3); facts: what is
    known of it, in lines (label, text); preview: a coarse surface, without faces when the level set was not seen;
    approximation: how the network differs from the file's own, "" when it does not; sha256: of the file as it was read,
    hexadecimal; reading: the choices made for it; level: f on the level set; framed: `domain` is not the file's own.
    """

    name: str
    path: Path | None
    network: Network
    domain: NDArray[np.float64]
    facts: tuple[tuple[str, str], ...]
    preview: CoarseSurface
    approximation: str = ""
    sha256: str = ""
    reading: Reading | None = None
    level: float = 0.0
    framed: bool = False

    def in_frame(self, domain: NDArray[np.float64] | None, level: float) -> OpenNetwork:
        """Return the network in another box (2, 3), None for its own, and at another level; without a preview then."""
        if domain is None and level == self.level:
            return self
        box, framed = (self.domain, self.framed) if domain is None else (domain, True)
        return replace(self, domain=box, framed=framed, level=level, preview=CoarseSurface.none())

    def describe(self, neuron: Neuron) -> str:
        """A text for people, such as "layer 3 (net.3), neuron 17"."""
        if neuron.layer == self.layers:
            return "level set"
        return f"layer {neuron.layer} ({self.network.layer_names[neuron.layer]}), neuron {neuron.index}"

    @property
    def layers(self) -> int:
        return len(self.network.kinks)


@dataclass(frozen=True, eq=False, slots=True)
class Slice:
    """A slice plane with a name; `colour` counts accents.  `key` is its own for as long as the program runs."""

    key: int
    name: str
    plane: SlicePlane
    colour: int
    visible: bool = True

    @property
    def accent(self) -> RGB:
        return accent(self.colour)


@dataclass(frozen=True, eq=False, slots=True)
class Pin:
    """A region that is kept in view, as it was found in a network.

    number: its name for people, from 1; key: of the slice, None for a facet of the surface.
    """

    number: int
    opened: OpenNetwork
    key: int | None
    facts: RegionFacts


class Lineage:
    """Shared by sessions that became each other by actions: a session from a file begins another one."""


@dataclass(frozen=True, eq=False, slots=True)
class Session:
    """networks: the list of what is open; opened: the one of them that is shown; pins: of any of them; comparison: of
    several of them, in the place of the one; timeline: a folder whose checkpoints are steps of one training."""

    opened: OpenNetwork | None = None
    networks: tuple[OpenNetwork, ...] = ()
    slices: tuple[Slice, ...] = ()
    active: int | None = None
    look: SceneLook = field(default_factory=SceneLook)
    fill: Fill = Fill.NONE
    neuron: Neuron | None = None
    tiled: bool = True
    next_key: int = 0
    pins: tuple[Pin, ...] = ()
    comparison: Compared | None = None
    timeline: Path | None = None
    lineage: Lineage = field(default_factory=Lineage)

    def slice(self, key: int) -> Slice:
        """Raises KeyError when there is no such slice."""
        for part in self.slices:
            if part.key == key:
                return part
        raise KeyError(key)

    @property
    def active_slice(self) -> Slice | None:
        return None if self.active is None else self.slice(self.active)

    @property
    def shows_active(self) -> bool:
        """The picture depends on which slice is the active one: the surface is cut there, or it is shown alone."""
        return self.look.clip or not self.tiled

    @property
    def shown_pins(self) -> tuple[Pin, ...]:
        """Those of the network shown."""
        return tuple(pin for pin in self.pins if pin.opened is self.opened)

    def in_place(self, pin: Pin) -> bool:
        """Whether the plane of a pin's slice is where it was; a facet always is."""
        return pin.key is None or pin.facts.plane is None or same_plane(self.slice(pin.key).plane, pin.facts.plane)

    def has_neuron(self, neuron: Neuron | None) -> bool:
        """Whether the network shown has such a neuron."""
        if neuron is None or self.opened is None:
            return False
        kinks = self.opened.network.kinks
        return neuron.layer < len(kinks) and neuron.index < len(kinks[neuron.layer].breakpoints)


def without_controls(text: str) -> str:
    """What of a text can be a name: spaces and joiners of any script are part of it."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs"))


def same_picture(one: Session, other: Session) -> bool:
    """Whether two sessions show the same; which slice is the active one counts only where the picture depends on it."""
    looks = [
        (
            session.look,
            session.fill,
            session.neuron,
            session.tiled,
            session.timeline,
            session.active if session.shows_active else None,
        )
        for session in (one, other)
    ]
    return (
        one.opened is other.opened
        and len(one.networks) == len(other.networks)
        and all(a is b for a, b in zip(one.networks, other.networks, strict=True))
        and looks[0] == looks[1]
        and _same_comparison(one.comparison, other.comparison)
        and len(one.pins) == len(other.pins)
        and all(a is b for a, b in zip(one.pins, other.pins, strict=True))
        and len(one.slices) == len(other.slices)
        and all(_same_slice(a, b) for a, b in zip(one.slices, other.slices, strict=True))
    )


def same(one: Session, other: Session) -> bool:
    """Whether two sessions are the same in every way."""
    return same_picture(one, other) and (one.active, one.next_key) == (other.active, other.next_key)


def _same_comparison(one: Compared | None, other: Compared | None) -> bool:
    if one is None or other is None:
        return one is other
    planes = zip(one.apart, other.apart, strict=False)
    return (
        replace(one, apart=()) == replace(other, apart=())
        and len(one.apart) == len(other.apart)
        and all((a.network, a.key) == (b.network, b.key) and same_plane(a.plane, b.plane) for a, b in planes)
    )


def _same_slice(one: Slice, other: Slice) -> bool:
    def traits(part: Slice) -> tuple[int, str, int, bool]:
        return part.key, part.name, part.colour, part.visible

    return traits(one) == traits(other) and same_plane(one.plane, other.plane)
