"""What each verb of the command line does: find what it names, call the verb with plain arguments.

Verbs are imported where they are used, so that `--help` and `show` do not wait for torch.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from acutance import paths, resolve
from acutance.book import open_book
from acutance.calls import Call
from acutance.datasets import dataset as declared_dataset
from acutance.entries import run as declared_run
from acutance.errors import Refused
from acutance.files import write_atomically
from acutance.sets import Dataset
from acutance.spec import Evaluation, Run, Study
from acutance.study import find, find_call, load

MIRROR = "ACUTANCE_MIRROR"


def fetch(options: argparse.Namespace) -> None:
    """Downloads data sets and verifies them."""
    from acutance import fetch as verb

    root, _ = _study(options)
    book, _ = open_book(root, options.study)
    known = {d.id: d for d in (declared_dataset(book, name) for name in book.section("datasets"))}
    mirror = os.environ.get(MIRROR)
    for wanted in options.datasets:
        found = find(known, wanted, "data set")
        verb.fetch(
            found,
            root / found.hr,
            downloads=root / paths.DOWNLOADS,
            mirror=Path(mirror) if mirror else None,
        )


def degrade(options: argparse.Namespace) -> None:
    """Makes LR images of a data set of the study, or of a plain folder."""
    from acutance.degrade import degrade_folder

    if options.pairs is not None:
        root, study = _study(options)
        pairs = find({e.pairs.id: e.pairs for e in study.evaluations}, options.pairs, "test pairs")
        degradation, scale = _loaded(pairs.degradation), pairs.scale
        hr, out = root / pairs.hr[0], root / pairs.lr
        _whole(hr, pairs.datasets[0])
    else:
        _need(options, "hr", "scale", "out")
        call = _declared(options, "degradations", options.degradation, "--degradation")
        degradation, scale, hr, out = _loaded(call), options.scale, options.hr, options.out
    degrade_folder(hr, out, degradation, scale, workers=options.workers)
    print(f"{out}: LR images at x{scale}, of HR cut to multiples of it")


def pack(options: argparse.Namespace) -> None:
    """Packs the training pairs of the study."""
    from acutance.pack import pack as verb

    root, study = _study(options)
    known = {p.id: p for r in study.runs for p in (r.train, r.validate) if p}
    pairs = find(known, options.pairs, "training pairs")
    for dataset in pairs.datasets:
        _whole(root / dataset.hr, dataset)
    verb(
        [root / folder for folder in pairs.hr],
        root / pairs.packed,
        degradation=_loaded(pairs.degradation),
        scale=pairs.scale,
        centre=pairs.centre,
        threads=options.workers,
    )


def train(options: argparse.Namespace) -> int:
    """Fits the weights of a run."""
    from acutance.train import train as verb

    root, study = _study(options)
    run = _run(study, options.run_id)
    if run.train is None:
        raise Refused(f"run '{run.id}': has nothing to train; use predict")
    out = root / paths.RUN.format(run=run.id)
    if all((root / made.format(run=run.id)).is_file() for made in paths.WHOLE_RUN):
        print(f"{run.id}: finished already; remove {out.relative_to(root)} to train it anew")
        return 0
    return verb(
        run,
        packed=root / run.train.packed,
        validation=root / run.validate.packed if run.validate else None,
        out=out,
        state=root / paths.STATE.format(run=run.id),
        device=options.device,
        threads=options.threads,
        checkpoint_seconds=options.checkpoint,
    )


def predict(options: argparse.Namespace) -> None:
    """Makes SR images for a test of the study, or of a plain folder."""
    from acutance import predict as verb
    from acutance.device import device, set_threads

    if options.run_id is not None:
        root, study = _study(options)
        found = _evaluation(study, options, "test")
        run, lr, out, output = found.run, root / found.pairs.lr, root / found.sr, found.output
        weights = root / paths.WEIGHTS.format(run=run.id) if run.trained else None
    else:
        _need(options, "system", "lr", "scale", "out")
        run, weights = _declared_run(options), options.weights
        lr, out, output = options.lr, options.out, options.output
    model: Any = resolve.load("models", run.model.function)
    model = model(run.scale, **run.model.kwargs)
    if weights is None and (run.trained or any(True for _ in model.parameters())):
        raise Refused(f"--weights: '{run.system}' has weights to load; give its safetensors file")
    if weights is not None:
        verb.load_weights(model, weights)
    set_threads(options.threads)
    verb.predict_folder(
        model,
        lr,
        out,
        scale=run.scale,
        channels=run.channels if run.trained else None,
        output=output,
        device=device(options.device),
    )
    print(f"{out}: SR images at x{run.scale} by {run.system}")


def score(options: argparse.Namespace) -> None:
    """Measures a test of the study into its CSV, or plain folders onto the terminal."""
    from acutance.score import score_folders, write_scores

    if options.run_id is not None:
        root, study = _study(options)
        found = _evaluation(study, options, "measured")
        _whole(root / found.dataset.hr, found.dataset)
        rows = score_folders(
            root / found.dataset.hr,
            root / found.sr,
            _metrics(found.metrics),
            found.pairs.scale,
            workers=options.workers,
        )
        write_scores(rows, root / found.scores)
    else:
        _need(options, "hr", "sr", "scale", "metric")
        calls = [
            _declared(options, "metrics", name, "--metric")
            for name in dict.fromkeys(options.metric)
        ]
        rows = score_folders(
            options.hr, options.sr, _metrics(calls), options.scale, workers=options.workers
        )
        write_scores(rows, sys.stdout)


def calibrate(options: argparse.Namespace) -> None:
    """Measures the papers' bicubic rows on the test sets that are here."""
    from acutance import calibrate as verb

    root, study = _study(options)
    out = options.out or root / paths.CALIBRATION.format(study=study.name)
    tested = {e.dataset.name for e in study.evaluations} if options.tested else None
    verb.run(root, study.name, out=out, only=tested)


