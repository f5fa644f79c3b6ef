"""What `dvc metrics` and `dvc plots` show of a study: means in JSON, training curves in CSV."""

import csv
import json
from pathlib import Path
from statistics import fmean

from acutance import paths
from acutance.files import write_atomically
from acutance.rows import read_scores, written
from acutance.spec import Run, Study

CURVES = "run,step,psnr"


def watch(study: Study, root: Path) -> tuple[Path, ...]:
    """Writes metrics.json and curves.csv of a study beside its tables; returns their paths.

    Scores and logs that are not there yet are left out: both files say what is, not what is wanted.
    """
    metrics, curves = (
        root / pattern.format(study=study.name) for pattern in (paths.METRICS, paths.CURVES)
    )
    write_atomically(metrics, json.dumps(_means(study, root), indent=1) + "\n")
    rows = [row for run in study.runs if run.trained for row in _curve(run, root)]
    write_atomically(curves, written(CURVES, rows))
    return metrics, curves


def _means(study: Study, root: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Returns track, then `set5 x2`, then `espcn+gv psnr_float`: the mean over images and seeds."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for track in study.tracks:
        for evaluation in track.evaluations:
            path = root / evaluation.scores
            if not path.is_file():
                continue
            place = f"{evaluation.dataset.name} x{evaluation.run.scale}"
            inner = found.setdefault(track.name, {}).setdefault(place, {})
            for metric, images in read_scores(path).items():
                inner.setdefault(f"{evaluation.run.system} {metric}", []).append(
                    fmean(images.values())
                )
    return {
        track: {
            place: {what: round(fmean(seeds), 4) for what, seeds in sorted(values.items())}
            for place, values in sorted(places.items())
        }
        for track, places in found.items()
    }


def _curve(run: Run, root: Path) -> list[dict[str, str]]:
    path = root / paths.LOG.format(run=run.id)
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["psnr"]]
    name = run.id.partition("@")[0]
    return [{"run": name, "step": r["step"], "psnr": r["psnr"]} for r in rows]
