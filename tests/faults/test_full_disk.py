"""A full disk and a read-only one, both real: told with the file and the remedy; then it goes on.

Each verb runs in a process with a mount table of its own, in a project on a small tmpfs.
"""

import contextlib
import io
import os
import shutil
import threading
import time
from pathlib import Path

import forks
import numpy as np
import pytest
from disturbed import VERBS, content, made_by, remove, sound

import server as web
from acutance.cli import main
from project import Project
from trio import GOOD, Kitchen, dataset, zipped

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.mounts,
    pytest.mark.skipif(not forks.may_mount(), reason="may not mount file systems of its own"),
]
ROOM = 96 << 20  # bytes; the project has 24 MB, and a download leaves 64 MiB free


def say(root: Path, name: str) -> tuple[int, str]:
    """Runs a verb in this process; returns its exit code and what it said."""
    with contextlib.redirect_stderr(io.StringIO()) as heard, contextlib.redirect_stdout(heard):
        code = main(["--root", str(root), *VERBS[name][1:]])
    print(name, code, heard.getvalue())
    return code, heard.getvalue()


def laid(finished: Path, disk: Path, name: str) -> tuple[Path, dict[str, bytes]]:
    """Copies the project to a small disk, without what a verb makes; returns where and what."""
    disk.mkdir()
    forks.mount("-t", "tmpfs", "-o", f"size={ROOM}", "none", disk)
    root = shutil.copytree(finished, disk / "project", symlinks=True)
    made = made_by(root, name)
    wanted = content(made)
    remove(made)
    return made, wanted


def fill(disk: Path, left: int) -> Path:
    """Leaves some bytes of a disk free."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - left)
    return ballast


def fills_up(finished: Path, disk: Path, name: str) -> None:
    made, wanted = laid(finished, disk, name)
    ballast = fill(disk, sum(map(len, wanted.values())) // 3)
    code, told = say(disk / "project", name)
    assert code == 2
    assert "No space left on device" in told or "no space left on its disk" in told
    assert str(disk / "project") in told
    assert "make room" in told
    assert "Traceback" not in told
    assert sound(name, content(made), wanted)
    assert not [*disk.rglob(".*.partial")]
    ballast.unlink()
    assert say(disk / "project", name)[0] == 0
    assert content(made) == wanted


@pytest.mark.parametrize("name", VERBS)
def test_a_full_disk_is_told_and_with_room_made_the_verb_goes_on(
    finished: Project, tmp_path: Path, name: str
) -> None:
    forks.alone(tmp_path / "told", fills_up, finished.folder, tmp_path / "disk", name)


def fills_up_while_downloading(disk: Path) -> None:
    disk.mkdir()
    forks.mount("-t", "tmpfs", "-o", f"size={ROOM}", "none", disk)
    content = zipped(GOOD | {"set/more": np.random.default_rng(0).bytes(300_000)})
    with web.running() as server:
        kitchen = Kitchen(disk, server)
        source = kitchen.source("a.zip", content, pause=0.002)

        def meanwhile() -> None:
            while not any(p.stat().st_size > 50_000 for p in kitchen.downloads.rglob("*.part")):
                time.sleep(0.001)
            fill(disk, 0)

        other = threading.Thread(target=meanwhile)
        other.start()
        told = kitchen.refused(dataset(source))
        other.join()
        assert "no space left on its disk; make room and run it again" in told
        assert str(kitchen.downloads) in told
        (disk / "ballast").unlink()
        kitchen.fetch(dataset(source))
        kitchen.assert_whole()
        begun = int(server.ranges[-1].removeprefix("bytes=").rstrip("-"))
        assert begun > 50_000, "it went on where it was"


def test_a_disk_that_fills_up_while_downloading(tmp_path: Path) -> None:
    forks.alone(tmp_path / "told", fills_up_while_downloading, tmp_path / "disk")


def is_read_only(finished: Path, disk: Path, name: str) -> None:
    made, wanted = laid(finished, disk, name)
    forks.mount("-o", "remount,ro", disk)
    code, told = say(disk / "project", name)
    assert code == 2
    assert "Read-only file system" in told
    assert str(disk / "project") in told
    assert "Traceback" not in told
    assert "see that" in told
    forks.mount("-o", "remount,rw", disk)
    assert say(disk / "project", name)[0] == 0
    assert content(made) == wanted


@pytest.mark.parametrize("name", VERBS)
def test_a_read_only_disk_is_told(finished: Project, tmp_path: Path, name: str) -> None:
    forks.alone(tmp_path / "told", is_read_only, finished.folder, tmp_path / "disk", name)
