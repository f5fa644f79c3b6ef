"""Studies with scores that were made up: for tests of what comes after scoring."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from acutance import paths, report, study, tabulate
from acutance.rows import MEAN, SCORES
from acutance.sizes import HEAD
from acutance.spec import Evaluation, Study

ROOT = Path(__file__).resolve().parent.parent
# A text that breaks HTML, Markdown and LaTeX wherever it is not escaped
HOSTILE = "<b>&\"'|\\_{x}$%#~^* --`[a](b) ×− é 中\u202e</b>"
GAIN = {"+gv": 0.25, "+cs": 0.2, "+fd": 0.4, "+tv": 0.1, "l1": 0.3, "ssim": 0.6}


def lay(root: Path) -> Path:
    """Copies what describes the studies (params, overlays, manifests, print) to a folder."""
    shutil.copy(ROOT / paths.PARAMS, root)
    for folder in (paths.STUDIES, paths.PUBLISHED, "data/manifests", "data/released"):
        shutil.copytree(ROOT / folder, root / folder)
    return root


def fill(study: Study, root: Path, keep: Callable[[Evaluation], bool] = lambda _: True) -> None:
    """Writes made-up scores and run records for the evaluations that `keep` wants."""
    for evaluation in study.evaluations:
        if keep(evaluation):
            write_scores(root / evaluation.scores, evaluation)
            write_record(root, evaluation)


def write_scores(path: Path, evaluation: Evaluation) -> None:
    """Writes scores that fall with the scale, rise with the added losses, and vary by image."""
    run, dataset = evaluation.run, evaluation.dataset
    names = [p.name for p in dataset.pictures] or [f"im_{i}" for i in range(dataset.images)]
    rng = np.random.default_rng(len(dataset.name) + dataset.images)
    images = rng.normal(0, 2, len(names))
    noise = np.random.default_rng(int(run.digest, 16)).normal(0, 0.3, len(names))
    gain = sum(value for word, value in GAIN.items() if word in run.system)
    better = {"bicubic": 0.0, "srcnn": 0.6, "espcn": 0.8, "vdsr": 1.2, "lapsrn": 1.5}
    base = better.get(run.system.split("+")[0].split("-")[0], 2.5)
    psnr = 36 - 2.8 * run.scale + images + base + gain + noise
    lines = [SCORES]
    for metric in evaluation.metrics:
        # the more varied an image is, the harder; HR alone decides, so not the noise of a system
        values = {
            "psnr": psnr,
            "ssim": 1 - 0.9**psnr,
            "lpips": 0.8**psnr,
            "pi": 10 * 0.95**psnr,
            "entropy": 6.5 - images / 4,
        }[metric.function]
        lines += [f"{n},{metric.name},{v!r}," for n, v in zip(names, values.tolist(), strict=True)]
        lines.append(f"{MEAN},{metric.name},{float(values.mean())!r},")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_sizes(study: Study, root: Path) -> None:
    """Writes sizes that are near those of the paper's kind, and differ by network and scale."""
    lines = [HEAD]
    for track in study.tracks:
        for each in track.sized:
            for rule in study.conventions:
                value = len(each.system) * 10 ** (5 if rule.count == "parameters" else 10)
                row = (track.name, each.printed, each.system, each.scale, rule.name, value)
                lines.append(",".join(map(str, row)))
    path = root / study.counts
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_record(root: Path, evaluation: Evaluation) -> None:
    """Writes a run.json with the fields that `train` writes."""
    run = evaluation.run
    if not run.trained:
        return
    here = {
        "device": "Test CPU <0>",
        "device_type": "cpu",
        "threads": 2,
        "python": "3.11.2",
        "versions": {"torch": "2.13.0"},
    }
    record = {
        "run": run.shown(),
        "digest": run.digest,
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "dirty": False,
        **here,
        "sittings": [here],
        "finished": f"2026-10-1{run.scale}T08:30:15Z",
        "seconds": 321.5 * run.scale,
        "peak_memory_bytes": 512 * 2**20,
        "steps": run.recipe.steps,
        "parameters": 24_000,
        "validation_psnr": {"best": 30.5, "last": 30.4},
    }
    path = root / paths.RUN_RECORD.format(run=run.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record), encoding="utf-8")


def make(root: Path, name: str) -> Path:
    """Tabulates and reports a study; returns the folder of the report."""
    each = study.load(root, name)
    write_sizes(each, root)
    tabulate.tabulate(each, root, full=study.load(root, "papers"))
    report.report(each, root)
    return root / paths.REPORT.format(study=name)


def read(root: Path, name: str, file: str) -> str:
    """Returns a file of a study's report."""
    return (root / paths.REPORT.format(study=name) / file).read_text(encoding="utf-8")
