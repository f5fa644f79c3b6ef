"""train, disturbed: killed at any moment it goes on to the same bytes."""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from acutance.errors import Refused
from acutance.train import TRY_AGAIN
from waves import COLLAPSES, assert_same, changed, pack_waves, run

KILLS = 12


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_waves(tmp_path_factory.mktemp("waves"), 4)


@pytest.fixture(scope="module")
def undisturbed(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("undisturbed")
    assert run(packed, place) == 0
    return place / "out"


# A process of its own for each attempt. The fork server has imported what they all need (torch's
# optimisers import its compiler), so they start fast.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["acutance.train", "acutance.loops.restore", "acutance.pack", "torch._dynamo"]
)


def attempt(packed: Path, place: Path, settings: dict[str, object]) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.stderr = (place / "told").open("a")
    sys.exit(run(packed, place, **settings))


def begin(packed: Path, place: Path, **settings: object) -> BaseProcess:
    process = FORKS.Process(target=attempt, args=(packed, place, settings))
    process.start()
    return process


def wait_for(condition: Callable[[], bool], process: BaseProcess) -> None:
    while not condition():
        assert process.is_alive() or condition(), f"ended early with {process.exitcode}"
        time.sleep(0.002)


def states(place: Path) -> list[Path]:
    return sorted((place / "state").glob("*.state"))


def last_step(place: Path) -> int:
    return int(states(place)[-1].stem) if states(place) else 0


def test_killed_at_random_moments_it_makes_the_same_bytes(
    packed: Path, tmp_path: Path, undisturbed: Path
) -> None:
    rng = np.random.default_rng(0)
    reached = [0]
    for kill in range(KILLS):
        # A state after every step: kills fall into computing, writing, renaming and removing.
        process = begin(packed, tmp_path, checkpoint_seconds=0)
        if kill % 3:
            wanted = reached[-1] + int(rng.integers(1, 25))
            wait_for(lambda: last_step(tmp_path) >= wanted, process)  # noqa: B023
            time.sleep(rng.uniform(0, 0.01))
        else:  # while it starts, or reads the state
            time.sleep(rng.uniform(0, 0.2))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it was done before it could be killed"
        reached.append(last_step(tmp_path))
    assert reached == sorted(reached), "it went backwards"
    assert len(set(reached)) > KILLS / 2
    assert run(packed, tmp_path) == 0
    assert_same(tmp_path / "out", undisturbed)
    assert not (tmp_path / "state").exists()
    sittings = json.loads((tmp_path / "out" / "run.json").read_text())["sittings"]
    assert [sitting["from_step"] for sitting in sittings][-1] == reached[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_saves_and_says_try_again(
    packed: Path, tmp_path: Path, undisturbed: Path, number: int
) -> None:
    process = begin(packed, tmp_path, checkpoint_seconds=3600)
    log = tmp_path / "state" / "log.csv"
    wait_for(lambda: log.exists() and log.read_text().count("\n") > 20, process)
    os.kill(process.pid, number)
    process.join()
    assert process.exitcode == TRY_AGAIN
    assert not (tmp_path / "out").exists()
    assert len(states(tmp_path)) == 1
    told = (tmp_path / "told").read_text()
    assert f"{signal.Signals(number).name}: saved at step" in told
    assert run(packed, tmp_path) == 0
    assert_same(tmp_path / "out", undisturbed)


def test_findings_are_those_of_a_run_that_was_never_stopped(packed: Path, tmp_path: Path) -> None:
    """They are read from the log's rows, which a state holds."""
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    parted.mkdir()
    assert run(packed, whole, COLLAPSES) == 0
    process = begin(packed, parted, checkpoint_seconds=0, it=COLLAPSES)
    wait_for(lambda: last_step(parted) > 100, process)
    process.kill()
    process.join()
    assert run(packed, parted, COLLAPSES) == 0
    assert_same(parted / "out", whole / "out")
    records = [json.loads((p / "out" / "run.json").read_text()) for p in (whole, parted)]
    assert records[0]["findings"] == records[1]["findings"] != []
    assert records[0]["collapsed"] == records[1]["collapsed"]
    assert records[0]["collapsed"].startswith("critic 'image' tells all apart (since step ")


@pytest.fixture
def halfway(packed: Path, tmp_path: Path) -> Path:
    """A run that was killed with two states on disk."""
    process = begin(packed, tmp_path, checkpoint_seconds=0)
    wait_for(lambda: len(states(tmp_path)) >= 2 and last_step(tmp_path) > 20, process)
    process.kill()
    process.join()
    return tmp_path


def test_a_damaged_state_is_passed_over(
    halfway: Path, packed: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = states(halfway)[-1]
    content = bytearray(newest.read_bytes())
    content[-100] ^= 1
    newest.write_bytes(content)
    assert run(packed, halfway) == 0
    told = capsys.readouterr().err
    assert f"{newest}: damaged" in told
    assert "going back to the state before it" in told
    assert_same(halfway / "out", undisturbed)


def test_with_every_state_damaged_it_begins_again(
    halfway: Path, packed: Path, undisturbed: Path
) -> None:
    for file in states(halfway):
        file.write_bytes(file.read_bytes()[:1000])
    assert run(packed, halfway) == 0
    assert_same(halfway / "out", undisturbed)


def test_the_state_of_another_run_is_refused(halfway: Path, packed: Path) -> None:
    with pytest.raises(Refused, match="state of another run"):
        run(packed, halfway, changed(learning_rate=2e-3))


def test_two_processes_do_not_train_one_run(halfway: Path, packed: Path) -> None:
    process = begin(packed, halfway, checkpoint_seconds=3600)
    wait_for(lambda: "goes on" in (halfway / "told").read_text(), process)
    with pytest.raises(Refused, match="another process trains this run"):
        run(packed, halfway)
    process.kill()
    process.join()


def test_how_often_it_saves_moves_no_number(
    packed: Path, tmp_path: Path, undisturbed: Path
) -> None:
    assert run(packed, tmp_path, checkpoint_seconds=0.05) == 0
    assert_same(tmp_path / "out", undisturbed)
