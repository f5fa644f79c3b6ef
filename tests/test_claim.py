"""claim: one process at a time has a run, also where machines share it and one of them dies."""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from acutance import beats
from acutance.claim import NAME, Claim
from acutance.errors import Refused

AFAR = beats.Beat(
    step=5, steps=9, rate=1.0, silence=0.0, written=0.0, host="node7", here="node7 another boot"
)
ALIVE = beats.EVERY + beats.PATIENCE  # seconds after which silence means death


def ago(seconds: float) -> beats.Beat:
    return replace(AFAR, written=time.time() - seconds)


def claim(folder: Path, say: Callable[[str], None] = lambda _: None) -> Claim:
    return Claim(folder, say=say, pause=0.01)


def locked_from_afar(folder: Path) -> int:
    """A lock as a file server keeps it for another machine."""
    handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def test_a_second_process_of_this_machine_is_refused_at_once(tmp_path: Path) -> None:
    first = claim(tmp_path)
    with pytest.raises(Refused, match="another process trains this run; wait for it, or end it"):
        claim(tmp_path)
    first.release()
    claim(tmp_path).release()


def test_who_has_it_is_named(tmp_path: Path) -> None:
    first = claim(tmp_path)
    beats.write(tmp_path, beats.Beat(step=1, steps=2, rate=0, silence=0, written=time.time()))
    with pytest.raises(Refused, match=rf"process {os.getpid()}\)"):
        claim(tmp_path)
    first.release()


@pytest.mark.parametrize("server_knows", [True, False])
def test_a_living_machine_keeps_its_run(tmp_path: Path, *, server_knows: bool) -> None:
    beats.write(tmp_path, ago(1))
    handle = locked_from_afar(tmp_path) if server_knows else -1
    told: list[str] = []

    def next_beat() -> None:
        while not told:
            time.sleep(0.005)
        beats.write(tmp_path, ago(0))

    alive = threading.Thread(target=next_beat)
    alive.start()
    with pytest.raises(Refused, match="another process trains this run \\(node7, process"):
        claim(tmp_path, told.append)
    alive.join()
    assert "node7 trained this run a moment ago" in told[0]
    if server_knows:
        os.close(handle)


@pytest.mark.parametrize("server_knows", [True, False])
def test_a_dead_machine_is_waited_for_and_then_passed_over(
    tmp_path: Path, *, server_knows: bool
) -> None:
    beats.write(tmp_path, ago(ALIVE - 0.3))
    handle = locked_from_afar(tmp_path) if server_knows else -1
    told: list[str] = []
    mine = claim(tmp_path, told.append)
    assert len(told) == 1
    mine.check()
    mine.release()
    if server_knows:
        os.close(handle)


def test_a_dead_machine_whose_clock_was_ahead_is_not_waited_for_any_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beats, "EVERY", 0.2)
    monkeypatch.setattr(beats, "PATIENCE", 0.2)
    beats.write(tmp_path, ago(-3600))
    told: list[str] = []
    begun = time.monotonic()
    claim(tmp_path, told.append).release()
    assert len(told) == 1
    assert time.monotonic() - begun > 0.4


def test_one_that_said_that_it_left_is_not_waited_for(tmp_path: Path) -> None:
    beats.write(tmp_path, replace(ago(0), ended="SIGTERM"))
    told: list[str] = []
    claim(tmp_path, told.append).release()
    assert told == []


def test_one_that_wakes_up_after_it_was_passed_over_leaves(tmp_path: Path) -> None:
    asleep = claim(tmp_path)
    beats.write(tmp_path, ago(ALIVE + 1))
    awake = claim(tmp_path)
    with pytest.raises(Refused, match="another process took this run over"):
        asleep.check()
    awake.check()
    (tmp_path / NAME).unlink()
    with pytest.raises(Refused, match="took this run over"):
        awake.check()
