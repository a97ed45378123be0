"""The 3D view's pixels against VTK, against rays, and against drawing everything anew."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import pyvista
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from app.state.geometry.surfaces import CoarseSurface
from app.state.look import SceneLook
from app.state.palette import accent
from app.views.camera import Lens
from app.views.painting.scene_painter import SceneDrawing, ScenePainter
from app.views.painting.sheet import draw_sheet
from app.views.painting.sheet_tiles import SheetTiles
from app.views.painting.surface_picture import SurfaceMesh
from app.views.raster import sheets as sheet_raster
from app.views.raster import surfaces as surface_raster
from app.views.scene import box_actors
from app.views.scene.box_picture import render_backdrop
from app.views.scene.canvas import Canvas
from app.views.scene.scene import Scene
from app.views.scene.still_picture import still_picture
from app.views.slice.slice_image import slice_picture
from engine import Network, SlicePlane, extract_surface, level_set, partition_slice
from sdf_models import Checkpoint, load_checkpoint
from tests.app.conftest import ROOT

SIZE = (220, 180)
NO_CUT = np.array([0.0, 0.0, 0.0, -1.0])


@pytest.fixture(scope="module")
def torus() -> tuple[Checkpoint, Network]:
    checkpoint = load_checkpoint(ROOT / "resources" / "checkpoints" / "torus.safetensors")
    return checkpoint, Network.trace(checkpoint.module)


@pytest.fixture
def canvas() -> Iterator[Canvas]:
    made = Canvas(*SIZE)
    yield made
    made.close()


@pytest.fixture
def scene(canvas: Canvas, torus: tuple[Checkpoint, Network]) -> Scene:
    checkpoint, network = torus
    made = Scene(canvas, checkpoint.domain)
    made.mesh = SurfaceMesh.of(extract_surface(network, checkpoint.domain), len(network.kinks))
    for key, plane in enumerate((SlicePlane.from_axis("z", 0.1), SlicePlane.from_normal([0, 0, 0], [1, 0.4, 0.2]))):
        partition = partition_slice(network, plane, checkpoint.domain)
        made.place_slice(key, plane, accent(key), active=key == 0)
        made.draw_slice(key, slice_picture(partition, level_set(partition).polylines))
    return made


def drawing(canvas: Canvas, scene: Scene, look: SceneLook, clip: SlicePlane | None = None) -> SceneDrawing:
    scene.show_box(look)
    scene.fit_range()
    backdrop = render_backdrop(canvas.render_window, scene.camera, SIZE)
    return SceneDrawing(backdrop, scene.surface(look, clip), scene.sheets(look), 1.0, 1)


def points_seen(lens: Lens, inverse: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where the lines of sight through the pixels' centres end, (N, 3), of pixels that show something."""
    rows, columns = np.nonzero(inverse)
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        start, direction = lens.ray(column + 0.5, row + 0.5)
        distance = 1.0 / float(inverse[row, column])
        along = (distance - float(lens.forward @ (start - lens.eye))) / float(lens.forward @ direction)
        found.append(start + along * direction)
    return np.array(found)


def test_the_surface_is_where_vtk_draws_it(canvas: Canvas, scene: Scene) -> None:
    """Depth and colour of nearly all pixels are VTK's; they differ only along edges of facets."""
    nothing = SceneLook(box=False, axes=False)
    shown = drawing(canvas, scene, nothing)
    ours = ScenePainter().draw(SceneDrawing(shown.backdrop, shown.surface, (), 1.0, 1))
    mesh = scene.mesh
    assert mesh is not None
    loops = np.split(mesh.face_vertices, mesh.face_offsets[1:-1])
    data = pyvista.PolyData.from_irregular_faces(mesh.vertices, loops)
    data.GetCellData().SetScalars(numpy_to_vtk(mesh.colors, deep=True))
    data.GetCellData().SetNormals(numpy_to_vtk(mesh.normals.astype(np.float32), deep=True))
    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    mapper.SetScalarModeToUseCellData()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetInterpolationToFlat()
    look.SetAmbient(0.62)
    look.SetDiffuse(0.42)
    look.SetSpecular(0.0)
    canvas.renderer.AddActor(actor)
    theirs = render_backdrop(canvas.render_window, scene.camera, SIZE)
    scale, shift = theirs.lens.depth_to_inverse
    depths = np.where(theirs.depth < 1.0, scale * theirs.depth + shift, 0.0)
    assert (depths > 0).mean() > 0.1
    assert ((depths > 0) != (ours.inverse > 0)).mean() < 2e-3
    both = (depths > 0) & (ours.inverse > 0)
    assert np.quantile(np.abs(depths - ours.inverse)[both], 0.99) < 1e-4
    assert np.quantile(np.abs(ours.pixels.astype(int) - theirs.pixels)[both], 0.98) <= 2


