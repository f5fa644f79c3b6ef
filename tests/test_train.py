"""train: what it leaves behind, and what it refuses."""

import functools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from acutance.errors import Refused
from waves import RUN, assert_same, changed, log_of, pack_waves, run


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_waves(tmp_path_factory.mktemp("waves"), 4)


@pytest.fixture(scope="module")
def undisturbed(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("undisturbed")
    assert run(packed, place) == 0
    return place / "out"


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
    assert record["device_type"] == record["sittings"][0]["device_type"] == "cpu"
    finished = datetime.strptime(record["finished"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs(datetime.now(UTC) - finished) < timedelta(minutes=10)
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
    with pytest.raises(
        Refused, match=r"steps 32 to 32: .* good state is .*000000000030\.state; low"
    ):
        run(packed, tmp_path / "late", late, checkpoint_seconds=0)
    assert not (tmp_path / "late" / "out").exists()
    # update 31 was the first at the absurd rate, and spoilt the state that was saved after it
    assert [f.name for f in (tmp_path / "late" / "state").glob("*.state")] == ["000000000030.state"]


def test_the_last_good_state_outlives_the_bad_ones_after_it(packed: Path, tmp_path: Path) -> None:
    """Where rows are rare, many states are saved before anybody looks at a loss."""
    late = changed(milestones=(101,), factor=1e9, optimiser="sgd", steps=5000, validate_every=0)
    late = replace(late, recipe=replace(late.recipe, keep="last"), validate=None)
    with pytest.raises(
        Refused, match=r"step 10\d: a weight is .* is .*/000000000099\.state; lower"
    ):
        run(packed, tmp_path, late, checkpoint_seconds=0)
    (kept,) = (tmp_path / "state").glob("*.state")
    assert kept.name == "000000000099.state"


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
    with refuse(match="--device: found 'tpu2'"):
        run(packed, tmp_path, device="tpu2")
    with refuse(match="--device: found 'cuda:99'"):
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
