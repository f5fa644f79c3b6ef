"""Verbs in processes of their own, which start fast, since a server has imported what they need.

They may be killed: from outside, or by themselves at a certain touch of the file system.
"""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from acutance.cli import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *("acutance.train", "acutance.loops.restore", "acutance.predict", "acutance.score"),
        *("acutance.pack", "acutance.degrade", "acutance.fetch", "acutance.tabulate"),
        *("acutance.report", "acutance.watch", "acutance.study", "acutance.cli"),
        *("acutance.metrics.psnr", "acutance.metrics.ssim", "acutance.models.espcn"),
        *("acutance.calibrate", "acutance.losses.gradient_variance", "torch._dynamo"),
    ]
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS of sched.h; os.unshare came with Python 3.12
_NEW_USER = 0x10000000  # CLONE_NEWUSER


class Touches:
    """Counts what a process does to files below a folder; at the last one allowed it dies."""

    def __init__(self, folder: Path, last: int = 0, delay: float = 0.0) -> None:
        self._folder, self._last, self._delay, self.count = str(folder), last, delay, 0

    def __call__(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = details
            if not isinstance(path, str) or not flags & _WRITES:
                return
        elif event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir"):
            path = str(details[0])
        else:
            return
        if path.startswith("/") and not path.startswith(self._folder):
            return
        self.count += 1
        if self.count == self._last:
            if self._delay:
                threading.Timer(self._delay, die).start()
            else:
                die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(process: BaseProcess) -> int | None:
    """Starts a process and returns its exit status."""
    process.start()
    process.join()
    return process.exitcode


def verb(folder: Path, told: Path, *words: str, last: int = 0, delay: float = 0.0) -> BaseProcess:
    """Returns a process, not started, of one verb; `told` gets what it says."""
    return FORKS.Process(target=_verb, args=(folder, told, words, last, delay))


def touches(folder: Path, told: Path, *words: str) -> int:
    """Runs a verb to its end; returns how often it touched the file system."""
    assert run(verb(folder, told, *words)) == 0, told.read_text()
    return int(told.read_text().splitlines()[-1].removeprefix("touches: "))


def _verb(folder: Path, told: Path, words: tuple[str, ...], last: int, delay: float) -> None:
    _listen(told)
    touched = Touches(folder, last, delay)
    sys.addaudithook(touched)
    code = main(["--root", str(folder), *words])
    print(f"touches: {touched.count}", file=sys.stderr, flush=True)
    sys.exit(code)


def _listen(told: Path) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.stdout = sys.stderr = told.open("a")
    sys.tracebacklimit = 50


def alone(told: Path, script: Callable[..., None], *arguments: object) -> None:
    """Runs a script in a process that may mount file systems which nobody else sees."""
    process = FORKS.Process(target=_alone, args=(told, script, arguments))
    assert run(process) == 0, told.read_text()


def _alone(told: Path, script: Callable[..., None], arguments: tuple[object, ...]) -> None:
    _listen(told)
    unshare()
    script(*arguments)


def unshare() -> None:
    """Gives this process a mount table of its own, and to a user who is not root a right to it.

    Raises:
        OSError: If that is not allowed here.
    """
    user, group = os.geteuid(), os.getegid()
    flags = _NEW_MOUNTS | (_NEW_USER if user else 0)
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    if user:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {user} 1"),
            ("gid_map", f"0 {group} 1"),
        ):
            Path("/proc/self", name).write_text(text)
    mount("--make-rprivate", "/")


def mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True, capture_output=True)


def may_mount() -> bool:
    """Whether a process may have a mount table of its own."""
    rights = ["--map-root-user"] if os.geteuid() else []
    command = ["unshare", *rights, "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