def test_pixels_of_the_surface_lie_on_it(canvas: Canvas, scene: Scene, torus: tuple[Checkpoint, Network]) -> None:
    _, network = torus
    shown = drawing(canvas, scene, SceneLook(box=False, axes=False))
    points = points_seen(shown.backdrop.lens, ScenePainter().draw(shown).inverse)
    assert len(points) > 2000
    assert np.abs(network.forward(points)).max() < 1e-5  # of float32 in the buffer


def test_a_cut_surface_shows_nothing_on_the_eyes_side(canvas: Canvas, scene: Scene) -> None:
    look = SceneLook(box=False, axes=False, clip=True)
    plane = SlicePlane.from_normal([0.05, 0, 0], [1, 0.2, 0.3])
    shown = drawing(canvas, scene, look, plane)
    lens = shown.backdrop.lens
    points = points_seen(lens, ScenePainter().draw(shown).inverse)
    towards = np.sign(float((lens.eye - plane.origin) @ plane.normal))
    assert len(points) > 500
    assert (towards * ((points - plane.origin) @ plane.normal)).max() < 1e-5


def test_sheets_lie_in_their_planes(canvas: Canvas, scene: Scene) -> None:
    shown = drawing(canvas, scene, SceneLook())
    lens = shown.backdrop.lens
    pixels, raised = np.empty((SIZE[1], SIZE[0], 4), np.uint8), np.empty((SIZE[1], SIZE[0]), np.uint8)
    for sheet in shown.sheets:
        placed = draw_sheet(sheet, lens, 1.0, pixels, raised)
        rows, columns = np.nonzero(pixels[:, :, 3])
        assert len(rows) > 1000
        assert rows.min() >= placed.box[0]
        assert rows.max() < placed.box[1]
        assert columns.min() >= placed.box[2]
        assert columns.max() < placed.box[3]
        inverse = np.zeros(raised.shape, np.float64)
        inverse[rows, columns] = (
            np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=1) @ placed.inverse
        )  # fmt: skip
        points = points_seen(lens, inverse)
        assert np.abs((points - sheet.plane.origin) @ sheet.plane.normal).max() < 1e-9


@pytest.mark.parametrize(
    ("scale", "shift"), [(2.0**-20, 0.0), (2.0**20, 0.0), (2.0**-30, 1.0), (1.0, 2.0**20), (2.0**20, 2.0**40)]
)
def test_sheets_are_drawn_alike_at_every_scale_and_place(canvas: Canvas, scale: float, shift: float) -> None:
    """The domain's size and place change nothing but the numbers on its axes: rounding moves few pixels."""
    pictures = []
    for size, middle in ((1.0, 0.0), (scale, shift)):
        scene = Scene(canvas, middle + size * np.array([[-1.0] * 3, [1.0] * 3]))
        for key, (axis, offset) in enumerate((("x", -0.4), ("y", 0.1), ("z", 0.7))):
            scene.place_slice(key, SlicePlane.from_axis(axis, middle + size * offset), accent(key))
        oblique = SlicePlane.from_normal(np.full(3, middle), [1, 0.4, 0.2])
        scene.place_slice(3, oblique, accent(3), active=True)
        shown = drawing(canvas, scene, SceneLook(box=False, axes=False))
        pictures.append(ScenePainter().draw(shown).pixels.astype(int))
    one, other = pictures
    assert (one[:, :, :3] < 200).any(axis=2).sum() > 1000
    assert (np.abs(one - other) > 8).mean() < 1e-3


@pytest.mark.parametrize("tilt", [0.0, 1e-12, 1e-8, 1e-5, 1e-4])
def test_a_plane_seen_along_itself_is_a_line(canvas: Canvas, tilt: float) -> None:
    """From one end of its frame to the other, whatever rounding makes of the angle; the lines in it are not seen."""
    scene = Scene(canvas, np.array([[-1.0] * 3, [1.0] * 3]))
    scene.place_slice(0, SlicePlane.from_axis("y", 0.0), accent(0))
    scene.look_from((1.0, tilt, 0.4), (0.0, 1.0, 0.0))
    shown = drawing(canvas, scene, SceneLook(box=False, axes=False))
    lens = shown.backdrop.lens
    ink = ScenePainter().draw(shown).pixels[:, :, :3].astype(int)
    rows, columns = np.nonzero((np.abs(ink - 255) > 60).any(axis=2))
    ends = lens.to_pixels(np.array([[x, 0.0, z] for x in (-1, 1) for z in (-1, 1)]))
    assert set(columns) >= set(range(int(ends[:, 0].min()) + 1, int(ends[:, 0].max())))
    assert np.abs(rows + 0.5 - ends[:, 1].mean()).max() < 2.5


