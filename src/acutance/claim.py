"""A run's state for one process at a time, on whichever machine of a cluster that shares it.

A lock of the kernel ends with its process. On a file system that several machines share that is
not all: locks may hold on each machine alone, and a server may keep those of a machine that died.
There the sign of life that a training writes decides (`beats`).
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from acutance import beats
from acutance.errors import Refused
from acutance.files import take_lock

NAME = "lock"


class Claim:
    """The hold of this process on a folder, until it lets it go or ends."""

    def __init__(self, folder: Path, *, say: Callable[[str], None], pause: float = 2.0) -> None:
        """Takes the folder; waits where another machine had it and may have died.

        Args:
            folder: What is claimed; it is there.
            say: Takes a line before waiting begins, and one about missing locks.
            pause: Seconds between two looks.

        Raises:
            Refused: If another process has it.
        """
        self._folder = folder
        self._handle, held = _opened(folder)
        try:
            if held is None:
                say(f"{folder}: its file system knows no locks; train this run only once")
            if (last := beats.read(folder)) and last.afar and not last.ended:
                _outwait(folder, last, say, pause)
                if held is False:
                    held = self._take_over()
            if held is False:
                raise _busy(folder, last)
        except BaseException:
            self.release()
            raise

    def check(self) -> None:
        """Does nothing while this process has the folder.

        Raises:
            Refused: If another one took it, because this one was silent for too long.
        """
        try:
            same = os.path.samestat(os.fstat(self._handle), (self._folder / NAME).stat())
        except FileNotFoundError:
            same = False
        if not same:
            raise Refused(f"{self._folder}: another process took this run over; leave it to that")

    def release(self) -> None:
        """Lets the folder go."""
        os.close(self._handle)

    def _take_over(self) -> bool:
        """Puts a lock in place of one that a dead machine holds; its process may yet wake up."""
        (self._folder / NAME).unlink(missing_ok=True)
        dead, (self._handle, held) = self._handle, _opened(self._folder)
        os.close(dead)
        return bool(held)


def _opened(folder: Path) -> tuple[int, bool | None]:
    handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT)
    return handle, take_lock(handle)


def _outwait(folder: Path, last: beats.Beat, say: Callable[[str], None], pause: float) -> None:
    """Returns when another machine's training has been silent for so long that it is dead.

    By this machine's clock, or, where its clock is behind and the sign is of the future, since now.
    """
    found: beats.Beat | None = last
    ahead = last.written - time.monotonic()
    while found and found.afar and not found.ended:
        if found.quiet(max(time.time(), ahead + time.monotonic())):
            return
        if found.written != last.written:
            raise _busy(folder, found)
        if found is last:
            say(f"{last.host} trained this run a moment ago; waiting for a sign of life of it")
        time.sleep(pause)
        found = beats.read(folder)


def _busy(folder: Path, by: beats.Beat | None) -> Refused:
    who = f" ({by.host}, process {by.pid})" if by else ""
    return Refused(f"{folder}: another process trains this run{who}; wait for it, or end it")
