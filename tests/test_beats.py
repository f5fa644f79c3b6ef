"""beats: signs of life of real processes, of other machines, and of files that are none."""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from acutance import beats
from acutance.journal import Journal

HERE = beats.Beat(step=30, steps=100, rate=2.0, silence=4.0, written=1000.0)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    beats.write(tmp_path, HERE)
    assert beats.read(tmp_path) == HERE
    assert HERE.left == 35.0
    assert replace(HERE, rate=0.0).left is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"step": 1}', b'{"strange": 1}', b"\xff"])
def test_what_is_no_sign_of_life_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / beats.NAME).write_bytes(content)
    assert beats.read(tmp_path) is None
    assert beats.read(tmp_path / "nowhere") is None


def test_a_process_that_ended_is_gone_and_one_of_another_machine_is_not_known_to_be() -> None:
    assert not HERE.gone
    show = "from acutance import beats; b = beats.Beat(step=0, steps=1, rate=0, silence=0, "
    code = f"{show}written=0); print(b.pid, b.born, b.here); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        pid, born, here = process.stdout.readline().strip().split(" ", 2)
        other = replace(HERE, pid=int(pid), born=int(born), here=here)
        assert other.pid == process.pid
        assert not other.gone
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert other.gone  # dead, though nobody has asked for its exit status yet
    assert other.gone
    assert not replace(other, here="elsewhere").gone
    assert replace(HERE, born=HERE.born - 1).gone  # its number was given to another process


def test_silence_is_worth_a_word_when_it_is_longer_than_the_run_has_ever_been_silent() -> None:
    assert HERE.quiet(1000.0 + beats.EVERY + beats.PATIENCE + 12.0) == 0
    assert HERE.quiet(1000.0 + beats.EVERY + beats.PATIENCE + 13.0) == 88.0
    assert replace(HERE, silence=600.0).quiet(1600.0) == 0


def journal(folder: Path) -> Journal:
    return Journal(folder / "log.csv", ["l2"], title="it", steps=10)


def test_a_journal_says_that_it_lives_and_why_it_left(tmp_path: Path) -> None:
    with journal(tmp_path) as kept:
        first = beats.read(tmp_path)
        kept.tick(1)
    assert first
    assert (first.step, first.steps, first.ended, first.gone) == (0, 10, "", False)
    kept = journal(tmp_path)
    kept.go_on([], 5.0, 4)
    assert left_with(kept, ValueError("the disk is gone")) == (6, "the disk is gone")
    assert left_with(kept, KeyboardInterrupt()) == (6, "KeyboardInterrupt")
    kept.left = "SIGTERM: saved at step 6; run again to go on"
    assert left_with(kept, None) == (6, kept.left)


def left_with(kept: Journal, error: BaseException | None) -> tuple[int, str]:
    """Step and reason of the last sign of a journal that an error ends."""
    with suppress(ValueError, KeyboardInterrupt), kept:
        kept.tick(6)
        if error:
            raise error
    last = beats.read(kept._file.parent)
    assert last
    return last.step, last.ended


def test_a_folder_that_cannot_be_written_ends_no_training(tmp_path: Path) -> None:
    with journal(tmp_path) as kept:
        (tmp_path / beats.NAME).unlink()
        (tmp_path / beats.NAME).mkdir()  # stands for a disk that takes nothing
        kept._beat = 0.0
        kept.tick(2)
    assert beats.read(tmp_path) is None
    assert set(asdict(HERE)) >= {"step", "steps"}
