"""files: whole or absent, also when two processes want the same folder or the disk is full."""

import errno
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from acutance.errors import Refused
from acutance.files import folder_atomically, take_lock, write_atomically


def half_done(path: Path, place: str) -> None:
    with folder_atomically(path) as fresh:
        shutil.rmtree(fresh)
        write_atomically(fresh / place, "half")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def make(path: Path, text: str = "whole") -> None:
    with folder_atomically(path) as fresh:
        write_atomically(fresh / "deep" / "a", text)


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    for text in ("one", "two"):
        make(tmp_path / "out", text)
        assert (tmp_path / "out" / "deep" / "a").read_text() == text
        assert names(tmp_path) == ["out"]
    with pytest.raises(KeyError), folder_atomically(tmp_path / "out"):
        raise KeyError
    assert (tmp_path / "out" / "deep" / "a").read_text() == "two"
    assert names(tmp_path) == ["out"]


def test_a_second_maker_is_refused_and_the_first_ends_well(tmp_path: Path) -> None:
    with folder_atomically(tmp_path / "out") as fresh:
        (fresh / "a").write_text("half")
        with pytest.raises(Refused, match=r"out: another process is making it; wait for it, or"):
            make(tmp_path / "out")
        assert (fresh / "a").read_text() == "half"
        make(tmp_path / "other")
    assert names(tmp_path / "out") == ["a"]
    assert names(tmp_path) == ["other", "out"]


def test_what_a_kill_left_is_removed_but_not_that_of_a_longer_name(tmp_path: Path) -> None:
    (tmp_path / ".out.abcd_123.partial" / "deep").mkdir(parents=True)
    (tmp_path / ".out.v2.abcd_123.partial").mkdir()
    make(tmp_path / "out")
    assert names(tmp_path) == [".out.v2.abcd_123.partial", "out"]


def test_what_a_kill_left_of_a_file_is_removed_but_not_what_is_being_written(
    tmp_path: Path,
) -> None:
    left, held = tmp_path / ".out.abcd_123.partial", tmp_path / ".out.abcd_124.partial"
    left.write_bytes(b"half")
    with held.open("wb") as other:
        assert take_lock(other.fileno())
        write_atomically(tmp_path / "out", "whole")
        assert names(tmp_path) == [held.name, "out"]
    write_atomically(tmp_path / "out", "whole")
    assert names(tmp_path) == ["out"]


def test_a_hidden_folder_that_was_removed_is_not_made_anew(tmp_path: Path) -> None:
    for place in ("a", "deep/a"):
        with pytest.raises(FileNotFoundError):
            half_done(tmp_path / "out", place)
        assert names(tmp_path) == []


@pytest.mark.parametrize("problem", [errno.ENOLCK, errno.ENOTSUP])
def test_without_locks_folders_are_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    def knows_none(*_: object) -> None:
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr(fcntl, "flock", knows_none)
    (tmp_path / ".out.abcd_123.partial").mkdir()
    make(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert take_lock(0) is None


def test_a_full_disk_is_told_with_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        write_atomically(tmp_path / "a", "text")
    assert error.value.filename == str(tmp_path / "a")
    with pytest.raises(OSError, match="No space left on device") as error:
        make(tmp_path / "out")
    assert error.value.filename.startswith(str(tmp_path / ".out."))
    assert names(tmp_path) == []
