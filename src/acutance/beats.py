"""A training's sign of life: written beside its log while it runs, read by whoever looks on.

A reader may sit on another machine that shares the folder. Where it is the same machine, it can
tell whether the process is there still; elsewhere only how long ago it last wrote.
"""

import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from acutance.files import write_atomically

NAME = "beat.json"
EVERY = 15.0  # seconds between two signs, where steps are shorter
PATIENCE = 60.0  # seconds beyond what is usual, before silence is worth a word


def _here() -> str:
    """Returns where process numbers mean what they mean here: machine, its start, namespace."""
    found = [platform.node()]
    with suppress(OSError):
        found.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        found.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(found)


def _born(pid: int) -> int:
    """Returns when a process began, in the kernel's ticks; -1 where there is none of that number.

    A number alone is given to another process sooner or later.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return -1
    state, *rest = status.rpartition(")")[2].split()  # the name before it may hold anything
    return -1 if state in "ZX" else int(rest[18])  # field 22 of proc(5)


@dataclass(frozen=True, kw_only=True)
class Beat:
    """How far a training is, and who says so.

    Attributes:
        step: Updates done.
        steps: Updates there will be.
        rate: Updates a second in this sitting; 0 before the first.
        silence: The longest time between two updates in this sitting, in seconds: a validation.
        written: When, in seconds since 1970.
        ended: Why it left, where it did before it was done.
        host: Name of the machine.
        here: Machine, its start and the namespace of its process numbers.
        pid: The process.
        born: When the process began, in ticks since the machine's start.
    """

    step: int
    steps: int
    rate: float
    silence: float
    written: float
    ended: str = ""
    host: str = field(default_factory=platform.node)
    here: str = field(default_factory=_here)
    pid: int = field(default_factory=os.getpid)
    born: int = field(default_factory=lambda: _born(os.getpid()))

    @property
    def gone(self) -> bool:
        """Whether its process is known to be no more: never so of another machine's."""
        return self.here == _here() and _born(self.pid) != self.born

    @property
    def afar(self) -> bool:
        """Whether another machine wrote it, or this one before it was started anew."""
        return self.here != _here()

    def quiet(self, now: float) -> float:
        """Returns for how many seconds it has said nothing; 0 while that is no longer than usual.

        Args:
            now: Seconds since 1970.
        """
        passed = now - self.written
        return passed if passed > EVERY + PATIENCE + 3 * self.silence else 0.0

    @property
    def left(self) -> float | None:
        """Seconds to the end at its rate; None before it has one."""
        return (self.steps - self.step) / self.rate if self.rate else None


def write(folder: Path, beat: Beat) -> None:
    """Writes a sign of life into a run's state folder.

    A disk that is full must not end a training for the sake of those who look on.
    """
    with suppress(OSError):
        write_atomically(folder / NAME, json.dumps(asdict(beat), indent=1) + "\n")


def read(folder: Path) -> Beat | None:
    """Returns the last sign of life in a run's state folder; None where there is none to read."""
    try:
        return Beat(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