def test_a_plane_seen_along_itself_lies_before_and_behind_other_things(canvas: Canvas) -> None:
    scene = Scene(canvas, np.array([[-1.0] * 3, [1.0] * 3]))
    scene.place_slice(0, SlicePlane.from_axis("y", 0.0), accent(0))
    scene.look_from((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    look = SceneLook(box=False, axes=False)
    for z, seen in ((-2.0, True), (2.0, False)):
        wall = np.array([[-9.0, -9.0, z], [9.0, -9.0, z], [0.0, 9.0, z]])
        scene.mesh = SurfaceMesh.of(CoarseSurface.from_triangles(wall, np.array([[0, 1, 2]], np.int32)), 0)
        shown = drawing(canvas, scene, look)
        pixels = ScenePainter().draw(shown).pixels.astype(int)
        frame = np.rint(255 * np.array(accent(0)))
        middle = pixels[SIZE[1] // 2 - 2 : SIZE[1] // 2 + 2, SIZE[0] // 2, :3]
        assert (np.abs(middle - frame).max(axis=1) < 40).any() == seen


@pytest.mark.parametrize("shift", [1e6, 2.0**40])
def test_letters_at_the_axes_are_whole_wherever_the_box_is(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    monkeypatch.setattr(box_actors, "number_text", lambda value, step: "0.25")
    pictures = []
    for middle in (0.0, shift):
        canvas.renderer.RemoveAllViewProps()
        scene = Scene(canvas, middle + np.array([[-1.0] * 3, [1.0] * 3]))
        pictures.append(still_picture(canvas, scene, SceneLook(), (440, 360))[:, :, :3].astype(int))
    one, other = pictures
    assert (one < 200).any(axis=2).sum() > 400
    assert (np.abs(one - other) > 8).mean() < 1e-3


def test_lines_fade_as_their_plane_leaves_them(canvas: Canvas, scene: Scene) -> None:
    """What a moved plane left behind is pale, not drawn anew, and whole again where its lines are computed."""
    painter, look = ScenePainter(), SceneLook(surface=False, box=False, axes=False)

    def ink(offset: float) -> int:
        """How dark the lines of the first slice are, its frame left out."""
        scene.place_slice(0, SlicePlane.from_axis("z", offset), accent(0))
        shown = drawing(canvas, scene, look)
        lines = SceneDrawing(shown.backdrop, shown.surface, shown.sheets[:1], shown.ratio, shown.finer)
        return int((255 - painter.draw(lines).pixels[:, :, :3].astype(int)).sum())

    whole = ink(0.1)
    inks = [ink(offset) for offset in (0.11, 0.2, 0.3, 0.6)]
    assert inks[0] == whole
    assert inks[0] > inks[1] > inks[2] > 0
    assert inks[3] == pytest.approx(0.3 * whole, rel=0.05)
    assert ink(0.1) == whole


def test_what_is_kept_changes_nothing(canvas: Canvas, scene: Scene) -> None:
    """A painter that has drawn other pictures before draws what a new one draws."""
    kept, generator = ScenePainter(), np.random.default_rng(1)
    for step in range(25):
        choice = generator.integers(5)
        if choice == 0:
            scene.camera.Azimuth(float(generator.uniform(-20, 20)))
        elif choice == 1:
            offset = float(generator.uniform(-0.5, 0.5))
            scene.place_slice(int(generator.integers(2)), SlicePlane.from_axis("y", offset), accent(step))
        look = SceneLook(
            creases=bool(generator.integers(2)), lines=bool(generator.integers(2)),
            surface=bool(generator.integers(3)), hidden_depths=frozenset({int(generator.integers(4))}),
        )  # fmt: skip
        clip = SlicePlane.from_axis("x", 0.1) if generator.integers(3) == 0 else None
        shown = drawing(canvas, scene, look, clip)
        np.testing.assert_array_equal(kept.draw(shown).pixels, ScenePainter().draw(shown).pixels)


def test_room_for_a_stack_of_slices_is_given_back(
    canvas: Canvas, scene: Scene, torus: tuple[Checkpoint, Network]
) -> None:
    """Slices come and go one by one and many at a time: the pictures are those drawn anew, the room is that of now."""
    painter, look, keys = ScenePainter(), SceneLook(), []
    checkpoint, network = torus
    for count in (0, 1, 2, 14, 13, 6, 1, 0, 3):
        while len(keys) > count:
            scene.remove_slice(keys.pop(0))
        while len(keys) < count:
            keys.append(max([1, *keys]) + 1)
            plane = SlicePlane.from_axis("x", 0.03 * keys[-1] - 0.4)
            partition = partition_slice(network, plane, checkpoint.domain)
            scene.place_slice(keys[-1], plane, accent(keys[-1]))
            scene.draw_slice(keys[-1], slice_picture(partition, level_set(partition).polylines))
        shown = drawing(canvas, scene, look)
        assert np.array_equal(painter.draw(shown).pixels, ScenePainter().draw(shown).pixels)
        charts = [kept.chart for kept in painter._kept]
        used = np.sort(np.concatenate([chart[chart >= 0] for chart in charts]))
        tiles = painter._tiles
        assert len(charts) == len(shown.sheets)
        assert len(np.unique(used)) == len(used)  # no two sheets share a tile
        assert len(used) <= len(tiles.pixels) == len(tiles.raised) <= 2 * len(used)
        free = np.setdiff1d(np.arange(len(tiles.pixels)), used)
        assert np.array_equal(np.sort(tiles._free), free)
        assert len(used) < 0.4 * sum(chart.size for chart in charts)  # frames are next to nothing


def test_a_transparent_picture_over_white_is_the_opaque_one(canvas: Canvas, scene: Scene) -> None:
    look = SceneLook(axes=False)
    opaque = still_picture(canvas, scene, look, SIZE).astype(float)
    clear = still_picture(canvas, scene, look, SIZE, transparent=True).astype(float)
    assert opaque.shape == (SIZE[1], SIZE[0], 4)
    assert opaque[:, :, 3].min() == 255
    assert clear[0, 0, 3] == 0
    assert 0.2 < (clear[:, :, 3] > 0).mean() < 0.9
    share = clear[:, :, 3:] / 255
    assert np.abs(clear[:, :, :3] * share + 255 * (1 - share) - opaque[:, :, :3]).max() <= 4


@pytest.mark.parametrize("size", [(90, 260), (260, 90), (170, 170)])
def test_the_box_is_seen_whole_in_pictures_of_any_shape(canvas: Canvas, scene: Scene, size: tuple[int, int]) -> None:
    look = SceneLook(axes=False)
    picture = still_picture(canvas, scene, look, size, transparent=True)
    rows, columns = np.nonzero(picture[:, :, 3])
    assert 0 < rows.min() <= rows.max() < size[1] - 1
    assert 0 < columns.min() <= columns.max() < size[0] - 1
    assert max(np.ptp(rows), np.ptp(columns)) > 0.6 * min(size)
    corners = np.array([[scene.domain[bit >> axis & 1, axis] for axis in range(3)] for bit in range(8)])
    seen = Lens(scene.camera, *size).to_pixels(corners)  # the camera is still that of this shape
    np.testing.assert_allclose(seen.min(axis=0), [columns.min(), rows.min()], atol=2.0)
    np.testing.assert_allclose(seen.max(axis=0), [columns.max(), rows.max()], atol=2.0)


def test_an_eye_among_the_slices_sees_them(canvas: Canvas, scene: Scene) -> None:
    """Lines that pass the eye are cut where they come too near, not drawn wildly."""
    scene.camera.SetPosition(0.3, 0.2, 0.11)
    scene.camera.SetFocalPoint(-0.4, 0.0, 0.0)
    shown = drawing(canvas, scene, SceneLook())
    picture = ScenePainter().draw(shown)
    assert picture.pixels.shape == (SIZE[1], SIZE[0], 4)
    lens = shown.backdrop.lens
    pixels, raised = np.zeros((SIZE[1], SIZE[0], 4), np.uint8), np.zeros((SIZE[1], SIZE[0]), np.uint8)
    placed = draw_sheet(shown.sheets[0], lens, 1.0, pixels, raised)
    rows, columns = np.nonzero(pixels[:, :, 3])
    inverse = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=1) @ placed.inverse
    assert len(rows) > 0
    assert inverse.min() > -0.2  # nothing beyond the horizon of the plane, but for the width of a line


def test_faces_hide_each_other_as_rays_say() -> None:
    """Random triangles: every pixel shows the one that the ray through its centre meets first."""
    generator = np.random.default_rng(5)
    count, width, height = 40, 48, 36
    corners = generator.uniform([0, 0, 0.2], [width, height, 1.0], (count, 3, 3))
    seen = np.zeros((3 * count, 4))
    seen[:, :3] = corners.reshape(-1, 3)
    seen[:, 3] = -1.0
    colors = generator.integers(0, 255, (count, 3)).astype(np.uint8)
    picture, inverse = np.zeros((height, width, 4), np.uint8), np.zeros((height, width), np.float32)
    surface_raster.lay_faces(
        picture, inverse, seen, np.arange(0, 3 * count + 1, 3, dtype=np.int32), np.arange(3 * count, dtype=np.int32),
        colors, np.zeros((count, 3)), np.array([0.0, 0.0, 1.0]), 1.0, 0.0,
    )  # fmt: skip
    for row in range(height):
        for column in range(width):
            at = np.array([column + 0.5, row + 0.5, 1.0])
            best, first = 0.0, -1
            for k in range(count):
                system = np.concatenate([corners[k, :, :2].T, np.ones((1, 3))])
                weights = np.linalg.solve(system, at)
                if weights.min() >= 0 and float(weights @ corners[k, :, 2]) > best:
                    best, first = float(weights @ corners[k, :, 2]), k
            assert inverse[row, column] == pytest.approx(best, abs=1e-6)
            expected = colors[first] if first >= 0 else np.zeros(3)
            np.testing.assert_array_equal(picture[row, column, :3], expected)


def test_sheets_are_laid_over_each_other_by_depth() -> None:
    """Against a loop that sorts by depth, for each pixel alone."""
    generator = np.random.default_rng(3)
    count, height, width, slack = 6, 19, 35, 0.1
    opacity = generator.integers(0, 256, (count, height, width))
    opacity[generator.random(opacity.shape) < 0.3] = 0
    opacity[:, 0], opacity[:, :, -2:] = 0, 0  # outside their boxes
    opacity[3, :, :20] = 0  # a tile without anything in it
    sheets = np.empty((count, height, width, 4), np.uint8)
    sheets[..., :3] = generator.random((count, height, width, 3)) * opacity[..., None]
    sheets[..., 3] = opacity
    raised = generator.integers(0, 2, (count, height, width)).astype(np.uint8)
    planes = generator.uniform(-0.02, 0.02, (count, 3)) + np.array([0.0, 0.0, 0.5])
    planes[5] = planes[0] * (1.0 + 1e-14)  # the same place, but for rounding
    chosen = np.array([5, 2, 0, 3, 1])
    boxes = np.tile([1, height, 0, width - 2], (count, 1))
    strengths = np.array([255, 255, 90, 0, 255, 200])
    inverse = generator.uniform(0, 1, (height, width)).astype(np.float32)
    picture = generator.integers(0, 256, (height, width, 4)).astype(np.uint8)
    found = picture.copy()
    tiles = SheetTiles()
    charts = np.stack([tiles.keep(sheets[n], raised[n], boxes[n]) for n in chosen])
    assert (charts[3] < 0).sum() == 2
    sheet_raster.compose(found, inverse, charts, tiles.pixels, tiles.raised, planes[chosen], strengths[chosen], slack)
    for i in range(height):
        for j in range(width):
            expected = picture[i, j].astype(float)
            near = planes @ np.array([j + 0.5, i + 0.5, 1.0])
            near[5] = near[0]
            for n in chosen[np.argsort(near[chosen], kind="stable")].tolist():
                if opacity[n, i, j] and near[n] * (1 + slack * raised[n, i, j]) >= inverse[i, j]:
                    share = strengths[n] / 255
                    expected = share * sheets[n, i, j] + expected * (1 - share * opacity[n, i, j] / 255)
            np.testing.assert_allclose(found[i, j], expected, atol=2.1)


def test_the_preview_is_drawn_like_the_surface() -> None:
    triangles = np.array([[0, 1, 2]], np.int32)
    coarse = CoarseSurface.from_triangles(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), triangles)
    mesh = SurfaceMesh.of(coarse, 3)
    np.testing.assert_array_equal(mesh.normals, [[0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(mesh.colors, [[128, 128, 255]])
    assert mesh.first.tolist() == [0, 0, 0, 0]


def test_a_canvas_keeps_nothing_of_the_scene_before(canvas: Canvas) -> None:
    def picture(box: list[list[float]]) -> NDArray[np.int64]:
        scene = Scene(canvas, box)
        scene.look_from((0.2, 0.9, 0.5))
        scene.show_box(SceneLook())
        with scene.at_the_origin():
            return render_backdrop(canvas.render_window, scene.camera, SIZE).pixels.astype(int)

    wanted = picture([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
    canvas.clear()
    other = picture([[3.0, 0.0, 0.0], [9.0, 1.0, 2.0]])
    assert np.abs(other - wanted).max() > 50
    canvas.clear()
    assert np.abs(picture([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]) - wanted).max() <= 2
