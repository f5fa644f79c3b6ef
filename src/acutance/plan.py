"""What a rebuild runs: the list that its tables depend on, and the paths of its pages."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from acutance import paths
from acutance.book import open_book
from acutance.drawings import drawings
from acutance.files import write_atomically
from acutance.identity import PACKAGE, digest, source_digest
from acutance.spec import Study


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
        [each.id for each in drawings(study, root)],
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
    always = (paths.CLAIMS, paths.FIGURES, paths.SHOWN)
    beside = [
        pattern.format(study=study.name, paper=track.paper)
        for track in study.tracks
        for pattern in (*always, *([paths.SIZES] if track.sizes else []))
    ]
    plain = [paths.METRICS, paths.CURVES, paths.CALIBRATION, paths.REPORT]
    made = paths.MADE.format(study=study.name, made=page_digest(study, root))
    return [*dict.fromkeys(tables + beside), *(p.format(study=study.name) for p in plain), made]
