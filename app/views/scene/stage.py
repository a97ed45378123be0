"""What VTK holds of a scene: an actor for everything that is drawn in one way, kept while it does not change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from app.state.palette import BACKGROUND, RGB, depth_colors
from app.views.scene import actors, box, polydata
from app.views.scene.slice_layers import LEVEL, LINES, SliceLayers, color_table, depth_lines, longest
from app.views.slice.slice_image import HIGHLIGHT

if TYPE_CHECKING:
    import pyvista

    from app.views.camera import Lens
    from app.views.scene.drawing import SceneDrawing, SliceDrawing, SurfaceDrawing
    from app.views.scene.layering import Piece
    from app.views.scene.polydata import Space
    from app.views.scene.slice_layers import Table
    from app.views.slice.slice_image import SlicePicture

Float = NDArray[np.float64]
_Heavy = Callable[..., Any]  # makes an actor of ribbons

_FRAME, _ACTIVE_FRAME, _LEVEL, _HIGHLIGHT, _CREASE = 2.0, 3.2, 3.2, 3.2, 1.0  # pixels
_CASING: Final = 2.8  # of level set and highlight, beyond their own width
_HEAVIER: Final = 2.0  # a level set is so much wider than the widest line
_CREASES, _CASINGS = 0.8, 0.85  # opacities
_ON: Final = 5.0  # pixels by which lines come towards the eye, so that the surface they lie on leaves them whole


@dataclass(slots=True)
class _Kept:
    """Something in the picture, what it was made of, and the colours that it has for depths."""

    made_of: tuple[object, ...]
    prop: Any
    colors: bytes = b""


class Stage:
    """The scene in a plotter.  For the thread that the plotter belongs to."""

    def __init__(self, plotter: pyvista.Plotter, space: Space) -> None:
        self.space = space
        self._renderer: Any = plotter.renderer
        self._kept: dict[object, _Kept] = {}
        self._shown: list[object] = []  # names of what is in the picture, in the order of drawing
        self._raised: list[Any] = []  # what is drawn nearer to the eye than it is
        self._layers = SliceLayers((), 1.0, ())

    def show(self, drawing: SceneDrawing, most: int | None = None) -> int:
        """Put on stage what a drawing shows, triangles and segments up to about `most`; return how many there are."""
        self._shown, self._raised = [], []
        drawn, half = 0, None if most is None else most // 2
        if drawing.surface is not None:
            drawn = self._show_surface(drawing, drawing.surface, half)
        self._show_box(drawing)
        for place, part in enumerate(drawing.slices):
            self._show_frame(drawing, part, place)
        drawn += self._show_slices(drawing, None if most is None else max(most - drawn, most // 2))
        self._leave_what_is_shown()
        return drawn

    def follow(self, lens: Lens, ratio: float, size: tuple[int, int]) -> None:
        """Keep lines before what they lie on, and as wide as they are to be, seen through a lens with `ratio` pixels to
        the unit of widths; size: of what is drawn at once, in pixels."""
        near, far = lens.near / self.space.size, lens.far / self.space.size
        raised = -2 * far * near / (far - near) * ratio * _ON * lens.pixel_angle
        for prop in self._raised:
            actors.set_sight(prop, size, near, raised)

    def clear(self) -> None:
        """Give back everything."""
        self._shown, self._raised, self._layers = [], [], SliceLayers((), 1.0, ())
        self._leave_what_is_shown()

    def _keep(self, name: object, made_of: tuple[object, ...], make: Callable[[], Any]) -> _Kept:
        """What there is of a name, made anew when something else is to be seen of it."""
        known = self._kept.get(name)
        if known is None or not _same(known.made_of, made_of):
            if known is not None:
                self._renderer.RemoveViewProp(known.prop)
            known = self._kept[name] = _Kept(made_of, make())
            self._renderer.AddViewProp(known.prop)
        self._shown.append(name)
        return known

    def _leave_what_is_shown(self) -> None:
        for name in self._kept.keys() - set(self._shown):
            self._renderer.RemoveViewProp(self._kept.pop(name).prop)
        props = self._renderer.GetViewProps()  # its own list: what only changes places gives up nothing
        wanted = [self._kept[name].prop for name in self._shown]
        if wanted != list(props):
            props.RemoveAllItems()
            for prop in wanted:
                props.AddItem(prop)

    def _show_surface(self, drawing: SceneDrawing, surface: SurfaceDrawing, most: int | None) -> int:
        mesh, space, drawn = surface.mesh, self.space, 0
        if surface.faces and mesh.triangles:
            fewer = None if most is None or mesh.triangles <= most else most

            def faces() -> Any:
                data = polydata.polygons(mesh, space) if fewer is None else polydata.fewer_triangles(mesh, fewer, space)
                return actors.surface_actor(data)

            actors.cut(self._keep("faces", (mesh, fewer), faces).prop, surface.cut, space)
            drawn = mesh.triangles if fewer is None else fewer
        if surface.creases and len(mesh.creases):
            drawn += self._show_creases(drawing, surface, most)
        if surface.faces and len(surface.highlight):
            made_of, width = (mesh, surface.highlight), _HIGHLIGHT * drawing.ratio
            for prop in self._show_raised("highlight", made_of, mesh.vertices[surface.highlight], HIGHLIGHT, width):
                actors.cut(prop, surface.cut, space)
        return drawn

    def _show_creases(self, drawing: SceneDrawing, surface: SurfaceDrawing, most: int | None) -> int:
        mesh, style = surface.mesh, drawing.look.style
        count = len(mesh.creases) if most is None else min(most, len(mesh.creases))

        def creases() -> Any:
            ends = mesh.vertices[mesh.creases]
            chosen = longest(ends, count)[::-1]
            data = polydata.segments(ends[chosen], self.space, depth=mesh.crease_depth[chosen])
            return actors.depth_lines_actor(data, raised=True)

        kept = self._keep("creases", (mesh, count), creases)
        self._raised.append(kept.prop)
        colors, width = depth_colors(int(mesh.crease_depth[-1]) + 1, style.palette), _CREASE * style.line_factor
        opacities = np.full(len(colors), _CREASES * min(width, 1.0))
        _color(kept, color_table(colors, opacities, drawing.look.hidden_depths), width * drawing.ratio)
        actors.cut(kept.prop, surface.cut, self.space)
        return count

    def _show_box(self, drawing: SceneDrawing) -> None:
        domain, look = drawing.domain, drawing.look
        for name, count, color, width in (("box", 12, box.BOX, 1.0), ("axes", 3, box.AXES, 2.0)):
            if look.box if name == "box" else look.axes:

                def make(count: int = count) -> Any:
                    return actors.lines_actor(polydata.segments(box.edges(domain)[:count], self.space))

                actors.draw_in(self._keep(name, (domain,), make).prop, color, width * drawing.ratio, 1.0)
        if look.axes:
            for place in range(box.LABELS):
                self._keep(("label", place), (domain,), partial(box.label, domain, place, self.space))

    def _show_frame(self, drawing: SceneDrawing, part: SliceDrawing, place: int) -> None:
        if len(part.frame):
            width = (_ACTIVE_FRAME if part.active else _FRAME) * drawing.ratio
            self._show_raised(("frame", place), (part.frame,), polydata.loop_lines(part.frame), part.accent, width)

    def _show_raised(
        self, name: object, made_of: tuple[object, ...], ends: Float, color: RGB, width: float
    ) -> list[Any]:
        """Opaque lines that nothing they lie on hides."""
        found = []
        for kind in (actors.ribbons_actor, actors.joints_actor):

            def make(kind: _Heavy = kind) -> Any:
                return kind(polydata.ribbons(ends, self.space), translucent=False)

            found.append(self._keep((name, kind), made_of, make).prop)
            actors.draw_in(found[-1], color, width, 1.0)
        self._raised += found
        return found

    def _show_slices(self, drawing: SceneDrawing, most: int | None) -> int:
        """What lies in the planes of slices, the farthest first."""
        look = drawing.look
        shown = [(part, part.picture) for part in drawing.slices if part.picture is not None]
        pictures = tuple(picture for _, picture in shown)
        total = sum(len(picture.strokes.ends) for picture in pictures)
        share = 1.0 if most is None or total <= most else most / total
        if not self._layers.same(pictures, share):
            self._layers = SliceLayers.of(pictures, share)
        depths, drawn = [depth_lines(part, picture, drawing) for part, picture in shown], 0
        for layer, piece in self._layers.from_far(drawing.lens.eye):
            part, picture = shown[piece.slice]
            table, width = depths[piece.slice]
            if layer == LINES and look.lines:
                self._show_lines(piece, picture, table, width * drawing.ratio)
                drawn += len(piece.ends)
            elif layer == LEVEL:
                wide = max(_LEVEL * look.style.level_factor, _HEAVIER * width if look.lines else 0.0)
                self._show_cased(piece, part.accent, wide, drawing.ratio, part.strength)
            elif layer != LINES:
                self._show_cased(piece, HIGHLIGHT, _HIGHLIGHT, drawing.ratio, part.strength)
        return drawn

    def _show_lines(self, piece: Piece, picture: SlicePicture, table: Table, width: float) -> None:
        def make() -> Any:
            strokes = picture.strokes
            depth, neuron = strokes.depth[piece.line], strokes.neuron[piece.line]
            data = polydata.segments(piece.ends, self.space, depth=depth, neuron=neuron)
            return actors.depth_lines_actor(data, raised=False)

        _color(self._keep((piece, "lines"), (), make), table, width)

    def _show_cased(self, piece: Piece, color: RGB, width: float, ratio: float, strength: float) -> None:
        """Lines with a pale line below, without notches where they bend, unless those could be seen through."""
        layers: list[tuple[_Heavy, RGB, float, float]] = [
            (actors.ribbons_actor, BACKGROUND, width + _CASING, _CASINGS),
            (actors.ribbons_actor, color, width, 1.0),
        ]
        if strength == 1.0:
            layers.append((actors.joints_actor, color, width, 1.0))
        for number, (kind, shade, wide, opacity) in enumerate(layers):

            def make(kind: _Heavy = kind) -> Any:
                return kind(polydata.ribbons(piece.ends, self.space), translucent=True)

            prop = self._keep((piece, number), (), make).prop
            actors.draw_in(prop, shade, wide * ratio, strength * opacity)
            self._raised.append(prop)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Made of the same things, or equal numbers."""
    return all(a is b or (isinstance(a, int) and a == b) for a, b in zip(one, other, strict=True))


def _color(kept: _Kept, table: Table, width: float) -> None:
    """The colours of depths; width: in pixels, 1 at least."""
    actors.draw_in(kept.prop, BACKGROUND, max(width, 1.0), 1.0)
    if kept.colors != table.tobytes():
        actors.set_depth_colors(kept.prop, table)
        kept.colors = table.tobytes()
