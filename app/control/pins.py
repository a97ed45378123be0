"""Pinning regions and facets: from clicks to the session, and from there to marks in the views."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.control.half_click import HalfClick
from app.state import actions
from app.state.geometry.planes import same_plane
from app.state.session import Pin
from app.state.store import Change, Store
from app.views.marks.pin_marks import PinMark
from engine import RegionFacts, facet_facts, region_facts

if TYPE_CHECKING:
    from app.control.live_slices import LiveSlices
    from app.control.live_surface import LiveSurface
    from app.control.slice_link import SliceLink
    from app.views.scene.scene_view import SceneView
    from app.views.scene.surface_mesh import SurfaceMesh
    from engine import Partition


class Pins(QObject):
    """pinned(number): a hand pinned something, or wants to see it; kept: it was not the first half of a double click;
    refused(why)."""

    pinned = Signal(int)
    kept = Signal()
    refused = Signal(str)

    def __init__(
        self, store: Store, slices: LiveSlices, surface: LiveSurface, link: SliceLink, scene: SceneView,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._store, self._slices, self._surface, self._link, self._scene = store, slices, surface, link, scene
        self._click = HalfClick(store, self)
        self._click.kept.connect(self._keep)
        store.listen(self._changed)
        slices.computed.connect(lambda key, _: self._mark_slice(key))

    def pin(self, key: int, u: float, v: float) -> None:
        """The region of slice `key` that holds a point; one that is pinned gets the point."""
        facts = self.region_at(key, u, v)
        if facts is not None:
            self.pin_region(key, facts)

    def pin_facet(self, mesh: SurfaceMesh, face: int, point: np.ndarray) -> None:
        facts = self.facet_at(mesh, face, point)
        if facts is None:
            self.refused.emit("Facets can be pinned once the exact surface is there: this is the coarse one.")
        else:
            self.pin_region(None, facts)

    def region_at(self, key: int, u: float, v: float) -> RegionFacts | None:
        """Facts of the region of slice `key` that holds a point; None outside it, and while it is not computed."""
        location = self._slices.location(key)
        if location is None:
            return None
        where, partition = np.array([[u, v]]), location.partition
        region = int(location.region_at(where)[0])
        return region_facts(partition, region, partition.plane.to_input(where)[0]) if region >= 0 else None

    def facet_at(self, mesh: SurfaceMesh, face: int, point: np.ndarray) -> RegionFacts | None:
        """Facts of a facet at a point (3,) of it; None of the coarse surface."""
        drawn = self._surface.drawn
        return None if drawn is None or drawn.mesh is not mesh else facet_facts(drawn.surface, face, point)

    def known(self, key: int | None, facts: RegionFacts) -> Pin | None:
        """The pin of a region, if it is pinned."""
        shown = self._store.session.shown_pins
        return next((pin for pin in shown if pin.key == key and same_region(pin.facts, facts)), None)

    def pin_region(self, key: int | None, facts: RegionFacts) -> None:
        """Of slice `key`, of the surface when that is None."""
        known = self.known(key, facts)
        self._store.do(actions.PinRegion(key, facts, None if known is None else known.number))
        self._click.note(known is None)
        self.pinned.emit(self._store.session.pins[-1].number if known is None else known.number)

    def show(self, number: int) -> None:
        """Bring the card of a pin in sight."""
        self.pinned.emit(number)
        self.kept.emit()

    def take_back(self) -> None:
        """The click that pinned was half a double click."""
        self._click.take_back()

    def _keep(self) -> None:
        if self._store.session.shown_pins:
            self.kept.emit()

    def can_go(self, pin: Pin) -> bool:
        """Whether the regions around a pin are at hand."""
        return self._surface.drawn is not None if pin.key is None else self._partition(pin) is not None

    def go(self, pin: Pin, region: int) -> None:
        """Move a pin to a neighbour."""
        if pin.key is None:
            if self._surface.drawn is not None:
                facts = facet_facts(self._surface.drawn.surface, region)
                self._store.do(actions.PinRegion(None, facts, pin.number))
            return
        partition = self._partition(pin)
        if partition is not None:
            self._store.do(actions.PinRegion(pin.key, region_facts(partition, region), pin.number))

    def bring_back(self, pin: Pin) -> None:
        """Move the plane of a pin's slice to where it was."""
        if pin.key is not None and pin.facts.plane is not None:
            self._store.do(actions.MovePlane(pin.key, pin.facts.plane))

    def _partition(self, pin: Pin) -> Partition | None:
        """The one that a pin's region is of, when it is what is drawn."""
        drawn = None if pin.key is None else self._slices.result(pin.key)
        if drawn is None or pin.facts.plane is None or not drawn.answer.complete:
            return None
        partition = drawn.answer.partition
        same = partition.network is pin.opened.network and same_plane(partition.plane, pin.facts.plane)
        return partition if same else None

    def _changed(self, change: Change) -> None:
        before, after = change.before, change.after
        if before.pins is after.pins and not after.pins:
            return
        if isinstance(change.action, actions.MovePlane):
            self._mark_slice(change.action.key)
        else:
            for part in after.slices:
                self._mark_slice(part.key)
        self._mark_scene()

    def _mark_slice(self, key: int) -> None:
        view = self._link.views.get(key)
        if view is not None:
            pins = [pin for pin in self._store.session.shown_pins if pin.key == key and self._partition(pin)]
            view.show_pins(tuple(mark_of(pin) for pin in pins))

    def _mark_scene(self) -> None:
        session = self._store.session
        hidden = {part.key for part in session.slices if not part.visible}
        self._scene.show_pins(
            tuple(
                replace(_mark_in_space(pin), in_place=session.in_place(pin))
                for pin in session.shown_pins
                if pin.key not in hidden
            )
        )


def same_region(one: RegionFacts, other: RegionFacts) -> bool:
    """Whether two facts are of one region of one slice of a network."""
    if one.region != other.region:
        return False
    if one.plane is None or other.plane is None:
        return one.plane is other.plane
    return same_plane(one.plane, other.plane)


def mark_of(pin: Pin) -> PinMark:
    """The mark of a region of a slice, in the slice's coordinates."""
    facts = pin.facts
    assert facts.plane is not None
    assert facts.outline is not None
    return PinMark(pin.number, facts.outline, facts.plane.to_plane(facts.centroid[None])[0])


def _mark_in_space(pin: Pin) -> PinMark:
    facts = pin.facts
    normal = facts.gradient / max(facts.slope, 1e-300) if facts.plane is None else facts.plane.normal
    return PinMark(pin.number, facts.corners, facts.centroid, normal=normal)
