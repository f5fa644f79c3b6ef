"""A small study on a real SLURM: what jobs ask for, and that nothing that befalls them shows."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import daemons
import pytest
from daemons import ask, kill, of_node, wait_for
from trainings import LONG, frozen, watched

from project import Project, copy_of_the_project

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(900),  # alone four minutes, which SLURM and Snakemake spend waiting
    pytest.mark.usefixtures("slurm"),
]

RUNS = ("espcn_x2_s0", "espcn+gv_x2_s0")
COMMAND = ["snakemake", "--profile", "workflow/profiles/slurm"]
COMMAND += ["--slurm-init-seconds-before-status-checks", "2"]
# Targets stand before these: no network is a small one, each has a job of its own.
ALONE = ["train", "--set-threads", "fit=1", "--config", "small=[]"]
FEW = "steps: 6, milestones: [4], batch: 2, patch: 8, validate_every: 3"
MANY = "steps: 1000, milestones: [750], batch: 2, patch: 8, validate_every: 500"


@pytest.fixture(scope="module")
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
        assert running.returncode == 0
        assert not daemons.settings()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study with its data, before any training."""
    made = copy_of_the_project(tmp_path_factory.mktemp("prepared") / "project")
    made.edit("workflow/studies/tiny.yaml", FEW, MANY)
    made.snakemake("--until", "degrade", "pack", "count")
    return made.folder


def copy(prepared: Path, place: Path) -> Project:
    shutil.copytree(prepared, place, symlinks=True)
    return Project(place)


