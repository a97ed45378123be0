from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.files import why_not_written, written_together


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


def test_what_is_no_ordinary_file_is_never_replaced(tmp_path: Path) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, folder, Path(os.devnull)):
        with pytest.raises(OSError, match="not an ordinary file") as caught, written_together([path]):
            pytest.fail("the block must not run")
        assert caught.value.filename == str(path)
    assert sorted(tmp_path.iterdir()) == [folder, pipe]
    assert pipe.is_fifo()


def test_links_in_a_circle_are_an_error_of_the_system(tmp_path: Path) -> None:
    loop = tmp_path / "loop.svg"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="circle") as caught, written_together([loop]):
        pytest.fail("the block must not run")
    assert caught.value.filename == str(loop)
    assert why_not_written(caught.value) == "links lead in a circle; choose another name"
    assert list(tmp_path.iterdir()) == [loop]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    for mode in (0o600, 0o664):
        path.touch()
        path.chmod(mode)
        with written_together([path]) as (temporary,):
            temporary.write_text("new")
        assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", ["é" * 120 + ".svg", "x" * 251 + ".svg"])
def test_names_as_long_as_they_can_be(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with written_together([path]) as (temporary,):
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_the_advice_fits_the_reason() -> None:
    def advice(number: int) -> str:
        return why_not_written(OSError(number, os.strerror(number))).partition("; ")[2]

    assert "space" in advice(errno.ENOSPC)
    assert "space" not in advice(errno.EACCES)
    assert "space" not in advice(errno.EROFS)
    assert advice(errno.ENAMETOOLONG) == "choose another name"
