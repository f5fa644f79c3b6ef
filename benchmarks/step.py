"""A training step inside the loop against bare forward, backward and optimiser step, on VDSR.

    python benchmarks/step.py [--batch 16] [--steps 40] [--device cpu] [--precision fp32]

The loop draws its batch, asks the losses, clips, sums the log's means and offers its state (with a
checkpoint that is never due, as between two real ones). The bare step has its batch ready and does
nothing else. They take turns step by step (on a GPU, 20 steps by 20), so that what else the machine
does falls on both; the ratio is the median over turns. Goal: at most 3 % more.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage import data

from acutance.degradations.imresize import imresize
from acutance.image import write_png
from acutance.journal import Journal
from acutance.loops.restore import restore
from acutance.losses.l2 import l2
from acutance.models.vdsr import VDSR
from acutance.optim import optimiser, term
from acutance.pack import pack
from acutance.packed import Packed, open_packed
from acutance.pairs import FLIPS, Pairs
from acutance.recipes import Recipe
from acutance.state import Checkpoints

GOAL = 1.03
WARM = 3  # turns that do not count


class Turns:
    """Times the loop's steps, and lets a bare step follow each turn of them."""

    def __init__(self, recipe: Recipe, pairs: Pairs, device: torch.device, each: int) -> None:
        self.network = VDSR(2, channels=1).to(device)
        self.optimiser = optimiser(recipe, self.network.parameters())
        self.lr, self.hr = pairs.batch(0)
        self.device, self.each = device, each
        self.half = recipe.precision == "bf16"
        self.loop: list[float] = []
        self.bare: list[float] = []
        self.begun = 0.0

    def now(self) -> float:
        """Returns the time when the device has done all it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def step(self) -> None:
        """Forward, backward, optimiser step."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            sr = self.network(self.lr)["sr"]
        loss = torch.nn.functional.mse_loss(sr.float(), self.hr)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimiser.step()

    def after(self, step: int) -> None:
        """Ends a turn of the loop and takes one of its own."""
        if step % self.each:
            return
        ended = self.now()
        self.loop.append(ended - self.begun)
        for _ in range(self.each):
            self.step()
        self.begun = self.now()
        self.bare.append(self.begun - ended)


def photographs(folder: Path) -> Packed:
    """Returns packed pairs of two photographs."""
    for name in ("astronaut", "coffee"):
        write_png(folder / "hr" / f"{name}.png", np.asarray(getattr(data, name)()))
    pack([folder / "hr"], folder / "packed", degradation=imresize, scale=2)
    return open_packed(folder / "packed")


def main() -> None:
    """Prints both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["fp32", "tf32", "bf16"], default="fp32")
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    each = 20 if device.type == "cuda" else 1
    recipe = Recipe(
        name="vdsr",
        patch=20,
        batch=chosen.batch,
        steps=(chosen.steps + WARM) * each,
        optimiser="sgd",
        momentum=0.9,
        weight_decay=1e-4,
        learning_rate=1e-3,
        clip_adjustable=0.01,
        precision=chosen.precision,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        turns, journal = measured(recipe, photographs(folder), device, each, folder)
    loop, bare = turns.loop[WARM:], turns.bare[WARM:]
    ratio = statistics.median(a / b for a, b in zip(loop, bare, strict=True))
    ms = [1000 * statistics.median(times) / each for times in (loop, bare)]
    print(f"VDSR x2, HR 40, batch {chosen.batch}, {chosen.precision}, {device}")
    print(f"in the loop {ms[0]:.2f} ms, bare {ms[1]:.2f} ms, {len(journal.rows)} rows logged")
    print(f"ratio {ratio:.4f} (goal {GOAL} at most)")


def measured(
    recipe: Recipe, packed: Packed, device: torch.device, each: int, folder: Path
) -> tuple[Turns, Journal]:
    """Trains with the real journal and checkpoints; returns what the turns took."""
    pairs = Pairs(
        packed,
        patch=recipe.patch,
        batch=recipe.batch,
        seed=0,
        augment=FLIPS,
        channels=1,
        device=device,
    )
    turns = Turns(recipe, pairs, device, each)
    journal = Journal(folder / "log.csv", ["l2"], title="vdsr", steps=recipe.steps)
    with Checkpoints(folder / "state", seconds=3600, say=print) as checkpoints, journal:

        def keep(step: int, _: Callable[[], Mapping[str, Any]]) -> None:
            journal.tick(step)
            if checkpoints.due:
                raise AssertionError
            turns.after(step)

        turns.begun = turns.now()
        restore(
            lambda: VDSR(2, channels=1),
            [term("l2", 1.0, l2)],
            pairs,
            recipe,
            seed=0,
            device=device,
            validation=None,
            state=None,
            record=journal.record,
            keep=keep,
        )
    return turns, journal


if __name__ == "__main__":
    main()
