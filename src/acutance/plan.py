"""What a rebuild runs: the list that the tables depend on, and the bill before anything starts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from acutance import paths, resolve
from acutance.book import open_book
from acutance.calls import Call
from acutance.files import write_atomically
from acutance.identity import PACKAGE, digest, source_digest
from acutance.spec import Run, Study


def wanted(study: Study) -> dict[str, Any]:
    """Returns what the study's tables are made from, as plain values for JSON."""
    return {
        "study": study.name,
        "title": study.title,
        "about": study.about,
        "tracks": [
            {
                "track": track.name,
                "paper": track.paper,
                "about": track.about,
                "readings": list(track.readings),
                "compare": track.compare,
                "tables": list(track.tables),
                "metrics": {column: metric.name for column, metric in track.metrics},
                "scores": sorted({e.scores for e in track.evaluations}),
                "sizes": {column: rule.name for column, rule in track.sizes},
            }
            for track in study.tracks
        ],
    }


def write_plan(study: Study, root: Path) -> Path:
    """Writes results/plan/<study>.json if it would say something else; returns its path."""
    path = root / paths.PLAN.format(study=study.name)
    text = json.dumps(wanted(study), indent=1, ensure_ascii=False) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_atomically(path, text)
    return path


def page_digest(study: Study, root: Path) -> str:
    """Returns the digest of all that makes the study's tables and pages, scores by their names."""
    files = [*sorted((PACKAGE / "templates").glob("*"))]
    files += sorted(p for p in (root / paths.PUBLISHED).rglob("*") if p.is_file())
    book, _ = open_book(root, study.name)
    return digest(
        wanted(study),
        [book.section(name) for name in ("calibrations", "metrics", "degradations")],
        sorted({e.dataset.id for e in study.evaluations}),
        [str(run.released or run.images) for run in study.runs if run.released or run.images],
        study.counts,
        [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
        source_digest("tabulate", "tabulate"),
        source_digest("report", "report"),
        source_digest("calibrate", "run"),
        source_digest("watch", "watch"),
    )


def pages(study: Study, root: Path) -> list[str]:
    """Returns the paths of a study's tables, of its report's folder, and of what dates them.

    The last is a file named by `page_digest`. The others have plain paths, so it alone says
    whether they are of today.
    """
    tables = [
        paths.TABLE.format(study=study.name, paper=track.paper, table=table)
        for track in study.tracks
        for table in track.tables
    ]
    beside = [
        pattern.format(study=study.name, paper=track.paper)
        for track in study.tracks
        for pattern in (paths.CLAIMS, paths.FIGURES, *([paths.SIZES] if track.sizes else []))
    ]
    plain = [paths.METRICS, paths.CURVES, paths.CALIBRATION, paths.REPORT]
    made = paths.MADE.format(study=study.name, made=page_digest(study, root))
    return [*dict.fromkeys(tables + beside), *(p.format(study=study.name) for p in plain), made]


def plan(study: Study, root: Path, *, every_run: bool = False) -> str:
    """Returns a text for people: runs, images, and the FLOPs of training, per track and in all.

    Args:
        study: What is to be rebuilt.
        root: The project's root: what is there already is counted as done.
        every_run: Whether to list each run.
    """
    lines = [f"{study.title} (study {study.name})", ""]
    for track in study.tracks:
        runs = list({e.run.id: e.run for e in track.evaluations}.values())
        images = sum(e.dataset.images for e in track.evaluations)
        lines += [
            f"{track.name}: {track.about}",
            f"  tables: {', '.join(track.tables)}",
            f"  {len(runs)} runs, {sum(r.trained for r in runs)} of them with weights to fit",
            f"  {len(track.evaluations)} tests, {images:,} SR images",
        ]
    lines += ["", f"{'system':<16}{'runs':>5}{'to train':>10}{'TFLOP':>16}  recipes"]
    for system in dict.fromkeys(run.system for run in study.runs):
        lines.append(_bill(system, [r for r in study.runs if r.system == system], root))
    lines.append(_bill("in all", list(study.runs), root, recipes=False))
    if every_run:
        lines += ["", *(_line(run, root) for run in study.runs)]
    missing = Counter((root / e.scores).is_file() for e in study.evaluations)
    lines += ["", f"{missing[True]} of {len(study.evaluations)} tests are scored already"]
    return "\n".join(lines) + "\n"


def training_flops(run: Run) -> float:
    """Returns the floating-point operations of a training: 2 per multiply-add, backward twice.

    Counted by torch on one crop, without data: forward, and twice that for backward; element-wise
    work, losses and validation do not count.
    """
    if run.recipe is None:
        return 0.0
    once = _forward_flops(run.model, run.scale, run.recipe.patch)
    return 3.0 * once * run.recipe.batch * run.recipe.steps


@cache
def _forward_flops(model: Call, scale: int, patch: int) -> int:
    import torch

    from acutance import flops

    made: Any = resolve.load("models", model.function)
    with torch.device("meta"):
        network = made(scale, **model.kwargs)
    return round(2 * flops.multiply_adds(network, Fraction(patch), Fraction(patch)).at_input)


def _bill(system: str, runs: list[Run], root: Path, *, recipes: bool = True) -> str:
    trained = [run for run in runs if run.trained]
    waiting = [run for run in trained if not _done(run, root)]
    flops = sum(training_flops(run) for run in waiting) / 1e12
    names = ", ".join(dict.fromkeys(run.recipe.name for run in runs if run.recipe))
    row = f"{system:<16}{len(runs):>5}{len(waiting):>10}{flops:>16,.1f}"
    return f"{row}  {names if recipes else ''}".rstrip()


def _line(run: Run, root: Path) -> str:
    state = "done" if run.weighted and _done(run, root) else _waits(run)
    return f"{run.id:<40} {state:<12} {training_flops(run) / 1e12:>14,.1f} TFLOP"


def _waits(run: Run) -> str:
    if run.released is not None or run.images is not None:
        return "released"
    return "to train" if run.trained else "no weights"


def _done(run: Run, root: Path) -> bool:
    return (root / paths.WEIGHTS.format(run=run.id)).is_file()
