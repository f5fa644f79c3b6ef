"""probe: real trainings on this machine, each in a process of its own that may fail alone."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from acutance import paths, probe, rates, study
from acutance.bill import bill
from acutance.errors import Refused
from acutance.spec import Run
from acutance.train import train
from planning.conftest import acutance
from synthetic import ROOT


def task(run: Run, **given: object) -> probe.Task:
    return probe.Task(
        run=run, assets=Path("assets"), seconds=1.0, threads=1, **{"fit": train, **given}
    )


def run_of(name: str, root: Path, system: str) -> Run:
    return next(run for run in study.load(root, name).runs if run.system == system)


def test_a_probe_is_kept_and_hours_are_reckoned_with_it(
    bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert acutance(bare, "plan", "--probe", "1", "--threads", "1", "--json") == 0
    printed = capsys.readouterr()
    plain = json.loads(printed.out)
    assert printed.err.startswith("2 kinds of step, 1 s of training each")
    assert "espcn+gv_x2, tiny: " in printed.err
    (file,) = (bare / paths.RATES).parent.glob("*.json")
    found = rates.measured(bare)[file.stem]
    assert (found.kind, found.threads, found.file) == ("cpu", 1, file.stem)
    assert set(found.versions) == {"acutance", "torch", "numpy", "safetensors"}
    tiny = study.load(bare, "tiny")
    steps = {run.id: found.steps[rates.step_key(run)] for run in tiny.runs if run.trained}
    assert {step.what for step in steps.values()} == {"espcn_x2, tiny", "espcn+gv_x2, tiny"}
    for run in plain["runs"]:
        step = steps[run["run"]]
        assert step.steps >= 2
        assert step.peak_memory_bytes > 2**20
        assert step.flops == run["flops"] / 6
        assert (run["seconds"], run["known"]) == (6 * step.seconds, "measured")
    assert plain["rate"]["device"] == found.name
    assert plain["wall_seconds"] == pytest.approx(sum(run["seconds"] for run in plain["runs"]))
    assert not list(bare.glob("results/runs/*"))

    # What was not measured goes by the others; and what other versions took counts no more.
    some = dict(list(found.steps.items())[:1])
    file.write_text(rates.written(replace(found, steps=some)))
    known = sorted(job.seconds[1] for job in bill(tiny, bare).jobs)
    assert known == ["by other steps", "measured"]
    (step,) = some.values()
    timed = probe.Timed(name=found.name, kind="cpu", threads=1, seconds=1.0, steps=9, peak=1)
    assert len(probe._kept(bare, timed, "another", step).steps) == 2
    file.write_text(rates.written(replace(found, versions={"torch": "1.0"})))
    assert set(probe._kept(bare, timed, "another", step).steps) == {"another"}


def test_what_a_step_costs_does_not_hang_on_seed_steps_or_images(bare: Path) -> None:
    run = run_of("tiny", bare, "espcn")
    key = rates.step_key(run)
    assert rates.step_key(replace(run, seed=7, train=None)) == key
    for recipe in ({"steps": 9}, {"learning_rate": 1.0}, {"name": "other"}):
        assert rates.step_key(replace(run, recipe=replace(run.recipe, **recipe))) == key
    for recipe in ({"batch": 9}, {"patch": 9}, {"precision": "bf16"}, {"channels_last": True}):
        assert rates.step_key(replace(run, recipe=replace(run.recipe, **recipe))) != key
    assert rates.step_key(run_of("tiny", bare, "espcn+gv")) != key


def dies(*_: object, **__: object) -> int:
    """As a training that the system ends because memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_process_that_dies_or_takes_too_long_ends_nothing_else(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of("tiny", bare, "espcn")
    assert probe.timed(task(run, fit=dies)).startswith("its process ended with -9")
    monkeypatch.setattr(probe, "PATIENCE", -3.9)
    assert probe.timed(task(run)).startswith("its first steps take longer than")


def test_what_is_too_large_or_not_here_says_so(bare: Path, tmp_path: Path) -> None:
    run = run_of("tiny", bare, "espcn")
    huge = replace(run, recipe=replace(run.recipe, batch=10**11))
    with pytest.raises(MemoryError, match="allocate"):
        probe._trained(task(huge), tmp_path)
    with pytest.raises(Refused, match=r"vgg19-dcbb9e9d.pth: no such file; run"):
        probe._trained(task(run_of("papers", ROOT, "spsr-g")), bare)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--probe", "0"], "--probe: wants seconds from 1 to 3600, found 0"),
        (["--probe", "--device", "h100"], "--probe measures here; give one"),
    ],
)
def test_a_mistake_is_one_line(
    bare: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert acutance(bare, "plan", *words) == 2
    assert message in capsys.readouterr().err
