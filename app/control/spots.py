"""Things under a place of a view, for a menu that is called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from app.state.session import Pin

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QPointF

    from app.control.hover import Hover
    from app.control.pins import Pins
    from app.control.slice_link import SliceLink
    from app.state.session import OpenNetwork
    from app.state.store import Store
    from app.views.scene.scene_view import SceneView
    from engine import Neuron, RegionFacts

    Float = NDArray[np.float64]

_BADGE: Final = 9.0  # pixels around the place of a pin's number
_SLACK: Final = 12.0  # pixels by which the surface may be nearer than the pin


@dataclass(frozen=True, eq=False, slots=True)
class Spot:
    """The things that a menu is about; None for what is not there.

    point (3,), value: a place, and the network's output there; key: of the slice; neuron: one whose line is within
    reach; region: a region, or a facet, as a pin, whose number is 0 unless it is pinned; opened: a checkpoint of the
    list.
    """

    point: Float | None = None
    value: float | None = None
    key: int | None = None
    neuron: Neuron | None = None
    region: Pin | None = None
    opened: OpenNetwork | None = None

    @property
    def pin(self) -> Pin | None:
        """The region, if it is pinned."""
        return self.region if self.region is not None and self.region.number else None


class Spots:
    """Of what is drawn now."""

    def __init__(self, store: Store, hover: Hover, pins: Pins, link: SliceLink, view: SceneView) -> None:
        self._store, self._hover, self._pins, self._link, self._view = store, hover, pins, link, view

    def in_slice(self, key: int, at: QPointF) -> Spot:
        """At a pixel of the 2D view of a slice."""
        view = self._link.views[key]
        where = view.at(at)
        return Spot(key=key) if where is None else self._on_slice(key, *where, view.pixel)

    def in_space(self, at: QPointF) -> Spot:
        """At a pixel of the 3D view: a pin's number, a plane's handle or frame, a slice, or the surface behind it."""
        view, opened = self._view, self._store.session.opened
        if view.scene is None or opened is None:
            return Spot()
        pin = self._pin_at(at)
        if pin is not None:
            return Spot(pin.facts.point, pin.facts.value, pin.key, None, pin)
        held = view.hand.slice_held_at(at, view.scene)
        if held is not None:
            return Spot(key=held)
        found = view.slice_point(at)
        if found is not None:
            return self._on_slice(*found)
        seen = view.facet_at(at)
        if seen is None:
            return Spot()
        facts, point = self._pins.facet_at(*seen), seen[2]
        value = float(opened.network.forward(point[None]).ravel()[0])
        return Spot(point, value, region=None if facts is None else self._region(None, facts))

    def _on_slice(self, key: int, u: float, v: float, pixel: float) -> Spot:
        found, facts = self._hover.near(key, u, v, pixel), self._pins.region_at(key, u, v)
        if found is None or facts is None:
            return Spot(key=key)
        return Spot(found.point, found.value, key, found.neuron, self._region(key, facts))

    def _region(self, key: int | None, facts: RegionFacts) -> Pin:
        opened = self._store.session.opened
        assert opened is not None
        return self._pins.known(key, facts) or Pin(0, opened, key, facts)

    def _pin_at(self, at: QPointF) -> Pin | None:
        """The pin whose number is at a pixel, not behind the surface."""
        lens = self._view.lens
        marks = () if lens is None else self._view.pins
        for mark in marks:
            assert lens is not None
            x, y = lens.to_pixels(mark.anchor[None])[0].tolist()
            if max(abs(x - at.x()), abs(y - at.y())) <= _BADGE and not self._view.hidden(at, mark.anchor, _SLACK):
                return next(pin for pin in self._store.session.pins if pin.number == mark.number)
        return None
