"""What carries a text in files: read by us, and by the libraries of each format; damage is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvista
from PIL import Image

from app.export.data import write_npz
from app.export.lines import write_lines_csv, write_lines_json, write_slice_vtp
from app.export.mesh import Mesh, write_mesh
from app.export.regions import write_regions
from app.figures.slice_files import draw_slices
from app.figures.writing import write_figure
from app.provenance.carriers import add_to_png, read_carried
from app.provenance.record import Provenance, ProvenanceError
from app.state.slices import SliceResult

MakeSlice = Callable[..., SliceResult]

TEXT = json.dumps({"a (b) \\ c": "<&>'\"\udc80", "long": "x " * 900}, separators=(",", ":"))
FORMATS = ("svg", "pdf", "png", "npz", "vtp", "csv", "json", "ply", "obj")


def _write(result: SliceResult, path: Path, text: str) -> Path:
    kind = path.suffix[1:]
    if kind in ("svg", "pdf", "png"):
        write_figure(draw_slices([result]), path, kind, 60, text)
    elif kind in ("ply", "obj"):
        mesh = Mesh(np.eye(3), np.array([0, 3], np.int32), np.arange(3, dtype=np.int32), {})
        write_mesh(mesh, path, kind, text)
    else:
        writers = {"npz": write_npz, "vtp": write_slice_vtp, "csv": write_lines_csv, "json": write_lines_json}
        writers[kind](result, path, text)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_carried_is_read(make_slice: MakeSlice, tmp_path: Path, kind: str) -> None:
    path = _write(make_slice(), tmp_path / f"a.{kind}", TEXT)
    assert json.loads(read_carried(path)) == json.loads(TEXT)
    bare = _write(make_slice(), tmp_path / f"bare.{kind}", "")
    with pytest.raises(ProvenanceError, match="no record"):
        read_carried(bare)


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_are_told(make_slice: MakeSlice, tmp_path: Path, kind: str) -> None:
    whole = _write(make_slice(), tmp_path / f"a.{kind}", TEXT).read_bytes()
    path = tmp_path / f"b.{kind}"
    for content in (b"", b"nothing of the kind", whole[:40], bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(ProvenanceError):
            Provenance.from_text(read_carried(path))


def test_libraries_of_each_format_read_it(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice()
    with Image.open(_write(result, tmp_path / "a.png", TEXT)) as image:
        assert image.info["provenance"] == TEXT
    with np.load(_write(result, tmp_path / "a.npz", TEXT), allow_pickle=False) as data:
        assert str(data["provenance"]) == TEXT
    assert list(pyvista.read(_write(result, tmp_path / "a.vtp", TEXT)).field_data["provenance"]) == [TEXT]
    assert json.loads(_write(result, tmp_path / "a.json", TEXT).read_text())["provenance"] == json.loads(TEXT)
    mesh = pyvista.read(_write(result, tmp_path / "a.ply", TEXT))
    assert mesh.n_points == 3


def test_a_text_put_into_a_png_leaves_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(pixels).save(path)
    add_to_png(path, TEXT)
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
        assert image.info["provenance"] == TEXT
    assert read_carried(path) == TEXT


def test_parquet_carries_it_in_its_schema(make_slice: MakeSlice, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    write_regions(make_slice().partition, path, "parquet", TEXT)
    assert parquet.read_schema(path).metadata[b"provenance"].decode() == TEXT
    assert read_carried(path) == TEXT
    for content in (b"", b"PAR1", path.read_bytes()[:100]):
        path.write_bytes(content)
        with pytest.raises(ProvenanceError):
            read_carried(path)


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match=r"give one of \.svg"):
        read_carried(tmp_path / "a.docx")
