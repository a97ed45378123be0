"""splinescope compare and timeline: tables, figures, movies, and every refusal."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

import app
from app.comparison.measures import BY_KEY, MEASURES, document, tip
from app.comparison.timeline import checkpoints_in, in_order, steps_of
from engine import SlicePlane, common_refinement
from sdf_models import load_checkpoint, save_checkpoint
from tests.app.conftest import DOMAIN, ROOT, Ran, random_module

Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three steps of a training: random networks on the way from one to another, and a file that is none."""
    path = tmp_path_factory.mktemp("run")
    first, last = random_module(0), random_module(1)
    for step, share in ((5, 0.0), (50, 0.5), (500, 1.0)):
        module = random_module(0)
        with torch.no_grad():
            for own, a, b in zip(module.parameters(), first.parameters(), last.parameters(), strict=True):
                own.copy_((1.0 - share) * a + share * b)
        save_checkpoint(path / f"step-{step}.safetensors", module, DOMAIN, {})
    (path / "step-100.safetensors").write_text("nothing\n")
    return path


def test_the_document_is_the_table() -> None:
    assert (ROOT / "resources/docs/measures.md").read_text(encoding="utf-8") == document()
    assert len(BY_KEY) == len(MEASURES)
    assert "Unit: length^2." in tip("sign_area")


def test_every_number_is_in_the_table(splinescope: Run, folder: Path, tmp_path: Path) -> None:
    files = [folder / f"step-{step}.safetensors" for step in (5, 500)]
    table, figure = tmp_path / "table.csv", tmp_path / "figure.svg"
    ran = splinescope(
        "compare", *files, "--plane", "z=0", "--plane", "x=0.1", "--out", table, "--out", figure, "--json"
    )
    assert ran.code == 0, ran.err
    rows = json.loads(ran.out)["rows"]
    assert [(row["checkpoint"], row["place"]) for row in rows] == [
        (file.name, place) for place in ("z = 0", "x = 0.1") for file in files
    ]
    assert all(key in BY_KEY for row in rows for key in row["measures"])
    with table.open(newline="") as stream:
        written = list(csv.DictReader(stream))
    for row, line in zip(rows, written, strict=True):
        assert (line["checkpoint"], line["compared_with"], line["place"]) == (
            row["checkpoint"], row["compared_with"], row["place"],
        )  # fmt: skip
        for key, value in row["measures"].items():
            if key == "largest_at":
                assert [float(line[f"{key}_{axis}"]) for axis in "xyz"] == value
            elif BY_KEY[key].per_depth:
                assert [float(line[f"{key}_{depth}"]) for depth in range(len(value))] == value
            else:
                assert line[key] == ("" if value is None else str(value))
    drawn = figure.read_text()
    assert 'id="plane-1-checkpoint-1-depth-2"' in drawn
    assert 'id="plane-0-difference-1-border"' in drawn
    assert drawn.count("signs differ") == 1


