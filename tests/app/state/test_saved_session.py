"""Session files: exact both ways, whole after a kill, and refused in one line when they are anything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.state.geometry.planes import rotated, same_plane
from app.state.geometry.viewpoint import Viewpoint
from app.state.line_style import USUAL, LineStyle
from app.state.look import Fill, SceneLook
from app.state.palette import Palette
from app.state.saved_session import Layout, SavedCheckpoint, SavedPin, SavedSession, SessionFileError
from app.state.session import Session, Slice, same
from app.state.session_file import is_session, read_session, write_session
from app.state.session_text import from_text, to_text
from engine import Neuron, SlicePlane
from sdf_models import Reading
from tests.app.conftest import ROOT

FOLDER = Path("/some/folder")


def example(names: tuple[str, ...] = ("x", "oblique é")) -> SavedSession:
    oblique = rotated(SlicePlane.from_normal([0.1, 0.2, 1 / 3], [1, 2, 3], [1, 0, 0]), 12.0)
    planes = [SlicePlane.from_axis("x", 0.1), oblique]
    slices = tuple(Slice(3 * i + 1, name, planes[i % 2], i, visible=i != 1) for i, name in enumerate(names))
    style = LineStyle(Palette.GREY, lines=150, level=75)
    look = SceneLook(
        creases=True, box=False, hidden_depths=frozenset({1, 4}), style=style, opacity=40, neuron=True
    )  # fmt: skip
    session = Session(
        slices=slices,
        active=slices[-1].key,
        look=look,
        fill=Fill.AREA,
        neuron=Neuron(2, 7),
        tiled=False,
        next_key=9_000,
    )
    checkpoints = (
        SavedCheckpoint(Path("/some/other place/fox.npz"), "ab" * 32, None),
        SavedCheckpoint(
            Path("/some/folder/b.pt"),
            "",
            Reading(activation="relu", flip_sign=True, bounds=(-1.0, 0.1)),
            ((-1.5, -1.0, 0.1), (1 / 3, 1.0, 2.0)),
            -0.125,
        ),
    )
    view = Viewpoint((1.0, 2.5, 0.1), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), True, (0.1, 1 / 3, 0.0))
    pins = (
        SavedPin(3, 0, slices[0].key, oblique, (0.1, 1 / 3, -0.2), (0.1, 1 / 7, -0.2)),
        SavedPin(1, 1, None, None, (1e-9, 0.0, 0.5), (0.0, 0.1, 0.5)),
    )
    return SavedSession(
        checkpoints, 1, session, view, Layout((1440, 900), (700, 430), "neurons", 361, True, True), pins
    )


def check_same(one: SavedSession, other: SavedSession) -> None:
    assert same(one.session, other.session)
    assert one.checkpoints == other.checkpoints
    assert (one.shown, one.viewpoint, one.layout) == (other.shown, other.viewpoint, other.layout)
    assert [astuple(replace(pin, plane=None)) for pin in one.pins] == [
        astuple(replace(pin, plane=None)) for pin in other.pins
    ]
    for a, b in zip(one.pins, other.pins, strict=True):
        assert a.plane is b.plane or same_plane(a.plane, b.plane)


def test_a_session_comes_back_exactly() -> None:
    saved = example()
    text = to_text(saved, FOLDER)
    assert json.loads(text)["checkpoints"][0]["path"] == "../other place/fox.npz"
    check_same(from_text(text, FOLDER), saved)
    bare = replace(saved, viewpoint=None, layout=None, session=Session(), pins=())
    check_same(from_text(to_text(bare, FOLDER), FOLDER), bare)


def test_a_session_of_the_first_version_opens_with_the_usual_style() -> None:
    saved = example()
    content = json.loads(to_text(saved, FOLDER))
    content["splinescope session"] = 1
    for name in ("style", "pins", "opacity", "neuron in space"):
        del content[name]
    for name in ("side", "side width"):
        del content["layout"][name]
    session = replace(saved.session, look=replace(saved.session.look, style=USUAL))
    old = replace(
        unframed(plain(saved)),
        session=plain(replace(saved, session=session)).session,
        layout=Layout((1440, 900), (700, 430)),
        pins=(),
    )
    check_same(from_text(json.dumps(content), FOLDER), old)


def plain(saved: SavedSession) -> SavedSession:
    """Without what the fourth version brought."""
    assert saved.viewpoint is not None
    look = replace(saved.session.look, opacity=100, neuron=None)
    viewpoint = replace(saved.viewpoint, parallel=False, centre=None)
    return replace(saved, session=replace(saved.session, look=look), viewpoint=viewpoint)


def test_a_session_of_the_third_version_opens_with_an_opaque_surface_in_perspective() -> None:
    content = json.loads(to_text(example(), FOLDER))
    content["splinescope session"] = 3
    del content["opacity"], content["neuron in space"], content["camera"]["parallel"], content["camera"]["centre"]
    check_same(from_text(json.dumps(content), FOLDER), plain(example()))


def test_a_layout_that_does_not_say_so_is_neither_flat_nor_linked() -> None:
    saved = example()
    content = json.loads(to_text(saved, FOLDER))
    for name in ("flat", "linked"):
        del content["layout"][name]
    check_same(
        from_text(json.dumps(content), FOLDER), replace(saved, layout=Layout((1440, 900), (700, 430), "neurons", 361))
    )
    content["layout"]["flat"] = 1
    with pytest.raises(SessionFileError, match="flat"):
        from_text(json.dumps(content), FOLDER)


def unframed(saved: SavedSession) -> SavedSession:
    return replace(saved, checkpoints=tuple(replace(part, domain=None, level=0.0) for part in saved.checkpoints))


def test_a_session_of_the_second_version_opens_in_the_files_own_boxes() -> None:
    content = json.loads(to_text(example(), FOLDER))
    content["splinescope session"] = 2
    for part in content["checkpoints"]:
        del part["domain"], part["level"]
    check_same(from_text(json.dumps(content), FOLDER), unframed(plain(example())))


@pytest.mark.parametrize(
    "domain", [0, [[0, 0, 0]], [[0, 0, 0], [1, 1]], [[0, 0, 0], [1, 0, 1]], [[0, 0, 0], [1, 1, "2"]]]
)
def test_a_domain_that_is_no_box_is_refused(domain: object) -> None:
    content = json.loads(to_text(example(), FOLDER))
    content["checkpoints"][0]["domain"] = domain
    with pytest.raises(SessionFileError, match="domain"):
        from_text(json.dumps(content), FOLDER)


def test_keys_are_numbered_anew_before_they_run_out() -> None:
    """What is opened can be saved, also with the largest keys, and after more slices were added."""
    saved = example()
    content = json.loads(to_text(saved, FOLDER))
    content["slices"][0]["key"] = content["pins"][0]["slice"] = 1_000_000
    found = from_text(json.dumps(content), FOLDER)
    assert [part.key for part in found.session.slices] == [0, 1]
    assert (found.session.active, found.session.next_key) == (1, 2)
    assert [pin.key for pin in found.pins] == [0, None]
    assert [part.name for part in found.session.slices] == ["x", "oblique é"]
    check_same(from_text(to_text(found, FOLDER), FOLDER), found)


@pytest.mark.parametrize(
    "text",
    ["a\N{NO-BREAK SPACE}b", "\N{IDEOGRAPHIC SPACE}", "\N{ZERO WIDTH JOINER}", "\N{NARROW NO-BREAK SPACE}pm", "é"],
)
def test_names_and_paths_of_any_script_come_back(tmp_path: Path, text: str) -> None:
    saved = example(("x", text))
    saved = replace(saved, checkpoints=(replace(saved.checkpoints[0], path=tmp_path / text), saved.checkpoints[1]))
    write_session(tmp_path / "a.json", saved)
    check_same(read_session(tmp_path / "a.json"), saved)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_a_path_that_is_no_text_comes_back(tmp_path: Path) -> None:
    saved = example()
    path = tmp_path / os.fsdecode(b"fox\xff\n.npz")
    saved = replace(saved, checkpoints=(replace(saved.checkpoints[0], path=path), saved.checkpoints[1]))
    write_session(tmp_path / "a.json", saved)
    check_same(read_session(tmp_path / "a.json"), saved)
    (tmp_path / "a.json").read_text("utf-8")


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_session(path, example())
    before = path.read_bytes()
    with pytest.raises(SessionFileError, match="at most 4096"):
        write_session(path, example(("x",) * 4097))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_session_moves_with_its_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_session(
        path, replace(example(), checkpoints=(SavedCheckpoint(tmp_path / "fox.npz", "", None),), shown=0, pins=())
    )
    (tmp_path / "moved").mkdir()
    path.rename(tmp_path / "moved" / "a.json")
    assert read_session(tmp_path / "moved" / "a.json").checkpoints[0].path == tmp_path / "moved" / "fox.npz"


def test_sessions_are_recognised_by_content(tmp_path: Path) -> None:
    path = tmp_path / "session.npz"
    write_session(path, example())
    assert is_session(path)
    path.write_text('{"something": 1}')
    assert not is_session(path)
    assert not is_session(tmp_path / "nothing")
    assert not is_session(tmp_path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(data=st.data(), value=json_values)
@settings(max_examples=200, deadline=None)
def test_a_session_with_anything_wrong_in_it_is_read_or_refused_in_one_line(data: st.DataObject, value: object) -> None:
    content = json.loads(to_text(example(), FOLDER))
    spot, last = content, data.draw(st.sampled_from(sorted(content)))
    for _ in range(4):  # go down to something deeper
        inner = spot[last]
        if not data.draw(st.booleans()) or not isinstance(inner, dict | list) or not inner:
            break
        spot = inner
        last = data.draw(st.sampled_from(sorted(spot) if isinstance(spot, dict) else range(len(spot))))
    if data.draw(st.booleans()):
        spot[last] = value
    else:
        del spot[last]
    said = ""
    try:
        read = from_text(json.dumps(content), FOLDER)
    except SessionFileError as error:
        said = str(error)
    else:
        check_same(from_text(to_text(read, FOLDER), FOLDER), read)
        assert all(np.isfinite(part.plane.origin).all() for part in read.session.slices)
    assert "\n" not in said
    assert len(said) < 800


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_other_text_is_refused(content: bytes) -> None:
    with pytest.raises(SessionFileError):
        from_text(content.decode("latin-1"), FOLDER)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.update({"splinescope session": 5}), "of a newer SplineScope"),
        (lambda c: c.update(opacity=9), '"opacity" is not a whole number from 10 to 100'),
        (lambda c: c.update({"neuron in space": 1}), '"neuron in space" is neither true nor false'),
        (lambda c: c["camera"].update(centre=[0.0, 1.0]), '"centre" is not three numbers'),
        (lambda c: c["camera"].pop("parallel"), '"parallel" is missing'),
        (lambda c: c["style"].update(palette="pink"), "is not one of tide, blue-yellow"),
        (lambda c: c["style"].update(lines=24), "from 25 to 400"),
        (lambda c: c["pins"][0].update(slice=77), "not one of the session"),
        (lambda c: c["pins"][0].update(pose=None), "not one of the session"),
        (lambda c: c["pins"][0].update(checkpoint=2), "from 0 to 1"),
        (lambda c: c["pins"][0].update(number=1), "the same number"),
        (lambda c: c["pins"][0].update(middle=[0, 1e999, 0]), "is not finite"),
        (lambda c: c["layout"].update(side="left"), "not a panel"),
        (lambda c: c["camera"].update(position=[1e999, 0, 0]), "is not finite"),
        (lambda c: c["camera"].update(up=[1.0, 2.5, 0.1]), "looks nowhere"),
        (lambda c: c["slices"][0].update(pose="z=nan"), "a pose cannot be read"),
        (lambda c: c["slices"][0].update(name="a\nb"), "printable"),
        (lambda c: c["slices"][0].update(name="\ud800"), "printable"),
        (lambda c: c.update(slices=c["slices"] * 3000), "at most 4096"),
        (lambda c: c["checkpoints"][0].update(path="a\0b"), "that a path may have"),
        (lambda c: c["checkpoints"][0].update(path="\ud800"), "that a path may have"),
        (lambda c: c["checkpoints"][0].update(sha256="xyz"), "hexadecimal"),
        (lambda c: c["checkpoints"][1].update(reading={"activation": "evil"}), "make no sense"),
        (lambda c: c.update(active=99), "not the key of a slice"),
        (lambda c: c.update(shown=2), "from 0 to 1"),
        (lambda c: c.update(checkpoints=[]), "is empty"),
        (lambda c: c.pop("look"), '"look" is missing'),
    ],
)
def test_what_is_wrong_is_said(change, says: str) -> None:
    content = json.loads(to_text(example(), FOLDER))
    change(content)
    with pytest.raises(SessionFileError, match=says):
        from_text(json.dumps(content).replace("Infinity", "1e999"), FOLDER)


def test_bombs_are_refused_quickly(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json"
    start = '{"splinescope session": '
    for content in (start + "[" * 100_000, start + "9" * 100_000 + "}", start + '1, "a": "' + "x" * (5 << 20)):
        path.write_text(content)
        with pytest.raises(SessionFileError):
            read_session(path)


_SAVING = """
import os, signal, sys, time
from pathlib import Path
from app.state.session_file import read_session, write_session
from tests.app.state.test_saved_session import example
path, one, other = Path(sys.argv[1]), example(("one",) * 200), example(("other",) * 120)
write_session(path, one)
for step in range(12):
    child = os.fork()
    while child == 0:
        write_session(path, other)
        write_session(path, one)
    time.sleep(0.011 * step)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(*{part.name for part in read_session(path).session.slices})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of Unix")
def test_killed_while_saving_it_leaves_the_old_or_the_new_session_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SAVING, tmp_path / "session.json"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    found = ran.stdout.split()
    assert len(found) == 12
    assert set(found) <= {"one", "other"}
