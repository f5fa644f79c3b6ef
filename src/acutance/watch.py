"""What `dvc metrics` and `dvc plots` show of a study: means in JSON, training curves in CSV."""

import json
from pathlib import Path

import pandas as pd

from acutance import paths
from acutance.files import write_atomically
from acutance.rows import MEAN
from acutance.spec import Study

Means = dict[str, dict[str, dict[str, float]]]


def watch(study: Study, root: Path) -> tuple[Path, ...]:
    """Writes metrics.json and curves.csv of a study beside its tables; returns their paths.

    Scores and logs that are not there yet are left out: both files say what is, not what is wanted.
    """
    metrics, curves = (
        root / pattern.format(study=study.name) for pattern in (paths.METRICS, paths.CURVES)
    )
    write_atomically(metrics, json.dumps(_means(study, root), indent=1) + "\n")
    write_atomically(curves, _curves(study, root).to_csv(index=False, lineterminator="\n"))
    return metrics, curves


def _means(study: Study, root: Path) -> Means:
    """Returns track, then `set5 x2`, then `espcn+gv psnr_float`: the mean over images and seeds.

    There is none where an image has no value: that of fewer images is another number.
    """
    found: list[pd.DataFrame] = []
    for track in study.tracks:
        for evaluation in track.evaluations:
            if (root / evaluation.scores).is_file():
                scores = pd.read_csv(root / evaluation.scores, keep_default_na=False)
                scores = scores[scores["image"] != MEAN]
                scores["value"] = pd.to_numeric(scores["value"])  # nan where there is a reason
                place = f"{evaluation.dataset.name} x{evaluation.run.scale}"
                what = evaluation.run.system + " " + scores["metric"]
                found.append(scores.assign(track=track.name, place=place, what=what))
    means: Means = {}
    if found:
        keys = ["track", "place", "what"]
        over = pd.concat(found).groupby(keys)["value"].mean(skipna=False)
        rows = over.dropna().round(4).reset_index()
        for name, place, what, value in rows.itertuples(index=False):
            means.setdefault(str(name), {}).setdefault(str(place), {})[str(what)] = float(value)
    return means


def _curves(study: Study, root: Path) -> pd.DataFrame:
    """Returns run, step and validation PSNR of every run that has a log."""
    found = [pd.DataFrame(columns=["run", "step", "psnr"])]
    for run in study.runs:
        log = root / paths.LOG.format(run=run.id)
        if run.recipe and log.is_file():
            rows = pd.read_csv(log)[["step", "psnr"]].dropna()
            rows.insert(0, "run", f"{run.id.partition('@')[0]} {run.recipe.name}")
            found.append(rows)
    return pd.concat([frame for frame in found if len(frame)] or found[:1])
