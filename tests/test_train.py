"""train: killed at any moment it goes on to the same bytes; what it leaves is whole."""

import csv
import functools
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from acutance.errors import Refused
from acutance.image import write_png
from acutance.pack import pack
from acutance.spec import Call, Dataset, Loss, Pairs, Recipe, Run
from acutance.train import TRY_AGAIN, train

KILLS = 12
SET = Dataset(name="waves", role="train", images=4, licence="", cite="", sources=(), pictures=())
PAIRS = Pairs(
    datasets=(SET,),
    degradation=Call(name="bicubic", kind="degradations", function="imresize"),
    scale=2,
)
RUN = Run(
    system="espcn+gv",
    scale=2,
    seed=0,
    model=Call(name="espcn", kind="models", function="espcn", arguments=(("channels", 1),)),
    losses=(
        Loss(name="l2", kind="losses", function="l2", weight=1.0),
        Loss(
            name="gradient_variance",
            kind="losses",
            function="gradient_variance",
            arguments=(("patch", 4),),
            weight=0.01,
        ),
    ),
    recipe=Recipe(
        name="tiny",
        patch=6,
        batch=2,
        steps=400,
        learning_rate=1e-3,
        milestones=(200,),
        factor=0.5,
        augment=("flip_h", "transpose"),
        keep="best",
        validate_every=100,
    ),
    train=PAIRS,
    validate=PAIRS,
)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("train")
    for number in range(4):
        rows, columns = np.mgrid[0:24, 0:28]
        waves = [np.sin((rows * (c + 1) + columns * (number + 1)) / 5) for c in range(3)]
        image = (127 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)
        write_png(place / "hr" / f"{number}.png", image)
    pack([place / "hr"], place / "packed", degradation=lambda h, s: h[::s, ::s], scale=2)
    return place / "packed"


@pytest.fixture(scope="module")
def undisturbed(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("undisturbed")
    assert run(packed, place) == 0
    return place / "out"


def run(packed: Path, place: Path, it: Run = RUN, **settings: object) -> int:
    given = {"device": "cpu", "threads": 1, "checkpoint_seconds": 3600.0, **settings}
    validation = packed if it.validate else None
    out, state = place / "out", place / "state"
    return train(it, packed=packed, validation=validation, out=out, state=state, **given)


def changed(**recipe: object) -> Run:
    return replace(RUN, recipe=replace(RUN.recipe, **recipe))


def log_of(out: Path) -> list[dict[str, str]]:
    """The rows of a log without the times."""
    with (out / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def assert_same(out: Path, undisturbed: Path) -> None:
    assert sorted(path.name for path in out.iterdir()) == [
        "log.csv",
        "run.json",
        "weights.safetensors",
    ]
    found = (out / "weights.safetensors").read_bytes()
    assert found == (undisturbed / "weights.safetensors").read_bytes()
    assert log_of(out) == log_of(undisturbed)


# A process of its own for each attempt. The fork server has imported what they all need (torch's
# optimisers import its compiler), so they start fast.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["acutance.train", "acutance.loops.restore", "acutance.pack", "pytest", "torch._dynamo"]
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


def test_what_it_leaves(undisturbed: Path) -> None:
    weights = load_file(undisturbed / "weights.safetensors")
    assert weights["conv1.weight"].shape == (64, 1, 5, 5)
    rows = log_of(undisturbed)
    names = ["step", "loss", "l2", "gradient_variance", "learning_rate", "psnr"]
    assert list(rows[0]) == names
    assert [row["step"] for row in rows] == [str(step) for step in range(1, 401)]
    assert [row["step"] for row in rows if row["psnr"]] == ["100", "200", "300", "400"]
    record = json.loads((undisturbed / "run.json").read_text())
    assert record["run"] == json.loads(json.dumps(RUN.shown()))
    assert record["digest"] == RUN.digest
    assert record["steps"] == 400
    assert record["parameters"] == sum(value.numel() for value in weights.values())
    assert record["threads"] == 1
    assert record["versions"]["torch"] == torch.__version__
    assert record["seconds"] > 0
    assert record["peak_memory_bytes"] > 2**20
    assert record["validation_psnr"]["best"] >= record["validation_psnr"]["last"] > 10
    assert len(record["sittings"]) == 1


def test_a_run_away_leaves_no_result_and_names_the_last_good_state(
    packed: Path, tmp_path: Path
) -> None:
    wild = changed(optimiser="sgd", learning_rate=1e8)
    message = r"espcn\+gv_x2_s0@.*: steps 2 to 2: the loss .*no state before"
    with pytest.raises(Refused, match=message):
        run(packed, tmp_path, wild)
    assert not (tmp_path / "out").exists()
    late = changed(milestones=(30,), factor=1e9, optimiser="sgd")
    with pytest.raises(Refused, match=r"the last good state is .*0000000000\d\d\.state; lower"):
        run(packed, tmp_path / "late", late, checkpoint_seconds=0)
    assert not (tmp_path / "late" / "out").exists()
    assert len(states(tmp_path / "late")) == 2


def test_what_cannot_be_trained_is_refused_in_one_line(packed: Path, tmp_path: Path) -> None:
    refuse = functools.partial(pytest.raises, Refused)
    with refuse(match="nothing to train"):
        run(packed, tmp_path, replace(RUN, recipe=None, train=None))
    with refuse(match="packed for x2, the run wants x3"):
        run(packed, tmp_path, replace(RUN, scale=3))
    with refuse(match="keep: best wants a validation set"):
        run(packed, tmp_path, replace(RUN, validate=None))
    with refuse(match="4 of 4 LR images are smaller than the 13x13 patch"):
        run(packed, tmp_path, changed(patch=13))
    with refuse(match="no packed pairs"):
        run(tmp_path, tmp_path)
    with refuse(match="no device 'tpu2'"):
        run(packed, tmp_path, device="tpu2")
    with refuse(match="'cuda:99' is not there"):
        run(packed, tmp_path, device="cuda:99")
    assert list(tmp_path.iterdir()) == []


def test_compile_without_a_compiler_is_refused(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(Refused, match=r"wants a C\+\+ compiler"):
        run(packed, tmp_path, changed(compile=True))


@pytest.mark.cuda
def test_a_gpu_makes_the_same_bytes_twice(packed: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run(packed, tmp_path / name, device="cuda") == 0
    assert_same(tmp_path / "a" / "out", tmp_path / "b" / "out")
