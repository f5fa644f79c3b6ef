"""How much of a device's arithmetic a training keeps busy: EDSR, RRDB, ESRGAN, SPSR-G.

    python benchmarks/rates.py [--quick] [--seconds 5] [--threads 1]

Each is trained by the verb `train` at its published batch and crop, on pictures of noise; with
--quick, for a CPU, on 2 crops of 8 x 8. VGG19's file is made up: what its numbers are costs no
time. `bound` is what an update would take if nothing but its products counted, all at the device's
peak: of a GPU that workflow/devices.yaml knows, what its data sheet says for the precision of the
recipe; of a CPU the most that a product of two large matrices reached, tried before each training
and after the last. `share` is bound over ms.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from acutance import probe, rates
from acutance.spec import Run
from acutance.study import load
from acutance.train import train
from acutance.vgg import POOLS, WIDTHS
from acutance.work import step_flops

ROOT = Path(__file__).resolve().parents[1]
SYSTEMS = ("edsr_x4", "rrdb_x4", "esrgan_x4", "spsr-g_x4")
SIDE = 2048  # of the matrices; large enough to keep every core busy
TIMES = 5


def vgg19(path: Path) -> None:
    """Writes a file of VGG19's shapes."""
    channels, layer, found = 3, 0, {}
    for width in WIDTHS:
        if not width:
            assert layer in POOLS
            layer += 1
            continue
        made = nn.Conv2d(channels, width, 3)
        found |= {f"features.{layer}.{name}": value for name, value in made.state_dict().items()}
        channels, layer = width, layer + 2  # a ReLU follows
    torch.save(found, path)


def fed(run: Run, name: str) -> Run:
    """Returns a run whose losses read a file of another name, of which no checksum is promised."""
    losses = []
    for loss in run.losses:
        files = [
            (key, replace(each, file=replace(each.file, name=name, sha256="", git="")))
            for key, each in loss.assets
        ]
        losses.append(replace(loss, assets=tuple(files)))
    return replace(run, losses=tuple(losses))


def wanted(*, quick: bool, name: str) -> Iterator[tuple[str, Run]]:
    """Yields the first run of each system in the study `papers`."""
    runs = {run.id.rpartition("_s")[0]: run for run in reversed(load(ROOT, "papers").runs)}
    for system in SYSTEMS:
        run = fed(runs[system], name)
        if quick and run.recipe is not None:
            small = {"patch": 8, "batch": 2}
            contests = [replace(c, recipe=replace(c.recipe, **small)) for c in run.contests]
            recipe = replace(run.recipe, **small)
            run = replace(run, recipe=recipe, contests=tuple(contests))
        yield system, run


def products(threads: int | None) -> float:
    """Returns the FLOP/s that a product of two matrices reaches on the CPU: the best of some."""
    torch.set_num_threads(threads or torch.get_num_threads())
    one, other = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    best = float("inf")
    for _ in range(TIMES):
        begun = time.perf_counter()
        one @ other
        best = min(best, time.perf_counter() - begun)
    return 2.0 * SIDE**3 / best


def peak(found: probe.Timed, precision: str, here: float) -> float:
    """Returns the FLOP/s to compare with; 0 of a GPU whose data sheet nobody told of."""
    if found.kind == "cpu":
        return here
    known = rates.assumed(ROOT).items()
    sheet = next((each for short, each in known if short in rates.slug(found.name)), None)
    return 1e12 * sheet.peak.get(precision, 0.0) if sheet else 0.0


def row(run: Run, found: probe.Timed, here: float) -> str:
    """Returns what is told of a network."""
    assert run.recipe is not None
    work, crops = step_flops(run), f"{run.recipe.batch} x {run.recipe.patch}"
    text = f"{run.system:<10}{crops:>12}{run.recipe.precision:>6}{work / 1e9:>12,.1f}"
    text += f"{1000 * found.seconds:>10,.1f}{found.peak / 2**20:>10,.0f}"
    text += f"{work / found.seconds / 1e12:>10.3g}"
    if most := peak(found, run.recipe.precision, here):
        text += f"{1000 * work / most:>10,.1f}{work / most / found.seconds:>7.0%}"
    return text


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="2 crops of 8 x 8")
    parser.add_argument("--seconds", type=float, default=5.0, help="of training, each")
    parser.add_argument("--threads", type=int, help="of a CPU")
    options = parser.parse_args()
    rows: list[tuple[Run, probe.Timed]] = []
    with tempfile.TemporaryDirectory() as folder:
        assets = Path(folder)
        vgg19(assets / "made-up-vgg19.pth")
        here = products(options.threads)
        for system, run in wanted(quick=options.quick, name="made-up-vgg19.pth"):
            task = probe.Task(
                run=run, assets=assets, fit=train, seconds=options.seconds, threads=options.threads
            )
            found = probe.timed(task)
            here = max(here, products(options.threads))
            if isinstance(found, str):
                print(f"{system}: no rate: {found}")
            else:
                rows.append((run, found))
    for name in dict.fromkeys(found.name for _, found in rows):
        print(name)
    print("network          crops          GFLOP        ms  peak MiB   TFLOP/s     bound  share")
    for run, found in rows:
        print(row(run, found, here))


if __name__ == "__main__":
    main()