def tabulate(options: argparse.Namespace) -> None:
    """Writes the tables of the study."""
    from acutance import tabulate as verb
    from acutance.watch import watch

    root, study = _study(options)
    _undate(study, root)
    made = verb.tabulate(study, root, full=load(root, "papers"))
    _list(root, (*made, *watch(study, root)))


def report(options: argparse.Namespace) -> None:
    """Renders the report of the study."""
    from acutance import report as verb

    root, study = _study(options)
    _undate(study, root)
    made = verb.report(study, root)
    _list(root, made)
    if options.made is not None:
        marker = root / paths.MADE.format(study=study.name, made=options.made)
        write_atomically(marker, "".join(f"{path.relative_to(root)}\n" for path in made))


def show(options: argparse.Namespace) -> None:
    """Prints a system's resolved runs as YAML."""
    import yaml

    _, study = _study(options)
    runs = [r for r in study.runs if options.system in (r.system, r.id, r.id.partition("@")[0])]
    if not runs:
        runs = [find({r.id: r for r in study.runs}, options.system, "system or run")]
    shown = [json.loads(json.dumps(run.shown())) for run in runs]  # tuples become lists
    print(yaml.safe_dump_all(shown, sort_keys=False, allow_unicode=True), end="")


def plan(options: argparse.Namespace) -> None:
    """Prints what the study runs, and what its training costs."""
    from acutance import plan as verb

    root, study = _study(options)
    print(verb.plan(study, root, every_run=options.runs), end="")


def _root(options: argparse.Namespace) -> Path:
    found: Path = options.root.resolve() if options.root is not None else paths.root()
    return found


def _study(options: argparse.Namespace) -> tuple[Path, Study]:
    root = _root(options)
    return root, load(root, options.study)


def _list(root: Path, made: Iterable[Path]) -> None:
    print("\n".join(str(path.relative_to(root)) for path in made))


def _undate(study: Study, root: Path) -> None:
    """Removes what says that a study's pages are of today: it is said anew when all are made."""
    for old in root.glob(paths.MADE.format(study=study.name, made="*")):
        old.unlink()


def _whole(folder: Path, dataset: Dataset) -> None:
    """Refuses a folder of a data set that does not hold all of its images."""
    from acutance.image import list_images

    found = len(list_images(folder))
    if found != dataset.images:
        remedy = f"remove the folder and run `acutance fetch {dataset.name}`"
        raise Refused(f"{folder}: {found} images, the set has {dataset.images}; {remedy}")


def _need(options: argparse.Namespace, *names: str) -> None:
    missing = [f"--{name}" for name in names if getattr(options, name) is None]
    if missing:
        raise Refused(f"{', '.join(missing)} missing; see `acutance {options.run.__name__} --help`")
    if options.scale < 2:
        raise Refused(f"--scale: wants a whole number from 2, found {options.scale}")


def _loaded(call: Call) -> Callable[..., Any]:
    """Returns a declared noun with its arguments bound."""
    function: Any = resolve.load(call.kind, call.function)
    return functools.partial(function, **call.kwargs)


def _metrics(calls: Iterable[Call]) -> list[tuple[str, Callable[..., float]]]:
    return [(call.name, _loaded(call)) for call in calls]


def _declared(options: argparse.Namespace, section: str, name: str, option: str) -> Call:
    book, _ = open_book(_root(options), options.study)
    return find_call(book, section, name, options.scale, option)


def _declared_run(options: argparse.Namespace) -> Run:
    book, _ = open_book(_root(options), options.study)
    book.check("systems", options.system, "--system")
    return declared_run(book, options.system, options.scale, 0, place="--scale")


def _run(study: Study, wanted: str) -> Run:
    return find({run.id: run for run in study.runs}, wanted, "run")


def _evaluation(study: Study, options: argparse.Namespace, identity: str) -> Evaluation:
    """Returns the evaluation that RUN and TEST name; TEST by identity or by its data set."""
    run = _run(study, options.run_id)
    found = [e for e in study.evaluations if e.run.id == run.id]
    known = {getattr(e, identity): e for e in found}
    names = [e for e in found if e.dataset.name == options.test]
    if len(names) == 1:
        return names[0]
    if options.test is None:
        raise Refused(f"TEST missing; '{run.id}' is tested on {', '.join(known)}")
    return find(known, options.test, f"test of '{run.id}'")
