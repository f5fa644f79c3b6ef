"""What `dvc metrics` and `dvc plots` show of a study: means in JSON, training curves in CSV."""

import json
from pathlib import Path

import pandas as pd

from acutance import paths
from acutance.errors import Refused
from acutance.files import write_atomically
from acutance.rows import Score, mean, read_scores
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
    found: dict[tuple[str, str, str], list[Score]] = {}
    for track in study.tracks:
        for evaluation in track.evaluations:
            if (root / evaluation.scores).is_file():
                place = f"{evaluation.dataset.name} x{evaluation.run.scale}"
                for metric, values in read_scores(root / evaluation.scores).items():
                    what = f"{evaluation.run.system} {metric}"
                    found.setdefault((track.name, place, what), []).extend(values.values())
    means: Means = {}
    for (name, place, what), scores in sorted(found.items()):
        numbers = [score for score in scores if not isinstance(score, str)]
        if len(numbers) == len(scores):
            means.setdefault(name, {}).setdefault(place, {})[what] = round(mean(numbers), 4)
    return means


def _read_log(path: Path) -> pd.DataFrame:
    """Returns the log of a training.

    Raises:
        Refused: If it is damaged.
    """
    try:
        return pd.read_csv(path, dtype=float)[["step", "psnr"]].astype({"step": int})
    except (ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        what = f"{path}: not the log of a training ({reason})"
        raise Refused(f"{what}; remove the folder and train again") from None


def _curves(study: Study, root: Path) -> pd.DataFrame:
    """Returns run, step and validation PSNR of every run that has a log."""
    found = [pd.DataFrame(columns=["run", "step", "psnr"])]
    for run in study.runs:
        log = root / paths.LOG.format(run=run.id)
        if run.recipe and log.is_file():
            rows = _read_log(log).dropna()
            rows.insert(0, "run", f"{run.id.partition('@')[0]} {run.recipe.name}")
            found.append(rows)
    return pd.concat([frame for frame in found if len(frame)] or found[:1])
