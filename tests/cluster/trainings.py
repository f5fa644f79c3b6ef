"""Trainings in SLURM's jobs, frozen (SIGSTOP) as soon as they have begun.

So what is done to them happens in their middle on a machine of any speed.
"""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from daemons import wait_for

from project import Project

LONG = 300  # seconds within which a busy machine starts a job, and a small study ends


class Training:
    """A training in a job, frozen in its first steps.

    Attributes:
        run: What is trained.
        job: The number of its job.
        gpu: Node and CUDA_VISIBLE_DEVICES.
    """

    def __init__(self, project: Project, name: str, pid: int) -> None:
        """Freezes a process."""
        os.kill(pid, signal.SIGSTOP)
        self.run, self.pid = name.partition("@")[0], pid
        self._log = project.folder / f"results/logs/train/{name}.log"
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

    def says(self, words: str) -> None:
        """Waits for words in its log, which `tee` writes in its own time."""
        wait_for(f"{words!r} in {self._log}", lambda: words in self._log.read_text())


@contextmanager
def watched(project: Project) -> Iterator[dict[str, Training]]:
    """Freezes each training as soon as it has begun; yields the last one of each run."""
    caught: dict[str, Training] = {}
    seen, over = set(), threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for beat in project.folder.glob("results/state/*/beat.json"):
                with suppress(FileNotFoundError, ProcessLookupError):  # it is done
                    pid = json.loads(beat.read_text())["pid"]
                    if pid not in seen:
                        training = Training(project, beat.parent.name, pid)
                        caught[training.run] = training
                        seen.add(pid)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield caught
    finally:
        over.set()
        watching.join()


def frozen(
    caught: dict[str, Training], running: subprocess.Popen[bytes], *runs: str
) -> list[Training]:
    """Waits until trainings of runs have begun, once more if they were waited for before."""

    def look() -> bool:
        assert running.poll() is None, "Snakemake has ended"
        return set(runs) <= set(caught)

    wait_for(f"{runs} to be trained", look, LONG)
    return [caught.pop(run) for run in runs]
