"""What `fetch`, `degrade` and `pack` do: images to train and to test on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from acutance import paths, sums
from acutance.assets import asset
from acutance.book import open_book
from acutance.commands.named import check_whole, declared_call, need, study_of
from acutance.datasets import dataset as declared_dataset
from acutance.errors import Refused, nearest
from acutance.study import find

MIRROR = "ACUTANCE_MIRROR"


def mirror_named() -> Path | None:
    """Returns the folder that ACUTANCE_MIRROR names, if it does."""
    named = os.environ.get(MIRROR)
    return Path(named) if named else None


def fetch(options: argparse.Namespace) -> None:
    """Downloads data sets and the files that losses and metrics need, and verifies them."""
    from acutance import fetch as verb
    from acutance.obtain import keep

    root, _ = study_of(options)
    book, _ = open_book(root, options.study)
    known = {d.id: d for d in (declared_dataset(book, name) for name in book.section("datasets"))}
    mirror, downloads = mirror_named(), root / paths.DOWNLOADS
    for wanted in options.datasets:
        if wanted in book.section("assets"):
            needed = asset(book, wanted, "assets")
            print(keep(needed.file, root / needed.path, mirror=mirror, downloads=downloads))
            continue
        names = {each.partition("@")[0] for each in known} | set(book.section("assets"))
        if wanted.partition("@")[0] not in names:
            raise Refused(f"NAME: no data set or asset '{wanted}'{nearest(wanted, names)}")
        found = find(known, wanted, "data set")
        sums.forget(root / found.hr)
        verb.fetch(found, root / found.hr, downloads=downloads, mirror=mirror)
        sums.write(root / found.hr)


def degrade(options: argparse.Namespace) -> None:
    """Makes LR images of a data set of the study, or of a plain folder."""
    from acutance.degrade import degrade_folder

    if options.pairs is not None:
        root, study = study_of(options)
        pairs = find({e.pairs.id: e.pairs for e in study.evaluations}, options.pairs, "test pairs")
        degradation, scale = pairs.degradation.bound(), pairs.scale
        hr, out = root / pairs.hr[0], root / pairs.lr
        check_whole(hr, pairs.datasets[0])
    else:
        need(options, "hr", "scale", "out")
        call = declared_call(options, "degradations", options.degradation, "--degradation")
        degradation, scale, hr, out = call.bound(), options.scale, options.hr, options.out
    degrade_folder(hr, out, degradation, scale, workers=options.workers)
    if options.pairs is not None:
        sums.write(out)
    print(f"{out}: LR images at x{scale}, of HR cut to multiples of it")


def pack(options: argparse.Namespace) -> None:
    """Packs the training pairs of the study."""
    from acutance.pack import pack as verb

    root, study = study_of(options)
    known = {p.id: p for r in study.runs for p in (r.train, r.validate) if p}
    pairs = find(known, options.pairs, "training pairs")
    for dataset in pairs.datasets:
        check_whole(root / dataset.hr, dataset)
    verb(
        [root / folder for folder in pairs.hr],
        root / pairs.packed,
        degradation=pairs.degradation.bound(),
        scale=pairs.scale,
        centre=pairs.centre,
        threads=options.workers,
    )
    sums.write(root / pairs.packed)
