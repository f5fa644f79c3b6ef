"""A twin of the FD paper: its print under networks that are quick to name, with scores by hand."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from acutance import paths, study
from acutance.rows import MEAN, SCORES
from acutance.spec import Evaluation, Study
from synthetic import lay, write_record

# The twin's LapSRN is ESPCN, so that no test here depends on what FD's own networks are.
TWINS = {"lapsrn+fd": "espcn+gv", "lapsrn+cs": "edsr+gv", "lapsrn": "espcn", "srcnn": "edsr"}
TRACK = """
title: Twin
build: [twin]
tracks:
  twin:
    paper: twin
    about: FD's print under other networks.
    compare: true
    ours: [vdsr-l1]
    train: {datasets: [div2k-train], degradation: bicubic}
    validate: {datasets: [div2k-val]}
    test: {datasets: [set5, set14, bsd100, urban100], degradation: bicubic}
    metrics: {psnr: psnr_classic, ssim: ssim_classic}
    also: [entropy]
"""
Score = Callable[[Evaluation, int], float]


def lay_twin(root: Path, track: str = TRACK) -> Study:
    """Lays out a project with the twin as a paper, and a study of it; returns the study."""
    lay(root)
    folder = root / paths.PUBLISHED / "twin"
    shutil.copytree(root / paths.PUBLISHED / "fd", folder)
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(?<![\w+-])lapsrn(\+\w+)?(?![\w+-])|(?<![\w+-])srcnn\b", _twin, text)
        path.write_text(re.sub(r"^fd(\d*),", r"twin\1,", text, flags=re.M), encoding="utf-8")
    (root / paths.STUDIES / "twin.yaml").write_text(track, encoding="utf-8")
    return study.load(root, "twin")


def write(
    root: Path,
    each: Study,
    score: Score,
    entropy: Score,
    keep: Callable[[Evaluation], bool] = lambda _: True,
) -> None:
    """Writes scores: PSNR (SSIM is a hundredth of it) and entropy of the n-th image of a set."""
    for evaluation in filter(keep, each.evaluations):
        lines = [SCORES]
        for metric in evaluation.metrics:
            function = entropy if metric.function == "entropy" else score
            share = 0.01 if metric.function == "ssim" else 1
            values = [share * function(evaluation, n) for n in range(evaluation.dataset.images)]
            lines += [f"im_{n},{metric.name},{v!r}," for n, v in enumerate(values)]
            lines.append(f"{MEAN},{metric.name},{sum(values) / len(values)!r},")
        path = root / evaluation.scores
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        write_record(root, evaluation)


def likely() -> tuple[Score, Score]:
    """Returns scores that look like real ones, and entropies: PSNR falls with them, gains rise."""

    def drawn(*seed: int) -> np.random.Generator:
        return np.random.default_rng([*seed])

    def entropy(evaluation: Evaluation, number: int) -> float:
        return float(7.8 - drawn(evaluation.dataset.images, number).gamma(1.5, 0.6))

    def score(evaluation: Evaluation, number: int) -> float:
        run, varied = evaluation.run, entropy(evaluation, number) - 6.5
        noise = float(drawn(number, evaluation.dataset.images, len(run.system)).normal(0, 1.5))
        gain = (0.5 + 0.2 * varied) * ("+" in run.system)
        return 36 - 2 * run.scale - 3 * varied + noise + gain + (run.system != "bicubic")

    return score, entropy


def _twin(found: re.Match[str]) -> str:
    return TWINS[found[0]]
