"""Readouts beside the views: legend, colour bar, status line, and the line below the 3D view."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from app.control.live_neuron import LiveNeuron
from app.control.live_slices import LiveSlices
from app.control.live_surface import DrawnSurface, LiveSurface
from app.control.slice_link import SliceLink
from app.jobs.compilation import Compilation
from app.state import actions
from app.state.look import Fill
from app.state.session import OpenNetwork
from app.state.store import Change, Store
from app.views.scene.scene_view import SceneView
from app.views.slice.legend import ColorBar, DepthLegend
from app.window.panels.status_line import COMPILING, StatusLine


class Readout(QObject):
    """Follows the session, the active slice and the surface."""

    def __init__(
        self, store: Store, slices: LiveSlices, surface: LiveSurface, neuron: LiveNeuron, compilation: Compilation,
        link: SliceLink, scene_view: SceneView, legend: DepthLegend, color_bar: ColorBar, status: StatusLine,
        parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._store, self._slices, self._link, self._scene_view = store, slices, link, scene_view
        self._legend, self._color_bar, self._status = legend, color_bar, status
        self._surface, self._neuron = surface, neuron
        self._surface_note = self._opening = self._compiling = ""
        store.listen(self._changed)
        slices.computed.connect(lambda key, _: self._show_slice(key))
        slices.failed.connect(lambda key, _: self._show_slice(key))
        link.drawn.connect(self._drawn)
        compilation.changed.connect(self._show_compiling)
        surface.progressed.connect(lambda facets: status.show_busy(f"exact surface: {facets:,} facets"))
        surface.computed.connect(self._surface_computed)
        surface.failed.connect(self._surface_failed)
        neuron.progressed.connect(lambda facets: status.show_busy(f"the neuron in space: {facets:,} facets"))
        neuron.told.connect(self._show_neuron)
        status.stopped.connect(neuron.cancel)

    def _changed(self, change: Change) -> None:
        opened = change.after.opened
        if opened is not change.before.opened:
            self._surface_note = "" if opened is None else _awaited(opened)
            self._status.show_network(opened)
        if not isinstance(change.action, actions.MovePlane):
            self._show_legend()
            self._show_status()

    def _show_slice(self, key: int) -> None:
        """Tell of the active slice as it is at its newest place."""
        if key == self._store.session.active:
            self._show_legend()
            self._show_status()

    def _drawn(self, key: int) -> None:
        if key == self._store.session.active:
            self._show_status()

    def _show_legend(self) -> None:
        session = self._store.session
        drawn = None if session.active is None else self._slices.result(session.active)
        counts = () if drawn is None else tuple(np.diff(drawn.picture.first).tolist())
        names = () if session.opened is None else session.opened.network.layer_names
        self._legend.show_layers(names, session.look.hidden_depths, counts, session.look.style.palette)
        fill = None if drawn is None or session.fill is Fill.NONE else drawn.picture.fill
        self._color_bar.show_fill(fill)

    def _show_status(self) -> None:
        session = self._store.session
        part = session.active_slice
        drawn = None if part is None else self._slices.result(part.key)
        seconds = None if part is None else self._slices.draw_seconds(part.key)
        self._status.show_slice(part.name if part is not None else "", drawn, seconds)
        neuron, opened = session.neuron, session.opened
        lines = [self._surface_note]
        if neuron is not None and opened is not None:
            notes = [f"highlighted: {opened.describe(neuron)}", self._neuron.note]
            lines.append(" \N{MIDDLE DOT} ".join(note for note in notes if note))
        self._scene_view.tell("\n".join(line for line in lines if line))

    def _show_compiling(self, on: bool, ready: int, known: int) -> None:
        """Tell it in the place of pictures that are not there yet, which may be for minutes, and in the status line."""
        count = f"{COMPILING}: {ready} of {known} are ready" if on else ""
        self._status.compiling.setText(f"{count} …")
        self._status.compiling.setVisible(on)
        seen = "; the 3D view can be turned" if self._scene_view.lens is not None else ""
        self._compiling = f"{count}.\nFiles, menus and the list of slices already work{seen}." if on else ""
        self._show_waiting()

    def show_opening(self, text: str) -> None:
        """Show what is being read, "" for nothing: in the status line, and in views with nothing to show."""
        self._status.show_busy(text)
        self._opening = text
        self._show_waiting()

    def _show_waiting(self) -> None:
        nothing = self._store.session.opened is None
        self._link.wait(self._compiling)
        self._scene_view.wait(self._opening if nothing and self._opening else self._compiling)

    def _show_neuron(self) -> None:
        if self._neuron.finished and self._surface.finished:
            self._status.show_busy("")
        self._show_status()

    def _surface_computed(self, drawn: DrawnSurface) -> None:
        self._status.show_busy("")
        self._surface_note = drawn.surface.describe() if drawn.surface.empty else ""
        self._show_status()

    def _surface_failed(self, reason: str) -> None:
        self._status.show_busy("")
        opened = self._store.session.opened
        coarse = opened is not None and len(opened.preview.face_offsets) > 1
        self._surface_note = f"{'a coarse' if coarse else 'no'} surface: {reason}"
        self._show_status()


def _awaited(opened: OpenNetwork) -> str:
    """Tell what surface is shown until the exact one is there."""
    if len(opened.preview.face_offsets) > 1:
        return "a coarse surface; the exact one is on its way …"
    name = "zero level surface" if opened.level == 0.0 else f"level surface f = {opened.level:g}"
    return f"the {name} is on its way …".replace("-", "\N{MINUS SIGN}")
