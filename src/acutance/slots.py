"""Which GPU a job takes where several jobs share a machine: one that no other job has.

A slot is a name among Linux's abstract sockets. The kernel gives it to one process at a time and
takes it back however that process ends, by `kill -9` too. Nothing lies on a disk: there is nothing
to tidy up, no network folder on which two machines would take each other's GPUs for their own, and
the jobs of other checkouts and other users count as well.
"""

import errno
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product

from acutance.errors import Refused

SHARES = "ACUTANCE_GPU_SHARES"
WAITING = "waiting for a GPU"  # begins what is said before waiting
MOST = 64  # jobs on one GPU; a slip of more would fill its memory
_JOB = "SLURM_JOB_ID"
_held: dict[str, int] = {}  # descriptors, open for as long as this process lives


def shares(environment: Mapping[str, str] = os.environ) -> int:
    """Returns how many jobs may share a GPU: 1, or what ACUTANCE_GPU_SHARES says.

    Raises:
        Refused: If that is no number from 1 to `MOST`.
    """
    said = environment.get(SHARES, "1")
    if not (said.isascii() and said.isdigit() and 1 <= int(said) <= MOST):
        raise Refused(f"{SHARES}: wants how many jobs share a GPU, 1 to {MOST}, found '{said}'")
    return int(said)


def take(
    gpus: Sequence[str],
    *,
    say: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
    pause: float = 1.0,
) -> int:
    """Returns which GPU this process may use until it ends; waits while all are taken.

    Jobs spread over the GPUs before any two share one. A process that asks again gets the same. A
    job of SLURM that sees a single GPU was given it, perhaps a part of it, and takes no slot.

    Args:
        gpus: What tells each GPU from all others of the machine: its UUID.
        say: Takes a line before waiting begins.
        environment: Says how many jobs may share a GPU, and whether SLURM gave it.
        pause: Seconds between two looks.

    Raises:
        Refused: If the number of shares makes no sense.
    """
    (number,) = take_several(gpus, 1, say=say, environment=environment, pause=pause)
    return number


def take_several(
    gpus: Sequence[str],
    count: int,
    *,
    say: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
    pause: float = 1.0,
) -> list[int]:
    """Returns which GPUs this process may use until it ends: `take` for several at a time.

    It takes all of them or none, so two such jobs never wait for each other. A job of SLURM that
    sees as many as it wants was given them.

    Args:
        gpus: As for `take`, at least `count`.
        count: How many it wants.
        say: As for `take`.
        environment: As for `take`.
        pause: As for `take`.

    Raises:
        Refused: If the number of shares makes no sense.
    """
    if _JOB in environment and len(gpus) == count:
        return list(range(count))
    several, waiting = shares(environment), False
    while True:
        if found := _taken(gpus, count, several):
            return found
        if not waiting:
            each = f"{several} job{'' if several == 1 else 's'} each"
            say(
                f"{WAITING}: {'all' if count == 1 else 'too many'} are taken ({len(gpus)}, {each})."
                f" `--device cuda:0` takes one nevertheless, {SHARES}={several + 1} lets more jobs"
                " share"
            )
        waiting = True
        time.sleep(pause)


def _taken(gpus: Sequence[str], count: int, several: int) -> list[int]:
    """Returns which `count` GPUs this process holds from now on; none if it cannot have so many."""
    before = [gpu for gpu in gpus if gpu in _held][:count]
    fresh: dict[str, int] = {}
    for share, gpu in product(range(several), gpus):
        if len(before) + len(fresh) == count:
            break
        wanted = gpu not in before and gpu not in fresh
        if wanted and (found := _bound(f"{gpu}/{share}")) is not None:
            fresh[gpu] = found
    if len(before) + len(fresh) < count:
        for descriptor in fresh.values():
            os.close(descriptor)
        return []
    _held.update(fresh)
    return [number for number, gpu in enumerate(gpus) if gpu in before or gpu in fresh]


def _bound(name: str) -> int | None:
    """Returns the descriptor of a socket that has a name, or None while another one has it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        try:
            made.bind(f"\0acutance/gpu/{name}".encode())
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        return made.detach()