@contextmanager
def begun(project: Project, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Snakemake on the cluster, killed in the end; its words go to a file."""
    environment = {**os.environ, "PYTHONPATH": str(project.folder / "src")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    with (
        (project.folder / "told").open("a") as words,
        subprocess.Popen(
            [*COMMAND, *options],
            cwd=project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        ) as running,
    ):
        try:
            yield running
        finally:
            running.kill()


def told(project: Project) -> str:
    return (project.folder / "told").read_text()


def weights(project: Project) -> dict[str, bytes]:
    """The bytes that each training came to."""
    files = project.folder.glob("results/runs/espcn*/weights.safetensors")
    return {file.parent.name: file.read_bytes() for file in files}


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


def jobs_of(project: Project) -> list[dict[str, str]]:
    """What SLURM says of the project's jobs."""
    jobs = [fields(block) for block in ask("scontrol", "show", "job").split("\n\n")]
    return [each for each in jobs if each.get("WorkDir") == str(project.folder)]


def shown(project: Project) -> dict[str, dict[str, str]]:
    """The same by the rule in their comment."""
    return {each["Comment"].split("_wildcards_")[0]: each for each in jobs_of(project)}


def another(node: str, place: Path, *options: str) -> str:
    """A job of somebody else's that has a GPU of a node."""
    wanted = [f"--nodelist={node}", "--gpus=1", "--mem=100", f"--output={place}/%j", *options]
    number = ask("sbatch", "--parsable", *wanted, "--wrap=sleep 1000").strip()
    wait_for(f"a GPU of {node}", lambda: job(number)["JobState"] == "RUNNING", LONG)
    return number


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
    with begun(project) as running:
        yield project, running


def test_a_training_has_its_gpus_in_one_node_gives_way_and_is_interrupted(
    prepared: Path, tmp_path: Path
) -> None:
    """Before the others: it takes GPUs of both nodes, and wants both of one."""
    project = copy(prepared, tmp_path / "project")
    project.edit("workflow/profiles/slurm/config.yaml", "gpu: 1", "gpu: 2")
    taken = [another(node, tmp_path) for node in daemons.NODES]

    def late() -> bool:
        assert running.poll() is None, told(project)
        jobs = jobs_of(project)
        assert {each["JobState"] for each in jobs} <= {"PENDING"}
        return "Resources" in [each["Reason"] for each in jobs]

    with begun(project, *ALONE) as running, watched(project) as caught:
        wait_for("a job that waits for a node", late, LONG)  # one free GPU in each is not enough
        ask("scancel", *taken)
        trained = frozen(caught, running, *RUNS)
        for training in trained:
            said = job(training.job)
            assert asked(said) == ("1", "32000M", "2-00:00:00", "gres:gpu:2")
            assert (said["NumNodes"], said["NumTasks"], said["CPUs/Task"]) == ("1", "1", "1")
            assert training.gpu[1] == "0,1"

        # Somebody's urgent job takes the node of one, which SLURM starts again afterwards.
        one, other = trained
        with ThreadPoolExecutor() as beside:
            urgent = beside.submit(another, one.node, tmp_path, "--partition=urgent")
            wait_for("SLURM's request", lambda: one.asked_to_end)
            one.go()
        ask("scancel", urgent.result())
        wait_for("the job to wait again", started_at_once)
        (one,) = frozen(caught, running, RUNS[0])
        one.says("goes on from step")

        running.send_signal(signal.SIGINT)  # Ctrl-C: Snakemake ends its jobs
        for training in (one, other):
            wait_for("the end to be asked for", lambda job=training: job.asked_to_end)
            training.go()
        wait_for("Snakemake's end", lambda: running.poll() is not None, LONG)
    wait_for("the jobs' end", lambda: not ask("squeue", "--noheader"), LONG)
    for training in (one, other):
        training.says("SIGTERM: saved at step")


def test_small_networks_are_trained_at_once_on_shares_of_gpus(
    whole: tuple[Project, subprocess.Popen[bytes]],
) -> None:
    """On one GPU or two, as SLURM likes: each asks for a share, and is shown one GPU."""
    project, running = whole
    with watched(project) as caught:
        one, other = frozen(caught, running, *RUNS)
    assert one.job != other.job
    for training in (one, other):
        assert asked(job(training.job))[3] == "gres:shard:1"
        assert training.gpu[1] in {"0", "1"}
        training.go()


@pytest.mark.usefixtures("whole")
def test_nothing_that_befalls_a_training_is_seen_in_its_weights(
    prepared: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    project = copy(prepared, tmp_path / "project")
    with begun(project, *ALONE) as running, watched(project) as caught:
        one, other = frozen(caught, running, *RUNS)
        assert one.job != other.job
        assert one.gpu != other.gpu
        wanted = ("1", "32000M", "2-00:00:00", "gres:gpu:1")
        assert asked(shown(project)["rule_fit"]) == wanted

        # The time limit draws near, which SLURM notices within half a minute; a job is cancelled.
        # Snakemake starts both anew.
        ask("scontrol", "update", f"jobid={one.job}", "TimeLimit=4")
        ask("scancel", other.job)
        undisturbed = request.getfixturevalue("undisturbed")
        wait_for("SLURM's warning", lambda: one.asked_to_end)
        one.go()
        one, other = frozen(caught, running, *RUNS)
        one.says("goes on from step")
        other.says("goes on from step")

        # SLURM starts them anew: when told to, and after a power cut of their node.
        ask("scontrol", "requeue", other.job)
        wait_for("the job to wait again", started_at_once)
        (other,) = frozen(caught, running, RUNS[1])
        other.says("goes on from step")
        kill(of_node(one.node))
        wait_for("the node to be missed", started_at_once)
        (fresh,) = frozen(caught, running, RUNS[0])
        assert fresh.node != one.node
        fresh.says("goes on from step")

        # Another one is refused. Killed, it leaves its jobs; the next one ends them and goes on.
        refused = project.run(*COMMAND, *ALONE, ok=False)
        assert "study 'tiny' is being rebuilt" in refused
        running.kill()
    with begun(project, *ALONE) as running:
        wait_for("the study's end", lambda: running.poll() is not None, LONG)
        assert running.returncode == 0, told(project)
    (left,) = re.findall(r"left in the queue: (.+)", told(project))
    assert fresh.job in left.split(", ")
    assert weights(project) == undisturbed


def test_a_whole_study_is_rebuilt(
    whole: tuple[Project, subprocess.Popen[bytes]], undisturbed: dict[str, bytes]
) -> None:
    project, running = whole
    assert running.wait(LONG) == 0, told(project)
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