def test_a_checkpoint_is_no_different_from_its_copy(splinescope: Run, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((folder / "step-5.safetensors").read_bytes())
    ran = splinescope("compare", folder / "step-5.safetensors", copy, "--plane", "z=0", "--json")
    first, second = (row["measures"] for row in json.loads(ran.out)["rows"])
    assert {key: second[key] for key in first} == first
    zero = {"sign_area", "largest", "mean_difference", "mean_size", "rms", "angle", "level_hausdorff", "level_mean"}
    assert {second[key] for key in zero | {"level_hausdorff_from", "level_hausdorff_to", "changed_share"}} == {0.0}
    assert second["slice_iou"] == second["agreement_whole"] == 1.0
    assert second["common_regions"] == second["regions"]


def test_text_has_a_line_for_each_measure(splinescope: Run, folder: Path) -> None:
    ran = splinescope(
        "compare", folder / "step-5.safetensors", folder / "step-50.safetensors", "--plane", "z=0", "--table"
    )
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "z = 0"
    assert any(line.split()[:2] == ["beside", "step-5.safetensors"] for line in lines)
    assert any(line.lstrip().startswith("IoU of the insides") for line in lines)


def test_python_has_the_same(folder: Path) -> None:
    modules = [load_checkpoint(folder / f"step-{step}.safetensors") for step in (5, 500)]
    found = app.compare(*modules, planes=["z=0"])
    refined = found.slices[0].refinements[0]
    networks = [subject.network for subject in found.subjects]
    again = common_refinement(*networks, SlicePlane.parse("z=0"), DOMAIN)
    assert again.regions == refined.regions == found.rows[1].values["common_regions"]


def test_boxes_that_differ_are_told_and_aligned(splinescope: Run, tmp_path: Path) -> None:
    module = random_module(3)
    save_checkpoint(tmp_path / "one.safetensors", module, DOMAIN, {})
    with torch.no_grad():
        first = next(part for part in module.modules() if isinstance(part, nn.Linear))
        first.weight /= 2.0  # the same in a box twice as large
    save_checkpoint(tmp_path / "two.safetensors", module, 2.0 * DOMAIN, {})
    files = (tmp_path / "one.safetensors", tmp_path / "two.safetensors")
    ran = splinescope("compare", *files, "--plane", "z=0", "--table")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "--bounds=-1,-1,-1,1,1,1, or map the boxes" in ran.err
    assert "(-2, -2, -2) to (2, 2, 2)" in ran.err
    ran = splinescope("compare", *files, "--plane", "z=0", "--align", "--json")
    assert ran.code == 0, ran.err
    first_row, second_row = (row["measures"] for row in json.loads(ran.out)["rows"])
    assert second_row["linear_regions"] == first_row["linear_regions"] == second_row["linear_regions"]
    assert second_row["level_hausdorff"] == pytest.approx(0.0, abs=1e-9)
    assert second_row["slice_iou"] in (None, pytest.approx(1.0, abs=1e-9))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["torus"], "one checkpoint is compared with nothing"),
        (["torus", "torus", "--table"], "nothing to compare; give --plane z=0"),
        (["torus", "torus"], "the window has each file once"),
        (["torus", "spot", "--align"], "--align is of tables and figures"),
        (["torus", "spot", "--level", "0.1"], "--level is of tables and figures"),
        (["torus", "spot", "--plane", "z=0", "--json", "--between", "swipe"], "which opens without other outputs"),
        (["torus", "torus", "--surface", "--out", "a.png"], "a figure shows slices"),
        (["torus", "torus", "--plane", "z=9", "--table"], "does not cut the box"),
        (["torus", "torus", "--plane", "z=0", "--for", "3", "--activation", "relu"], "there is no such file"),
        (["torus", "torus", "--plane", "z=0", "--for", "x"], "invalid int value"),
        (["torus", "torus", "--plane", "z=0", "--out", "a.npz"], "unknown kind of output"),
        (["torus", "torus", "--reference", "missing.obj"], "missing.obj: no such file"),
        (["torus", "torus", "--plane", "z=0", "--normalise-reference"], "give that too"),
    ],
)
def test_what_cannot_be_compared_is_told(splinescope: Run, options: list[str], told: str) -> None:
    ran = splinescope("compare", *options)
    assert (ran.code, ran.err.count("\n")) == (2, 1), ran.err
    assert told in ran.err


def test_a_reading_is_of_the_file_that_it_is_said_for(splinescope: Run, tmp_path: Path) -> None:
    module = random_module(4)
    for name in ("a.pth", "b.pth"):
        linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
        torch.save({f"{i}.{kind}": getattr(part, kind) for i, part in enumerate(linear) for kind in ("weight", "bias")},
                   tmp_path / name)  # fmt: skip
    files = (tmp_path / "a.pth", tmp_path / "b.pth")
    same = splinescope("compare", *files, "--plane", "z=0", "--activation", "relu", "--json")
    assert same.code == 0, same.err
    assert json.loads(same.out)["rows"][1]["measures"]["largest"] == 0.0
    other = ("--for", "2", "--activation", "leaky_relu:0.5")
    ran = splinescope("compare", *files, "--plane", "z=0", "--json", "--activation", "relu", *other)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["rows"][1]["measures"]["largest"] > 0.0


