"""A small study on a real SLURM: what jobs ask for, and that nothing that befalls them shows.

A training is frozen (SIGSTOP) as soon as it has begun, so that what is done to it happens in its
middle on a machine of any speed.
"""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import daemons
import pytest
from daemons import ask, kill, of_node, wait_for

from project import Project, copy_of_the_project

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("slurm")]

RUNS = ("espcn_x2_s0", "espcn+gv_x2_s0")
COMMAND = ["snakemake", "--profile", "workflow/profiles/slurm"]
COMMAND += ["--slurm-init-seconds-before-status-checks", "2"]
# Targets stand before these: no network is a small one, each has a job of its own.
ALONE = ["train", "--set-threads", "fit=1", "--config", "small=[]"]
STEPS = "steps: 400, milestones: [300]"
LONG = 300  # seconds within which a busy machine starts a job


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Daemons of SLURM on this host; a skip says what is missing."""
    try:
        daemons.check()
    except daemons.Absent as reason:
        pytest.skip(str(reason))
    command = [sys.executable, daemons.__file__, tmp_path_factory.mktemp("slurm")]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout
        assert running.stdout.readline() == "ready\n"
        yield
        running.communicate(timeout=120)  # its standard input ends


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study with its data, before any training."""
    made = copy_of_the_project(tmp_path_factory.mktemp("prepared") / "project")
    made.edit("workflow/studies/tiny.yaml", "steps: 6, milestones: [4]", STEPS)
    made.snakemake("--until", "degrade", "pack", "count")
    return made.folder


def copy(prepared: Path, place: Path) -> Project:
    shutil.copytree(prepared, place, symlinks=True)
    return Project(place)


