"""slots: real processes on made-up GPUs; one job each, and a killed job's GPU is free again."""

import itertools
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acutance import device, slots
from acutance.errors import Refused

# Takes a GPU, says which and since when, keeps it for a while, says until when.
JOB = """
import sys, time
from acutance.slots import take
gpus, shares, hold = sys.argv[1].split(), sys.argv[2], float(sys.argv[3])
say = lambda text: print(text, file=sys.stderr, flush=True)
found = take(gpus, say=say, environment={"ACUTANCE_GPU_SHARES": shares}, pause=0.01)
print(gpus[found], time.monotonic(), flush=True)
time.sleep(hold)
print(time.monotonic(), flush=True)
"""


def named(count: int) -> list[str]:
    """Names of GPUs that no other test has."""
    return [f"GPU-{uuid.uuid4()}" for _ in range(count)]


@contextmanager
def job(gpus: list[str], shares: int = 1, hold: float = 60) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", JOB, " ".join(gpus), str(shares), str(hold)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        yield process
        process.kill()


def gpu_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().split()[0]


def test_as_many_jobs_as_gpus_have_one_each() -> None:
    gpus = named(4)
    with ExitStack() as stack:
        found = [gpu_of(stack.enter_context(job(gpus))) for _ in gpus]
        assert found == gpus


def test_jobs_spread_before_they_share() -> None:
    gpus = named(2)
    with ExitStack() as stack:
        found = [gpu_of(stack.enter_context(job(gpus, shares=3))) for _ in range(6)]
    assert Counter(found[:2]) == Counter(gpus)
    assert Counter(found) == dict.fromkeys(gpus, 3)


def test_a_job_waits_and_says_so_until_another_is_killed() -> None:
    gpus = named(1)
    with job(gpus) as first:
        assert gpu_of(first) == gpus[0]
        with job(gpus) as second:
            assert second.stderr
            told = second.stderr.readline()
            assert told.startswith("waiting for a GPU: all are taken (1, 1 job each).")
            assert "ACUTANCE_GPU_SHARES=2" in told
            first.kill()
            assert gpu_of(second) == gpus[0]


def test_processes_see_gpus_under_other_numbers_and_do_not_meet() -> None:
    one, two, three = named(3)
    with job([one, two]) as first, job([two, one, three]) as second, job([three, one]) as third:
        found = [gpu_of(process) for process in (first, second, third)]
    assert sorted(found) == sorted([one, two, three])


def test_twenty_jobs_never_have_more_than_their_share() -> None:
    gpus, shares = named(3), 2
    with ExitStack() as stack:
        jobs = [stack.enter_context(job(gpus, shares, hold=0.02)) for _ in range(20)]
        told = [process.communicate()[0].split() for process in jobs]
    assert len(told) == 20
    assert {gpu for gpu, _, _ in told} <= set(gpus)
    for gpu in gpus:
        events = [
            (float(t), change) for g, a, b in told if g == gpu for t, change in ((a, 1), (b, -1))
        ]
        most = now = 0
        for _, change in sorted(events):
            now += change
            most = max(most, now)
        assert most <= shares


@given(st.lists(st.integers(-1, 5), max_size=30))
def test_a_slot_has_one_holder_whoever_comes_and_goes(moves: list[int]) -> None:
    """-1: a slot is given back; else one is asked for."""
    names, held = named(3), {}
    for move in moves:
        if move < 0 and held:
            os.close(held.pop(next(iter(held))))
        elif move >= 0:
            name = names[move % len(names)]
            found = slots._bound(name)
            assert (found is None) == (name in held)
            if found is not None:
                held[name] = found
    for each in held.values():
        os.close(each)


TWO = JOB.replace("import take", "import take_several").replace(
    "found = take(gpus, ", "found, other = take_several(gpus, 2, "
)


def test_jobs_of_two_gpus_take_both_or_none() -> None:
    """Four of them on three GPUs, where each could hold one and wait for another's for ever."""
    gpus = named(3)
    command = [sys.executable, "-c", TWO.replace("gpus[found]", "found, other"), " ".join(gpus)]
    with ExitStack() as stack:
        jobs = [
            stack.enter_context(
                subprocess.Popen([*command, "1", "0.2"], stdout=subprocess.PIPE, text=True)
            )
            for _ in range(4)
        ]
        told = [job.communicate(timeout=60)[0].split() for job in jobs]
    assert all(int(one) < int(other) for one, other, *_ in told)
    spans = sorted((float(begun), float(done)) for *_, begun, done in told)
    assert all(done <= begun for (_, done), (begun, _) in itertools.pairwise(spans))


def test_several_gpus_of_slurm_are_taken_as_they_are() -> None:
    gpus, environment = named(2), {"SLURM_JOB_ID": "7"}
    with job(gpus) as other:
        assert gpu_of(other) == gpus[0]
        found = slots.take_several(gpus, 2, say=pytest.fail, environment=environment)
        assert found == [0, 1]


def test_a_process_that_asks_again_gets_the_same() -> None:
    gpus = named(3)
    environment = {slots.SHARES: "1"}
    found = [slots.take(gpus, say=pytest.fail, environment=environment) for _ in range(3)]
    assert found == [0, 0, 0]


def test_what_slurm_gave_is_taken_as_it_is() -> None:
    gpus, environment = named(1), {"SLURM_JOB_ID": "7"}
    with job(gpus) as other:
        assert gpu_of(other) == gpus[0]
        assert slots.take(gpus, say=pytest.fail, environment=environment) == 0
        more = [*gpus, *named(1)]
        assert slots.take(more, say=pytest.fail, environment=environment) == 1


@pytest.mark.parametrize("said", ["0", "-1", "65", "two", "", "1.5", "٣"])
def test_a_senseless_number_of_shares_is_refused(said: str) -> None:
    with pytest.raises(Refused, match="ACUTANCE_GPU_SHARES: wants how many jobs share a GPU"):
        slots.take(named(1), say=pytest.fail, environment={slots.SHARES: said})


def test_a_killed_job_frees_its_slot_at_once() -> None:
    gpus = named(1)
    with job(gpus) as first:
        gpu_of(first)
        assert slots._bound(f"{gpus[0]}/0") is None
        first.kill()
        first.wait()
        begun = time.monotonic()
        while (found := slots._bound(f"{gpus[0]}/0")) is None:
            assert time.monotonic() < begun + 60
        os.close(found)


@pytest.mark.cuda
def test_a_gpu_is_called_as_its_driver_calls_it() -> None:
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True)
    found = device._gpus()
    assert found
    assert all(each in listed.stdout for each in found)
    assert device.device("auto").type == "cuda"
