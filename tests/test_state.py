"""state: what was saved comes back, damage is noticed, one process has the folder."""

import errno
import fcntl
import hashlib
import io
import os
import pickle
import time
from pathlib import Path

import pytest
import torch

from acutance.errors import Refused
from acutance.state import MAGIC, Checkpoints


class Heard(list[str]):
    """What was said."""

    def __call__(self, text: str) -> None:
        self.append(text)


def state_of(step: int) -> dict[str, object]:
    generator = torch.Generator().manual_seed(step)
    return {
        "run": "0123456789",
        "step": step,
        "loop": {"progress": {}},
        "weights": {"a": torch.randn(50, 7, generator=generator), "b": torch.tensor(2**40)},
        "best": None,
        "first": 0.1,
        "rows": [{"step": 1, "loss": 0.3}],
    }


def equal(a: dict, b: dict) -> bool:
    weights, others = a.pop("weights"), b.pop("weights")
    return a == b and all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Checkpoints(tmp_path / "state", seconds=60, say=Heard()) as checkpoints:
        for step in (9, 10, 200):
            checkpoints.save(step, state_of(step))
    return tmp_path / "state"


def newest(folder: Path) -> tuple[dict | None, list[str]]:
    heard = Heard()
    with Checkpoints(folder, seconds=60, say=heard) as checkpoints:
        return checkpoints.newest(), heard


def test_the_last_two_are_kept_and_the_last_comes_back(folder: Path) -> None:
    assert len(list(folder.glob("*.state"))) == 2
    found, heard = newest(folder)
    assert found is not None
    assert equal(found, state_of(200))
    assert heard == []


def test_nothing_saved_is_nothing_found(tmp_path: Path) -> None:
    assert newest(tmp_path / "fresh") == (None, [])


def test_damage_anywhere_is_passed_over_for_the_state_before(folder: Path) -> None:
    file = max(folder.glob("*.state"))
    whole = file.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "a flipped bit": whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :],
        "cut short": whole[:-1],
        "half": whole[:middle],
        "its head alone": whole[:20],
        "empty": b"",
        "something after it": whole + b"\0",
        "another file": b"PK\3\4" + whole,
        "a flipped bit in the head": bytes([whole[0] ^ 1]) + whole[1:],
    }
    for what, content in damaged.items():
        file.write_bytes(content)
        found, heard = newest(folder)
        assert found is not None, what
        assert equal(found, state_of(10)), what
        assert len(heard) == 1, what
        assert "damaged" in heard[0], what
        assert file.name in heard[0], what


def test_all_damaged_is_a_fresh_start_that_says_so(folder: Path) -> None:
    for file in folder.glob("*.state"):
        file.write_bytes(b"\n")
    found, heard = newest(folder)
    assert found is None
    assert len(heard) == 2


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (b"", ""),
        (b"text", ""),
        (pickle.dumps({"run": Path}), ""),
        (saved(state_of(1))[:-50], ""),
        (saved([1, 2]), "holds list"),
        (saved({"step": 3, "loop": {}}), "lacks 'run'"),
        (saved(state_of(1) | {"loop": None}), "'loop' is NoneType"),
        (saved(state_of(1) | {"rows": [3]}), "'rows' holds something else"),
    ],
)
def test_whole_but_something_else_is_refused_and_kept(
    folder: Path, payload: bytes, what: str
) -> None:
    file = max(folder.glob("*.state"))
    digest = hashlib.sha256(payload).hexdigest().encode()
    file.write_bytes(b"%s %s %d\n" % (MAGIC, digest, len(payload)) + payload)
    with pytest.raises(
        Refused, match=r"200\.state: not a state to go on from \(.+; go back"
    ) as error:
        newest(folder)
    assert what in str(error.value)
    assert "\n" not in str(error.value)
    assert file.exists()


def test_a_file_system_without_locks_is_not_another_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def knows_none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", knows_none)
    found, heard = newest(folder)
    assert found is not None
    assert "knows no locks" in heard[0]


def test_what_a_kill_left_half_written_is_removed(folder: Path) -> None:
    (folder / ".000000000300.state.abc.partial").write_bytes(b"half")
    found, _ = newest(folder)
    assert found is not None
    assert found["step"] == 200
    assert list(folder.glob(".*.partial")) == []


def test_one_process_at_a_time(folder: Path) -> None:
    with (
        Checkpoints(folder, seconds=60, say=Heard()),
        pytest.raises(Refused, match="another process trains this run"),
        Checkpoints(folder, seconds=60, say=Heard()),
    ):
        pass
    assert newest(folder)[0] is not None


def test_when_it_is_time(tmp_path: Path) -> None:
    with Checkpoints(tmp_path / "a", seconds=0, say=Heard()) as always:
        assert always.due
        always.save(1, state_of(1))
        assert always.due
    with Checkpoints(tmp_path / "b", seconds=3600, say=Heard()) as rarely:
        rarely.save(1, state_of(1))
        assert not rarely.due
    with Checkpoints(tmp_path / "c", seconds=1e-9, say=Heard()) as costly:
        time.sleep(1e-6)
        assert costly.due
        costly.save(1, state_of(1))
        assert not costly.due, "saving would take more than its share of the time"


def test_remove_leaves_nothing(folder: Path) -> None:
    with Checkpoints(folder, seconds=60, say=Heard()) as checkpoints:
        checkpoints.remove()
    assert not folder.exists()
