"""Actors of a scene: one for everything that is drawn in one way, kept while it does not change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from app.state.palette import RGB
from app.views.scene import actors, box, polydata
from app.views.scene.slice_layers import LEVEL, LINES, SliceLayers, color_table, depth_lines, longest
from app.views.slice.slice_image import HIGHLIGHT

if TYPE_CHECKING:
    import pyvista

    from app.views.camera import Lens
    from app.views.scene.drawing import SceneDrawing, SliceDrawing, SurfaceDrawing
    from app.views.scene.layering import Piece
    from app.views.scene.polydata import Space
    from app.views.scene.slice_layers import Lines, Table
    from app.views.scene.surface_mesh import SurfaceMesh

Float = NDArray[np.float64]
_Named = tuple[object, "pyvista.PolyData"]  # data with a name

_FRAME, _ACTIVE_FRAME, _LEVEL, _HIGHLIGHT, _CREASE = 2.0, 3.2, 3.2, 3.2, 1.0  # pixels
_CASING: Final = 2.8  # of level set and highlight, beyond their own width
_HEAVIER: Final = 1.2  # a level set is so much wider for each pixel by which lines are wider than one
_CREASES, _CASINGS = 0.8, 0.85  # opacities
_ON: Final = 5.0  # pixels by which lines come towards the eye, so that the surface they lie on leaves them whole
_LEAST_ON: Final = 5e-7  # of the depth of what is seen in parallel: less would be lost in rounding


@dataclass(frozen=True, eq=False, slots=True)
class _Data:
    """Data, and what they were made of."""

    made_of: tuple[object, ...]
    data: pyvista.PolyData


@dataclass(slots=True)
class _Kept:
    """Something in the picture, its data, and the colours that it has for depths."""

    prop: Any
    data: pyvista.PolyData | None = None
    colors: bytes = b""


class Stage:
    """The scene in a plotter.  For the thread that the plotter belongs to."""

    def __init__(self, plotter: pyvista.Plotter, space: Space) -> None:
        self.space = space
        self._renderer: Any = plotter.renderer
        self._kept: dict[tuple[object, object], _Kept] = {}
        self._data: dict[object, _Data] = {}
        self._shown: list[tuple[object, object]] = []  # names of what is drawn, in this order
        self._used: set[object] = set()  # names of data
        self._raised: list[Any] = []  # what is drawn nearer to the eye than it is
        self._layers = SliceLayers((), True, ())

    def show(self, drawing: SceneDrawing, most: int | None = None) -> int:
        """Put on stage what a drawing shows, triangles and segments up to about `most`; return how many there are."""
        self._shown, self._raised, self._used = [], [], set()
        drawn, half = 0, None if most is None else most // 2
        if drawing.neuron is not None:
            drawn += self._show_veil(drawing.neuron, half)
        if drawing.surface is not None:
            drawn += self._show_surface(drawing, drawing.surface, half)
        self._show_box(drawing)
        for place, part in enumerate(drawing.slices):
            self._show_frame(drawing, part, place)
        drawn += self._show_slices(drawing, None if most is None else max(most - drawn, most // 2))
        if drawing.surface is not None and drawing.surface.faces and drawing.surface.opacity < 1.0:
            self._show_clear_surface(drawing.surface, half)
        if drawing.look.axes:
            self._show_labels(drawing)
        self._leave_what_is_shown()
        return drawn

    def follow(self, lens: Lens, ratio: float, size: tuple[int, int]) -> None:
        """Keep lines before what they lie on, and as wide as they are to be, seen through a lens with `ratio` pixels to
        the unit of widths; size: of what is drawn at once, in pixels."""
        near, far = lens.near / self.space.size, lens.far / self.space.size
        if lens.parallel:
            on = max(ratio * _ON * lens.pixel_length(lens.focus) / (lens.far - lens.near), _LEAST_ON)
            nearest, raised = 0.0, -2 * on
        else:
            nearest, raised = near, -2 * far * near / (far - near) * ratio * _ON * lens.pixel_angle
        for prop in self._raised:
            actors.set_sight(prop, size, nearest, raised)

    def clear(self) -> None:
        """Give back everything."""
        self._shown, self._raised, self._used, self._layers = [], [], set(), SliceLayers((), True, ())
        self._leave_what_is_shown()

    def _data_of(self, name: object, made_of: tuple[object, ...], make: Callable[[], pyvista.PolyData]) -> _Named:
        """The data of a name, made anew when they are of something else."""
        known = self._data.get(name)
        if known is None or not _same(known.made_of, made_of):
            known = self._data[name] = _Data(made_of, make())
        self._used.add(name)
        return name, known.data

    def _keep(self, named: _Named, make: Callable[[pyvista.PolyData], Any], layer: str = "") -> _Kept:
        """The actor that shows data, one for each layer; other data of the name do not change it: VTK makes its shaders
        once."""
        name, data = named
        known = self._kept.get((name, layer))
        if known is None:
            known = self._add((name, layer), _Kept(make(data), data))
        elif known.data is not data:
            known.prop.GetMapper().SetInputData(data)
            known.data = data
        self._shown.append((name, layer))
        return known

    def _add(self, name: tuple[object, object], kept: _Kept) -> _Kept:
        self._kept[name] = kept
        self._renderer.AddViewProp(kept.prop)
        return kept

    def _leave_what_is_shown(self) -> None:
        for name in self._kept.keys() - set(self._shown):
            self._renderer.RemoveViewProp(self._kept.pop(name).prop)
        for unused in self._data.keys() - self._used:
            del self._data[unused]
        props = self._renderer.GetViewProps()  # its own list: what only changes places gives up nothing
        wanted = [self._kept[name].prop for name in self._shown]
        if wanted != list(props):
            props.RemoveAllItems()
            for prop in wanted:
                props.AddItem(prop)

    def _show_surface(self, drawing: SceneDrawing, surface: SurfaceDrawing, most: int | None) -> int:
        mesh, space, drawn = surface.mesh, self.space, 0
        if surface.faces:
            drawn = _count(mesh, most)
            if surface.opacity == 1.0:
                self._show_faces("faces", surface, most, actors.surface_actor)
        if surface.creases and len(mesh.creases):
            drawn += self._show_creases(drawing, surface, most)
        if surface.faces and len(surface.highlight):
            lines = mesh.vertices[surface.highlight]
            data = self._data_of("highlight", (mesh, surface.highlight), lambda: polydata.ribbons(lines, space))
            actors.cut(self._show_heavy(data, HIGHLIGHT, _HIGHLIGHT * drawing.ratio), surface.cut, space)
        return drawn

    def _show_faces(
        self,
        name: str,
        surface: SurfaceDrawing,
        most: int | None,
        make: Callable[[pyvista.PolyData], Any],
        layer: str = "",
    ) -> Any:
        mesh, space = surface.mesh, self.space
        fewer = None if most is None or mesh.triangles <= most else most

        def faces() -> pyvista.PolyData:
            return polydata.polygons(mesh, space) if fewer is None else polydata.fewer_triangles(mesh, fewer, space)

        prop = self._keep(self._data_of(name, (mesh, fewer), faces), make, layer).prop
        actors.cut(prop, surface.cut, space)
        return prop

    def _show_veil(self, neuron: SurfaceDrawing, most: int | None) -> int:
        """A neuron's level set: all its sheets, below lines."""
        prop = self._show_faces("neuron", neuron, most, actors.veil_actor)
        prop.GetProperty().SetColor(*HIGHLIGHT)
        prop.GetProperty().SetOpacity(neuron.opacity)
        return _count(neuron.mesh, most)

    def _show_clear_surface(self, surface: SurfaceDrawing, most: int | None) -> None:
        """The sheet that is nearest to the eye, over all lines, and once more those that are before it."""
        before = [name for name in self._shown if self._kept[name].prop.GetForceTranslucent() and name[0] != "neuron"]
        self._show_faces("faces", surface, most, actors.shape_actor, "shape")
        prop = self._show_faces("faces", surface, most, actors.clear_surface_actor, "clear")
        prop.GetProperty().SetOpacity(surface.opacity)
        self._shown += before

    def _show_creases(self, drawing: SceneDrawing, surface: SurfaceDrawing, most: int | None) -> int:
        mesh, style = surface.mesh, drawing.look.style
        count = len(mesh.creases) if most is None else min(most, len(mesh.creases))

        def creases() -> pyvista.PolyData:
            ends = mesh.vertices[mesh.creases]
            chosen = longest(ends, count)[::-1]
            return polydata.segments(ends[chosen], self.space, depth=mesh.crease_depth[chosen])

        kept = self._keep(self._data_of("creases", (mesh, count), creases), actors.raised_depth_lines_actor)
        self._raised.append(kept.prop)
        colors = drawing.paper.depth_colors(int(mesh.crease_depth[-1]) + 1, style.palette)
        width = _CREASE * style.line_factor
        opacities = np.full(len(colors), _CREASES * min(width, 1.0))
        _color(kept, color_table(colors, opacities, drawing.look.hidden_depths), width * drawing.ratio)
        actors.cut(kept.prop, surface.cut, self.space)
        return count

    def _show_box(self, drawing: SceneDrawing) -> None:
        domain, look, paper = drawing.domain, drawing.look, drawing.paper
        for name, count, color, width in (("box", 12, paper.box, 1.0), ("axes", 3, paper.axes, 2.0)):
            if look.box if name == "box" else look.axes:
                lines = partial(polydata.segments, box.edges(domain)[:count], self.space)
                kept = self._keep(self._data_of(name, (domain,), lines), actors.lines_actor)
                actors.draw_in(kept.prop, color, width * drawing.ratio, 1.0)

    def _show_labels(self, drawing: SceneDrawing) -> None:
        for place in range(box.LABELS):
            letters = "label", (place, drawing.paper)
            if letters not in self._kept:
                self._add(letters, _Kept(box.label(drawing.domain, place, self.space, drawing.paper.axes)))
            self._shown.append(letters)

    def _show_frame(self, drawing: SceneDrawing, part: SliceDrawing, place: int) -> None:
        if len(part.frame):
            sides = partial(polydata.ribbons, polydata.loop_lines(part.frame), self.space)
            width = (_ACTIVE_FRAME if part.active else _FRAME) * drawing.ratio
            color = drawing.paper.accent(part.accent)
            self._show_heavy(self._data_of(("frame", place), (part.frame,), sides), color, width)

    def _show_heavy(self, data: _Named, color: RGB, width: float) -> Any:
        """Opaque lines that nothing they lie on hides."""
        prop = self._keep(data, actors.ribbons_actor).prop
        actors.draw_in(prop, color, width, 1.0)
        self._raised.append(prop)
        return prop

    def _show_slices(self, drawing: SceneDrawing, most: int | None) -> int:
        """Draw what lies in the planes of slices, the farthest first."""
        look = drawing.look
        shown = [(part, part.picture) for part in drawing.slices if part.picture is not None]
        pictures = [picture for _, picture in shown]
        each = None if most is None else most // max(len(pictures), 1)
        self._layers = self._layers.following(pictures, each)
        depths, drawn = [depth_lines(part, picture, drawing) for part, picture in shown], 0
        for layer, piece in self._layers.from_far(drawing.lens):
            part, lines = shown[piece.slice][0], self._layers.lines[piece.slice]
            table, width = depths[piece.slice]
            if layer == LINES and look.lines:
                self._show_lines(piece, lines, table, width * drawing.ratio)
                drawn += len(piece.ends)
            elif layer == LEVEL:
                wide = _LEVEL * look.style.level_factor + (_HEAVIER * (width - 1.0) if look.lines else 0.0)
                self._show_cased(layer, piece, drawing.paper.accent(part.accent), wide, drawing, part.strength)
            elif layer != LINES:
                self._show_cased(layer, piece, HIGHLIGHT, _HIGHLIGHT, drawing, part.strength)
        return drawn

    def _show_lines(self, piece: Piece, lines: Lines, table: Table, width: float) -> None:
        def make() -> pyvista.PolyData:
            depth = lines.picture.strokes.depth[lines.strokes[piece.line]]
            return polydata.segments(piece.ends, self.space, depth=depth)

        data = self._data_of((LINES, piece.slice, piece.sides), (piece.ends,), make)
        _color(self._keep(data, actors.depth_lines_actor), table, width)

    def _show_cased(
        self, layer: int, piece: Piece, color: RGB, width: float, drawing: SceneDrawing, strength: float
    ) -> None:
        """Lines with one in the colour of the ground below."""
        ground, ratio = drawing.paper.ground, drawing.ratio
        make = partial(polydata.ribbons, piece.ends, self.space)
        data = self._data_of((layer, piece.slice, piece.sides), (piece.ends,), make)
        casing = self._keep(data, actors.pale_ribbons_actor, "casing").prop
        line = self._keep(data, actors.pale_ribbons_actor).prop
        whole = strength == 1.0  # else one would see where ribbons overlap
        actors.draw_in(casing, ground, (width + _CASING) * ratio, _CASINGS * strength, whole)
        actors.draw_in(line, color, width * ratio, strength, whole)
        self._raised += [casing, line]


def _count(mesh: SurfaceMesh, most: int | None) -> int:
    """Return how many triangles are drawn of a mesh."""
    return mesh.triangles if most is None else min(mesh.triangles, most)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Made of the same things, or equal numbers."""
    return all(a is b or (isinstance(a, int) and a == b) for a, b in zip(one, other, strict=True))


def _color(kept: _Kept, table: Table, width: float) -> None:
    """The colours of depths; width: in pixels, 1 at least."""
    actors.draw_in(kept.prop, (1.0, 1.0, 1.0), max(width, 1.0), 1.0)
    if kept.colors != table.tobytes():
        actors.set_depth_colors(kept.prop, table)
        kept.colors = table.tobytes()
