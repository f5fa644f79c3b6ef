"""One training by two processes on the real small study: stopped, killed, taken up by one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from acutance.train import TRY_AGAIN
from project import Project

pytestmark = pytest.mark.workflow
RUN = "espcn+gv_x2_s0"
TRAIN = ("acutance", "train", RUN, "--device=cpu", "--threads=2", "--checkpoint=0.2")
FEW = "steps: 6, milestones: [4], batch: 2, patch: 8, validate_every: 3"
MANY = "steps: 500, milestones: [400], batch: 2, patch: 8, validate_every: 250"
CLOSE = 1e-5  # of the largest weight of its tensor: docs/cluster.md


@pytest.fixture(scope="module")
def prepared(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small study with a longer training, which is not done yet."""
    project = finished.copy(tmp_path_factory.mktemp("prepared") / "project")
    project.edit("workflow/studies/tiny.yaml", FEW, MANY)
    return project


@pytest.fixture(scope="module")
def undisturbed(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What two processes come to that nothing befalls."""
    project = prepared.copy(tmp_path_factory.mktemp("undisturbed") / "project")
    project.run(*TRAIN, "--processes=2")
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    return prepared.copy(tmp_path / "project")


def made(project: Project) -> Path:
    """The folder of the longer training, which is the younger one."""
    return max(project.folder.glob(f"results/runs/{RUN}@*/"), key=lambda path: path.stat().st_mtime)


def begin(project: Project, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command or [*TRAIN, "--processes=2"],
        cwd=project.folder,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for(what: str, condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def states(project: Project) -> set[Path]:
    return set(project.folder.glob(f"results/state/{RUN}@*/*.state"))


def workers(process: subprocess.Popen[str]) -> dict[int, int]:
    """Processes that train, by their number."""
    told = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    found = {}
    for pid in map(int, told):
        words = Path(f"/proc/{pid}/environ").read_text().split("\0")
        ranks = [int(word.partition("=")[2]) for word in words if word.startswith("RANK=")]
        found.update(dict.fromkeys(ranks, pid))
    return found


def test_two_processes_come_to_the_weights_of_one_and_say_so(
    project: Project, undisturbed: Project
) -> None:
    project.run(*TRAIN)
    ours, one = (load_file(made(p) / "weights.safetensors") for p in (undisturbed, project))
    for name, value in one.items():
        assert (ours[name] - value).abs().max() <= CLOSE * value.abs().max(), name
    record = json.loads((made(undisturbed) / "run.json").read_text())
    assert [sitting["processes"] for sitting in record["sittings"]] == [2]
    assert record["threads"] == 1, "each has its part of them"
    assert made(undisturbed).name == made(project).name, "how many there are is in no digest"
    assert "finished already" in undisturbed.run(*TRAIN, "--processes=2")


def test_asked_to_leave_they_save_and_go_on_to_the_same_bytes(
    project: Project, undisturbed: Project
) -> None:
    """By whoever started them, and as SLURM and a terminal ask: all processes at once."""
    asked = ((signal.SIGTERM, os.kill), (signal.SIGTERM, os.killpg), (signal.SIGINT, os.killpg))
    for number, ask in asked:
        before = states(project)
        with begin(project) as process:
            wait_for("another state", lambda seen=before: states(project) - seen)
            ask(process.pid, number)
            said = process.communicate(timeout=60)[0]
        assert process.returncode == TRY_AGAIN, said
        assert f"{number.name}: saved at step" in said
        assert "Traceback" not in said
    assert "goes on from step" in project.run(*TRAIN, "--processes=2")
    weights = [(made(p) / "weights.safetensors").read_bytes() for p in (project, undisturbed)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("number", [0, 1])
def test_one_that_is_killed_ends_the_other_and_nothing_is_lost(
    project: Project, undisturbed: Project, number: int
) -> None:
    with begin(project) as process:
        wait_for("a state", lambda: states(project))
        os.kill(workers(process)[number], signal.SIGKILL)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 2, said
    assert f"process {number} of 2 was ended by SIGKILL; the same command goes on" in said
    assert "Traceback" not in said
    assert "goes on from step" in project.run(*TRAIN, "--processes=2")
    weights = [(made(p) / "weights.safetensors").read_bytes() for p in (project, undisturbed)]
    assert weights[0] == weights[1]


def test_what_two_began_one_ends(project: Project, undisturbed: Project) -> None:
    """The process that started them is killed; the kernel asks them to save and leave."""
    with begin(project) as process:
        wait_for("a state", lambda: states(project))
        left = workers(process).values()
        process.kill()
        process.wait()
        wait_for("them to leave", lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
    said = project.run(*TRAIN)
    assert "goes on from step" in said
    assert "not the machine, threads or versions it began on: bits may differ" in said
    record = json.loads((made(project) / "run.json").read_text())
    assert [sitting["processes"] for sitting in record["sittings"]] == [2, 1]
    ours, two = (load_file(made(p) / "weights.safetensors") for p in (project, undisturbed))
    for name, value in two.items():
        assert (ours[name] - value).abs().max() <= CLOSE * value.abs().max(), name


def test_torchrun_itself_may_start_them(project: Project, undisturbed: Project) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    project.run(*torchrun, "-m", *TRAIN)
    ours, theirs = (load_file(made(p) / "weights.safetensors") for p in (project, undisturbed))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_senseless_numbers_of_processes_are_refused(project: Project) -> None:
    refused = project.run(*TRAIN, "--processes=0", ok=False)
    assert refused == "acutance: --processes: wants how many, from 1, found 0\n"
    refused = project.run(*TRAIN, "--processes=3", ok=False)
    assert "has batches of 2 crops, too few for 3 processes; start fewer" in refused
    assert "Traceback" not in refused


def test_snakemake_s_resource_of_gpus_says_how_many(project: Project) -> None:
    project.snakemake("train", "--set-resources", "fit:gpu=2", "--resources", "gpu=2")
    record = json.loads((made(project) / "run.json").read_text())
    assert record["processes"] == 2
