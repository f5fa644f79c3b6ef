"""One process's share of a training: what it goes on from, saves, says, and leaves behind."""

import json
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from torch import distributed as dist

from acutance import ranks
from acutance.errors import Refused
from acutance.files import folder_atomically
from acutance.journal import Journal
from acutance.machine import commit, device_name, now, versions
from acutance.signals import Asked
from acutance.spec import Run
from acutance.state import Checkpoints


class LeftError(Exception):
    """The state is saved and the process was asked to end."""


SAVE, LEAVE = 1, 2  # what processes agree on
EVERY = 0.5  # seconds between two meetings, about
FARTHEST = 1000  # steps between two meetings, at most


class Meetings:
    """Where processes agree, about every `EVERY` seconds, whether to save or to leave.

    They meet after the same step. Between meetings none waits for what another one decides.
    """

    def __init__(self) -> None:
        self._next, self._last = 0, (0, time.monotonic())

    def agreed(self, step: int, wish: int) -> int:
        """Returns what the leading process wishes, if this is a meeting, else 0.

        Args:
            step: Updates done.
            wish: Of this process; any number that says something to the caller.
        """
        if ranks.world() == 1:
            return wish
        if step < self._next:
            return 0
        now = time.monotonic()
        rate = (step - self._last[0]) / max(now - self._last[1], 1e-3)
        told = torch.tensor([wish, step + max(1, min(FARTHEST, round(rate * EVERY)))])
        ranks.together(lambda: dist.broadcast(told, 0))
        self._last = step, now
        self._next = int(told[1])
        return int(told[0])


class Follower:
    """A process's share of a run where another one leads: it computes, and says nothing."""

    def __init__(self) -> None:
        self._meetings = Meetings()

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Leaves the row to the leading process, which has the same."""

    def keep(self, step: int, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        """Leaves saving to the leading process; leaves with it."""
        wish = self._meetings.agreed(step, 0)
        if wish:
            _check_same(step, snapshot())
        if wish == LEAVE:
            raise LeftError


class Sitting:
    """One process's share of a run: the state it goes on from, what it saves, what it says of it.

    Attributes:
        state: The loop's own, or None at the beginning.
    """

    def __init__(
        self,
        run: Run,
        journal: Journal,
        checkpoints: Checkpoints,
        device: torch.device,
        *,
        asked: Asked,
        build: Callable[[], nn.Module],
    ) -> None:
        """Goes on from the newest state there is.

        Args:
            run: What is trained.
            journal: Where it is told.
            checkpoints: Where states are kept.
            device: Where it runs.
            asked: Whether a signal asked for the end.
            build: Makes the network, to count its parameters.

        Raises:
            Refused: If the state is that of another run.
        """
        self._build = build
        self._run, self._journal, self._checkpoints = run, journal, checkpoints
        self._device, self._asked, self._meetings = device, asked, Meetings()
        found = checkpoints.newest() or {"run": run.digest, "loop": None, "step": 0}
        if found["run"] != run.digest:
            raise Refused(
                f"{checkpoints.folder}: state of another run ({found['run']}, wants {run.digest});"
                " remove the folder"
            )
        self.state: dict[str, Any] | None = found["loop"]
        self._peak = int(found.get("peak", 0))
        bits = {
            "device": device_name(device),
            "threads": torch.get_num_threads(),
            "processes": ranks.world(),
            **versions(),
        }
        before = list(found.get("sittings", []))
        kind = {"device_type": device.type}
        self._sittings = [*before, {"from_step": found["step"], **bits, **kind, **commit()}]
        journal.go_on(found.get("rows", []), found.get("seconds", 0.0), found["step"])
        if self.state is not None:
            journal.say(f"goes on from step {found['step']:,}")
        alone = {"processes": 1}  # as every sitting was that does not say so
        if any((alone | earlier).get(name) != bits[name] for earlier in before for name in bits):
            journal.say("not the machine, threads or versions it began on: bits may differ")

    def keep(self, step: int, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        """Shows how far the run is; saves if it is time to; leaves if a signal asked for it."""
        self._journal.tick(step)
        asked = self._asked.by  # a signal may come at any moment: what is agreed on is what counts
        wish = LEAVE if asked else SAVE if self._checkpoints.due else 0
        if not self._meetings.agreed(step, wish):
            return
        loop = snapshot()
        _check_same(step, loop)
        state = {
            "run": self._run.digest,
            "step": step,
            "loop": loop,
            "rows": self._journal.rows,
            "seconds": self._journal.seconds,
            "sittings": self._sittings,
            "peak": self._peak_memory(),
        }
        self._checkpoints.save(step, state, sound=self._sound())
        if asked:
            self._journal.left = f"{asked}: saved at step {step:,}; run again to go on"
            self._journal.say(self._journal.left)
            raise LeftError

    def last_good(self) -> str:
        """Returns where the last state lies from before the run went wrong, and what to do.

        Later states are removed: they may be bad.
        """
        self._checkpoints.forget_after(self._sound())
        file = self._checkpoints.sound(self._sound())
        where = f"the last good state is {file}" if file else "there is no state before it"
        return f"{where}; lower the learning rate or clip the gradient"

    def _sound(self) -> int:
        """Returns the last step known to have gone well.

        A row of the log tells what an update began with: the weights of the step before it.
        """
        return int(self._journal.rows[-1]["step"]) - 1 if self._journal.rows else 0

    def write(self, out: Path, weights: dict[str, Tensor]) -> None:
        """Writes weights, log and origin; the weights' bytes depend on nothing but the weights."""
        with folder_atomically(out) as fresh:
            (fresh / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
            (fresh / "log.csv").write_text(self._journal.text(), encoding="utf-8")
            origin = json.dumps(self._origin(), indent=1) + "\n"
            (fresh / "run.json").write_text(origin, encoding="utf-8")

    def _origin(self) -> dict[str, object]:
        """Returns what run.json holds."""
        measured = [row["psnr"] for row in self._journal.rows if "psnr" in row]
        with torch.device("meta"):
            parameters = self._build().parameters()
        return {
            "run": self._run.shown(),
            "digest": self._run.digest,
            **{name: value for name, value in self._sittings[-1].items() if name != "from_step"},
            "sittings": self._sittings,
            "finished": now(),
            "seconds": round(self._journal.seconds, 1),
            "peak_memory_bytes": self._peak_memory(),
            "steps": self._journal.rows[-1]["step"],
            "parameters": sum(parameter.numel() for parameter in parameters),
            "findings": self._journal.health.shown(),
            "collapsed": self._journal.health.collapsed(),
            "validation_psnr": {"best": max(measured), "last": measured[-1]} if measured else None,
        }

    def _peak_memory(self) -> int:
        """Returns the most bytes that any sitting held, on the GPU where there is one."""
        if self._device.type == "cuda":
            return max(self._peak, torch.cuda.max_memory_allocated(self._device))
        return max(self._peak, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _check_same(step: int, state: Mapping[str, Any]) -> None:
    """Checks that all processes of a training have come to the same weights."""
    for player in state["players"]:
        ranks.check_same(player["network"], f"step {step}")
