from __future__ import annotations

from pathlib import Path

import pytest

from app.export.files import written_together


def test_all_files_appear_together(tmp_path: Path) -> None:
    finals = [tmp_path / "a.svg", tmp_path / "b.npz"]
    finals[0].write_text("old")
    with written_together(finals) as temporaries:
        for path in temporaries:
            path.write_text("new")
        assert finals[0].read_text() == "old"
    assert [path.read_text() for path in finals] == ["new", "new"]
    assert sorted(tmp_path.iterdir()) == finals


def test_nothing_changes_when_the_work_fails(tmp_path: Path) -> None:
    finals = [tmp_path / "a.svg", tmp_path / "b.npz"]
    finals[0].write_text("old")

    def fail() -> None:
        with written_together(finals) as temporaries:
            temporaries[0].write_text("half")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        fail()
    assert finals[0].read_text() == "old"
    assert list(tmp_path.iterdir()) == finals[:1]


def test_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.svg"
    with pytest.raises(OSError, match=r"a\.svg") as caught, written_together([path]):
        pytest.fail("the block must not run")
    assert caught.value.filename == str(path)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, target = tmp_path / "link.svg", tmp_path / "target.svg"
    link.symlink_to(target)
    with written_together([link]) as (temporary,):
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
