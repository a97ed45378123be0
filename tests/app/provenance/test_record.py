"""The record of how a file was made: what is written is read, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.provenance.record import Provenance, ProvenanceError, command_line, differences

RECORD = Provenance(
    command=command_line(["slice", "a file's \udcff name.npz", "--plane", "z=0"]),
    checkpoint="a file's \udcff name.npz",
    sha256="0" * 64,
    reading={"activation": "relu"},
    notes=("the domain is [-1, 1]^3", "形"),
    planes=("origin=0.0,0.0,0.0 normal=0.0,0.0,1.0 u=1.0,0.0,0.0",),
    domain=((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
    level=0.1,
    settings={"palette": "tide", "dpi": 600.0},
    found={"regions": 1240},
    versions={"splinescope": "0.1.0"},
)


def test_what_is_written_is_read() -> None:
    text = RECORD.to_text()
    assert text.isascii()
    assert text.isprintable()
    assert Provenance.from_text(text) == RECORD


def test_outputs_are_named_by_their_kind_alone() -> None:
    made = RECORD.of_output("--regions", Path("/home/somebody/secret.CSV"))
    assert made.words() == ["slice", "a file's \udcff name.npz", "--plane", "z=0", "--regions", "regions.csv"]
    assert made.settings == {}
    assert RECORD.of_output("--out", Path("x.pdf")).words()[-2:] == ["--out", "slice.pdf"]
    assert "vtk" in replace(RECORD, command="splinescope render spot").of_output("--out", Path("x.png")).versions
    assert "matplotlib" in RECORD.of_output("--out", Path("x.pdf")).versions


def test_differences_are_named() -> None:
    later = replace(RECORD, sha256="1" * 64, found={"regions": 1250}, versions={"splinescope": "0.2.0", "vtk": "9.7"})
    assert differences(RECORD, RECORD) == []
    assert differences(RECORD, later) == [
        f"sha256: {'0' * 64}, now {'1' * 64}",
        "regions: 1,240, now 1,250",
        "splinescope: 0.1.0, now 0.2.0",
        "vtk: not there, now 9.7",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 2), ("command", None), ("command", ["slice"]), ("sha256", 7), ("reading", []), ("notes", "text"),
        ("planes", [1]), ("domain", [["a"]]), ("domain", 1), ("level", True), ("level", "0"), ("settings", {"a": []}),
        ("found", {"regions": "many"}), ("versions", {"numpy": 2}),
    ],
)  # fmt: skip
def test_records_of_other_kinds_are_refused(name: str, value: object) -> None:
    with pytest.raises(ProvenanceError):
        Provenance.from_text(json.dumps(json.loads(RECORD.to_text()) | {name: value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": 1}'])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ProvenanceError):
        Provenance.from_text(text)


@pytest.mark.parametrize("command", ["", "rm -rf x y z", "splinescope 'open", "splinescope slice"])
def test_other_commands_are_refused(command: str) -> None:
    with pytest.raises(ProvenanceError):
        replace(RECORD, command=command).words()
