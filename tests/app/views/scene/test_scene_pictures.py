"""The 3D view's pictures against rays, against each other, and against what they are of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from app.state.geometry.picking import surface_point
from app.state.geometry.surfaces import CoarseSurface
from app.state.geometry.viewpoint import Viewpoint
from app.state.look import SceneLook
from app.state.palette import accent
from app.views.camera import zoom
from app.views.scene import box
from app.views.scene import studio as studio_file
from app.views.scene.detail import MOMENT, Pace
from app.views.scene.picking import Screen
from app.views.scene.scene import Scene
from app.views.scene.still_picture import still_drawing, straight
from app.views.scene.studio import Studio
from app.views.scene.surface_mesh import SurfaceMesh
from app.views.slice.slice_image import HIGHLIGHT, slice_picture
from engine import Network, SlicePlane, extract_surface, level_set, partition_slice
from sdf_models import Checkpoint, load_checkpoint
from tests.app.conftest import ROOT

SIZE = (220, 180)
BARE = SceneLook(box=False, axes=False)
UNIT = np.array([[-1.0] * 3, [1.0] * 3])


@pytest.fixture(scope="module")
def torus() -> tuple[Checkpoint, Network]:
    checkpoint = load_checkpoint(ROOT / "resources" / "checkpoints" / "torus.safetensors")
    return checkpoint, Network.trace(checkpoint.module)


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.close()


@pytest.fixture
def scene(torus: tuple[Checkpoint, Network]) -> Scene:
    checkpoint, network = torus
    made = Scene(checkpoint.domain)
    made.mesh = SurfaceMesh.of(extract_surface(network, checkpoint.domain))
    for key, plane in enumerate((SlicePlane.from_axis("z", 0.1), SlicePlane.from_normal([0, 0, 0], [1, 0.4, 0.2]))):
        partition = partition_slice(network, plane, checkpoint.domain)
        made.place_slice(key, plane, accent(key), active=key == 0)
        made.draw_slice(key, slice_picture(partition, level_set(partition).polylines))
    return made


def picture(
    studio: Studio,
    scene: Scene,
    look: SceneLook,
    clip: SlicePlane | None = None,
    size: tuple[int, int] = SIZE,
    smooth: bool = True,
) -> NDArray[np.int64]:
    """(H, W, 3)."""
    found = studio.draw(scene.drawing(look, scene.lens(*size), 1.0, smooth, clip))
    return found.pixels[:, :, :3].astype(int)


def still(
    studio: Studio, scene: Scene, look: SceneLook, size: tuple[int, int], clear: bool = False
) -> NDArray[np.uint8]:
    drawing = still_drawing(scene, look, scene.lens(*size), transparent=clear)
    return straight(studio.draw(drawing, still=True).pixels)


def near_color(pixels: NDArray[np.int64], color: tuple[float, float, float], off: int = 70) -> NDArray[np.bool_]:
    return np.abs(pixels - 255 * np.array(color)).max(axis=2) < off


def wall(z: float) -> SurfaceMesh:
    corners = np.array([[-9.0, -9.0, z], [9.0, -9.0, z], [0.0, 9.0, z]])
    return SurfaceMesh.of(CoarseSurface.from_triangles(corners, np.array([[0, 1, 2]], np.int32)))


@pytest.mark.parametrize("cut", [False, True])
def test_the_surface_is_where_rays_meet_it(studio: Studio, scene: Scene, cut: bool) -> None:
    """In the colours of its normals; a part of it is cut away on the eye's side of a plane."""
    clip = SlicePlane.from_normal([0.05, 0, 0], [1, 0.2, 0.3]) if cut else None
    for key in (0, 1):
        scene.remove_slice(key)
    pixels = picture(studio, scene, BARE, clip)
    drawn, lens, mesh = scene.surface(BARE, clip), scene.lens(*SIZE), scene.mesh
    assert drawn is not None
    assert mesh is not None
    wrong = hit = 0
    for row, column in product(range(3, SIZE[1], 5), range(3, SIZE[0], 5)):
        found = surface_point(mesh, *lens.ray(column + 0.5, row + 0.5), drawn.cut, mesh.spheres)
        shown = pixels[row, column]
        if found is None:
            wrong += bool((shown < 250).any())
            continue
        hit += 1
        slant = abs(float(found.normal @ lens.forward))
        expected = np.minimum((0.62 + 0.42 * slant) * mesh.colors[found.face], 255)
        wrong += bool(np.abs(shown - expected).max() > 12)
    assert hit > 100
    assert wrong < 0.25 * hit  # at the edges of facets, where pixels are means