def test_a_timeline_goes_on_over_gaps(splinescope: Run, folder: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / name for name in ("curves.svg", "table.csv", "movie.webp", "movie.gif")]
    options = [option for path in outputs for option in ("--out", path)]
    ran = splinescope("timeline", folder, "--plane", "z=0", *options, "--frames", tmp_path / "frames")
    assert ran.code == 0, ran.err
    assert "step-100.safetensors" in ran.err
    with outputs[1].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["checkpoint"] for row in rows] == [f"step-{step}.safetensors" for step in (5, 50, 500)]
    assert [row["compared_with"] for row in rows] == ["", "step-5.safetensors", "step-50.safetensors"]
    assert "1 not read" in outputs[0].read_text()
    for movie in outputs[2:]:
        with Image.open(movie) as picture:
            assert picture.n_frames == 3
    frames = sorted((tmp_path / "frames").iterdir())
    assert [path.name for path in frames] == ["0001.png", "0002.png", "0003.png"]
    with Image.open(frames[0]) as picture:
        assert np.asarray(picture).std() > 1.0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["."], "no plane to slice along"),
        (["missing", "--plane", "z=0"], "missing: "),
        ([".", "--plane", "z=0", "--out", "movie.mp4"], "no codec for it comes without GPL code"),
    ],
)
def test_what_is_no_timeline_is_told(splinescope: Run, options: list[str], told: str) -> None:
    ran = splinescope("timeline", *options)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert told in ran.err


def test_numbers_in_names_are_numbers() -> None:
    names = [Path(name) for name in ("step-1000.pth", "step-900.pth", "step-90.pth")]
    assert [path.name for path in in_order(names)] == ["step-90.pth", "step-900.pth", "step-1000.pth"]
    assert steps_of(in_order(names)) == [90, 900, 1000]
    assert steps_of([Path("early.pth"), Path("late7.pth")]) == [1, 2]


def test_steps_that_files_tell_come_before_their_names(tmp_path: Path) -> None:
    checkpoints = ROOT / "resources" / "checkpoints"
    for name, source in (("a1", "spot"), ("b2", "spot-early"), ("d3", "spot-middle")):
        shutil.copy(checkpoints / f"{source}.safetensors", tmp_path / f"{name}.safetensors")
    (tmp_path / "c9.safetensors").write_bytes(b"broken")
    tensors = {"weight": torch.zeros(1)}
    save_file(tensors, tmp_path / "e4.safetensors", metadata={"global_step": "100"})
    found = checkpoints_in(tmp_path)
    assert [path.stem for path in found] == ["e4", "b2", "c9", "d3", "a1"]  # what tells no step stays in its place
    told = [path for path in found if path.stem != "c9"]
    assert steps_of(told) == [100, 250, 2500, 24000]
    assert steps_of(found) == [1, 2, 3, 4, 5]


def test_an_approximation_is_labelled(splinescope: Run, tmp_path: Path) -> None:
    module, files = random_module(5), [tmp_path / "a.pth", tmp_path / "b.pth"]
    linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
    for path in files:
        torch.save({f"{i}.{kind}": getattr(part, kind) for i, part in enumerate(linear) for kind in ("weight", "bias")},
                   path)  # fmt: skip
    smooth = ("--for", "2", "--activation", "softplus:100", "--relu-limit")
    figure = tmp_path / "figure.svg"
    ran = splinescope("compare", *files, "--plane", "z=0", "--out", figure, "--activation", "relu", *smooth)
    assert ran.code == 0, ran.err
    assert any(line.startswith("b.pth: ") for line in ran.out.splitlines())
    assert 'id="notes"' in figure.read_text()


def test_a_slice_smaller_than_a_neighbourhood_has_no_local_complexity(splinescope: Run) -> None:
    ran = splinescope("compare", "torus", "torus", "--plane", "z=0", "--bounds=0.849,0.851,-1,1", "--json")
    assert ran.code == 2
    ran = splinescope("compare", "torus", "torus", "--plane", "z=0", "--bounds=-0.001,0.001", "--json")
    assert ran.code == 0, ran.err
    measures = json.loads(ran.out)["rows"][1]["measures"]
    assert measures["complexity_sampled"] is measures["complexity_exact"] is None
    assert measures["largest"] == 0.0
