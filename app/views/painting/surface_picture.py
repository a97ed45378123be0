"""The level surface as pixels: its facets coloured by their normals, its creases by depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.state.geometry.spheres import Spheres
from app.state.line_style import LineStyle
from app.state.palette import depth_colors
from app.views.raster import surfaces as raster
from app.views.slice.slice_image import HIGHLIGHT

if TYPE_CHECKING:
    from app.state.geometry.surfaces import PolygonSurface
    from app.views.camera import Lens

Float = NDArray[np.float64]
Int = NDArray[np.int32]
Image = NDArray[np.uint8]

_AMBIENT, _DIFFUSE = 0.62, 0.42
_CREASE, _HIGHLIGHT = 1.0, 3.2  # pixels
_CREASE_OPACITY: Final = 0.8
_NO_CUT: Final = np.array([0.0, 0.0, 0.0, -1.0])


@dataclass(frozen=True, eq=False, slots=True)
class SurfaceMesh:
    """What there is to draw of a surface, made once: whatever does not depend on the eye.

    vertices (V, 3); face_offsets (F + 1,), face_vertices; colors (F, 3) uint8; normals (F, 3) unit vectors or 0;
    creases (E, 2) ordered by depth: those of depth d are creases[first[d]:first[d + 1]]; spheres: around the facets.
    """

    vertices: Float
    face_offsets: Int
    face_vertices: Int
    colors: NDArray[np.uint8]
    normals: Float
    creases: Int
    first: Int
    spheres: Spheres

    @property
    def gradients(self) -> Float:
        """(F, 3): normal to the facets."""
        return self.normals

    @classmethod
    def of(cls, surface: PolygonSurface, layers: int) -> SurfaceMesh:
        lengths = np.linalg.norm(surface.gradients, axis=1, keepdims=True)
        normals = surface.gradients / np.where(lengths > 0, lengths, 1.0)
        order = np.argsort(surface.edge_layer, kind="stable")
        first = np.searchsorted(surface.edge_layer[order], np.arange(layers + 1)).astype(np.int32)
        vertices = np.ascontiguousarray(surface.vertices, np.float64)
        offsets = np.ascontiguousarray(surface.face_offsets, np.int32)
        loops = np.ascontiguousarray(surface.face_vertices, np.int32)
        creases = np.ascontiguousarray(surface.edges[order], np.int32)
        spheres = Spheres.around(vertices, offsets, loops)
        return cls(vertices, offsets, loops, normal_colors(normals), normals, creases, first, spheres)


def normal_colors(normals: Float) -> NDArray[np.uint8]:
    """(F, 3) uint8: RGB = (n + 1) / 2 of unit normals n (F, 3); grey where there is none."""
    return np.rint(255 * (normals + 1) / 2).astype(np.uint8)


@dataclass(frozen=True, eq=False, slots=True)
class SurfaceDrawing:
    """A surface as the scene shows it.

    faces, creases: what is drawn of it, creases of hidden depths not; cut (4,): nothing is drawn where
    (x, y, z, 1) . cut > 0, None: all is drawn; highlight (H, 2): edges between its vertices that are told apart.
    """

    mesh: SurfaceMesh
    faces: bool
    creases: bool
    hidden_depths: frozenset[int]
    cut: Float | None
    highlight: Int
    style: LineStyle

    def same(self, other: SurfaceDrawing) -> bool:
        """Both are drawn alike."""
        if self.cut is None or other.cut is None:
            same_cut = self.cut is other.cut
        else:
            same_cut = np.array_equal(self.cut, other.cut)
        return (
            self.mesh is other.mesh
            and self.faces == other.faces
            and self.creases == other.creases
            and (not self.creases or (self.hidden_depths, self.style) == (other.hidden_depths, other.style))
            and self.highlight is other.highlight
            and same_cut
        )


def draw_surface(
    drawing: SurfaceDrawing, lens: Lens, ratio: float, slack: float, picture: Image, inverse: NDArray[np.float32]
) -> None:
    """Draw over picture (H, W, 4) uint8 where inverse (H, W), of the distance, says that nothing is nearer.

    ratio: pixels to the unit of line widths; slack: lines win over what is nearer by less than this share.
    """
    mesh = drawing.mesh
    seen = np.empty((len(mesh.vertices), 4))
    cut = _NO_CUT if drawing.cut is None else drawing.cut
    raster.see_points(mesh.vertices, lens.to_screen, lens.near, cut, seen)
    if drawing.faces:
        raster.lay_faces(
            picture, inverse, seen, mesh.face_offsets, mesh.face_vertices, mesh.colors, mesh.normals, lens.forward,
            _AMBIENT, _DIFFUSE,
        )  # fmt: skip

    def edges(edges: Int, first: int, last: int, color: tuple[float, float, float], width: float, share: float) -> None:
        shade = np.rint(255 * np.array(color))
        raster.lay_edges(picture, inverse, seen, edges, first, last, shade, width * ratio, share, slack)

    if drawing.creases:
        layers = len(mesh.first) - 1
        width = _CREASE * drawing.style.line_factor
        share = _CREASE_OPACITY * min(width, 1.0)
        for depth, color in reversed(list(enumerate(depth_colors(layers, drawing.style.palette)))):
            if depth not in drawing.hidden_depths:
                lo, hi = int(mesh.first[depth]), int(mesh.first[depth + 1])
                edges(mesh.creases, lo, hi, color, max(width, 1.0), share)
    if drawing.faces and len(drawing.highlight):
        edges(drawing.highlight, 0, len(drawing.highlight), HIGHLIGHT, _HIGHLIGHT, 1.0)
