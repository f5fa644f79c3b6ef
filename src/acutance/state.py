"""The state of a training run on disk: whole or absent, checked on reading, the last two kept.

A file is one line (`acutance-state`, the SHA-256 of what follows, its length) and what
`torch.save` makes of the state. A damaged file is passed over for the one before it.
"""

import hashlib
import io
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from acutance.claim import Claim
from acutance.errors import Refused
from acutance.files import write_atomically

MAGIC = b"acutance-state"
KEPT = 2
SHARE = 0.02  # of the time, at most, goes into saving
NEEDED = {"run": str, "step": int, "loop": dict}
MORE = {"rows": list, "seconds": float, "sittings": list, "peak": int}


class Checkpoints:
    """The checkpoints of one run, for one process at a time; a context manager."""

    def __init__(self, folder: Path, *, seconds: float, say: Callable[[str], None]) -> None:
        """Names the folder and how often to save.

        Args:
            folder: Where they lie; it is made when the context is entered.
            seconds: Time between two, at least; more where saving itself takes long. With 0 it is
                always time.
            say: Takes a line about a damaged file.
        """
        self.folder = folder
        self._seconds, self._say = seconds, say
        self._due = time.monotonic() + seconds
        self._claim: Claim | None = None

    def __enter__(self) -> "Checkpoints":
        """Makes the folder and takes it for this process.

        Raises:
            Refused: If another process has it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._claim = Claim(self.folder, say=self._say)
        for torn in self.folder.glob(".*.partial"):
            torn.unlink()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Lets the folder go."""
        if self._claim:
            self._claim.release()

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() >= self._due

    def save(self, step: int, state: Mapping[str, Any], *, sound: int | None = None) -> None:
        """Writes the state after `step` updates and drops all but the last `KEPT`.

        Args:
            step: Updates done.
            state: What to write.
            sound: The last step that is known to have gone well, where it may be an earlier one:
                the newest state not after it is kept, too.

        Raises:
            Refused: If another process took this run over.
        """
        begun = time.monotonic()
        if self._claim:
            self._claim.check()
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        payload = buffer.getbuffer()
        head = b"%s %s %d\n" % (MAGIC, hashlib.sha256(payload).hexdigest().encode(), len(payload))
        write_atomically(self.folder / f"{step:012d}.state", b"".join((head, payload)))
        known = self.sound(step if sound is None else sound)
        for old in self.files()[KEPT:]:
            if old != known:
                old.unlink()
        done = time.monotonic()
        self._due = done + (max(self._seconds, (done - begun) / SHARE) if self._seconds else 0)

    def newest(self) -> dict[str, Any] | None:
        """Returns the last state that is whole, on the CPU, or None where there is none.

        Raises:
            Refused: If it is whole, but no state of a training that this version can go on from.
        """
        for file in self.files():
            try:
                return _read(file)
            except _DamagedError as problem:
                self._say(f"{problem}; going back to the state before it")
                file.unlink()
        return None

    def files(self) -> list[Path]:
        """Returns the state files, newest first."""
        return sorted(self.folder.glob("*.state"), reverse=True)

    def sound(self, step: int) -> Path | None:
        """Returns the newest state not after `step`, or None where there is none."""
        return next((file for file in self.files() if int(file.stem) <= step), None)

    def forget_after(self, step: int) -> None:
        """Removes the states of later steps: what came then is known to have been bad."""
        for file in self.files():
            if int(file.stem) > step:
                file.unlink()

    def remove(self) -> None:
        """Removes the folder: the run is done."""
        shutil.rmtree(self.folder)


class _DamagedError(Exception):
    """The file is not what was written."""


def _read(file: Path) -> dict[str, Any]:
    """Returns the state in a file.

    Raises:
        _DamagedError: If the file is damaged.
        Refused: If it is whole and holds something else.
    """
    head, _, payload = file.read_bytes().partition(b"\n")
    digest = hashlib.sha256(payload).hexdigest().encode()
    if head.split() != [MAGIC, digest, str(len(payload)).encode()]:
        raise _DamagedError(f"{file}: damaged, its checksum does not match")
    try:
        state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
        fault = _fault(state)
    except Exception as error:  # noqa: BLE001 (a pickle of something else may raise anything)
        fault = next(iter(str(error).splitlines()), type(error).__name__)
    if fault:
        raise Refused(
            f"{file}: not a state to go on from ({fault}); go back to the version of Acutance that "
            "wrote it, or remove the file"
        )
    whole: dict[str, Any] = state
    return whole


def _fault(state: object) -> str:
    """Returns what keeps `state` from being one of a training, or nothing."""
    if not isinstance(state, dict):
        return f"holds {type(state).__name__}"
    for name, kind in (NEEDED | MORE).items():
        if name not in state and name in NEEDED:
            return f"lacks '{name}'"
        if name in state and not isinstance(state[name], kind):
            return f"'{name}' is {type(state[name]).__name__}"
    for name in ("rows", "sittings"):
        if not all(isinstance(part, dict) for part in state.get(name, [])):
            return f"'{name}' holds something else"
    return ""