def test_what_the_surface_hides_is_not_under_the_mouse(scene: Scene) -> None:
    drawn, lens = scene.surface(BARE), scene.lens(*SIZE)
    assert drawn is not None
    px, py = lens.to_pixels(drawn.mesh.spheres.middles[:1])[0].tolist()
    seen = surface_point(drawn.mesh, *lens.ray(px, py), None, drawn.mesh.spheres)
    assert seen is not None
    screen = Screen.around(drawn, lens, px + 2, py - 3, 5.0)
    for share, hidden in ((0.9, False), (0.999, False), (1.02, True), (1.5, True)):
        assert screen.hides(px, py, lens.eye + share * (seen.point - lens.eye), 3.0) is hidden
    assert not Screen.around(drawn, lens, 2.0, 2.0).hides(2.0, 2.0, lens.eye + 9 * lens.forward, 3.0)


@pytest.mark.parametrize(
    ("scale", "shift"), [(2.0**-20, 0.0), (2.0**20, 0.0), (2.0**-30, 1.0), (1.0, 2.0**20), (2.0**20, 2.0**40)]
)
def test_frames_are_drawn_alike_at_every_scale_and_place(studio: Studio, scale: float, shift: float) -> None:
    pictures = []
    for size, middle in ((1.0, 0.0), (scale, shift)):
        scene = Scene(middle + size * UNIT)
        for key, (axis, offset) in enumerate((("x", -0.4), ("y", 0.1), ("z", 0.7))):
            scene.place_slice(key, SlicePlane.from_axis(axis, middle + size * offset), accent(key))
        oblique = SlicePlane.from_normal(np.full(3, middle), [1, 0.4, 0.2])
        scene.place_slice(3, oblique, accent(3), active=True)
        pictures.append(picture(studio, scene, BARE))
    one, other = pictures
    assert (one < 200).any(axis=2).sum() > 1000
    assert (np.abs(one - other) > 60).mean() < 5e-3


@pytest.mark.parametrize("tilt", [0.0, 1e-12, 1e-8, 1e-5, 1e-4])
def test_a_plane_seen_along_itself_is_a_line(studio: Studio, tilt: float) -> None:
    """From one end of its frame to the other, whatever rounding makes of the angle."""
    scene = Scene(UNIT)
    scene.place_slice(0, SlicePlane.from_axis("y", 0.0), accent(0))
    scene.look_from((1.0, tilt, 0.4), (0.0, 1.0, 0.0))
    rows, columns = np.nonzero((np.abs(picture(studio, scene, BARE) - 255) > 60).any(axis=2))
    ends = scene.lens(*SIZE).to_pixels(np.array([[x, 0.0, z] for x in (-1, 1) for z in (-1, 1)]))
    assert set(columns) >= set(range(int(ends[:, 0].min()) + 1, int(ends[:, 0].max())))
    assert np.abs(rows + 0.5 - ends[:, 1].mean()).max() < 2.5


