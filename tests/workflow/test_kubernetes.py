"""The profile for Kubernetes: its jobs, and by the real Snakemake what befalls trainings.

There is no Kubernetes here: `kubectl` is a stand-in (kubelet.py) that runs what a Job says on this
machine. What a cluster does of its own (images, volumes, limits, queues) is not shown.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from project import Project

pytestmark = pytest.mark.workflow

RUNS = ("espcn_x2_s0", "espcn+gv_x2_s0")
STUDY = "workflow/studies/tiny.yaml"
COMMAND = ["snakemake", "--profile", "workflow/profiles/kubernetes"]
QUICK = ["train", "--seconds-between-status-checks", "1"]
LONG = 300  # seconds within which a busy machine starts a job


def wait_for(what: str, condition: Callable[[], object]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, f"waited {LONG} s for {what}"
        time.sleep(0.02)


class Cluster:
    """What pretends to be one, for a project."""

    def __init__(self, project: Project, folder: Path) -> None:
        self._project, self._jobs = project, folder / "jobs"
        self._jobs.mkdir()
        program = folder / "bin/kubectl"
        program.parent.mkdir()
        pretence = Path(__file__).with_name("kubelet.py")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{pretence}" "$@"\n')
        program.chmod(0o755)
        self.environment = {**project.environment, "PRETENDED_JOBS": str(self._jobs)}
        path = f"{program.parent}{os.pathsep}{project.environment['PATH']}"
        self.environment["PATH"] = path

    @contextmanager
    def snakemake(self) -> Iterator[subprocess.Popen[bytes]]:
        """Starts Snakemake; its words go to a file. What a test leaves of it is killed."""
        with (self._project.folder / "told").open("a") as words:
            running = subprocess.Popen(
                [*COMMAND, *QUICK],
                cwd=self._project.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
        try:
            yield running
        finally:
            running.kill()
            running.wait()

    def clear(self) -> None:
        """Kills what still runs in pods."""
        for pid in processes(self._project.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def told(self) -> str:
        return (self._project.folder / "told").read_text()

    def kubectl(self, *words: str) -> None:
        subprocess.run(["kubectl", *words], env=self.environment, check=True)

    @property
    def asked(self) -> dict[str, dict[str, Any]]:
        """All Jobs that were ever made, by name."""
        made = [json.loads(file.read_text()) for file in (self._jobs / "asked").glob("*.json")]
        return {job["metadata"]["name"]: job for job in made}


class Training:
    """A training in a pod, frozen in its first steps."""

    def __init__(self, project: Project, run: str, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        self._project, self._run, self.pid = project, run, pid
        host = Path("/proc", str(pid), "root", "proc/sys/kernel/hostname")
        told = subprocess.run(
            ["nsenter", f"--target={pid}", "--uts", "cat", host],
            capture_output=True,
            text=True,
            check=True,
        )
        self.job = told.stdout.strip().removesuffix("-pod")

    def go(self) -> None:
        """Lets it go on once SIGTERM waits for it."""
        status = Path(f"/proc/{self.pid}/status")
        term = 1 << (signal.SIGTERM - 1)
        wait_for(
            "SIGTERM",
            lambda: int(re.findall(r"ShdPnd:\s*(\w+)", status.read_text())[0], 16) & term,
        )
        os.kill(self.pid, signal.SIGCONT)

    def says(self, words: str) -> None:
        """Waits for words in its log, which `tee` writes in its own time."""
        logs = self._project.folder.glob(f"results/logs/train/{self._run}@*.log")
        log = max(logs, key=lambda file: file.stat().st_mtime)
        wait_for(f"{words!r} in {log}", lambda: words in log.read_text())


def processes(folder: Path, *words: str) -> list[int]:
    """Processes at work in a folder, among whose words some begin with these."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes().decode().split("\0")
            inside = (process / "cwd").readlink() == folder
        except OSError:
            continue
        if inside and all(any(each.startswith(word) for each in said) for word in words):
            found.append(int(process.name))
    return found


def frozen(project: Project, *after: int) -> list[Training]:
    """Waits for the process of each run, another than those in `after`, and freezes it."""
    found: dict[str, Training] = {}

    def look() -> bool:
        for run in set(RUNS) - set(found):
            for beat in project.folder.glob(f"results/state/{run}@*/beat.json"):
                host = json.loads(beat.read_text())["host"]
                for pid in set(processes(project.folder, "train", f"{run}@")) - set(after):
                    ours = Training(project, run, pid)
                    if host == f"{ours.job}-pod":
                        found[run] = ours
                    else:  # the sign of life is of the one before
                        os.kill(pid, signal.SIGCONT)
        return len(found) == len(RUNS)

    wait_for("trainings", look)
    return [found[run] for run in RUNS]


@pytest.fixture
def cluster(project: Project, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(project, tmp_path)
    yield made
    made.clear()


def weights(project: Project) -> dict[str, bytes]:
    files = project.folder.glob("results/runs/espcn*/weights.safetensors")
    return {file.parent.name: file.read_bytes() for file in files}


def test_the_profile_lists_its_jobs_without_a_cluster(project: Project) -> None:
    project.edit(STUDY, "steps: 6,", "steps: 7,")
    printed = project.run(*COMMAND, "-n")
    assert printed.count("rule fit_small:") == 2
    assert len(re.findall(r"mem_mb=8000.* runtime=1440, gpu=1", printed)) == 2


def test_deleted_jobs_and_a_stopped_snakemake_are_not_seen_in_weights(
    finished: Project, project: Project, cluster: Cluster, tmp_path: Path
) -> None:
    """On the stand-in for Kubernetes."""
    undisturbed = finished.copy(tmp_path / "undisturbed")
    for each in (undisturbed, project):
        each.edit(STUDY, "steps: 6, milestones: [4]", "steps: 30, milestones: [20]")
    for run in RUNS:
        undisturbed.run("acutance", "train", run, "--threads", "1")
    with cluster.snakemake() as running:
        first = frozen(project)
        assert {each.job for each in first} == set(cluster.asked)
        for job in cluster.asked.values():
            (container,) = job["spec"]["template"]["spec"]["containers"]
            assert container["resources"]["limits"] == {"memory": "8000M", "nvidia.com/gpu": "1"}

        # As the cluster does when it wants the place for others. Snakemake makes other Jobs.
        cluster.kubectl("delete", "job", *[each.job for each in first])
        for each in first:
            each.go()
        second = frozen(project, *[each.pid for each in first])
        for each in second:
            each.says("goes on from step")
        running.kill()
    with cluster.snakemake() as running:
        wait_for("Jobs to be ended", lambda: "left in the queue" in cluster.told())
        for each in second:
            assert each.job in cluster.told()
            each.go()
        third = frozen(project, *[each.pid for each in second])
        running.send_signal(signal.SIGINT)
        for each in third:
            each.go()
        assert running.wait(LONG) == 1
    with cluster.snakemake() as running:
        assert running.wait(LONG) == 0, cluster.told()
    assert len(cluster.asked) == 8
    assert weights(project).items() >= weights(undisturbed).items()
    assert not [*project.folder.glob(".snakemake/kubernetes/*/*")]
