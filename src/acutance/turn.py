"""One rebuild of a study at a time in a folder, with nothing to unlock after a kill.

The kernel's lock ends with the process that has it. A killed Snakemake leaves its jobs in the
cluster's queue; the next one cannot take them over, and would start the same ones beside them. So
it ends them first: what they trained goes on from its state.
"""

import atexit
import fcntl
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from acutance import pods
from acutance.errors import Refused
from acutance.files import take_lock

FOLDER = Path(".snakemake/turns")
PATIENCE = 120.0  # seconds for jobs to save and leave: SLURM's KillWait is 30 by default
_held: list[int] = []  # for as long as this process lives


def take(root: Path, study: str, *, say: Callable[[str], None]) -> None:
    """Takes the folder for a rebuild of a study, until this process ends.

    Args:
        root: The project's folder.
        study: Its name; other studies may be rebuilt meanwhile.
        say: Takes a line about jobs that are ended.

    Raises:
        Refused: If another process rebuilds the study there.
    """
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    turn = root / FOLDER / study
    handle = os.open(turn, os.O_RDWR | os.O_CREAT)
    if take_lock(handle) is False:
        with turn.open(encoding="utf-8") as file:
            who = file.read().strip()
        os.close(handle)
        raise Refused(f"{root}: study '{study}' is being rebuilt ({who}); wait for it, or end it")
    os.ftruncate(handle, 0)
    os.write(handle, f"{platform.node()}, process {os.getpid()}".encode())
    _held.append(handle)

    anyone = os.open(root / FOLDER / ".any", os.O_RDWR | os.O_CREAT)
    _held.append(anyone)
    if take_lock(anyone):  # nobody else rebuilds here: whose else could these jobs be
        end_left_over(partial(left_over, root), _scancel, say=say)
    with suppress(OSError):  # a file system without locks
        fcntl.flock(anyone, fcntl.LOCK_SH)

    end_left_over(partial(pods.left_over, root, study), pods.cancel, say=say)
    os.environ[pods.STUDY] = study  # for what Snakemake starts from now on
    atexit.register(pods.end, root, study)


def left_over(root: Path) -> list[str]:
    """Returns the numbers of SLURM's jobs that a Snakemake of this user submitted in a folder."""
    if not (squeue := shutil.which("squeue")):
        return []
    command = [squeue, "--noheader", f"--user={os.getuid()}", "--format=%i|%Z|%k"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    jobs = [line.split("|", 2) for line in asked.stdout.splitlines() if line.count("|") >= 2]
    here = root.resolve()
    return [
        number
        for number, folder, comment in jobs
        if comment.startswith("rule_") and Path(folder).resolve() == here
    ]


def end_left_over(
    asked: Callable[[], list[str]],
    end: Callable[[list[str]], None],
    *,
    say: Callable[[str], None],
    pause: float = 1.0,
) -> None:
    """Ends what a killed Snakemake left in a queue, and waits until it has left."""
    if not (jobs := asked()):
        return
    say(f"ends jobs that a killed snakemake left in the queue: {', '.join(jobs)}")
    end(jobs)
    until = time.monotonic() + PATIENCE
    while asked() and time.monotonic() < until:
        time.sleep(pause)


def _scancel(jobs: list[str]) -> None:
    scancel = shutil.which("scancel") or "scancel"
    subprocess.run([scancel, *jobs], check=False, timeout=60)