def test_a_plane_seen_along_itself_lies_before_and_behind_other_things(studio: Studio) -> None:
    scene = Scene(UNIT)
    scene.place_slice(0, SlicePlane.from_axis("y", 0.0), accent(0))
    scene.look_from((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    for z, seen in ((-1.1, True), (1.1, False)):
        scene.mesh = wall(z)
        middle = picture(studio, scene, BARE)[SIZE[1] // 2 - 2 : SIZE[1] // 2 + 2, 50:170]
        assert near_color(middle, accent(0)).any() == seen


@pytest.mark.parametrize("shift", [1e6, 2.0**40])
def test_letters_at_the_axes_are_whole_wherever_the_box_is(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    monkeypatch.setattr(box, "number_text", lambda value, step: "0.25")
    one, other = (
        still(studio, Scene(middle + UNIT), SceneLook(), (440, 360))[:, :, :3].astype(int) for middle in (0.0, shift)
    )
    assert (one < 200).any(axis=2).sum() > 400
    assert (np.abs(one - other) > 60).mean() < 2e-3


def test_lines_fade_as_their_plane_leaves_them(studio: Studio, scene: Scene) -> None:
    """Lines that a moved plane left behind are pale, and whole again where they are computed."""
    scene.mesh = None
    scene.remove_slice(1)

    def ink(offset: float) -> int:
        """How dark the lines are, the frame left out."""
        scene.place_slice(0, SlicePlane.from_axis("z", offset), accent(0))
        drawing = scene.drawing(BARE, scene.lens(*SIZE), 1.0, smooth=True)
        lines = replace(drawing, slices=(replace(drawing.slices[0], frame=np.empty((0, 3))),))
        return int((255 - studio.draw(lines).pixels[:, :, :3].astype(int)).sum())

    whole, *inks = [ink(offset) for offset in (0.1, 0.11, 0.2, 0.3, 0.6)]
    assert inks[0] == pytest.approx(whole, rel=0.02)
    assert inks[0] > inks[1] > inks[2] > 0
    assert inks[3] == pytest.approx(0.35 * whole, rel=0.2)  # pale lines that cross are darker together
    assert ink(0.1) == pytest.approx(whole, rel=0.02)


def test_what_is_kept_changes_nothing_and_what_is_gone_is_given_back(
    studio: Studio, scene: Scene, torus: tuple[Checkpoint, Network]
) -> None:
    """A studio that has drawn other pictures before draws what it draws anew."""
    generator, (checkpoint, network) = np.random.default_rng(1), torus
    partition = partition_slice(network, SlicePlane.from_axis("x", 0.2), checkpoint.domain)
    third = slice_picture(partition, level_set(partition).polylines, neuron=(0, 3))
    for step in range(16):
        choice = generator.integers(5)
        if choice == 0:
            scene.look_from(generator.normal(size=3))
        elif choice == 1:
            offset = float(generator.uniform(-0.5, 0.5))
            scene.place_slice(int(generator.integers(2)), SlicePlane.from_axis("y", offset), accent(step))
        elif choice == 2:
            scene.place_slice(2, partition.plane, accent(2))
            scene.draw_slice(2, third)
        look = SceneLook(
            creases=bool(generator.integers(2)), lines=bool(generator.integers(2)),
            surface=bool(generator.integers(3)), hidden_depths=frozenset({int(generator.integers(4))}),
        )  # fmt: skip
        clip = SlicePlane.from_axis("x", 0.1) if generator.integers(3) == 0 else None
        kept, smooth = picture(studio, scene, look, clip, smooth=step % 2 == 0), step % 2 == 0
        held = studio._renderer.GetViewProps().GetNumberOfItems()
        studio.leave()
        assert studio._renderer.GetViewProps().GetNumberOfItems() == 0
        anew = picture(studio, scene, look, clip, smooth=smooth)
        assert (np.abs(kept - anew) > 8).mean() < 1e-3
        assert studio._renderer.GetViewProps().GetNumberOfItems() == held


def test_a_picture_in_tiles_is_the_picture(studio: Studio, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (333, 251)
    whole = still(studio, scene, SceneLook(), size).astype(int)
    monkeypatch.setattr(studio_file, "_TILE", 130)
    assert (np.abs(still(studio, scene, SceneLook(), size) - whole) > 40).any(axis=2).mean() < 5e-3


def test_a_transparent_picture_over_white_is_the_opaque_one(studio: Studio, scene: Scene) -> None:
    look = SceneLook(axes=False)
    opaque = still(studio, scene, look, SIZE).astype(float)
    clear = still(studio, scene, look, SIZE, clear=True).astype(float)
    assert opaque.shape == (SIZE[1], SIZE[0], 4)
    assert opaque[:, :, 3].min() == 255
    assert clear[0, 0, 3] == 0
    assert 0.1 < (clear[:, :, 3] > 0).mean() < 0.9
    share = clear[:, :, 3:] / 255
    assert np.abs(clear[:, :, :3] * share + 255 * (1 - share) - opaque[:, :, :3]).max() <= 6


@pytest.mark.parametrize("size", [(90, 260), (260, 90), (170, 170)])
def test_the_box_is_seen_whole_in_pictures_of_any_shape(studio: Studio, size: tuple[int, int]) -> None:
    scene = Scene(UNIT)
    rows, columns = np.nonzero(still(studio, scene, SceneLook(axes=False), size, clear=True)[:, :, 3])
    assert 0 < rows.min() <= rows.max() < size[1] - 1
    assert 0 < columns.min() <= columns.max() < size[0] - 1
    assert max(np.ptp(rows), np.ptp(columns)) > 0.6 * min(size)
    seen = scene.lens(*size).to_pixels(np.array(list(product(*UNIT.T))))
    np.testing.assert_allclose(seen.min(axis=0), [columns.min(), rows.min()], atol=2.0)
    np.testing.assert_allclose(seen.max(axis=0), [columns.max(), rows.max()], atol=2.0)


def test_an_eye_among_the_slices_sees_them(studio: Studio, scene: Scene) -> None:
    """Level sets and frames that pass the eye are cut where they come too near, not drawn wildly."""
    scene.mesh = None
    scene.remove_slice(1)
    scene.viewpoint = Viewpoint((0.3, 0.2, 0.11), (-0.4, 0.0, 0.0), (0.0, 1.0, 0.0))
    pixels = picture(studio, scene, replace(BARE, lines=False))
    lens = scene.lens(*SIZE)
    rows, columns = np.nonzero((pixels < 200).any(axis=2))
    assert len(rows) > 20
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        start, direction = lens.ray(column + 0.5, row + 0.5)
        assert (0.1 - start[2]) / direction[2] > -1.0 or abs(direction[2]) < 0.05  # nothing beyond the plane's horizon


@pytest.mark.parametrize("nearer", [1.0, 30.0, 3000.0])
def test_the_level_set_is_whole_and_the_heaviest_line(
    studio: Studio, torus: tuple[Checkpoint, Network], nearer: float
) -> None:
    """At every zoom: not dotted by the surface that it lies on, not outweighed by lines, and exactly in its place."""
    checkpoint, network = torus
    partition = partition_slice(network, SlicePlane.from_axis("z", 0.0), checkpoint.domain)
    polyline = level_set(partition).polylines[0]
    scene = Scene(checkpoint.domain)
    scene.mesh = SurfaceMesh.of(extract_surface(network, checkpoint.domain))
    scene.place_slice(0, partition.plane, accent(0))
    scene.draw_slice(0, slice_picture(partition, level_set(partition).polylines))
    middle = partition.plane.to_input(polyline[:2]).mean(axis=0)
    way = scene.mesh.normals[np.argmin(np.linalg.norm(scene.mesh.spheres.middles - middle, axis=1))]
    start = Viewpoint.at(middle + way + [0.0, 0.0, 1.0], middle, np.array([0.0, 1.0, 0.1]))
    scene.viewpoint = zoom(start, nearer, scene.size)
    lens, pixels = scene.lens(*SIZE), picture(studio, scene, BARE)
    line = np.linspace(*partition.plane.to_input(polyline[:2]), 400)
    seen = lens.to_pixels(line)
    seen = seen[((seen > 4) & (seen < np.array(SIZE) - 4)).all(axis=1)]
    assert len(seen) >= 1
    red = near_color(pixels, accent(0), 90)
    for x, y in seen.tolist():
        assert red[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].any()


def test_a_neuron_is_told_apart(studio: Studio, torus: tuple[Checkpoint, Network]) -> None:
    checkpoint, network = torus
    partition = partition_slice(network, SlicePlane.from_axis("z", 0.0), checkpoint.domain)
    layer, neuron = next(
        (int(layer), int(index))
        for layer, index in zip(partition.edge_layer, partition.edge_neuron, strict=True)
        if layer == 0
    )
    scene = Scene(checkpoint.domain)
    scene.place_slice(0, partition.plane, accent(0))
    pink = []
    for told in (None, (layer, neuron)):
        scene.draw_slice(0, slice_picture(partition, (), neuron=told))
        pink.append(int(near_color(picture(studio, scene, BARE), HIGHLIGHT).sum()))
    assert pink[1] > pink[0] + 100


def test_hidden_depths_and_lines_are_not_drawn(studio: Studio, scene: Scene, torus: tuple[Checkpoint, Network]) -> None:
    _, network = torus
    scene.mesh = None
    everything = frozenset(range(len(network.kinks)))
    inks = [
        int((255 - picture(studio, scene, look)).sum())
        for look in (BARE, BARE.with_hidden(frozenset({0})), BARE.with_hidden(everything), replace(BARE, lines=False))
    ]
    assert inks[0] > inks[1] > inks[2]
    assert inks[2] == pytest.approx(inks[3], rel=0.02)


def test_a_picture_while_something_moves_shows_the_same(studio: Studio, scene: Scene) -> None:
    """With fewer triangles and lines where the processor draws; never with others."""
    smooth, moving = (picture(studio, scene, BARE, smooth=smooth) for smooth in (True, False))
    assert np.abs(smooth - moving).mean() < 12
    studio._pace.most = 1 << 10
    coarse = picture(studio, scene, BARE, smooth=False)
    studio._pace.most = 1 << 15
    assert np.abs(coarse - smooth).mean() < 30


@pytest.mark.parametrize("cut", [False, True])
def test_in_parallel_the_surface_is_where_rays_meet_it(studio: Studio, scene: Scene, cut: bool) -> None:
    clip = SlicePlane.from_normal([0.05, 0, 0], [1, 0.2, 0.3]) if cut else None
    for key in (0, 1):
        scene.remove_slice(key)
    scene.look_from(parallel=True)
    pixels, drawn, lens = picture(studio, scene, BARE, clip), scene.surface(BARE, clip), scene.lens(*SIZE)
    assert drawn is not None
    wrong = hit = 0
    for row, column in product(range(3, SIZE[1], 5), range(3, SIZE[0], 5)):
        found = surface_point(drawn.mesh, *lens.ray(column + 0.5, row + 0.5), drawn.cut, drawn.mesh.spheres)
        hit += found is not None
        wrong += bool((pixels[row, column] < 250).any()) != (found is not None)
    assert hit > 60
    assert wrong < 0.1 * hit


@pytest.mark.parametrize("parallel", [False, True])
def test_lines_inside_a_clear_surface_are_seen_and_it_is_one_sheet(
    studio: Studio, scene: Scene, parallel: bool
) -> None:
    """Of two walls the nearer one is seen, between its colour and that of what is behind both."""
    scene.remove_slice(0)
    scene.remove_slice(1)
    scene.place_slice(0, SlicePlane.from_axis("z", -0.5), accent(0))
    scene.look_from((0.0, 0.0, 1.0), parallel=parallel)
    one, two = wall(0.2), wall(0.6)
    scene.mesh = SurfaceMesh.joined([one, two])
    look = replace(BARE, opacity=40)
    opaque, clear = picture(studio, scene, BARE), picture(studio, scene, look)
    middle = (slice(SIZE[1] // 2 - 5, SIZE[1] // 2 + 5), slice(SIZE[0] // 2 - 5, SIZE[0] // 2 + 5))
    np.testing.assert_allclose(clear[middle], 0.4 * opaque[middle] + 0.6 * 255, atol=2)
    assert not near_color(opaque, accent(0)).any()
    scene.mesh = None
    frame = near_color(picture(studio, scene, BARE), accent(0), 40)
    mixed = 0.4 * opaque.max(axis=(0, 1)) + 0.6 * 255 * np.array(accent(0))
    assert np.abs(clear[frame] - mixed).max(axis=1).mean() < 25


def test_a_neuron_in_space_is_translucent_over_what_lies_behind(studio: Studio, scene: Scene) -> None:
    scene.remove_slice(0)
    scene.remove_slice(1)
    scene.look_from((0.0, 0.0, 1.0))
    scene.mesh, bare = wall(-0.5), BARE
    behind = picture(studio, scene, bare)
    scene.neuron = wall(0.4)
    before = picture(studio, scene, bare)
    scene.neuron = wall(-0.9)
    hidden = picture(studio, scene, bare)
    middle = (SIZE[1] // 2, SIZE[0] // 2)
    share = (before[middle] - behind[middle]) / (255 * np.array(HIGHLIGHT) - behind[middle])
    assert (share > 0.2).all()
    assert (share < 0.45).all()
    np.testing.assert_array_equal(hidden, behind)
    assert np.abs(picture(studio, scene, replace(bare, surface=False))[middle] - 255).max() > 30


def test_meshes_joined_are_those_meshes() -> None:
    one, two = wall(0.0), wall(1.0)
    both = SurfaceMesh.joined([one, two])
    assert both.triangles == 2
    np.testing.assert_array_equal(both.vertices[both.face_vertices], np.concatenate([one.vertices, two.vertices]))
    assert SurfaceMesh.joined([one]) is one
    assert SurfaceMesh.joined([]).triangles == 0


def test_the_detail_follows_the_time() -> None:
    """A machine on which a triangle takes a while draws as many as a moment has room for, and no more."""
    for cost in (2e-8, 3e-7, 1e-6, 5e-6):
        pace, scene = Pace(), 1 << 21
        for _ in range(60):
            drawn = min(pace.most, scene)
            pace.note(0.004 + cost * drawn, drawn)
        assert 0.004 + cost * min(pace.most, scene) <= MOMENT or pace.most == 1 << 14
        settled = pace.most
        for _ in range(10):
            pace.note(0.004 + cost * min(settled, scene), min(settled, scene))
        assert pace.most == settled


def test_the_preview_is_drawn_like_the_surface() -> None:
    triangles = np.array([[0, 1, 2]], np.int32)
    mesh = SurfaceMesh.of(CoarseSurface.from_triangles(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), triangles))
    np.testing.assert_array_equal(mesh.normals, [[0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(mesh.colors, [[128, 128, 255]])
    assert mesh.triangles == 1
    assert len(mesh.creases) == 0


def test_a_studio_keeps_nothing_of_the_scene_before(studio: Studio) -> None:
    def shown(domain: list[list[float]]) -> NDArray[np.int64]:
        scene = Scene(domain)
        scene.look_from((0.2, 0.9, 0.5))
        return picture(studio, scene, SceneLook())

    wanted = shown([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
    other = shown([[3.0, 0.0, 0.0], [9.0, 1.0, 2.0]])
    assert np.abs(other - wanted).max() > 50
    again = shown([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
    assert (np.abs(again - wanted) > 8).mean() < 1e-3