def begin(project: Project, *options: str) -> subprocess.Popen[bytes]:
    """Starts Snakemake on the cluster; its words go to a file."""
    environment = {**os.environ, "PYTHONPATH": str(project.folder / "src")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    with (project.folder / "told").open("a") as words:
        return subprocess.Popen(
            [*COMMAND, *options],
            cwd=project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )


def told(project: Project) -> str:
    return (project.folder / "told").read_text()


def weights(project: Project) -> dict[str, bytes]:
    """The bytes that each training came to."""
    files = project.folder.glob("results/runs/espcn*/weights.safetensors")
    return {file.parent.name: file.read_bytes() for file in files}


class Training:
    """A training in a job, frozen in its first steps.

    Attributes:
        job: The number of its job.
        gpu: Node and CUDA_VISIBLE_DEVICES.
    """

    def __init__(self, project: Project, run: str, pid: int) -> None:
        """Freezes a process."""
        os.kill(pid, signal.SIGSTOP)
        self._project, self._run, self.pid = project, run, pid
        content = Path(f"/proc/{pid}/environ").read_text().split("\0")
        environment = dict(line.split("=", 1) for line in content if "=" in line)
        self.job, self.node = environment["SLURM_JOB_ID"], environment["SLURMD_NODENAME"]
        self.gpu = (self.node, environment["CUDA_VISIBLE_DEVICES"])

    def go(self) -> None:
        """Lets it go on, once a signal waits for it or at once; SLURM may have done so before."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    @property
    def asked_to_end(self) -> bool:
        """Whether SIGTERM waits for it, or has ended it."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        (pending,) = re.findall(r"ShdPnd:\s*(\w+)", status)
        return bool(int(pending, 16) & 1 << (signal.SIGTERM - 1))

    @property
    def log(self) -> str:
        (file,) = self._project.folder.glob(f"results/logs/train/{self._run}@*.log")
        return file.read_text()


def frozen(
    project: Project,
    running: subprocess.Popen[bytes],
    *runs: str,
    after: Iterable[Training] = (),
) -> list[Training]:
    """Waits for the processes of runs, other ones than `after`, and freezes each as it comes."""
    found: dict[str, Training] = {}
    old = {training.pid for training in after}

    def look() -> bool:
        assert running.poll() is None, told(project)
        for run in set(runs) - set(found):
            for beat in project.folder.glob(f"results/state/{run}@*/beat.json"):
                pid = json.loads(beat.read_text())["pid"]
                if pid not in old and Path(f"/proc/{pid}").exists():
                    found[run] = Training(project, run, pid)
        return len(found) == len(runs)

    wait_for(f"{runs} to be trained", look, LONG)
    return [found[run] for run in runs]


def started_at_once() -> bool:
    """Spares jobs the two minutes that SLURM lets pass before it starts one again."""
    waiting = ask("squeue", "--noheader", "--format=%i %r").splitlines()
    late = [line.split()[0] for line in waiting if line.endswith("BeginTime")]
    for job in late:
        ask("scontrol", "update", f"jobid={job}", "StartTime=now")
    return bool(late)


def fields(block: str) -> dict[str, str]:
    return dict(re.findall(r"(\S+?)=(\S*)", block))


def job(number: str) -> dict[str, str]:
    """What SLURM says of a job."""
    return fields(ask("scontrol", "show", "job", number))


def shown(project: Project) -> dict[str, dict[str, str]]:
    """What SLURM says of the project's jobs, by the rule in their comment."""
    jobs = [fields(block) for block in ask("scontrol", "show", "job").split("\n\n")]
    mine = [each for each in jobs if each.get("WorkDir") == str(project.folder)]
    return {each["Comment"].split("_wildcards_")[0]: each for each in mine}


def asked(said: dict[str, str]) -> tuple[str, str, str, str]:
    """Cores, memory, time and GPUs of a job."""
    gpus = said.get("TresPerJob", "") + said.get("TresPerNode", "")
    return said["NumCPUs"], said["MinMemoryNode"], said["TimeLimit"], gpus


@pytest.fixture(scope="module")
def undisturbed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the runs come to without Snakemake and without a cluster."""
    project = copy(prepared, tmp_path_factory.mktemp("undisturbed") / "project")
    for run in RUNS:
        project.run("acutance", "train", run, "--threads", "1")
    return weights(project)


@pytest.fixture(scope="module")
def whole(
    slurm: None,  # noqa: ARG001 (it must run)
    prepared: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Project, subprocess.Popen[bytes]]]:
    """The whole study, being rebuilt on the cluster beside what else is tested."""
    project = copy(prepared, tmp_path_factory.mktemp("whole") / "project")
    profile = "workflow/profiles/slurm/config.yaml"
    project.edit(profile, "gpu: 1 # 0", "gpu: 0")
    project.edit(profile, "# gres", "gres")
    with begin(project) as running:
        yield project, running
        running.kill()


def test_small_networks_are_trained_at_once_on_shares_of_gpus(
    whole: tuple[Project, subprocess.Popen[bytes]],
) -> None:
    """On one GPU or two, as SLURM likes: each asks for a share, and is shown one GPU."""
    one, other = frozen(*whole, *RUNS)
    assert one.job != other.job
    for training in (one, other):
        assert asked(job(training.job))[3] == "gres:shard:1"
        assert training.gpu[1] in {"0", "1"}
        training.go()


@pytest.mark.usefixtures("whole")
def test_nothing_that_befalls_a_training_is_seen_in_its_weights(
    prepared: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    project = copy(prepared, tmp_path / "project")
    with begin(project, *ALONE) as running:
        one, other = frozen(project, running, *RUNS)
        assert one.job != other.job
        assert one.gpu != other.gpu
        wanted = ("1", "32000M", "2-00:00:00", "gres:gpu:1")
        assert asked(shown(project)["rule_fit"]) == wanted

        # The time limit draws near; a job is cancelled. Snakemake starts both anew.
        ask("scontrol", "update", f"jobid={one.job}", "TimeLimit=2")
        ask("scancel", other.job)
        wait_for("SLURM's warning", lambda: one.asked_to_end)
        one.go()
        one, other = frozen(project, running, *RUNS, after=(one, other))
        assert "goes on from step" in one.log
        assert "goes on from step" in other.log

        # SLURM starts them anew: when told to, and after a power cut of their node.
        ask("scontrol", "requeue", other.job)
        wait_for("the job to wait again", started_at_once)
        (other,) = frozen(project, running, RUNS[1], after=(other,))
        assert "goes on from step" in other.log
        kill(of_node(one.node))
        wait_for("the node to be missed", started_at_once)
        (fresh,) = frozen(project, running, RUNS[0], after=(one,))
        assert fresh.node != one.node
        assert "goes on from step" in fresh.log

        # Another one is refused. Killed, it leaves its jobs; the next one ends them and goes on.
        refused = project.run(*COMMAND, *ALONE, ok=False)
        assert "study 'tiny' is being rebuilt" in refused
        running.kill()
    with begin(project, *ALONE) as running:
        wait_for("the study's end", lambda: running.poll() is not None, LONG)
        assert running.returncode == 0, told(project)
    assert f"left in the queue: {fresh.job}" in told(project)
    assert weights(project) == undisturbed


def test_a_whole_study_is_rebuilt(
    whole: tuple[Project, subprocess.Popen[bytes]], undisturbed: dict[str, bytes]
) -> None:
    project, running = whole
    assert running.wait(300) == 0, told(project)
    assert weights(project) == undisturbed
    with (project.folder / "results/tables/tiny/gv/table1.csv").open() as file:
        filled = [row for row in csv.DictReader(file) if row["rebuilt"]]
    assert {row["system"] for row in filled} == {"bicubic", "espcn", "espcn+gv"}
    jobs = shown(project)
    wanted = {
        "rule_fit_small": ("1", "8000M", "1-00:00:00", "gres:shard:1"),
        "rule_predict": ("2", "16000M", "01:00:00", "gres:gpu:1"),
        "rule_measure": ("8", "8000M", "01:00:00", ""),
    }
    assert {rule: asked(said) for rule, said in jobs.items()} == wanted
