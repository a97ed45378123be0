"""Compiled kernels are kept for one state of the sources."""

from __future__ import annotations

import shutil
from pathlib import Path

import engine
from engine.machine.jit import cache_folder, digest_of


def test_a_change_in_any_room_makes_other_kernels(tmp_path: Path) -> None:
    sources = Path(engine.__file__).parent
    copy = tmp_path / "engine"
    shutil.copytree(sources, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert cache_folder().name == digest_of(copy)
    found = {digest_of(copy)}
    files = list(copy.rglob("*.py"))
    for file in files:
        before = file.read_bytes()
        file.write_bytes(before + b"#")
        found.add(digest_of(copy))
        file.write_bytes(before)
    assert len(found) == len(files) + 1
    assert len({file.parent for file in files}) > 8
