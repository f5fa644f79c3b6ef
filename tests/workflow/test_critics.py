"""A chain from weights fitted for PSNR to a training against critics, by the real Snakemake."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

import made_up
import server as web
from acutance.files import checksums
from project import Project, copy_of_the_project

pytestmark = pytest.mark.workflow

# The extractor of `perceptual` is made up, and says so by its name: VGG19's shape, random numbers.
CHAIN = """
title: Chain
build: [chain]
assets:
  made-up-vgg19:
    name: made-up-vgg19.pth
    sha256: {sha256}
    sources: [{address}]
    licence: none; seeded random numbers, of no use but for tests
    cite: nobody
recipes:
  before: {base: rrdb, patch: 8, batch: 2, steps: 4, milestones: [2], validate_every: 0}
  against:
    {base: spsr, patch: 8, batch: 2, steps: 16, milestones: [8], first_steps: 4, validate_every: 0}
systems:
  trunk:
    model: {function: rrdbnet, blocks: 4, width: 8, growth: 4}
    losses: {l1: 1}
    recipe: before
    scales: [4]
  slopes:
    model: {function: spsr, blocks: 4, every: 1, width: 8, growth: 4}
    losses:
      perceptual: {weight: 1, vgg19: made-up-vgg19}
      l1: 0.01
      gradient_pixel: {weight: 0.01, distance: l2, padding: 2}
      gradient_branch: 0.5
    critics:
      image: {critic: &critic {function: vgg, pairs: 3, width: 8}, game: relativistic, weight: 5e-3}
      gradient: {critic: *critic, game: relativistic, weight: 5e-3, view: gradient}
    start: {system: trunk, without: [conv_last]}
    recipe: against
    scales: [4]
tracks:
  chain:
    paper: chain
    train: {datasets: [photographs-train], degradation: bicubic}
    test: {datasets: [photographs], degradation: bicubic}
    metrics: {psnr: psnr_spsr, ssim: ssim_spsr}
"""
PAPER = """
short: Chain
title: Made for this test
tables:
  table1:
    label: Table 1
    title: One table
    rows: {Method: system}
    columns: {Measure: metric}
    best: column
"""
CELLS = "paper,table,row,column,system,variant_of,scale,dataset,metric,value,unit,highlight,note\n"
CLAIMS = "id,paper,claim,system,baseline,metric,datasets,scales,direction,margin,source\n"
SYSTEMS = ("trunk", "slopes", "unknown")
SIDES = ("adversarial", "critic")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The chain, run to its end by one `snakemake`. Not to be changed."""
    made = copy_of_the_project(tmp_path_factory.mktemp("chain"))
    made.edit("params.yaml", "study: tiny", "study: chain")
    extractor = made_up.vgg19()
    paper = made.folder / "data/published/chain"
    paper.mkdir()
    (paper / "layout.yaml").write_text(PAPER)
    (paper / "claims.csv").write_text(CLAIMS)
    printed = [
        f"chain,table1,{system},{metric.upper()},{system},,4,photographs,{metric},{value},{unit},,\n"
        for system in SYSTEMS
        for metric, value, unit in (("psnr", "20.00", "dB"), ("ssim", "0.5000", "1"))
    ]
    (paper / "cells.csv").write_text(CELLS + "".join(printed))
    with web.running() as server:
        address = server.serve("made-up-vgg19.pth", extractor.read_bytes())
        study = CHAIN.replace("{address}", address).replace("{sha256}", checksums(extractor)[0])
        (made.folder / "workflow/studies/chain.yaml").write_text(study)
        made.snakemake()
        assert server.asked == [("made-up-vgg19.pth", "")]
    return made


def folder(project: Project, system: str) -> Path:
    (found,) = filter(Path.is_dir, project.folder.glob(f"results/runs/{system}_x4_s0@*"))
    return found


def log(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_from_psnr_to_critics_to_scores_to_the_table(chain: Project) -> None:
    with (chain.folder / "results/tables/chain/chain/table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["system"] for row in rows if row["rebuilt"]} == {"bicubic", "trunk", "slopes"}
    assert {row["system"] for row in rows if row["reason"]} == {"unknown"}
    begun = json.loads((folder(chain, "slopes") / "run.json").read_text())["run"]
    assert begun["start"] == {"run": folder(chain, "trunk").name, "without": ["conv_last"]}
    assert chain.jobs() == {}


def test_the_features_of_a_made_up_extractor_were_minimised(chain: Project) -> None:
    ended = log(folder(chain, "slopes"))[-1]
    assert float(ended["perceptual"]) > 0


@pytest.mark.parametrize("page", ["index.html", "index.md"])
def test_no_reader_takes_a_made_up_extractor_for_the_real_one(chain: Project, page: str) -> None:
    text = (chain.folder / "reports/chain" / page).read_text().replace("\\", "")
    assert "perceptual (vgg19 from made-up-vgg19.pth)" in text
    assert "relativistic against vgg (pairs 3; width 8) on gradient maps" in text
    assert "vgg19-dcbb9e9d.pth" not in text


def test_both_sides_of_both_contests_are_in_the_log(chain: Project) -> None:
    last = log(folder(chain, "slopes"))[-1]
    for name in [f"{side}_{critic}" for side in SIDES for critic in ("image", "gradient")]:
        assert float(last[name]) > 0


def test_the_trunk_is_begun_with_and_moved(chain: Project) -> None:
    """Adam moves a weight by about the learning rate in a step: after all of them it is still near
    where the other training left it, and far from what chance would have drawn anew."""
    before, after = (
        load_file(folder(chain, system) / "weights.safetensors") for system in ("trunk", "slopes")
    )
    moved = (after["body.0.rdb1.conv1.weight"] - before["body.0.rdb1.conv1.weight"]).abs().max()
    assert 0 < moved < 16 * 2e-4
    assert before["body.0.rdb1.conv1.weight"].abs().max() > 16 * 2e-4


def stopped(project: Project, run: str, step: int, number: signal.Signals) -> int:
    """Trains until a state of `step` lies there, then sends a signal; returns the exit status."""
    states = project.folder / "results/state"
    command = [Path(sys.executable).parent / "acutance", "train", run.partition("@")[0]]
    environment = {**os.environ, "PYTHONPATH": str(project.folder / "src"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, "--device", "cpu", "--threads", "1", "--checkpoint", "0"],
        cwd=project.folder,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        if any(int(state.stem) >= step for state in states.rglob("*.state")):
            process.send_signal(number)
            break
        time.sleep(0.002)
    return process.wait()


def test_stopped_twice_in_the_contest_it_makes_the_same_bytes(
    chain: Project, tmp_path: Path
) -> None:
    shutil.copytree(chain.folder, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    run = folder(project, "slopes").name
    shutil.rmtree(folder(project, "slopes"))
    assert stopped(project, run, 2, signal.SIGKILL) == -signal.SIGKILL  # while few weights learn
    assert stopped(project, run, 8, signal.SIGTERM) == 75
    assert stopped(project, run, sys.maxsize, signal.SIGTERM) == 0
    found, wanted = folder(project, "slopes"), folder(chain, "slopes")
    assert len(json.loads((found / "run.json").read_text())["sittings"]) == 3
    content = (found / "weights.safetensors").read_bytes()
    assert content == (wanted / "weights.safetensors").read_bytes()
    assert log(found) == log(wanted)
