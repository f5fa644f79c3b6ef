"""What `score` and `calibrate` do: numbers from images."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from acutance import calibrations, paths, sums
from acutance.book import open_book
from acutance.commands.named import (
    bound_metrics,
    check_sound,
    check_whole,
    declared_call,
    evaluation_of,
    need,
    root_of,
    study_of,
)


def score(options: argparse.Namespace) -> None:
    """Measures a test of the study into its CSV, or plain folders onto the terminal."""
    from acutance.score import score_folders, write_scores

    if options.run_id is not None:
        root, study = study_of(options)
        found = evaluation_of(study, options, "measured")
        check_whole(root / found.dataset.hr, found.dataset)
        check_sound(root / found.sr)
        rows = score_folders(
            root / found.dataset.hr,
            root / found.sr,
            bound_metrics(found.metrics, root, options.device),
            found.pairs.scale,
            workers=options.workers,
        )
        write_scores(rows, root / found.scores)
        sums.write(root / found.scores)
    else:
        need(options, "hr", "sr", "scale", "metric")
        calls = [
            declared_call(options, "metrics", name, "--metric")
            for name in dict.fromkeys(options.metric)
        ]
        metrics = bound_metrics(calls, root_of(options), options.device)
        rows = score_folders(
            options.hr, options.sr, metrics, options.scale, workers=options.workers
        )
        write_scores(rows, sys.stdout)


def calibrate(options: argparse.Namespace) -> None:
    """Measures the papers' bicubic rows on the test sets that are here."""
    from acutance import calibrate as verb

    root, study = study_of(options)
    out = options.out or root / paths.CALIBRATION.format(study=study.name)
    tested = {e.dataset.name for e in study.evaluations} if options.tested else None
    bind = partial(bound_metrics, root=root, device=options.device)
    book, _ = open_book(root, study.name)
    for folder in {dataset.hr for each in calibrations.read(book) for dataset in each.datasets}:
        check_sound(root / folder)
    verb.run(root, study.name, out=out, only=tested, bind=bind)
