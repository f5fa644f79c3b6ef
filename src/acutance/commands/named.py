"""What the options of a command line name, found or refused."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from acutance import paths, sums
from acutance.book import open_book
from acutance.calls import Call
from acutance.counts import check_runnable
from acutance.drawings import drawings
from acutance.entries import run as entered_run
from acutance.errors import Refused
from acutance.sets import Dataset
from acutance.spec import Evaluation, Run, Study
from acutance.study import find, find_call, load


def root_of(options: argparse.Namespace) -> Path:
    """Returns the project's root: `--root`, or found from here upwards."""
    found: Path = options.root.resolve() if options.root is not None else paths.root()
    return found


def study_of(options: argparse.Namespace) -> tuple[Path, Study]:
    """Returns the project's root and the study that `--study` names."""
    root = root_of(options)
    return root, load(root, options.study)


def print_paths(root: Path, made: Iterable[Path]) -> None:
    """Prints files that were made, as seen from the root."""
    print("\n".join(str(path.relative_to(root)) for path in made))


def undate(study: Study, root: Path) -> None:
    """Removes what says that a study's pages are of today: it is said anew when all are made."""
    for old in root.glob(paths.MADE.format(study=study.name, made="*")):
        old.unlink()


def check_whole(folder: Path, dataset: Dataset) -> None:
    """Refuses a folder of a data set that does not hold all of its images, as they were fetched."""
    from acutance.image import list_images

    remedy = f"remove the folder and run `acutance fetch {dataset.name}`"
    found = len(list_images(folder))
    if found != dataset.images:
        raise Refused(f"{folder}: {found} images, the set has {dataset.images}; {remedy}")
    sums.check(folder, remedy)


def check_sound(path: Path, *only: str) -> None:
    """Refuses what an earlier job made and something has changed since."""
    kind = "folder" if path.is_dir() else "file"
    remedy = f"remove the {kind}, and run snakemake or `dvc pull` again (docs/keeping.md)"
    sums.check(path, remedy, only=only)


def check_results(study: Study, root: Path) -> None:
    """Refuses damaged scores, logs and records of a study, as far as they are there."""
    for evaluation in study.evaluations:
        if (root / evaluation.scores).is_file():
            check_sound(root / evaluation.scores)
    for drawing in drawings(study, root):
        if folder := drawing.held(root):
            check_sound(folder)
    for run in study.runs:
        folder = root / paths.RUN.format(run=run.id)
        whole = paths.IMPORTED_RUN if run.released else paths.WHOLE_RUN
        if run.weighted and folder.is_dir():
            names = [Path(name).name for name in whole if name != paths.WEIGHTS]
            check_sound(folder, *names)


def need(options: argparse.Namespace, *names: str) -> None:
    """Refuses a command line that lacks an option, or whose scale enlarges nothing."""
    missing = [f"--{name}" for name in names if getattr(options, name) is None]
    if missing:
        verb = options.run.__name__.rstrip("_")
        raise Refused(f"{', '.join(missing)} missing; see `acutance {verb} --help`")
    if options.scale < 2:
        raise Refused(f"--scale: wants a whole number from 2, found {options.scale}")


def bound_metrics(
    calls: Sequence[Call], root: Path, device: str
) -> list[tuple[str, Callable[..., float]]]:
    """Returns declared metrics by name, with arguments, files and `--device` bound.

    Torch starts only where one of them needs it.
    """
    place = "cpu"
    if device != place and any(call.placed for call in calls):
        from acutance import device as machine

        place = str(machine.device(device))
    found = [(call.name, call.bound(root / paths.ASSETS, place)) for call in calls]
    if "torch" in sys.modules:
        _settle()
    return found


def _settle() -> None:
    """Leaves torch one thread an image, since images are measured side by side.

    More would give other last bits; and products are kept whole on a GPU, too.
    """
    from acutance.device import set_threads
    from acutance.optim import settle

    set_threads(1)
    settle(0, "fp32")


def declared_call(options: argparse.Namespace, section: str, name: str, option: str) -> Call:
    """Returns the entry of `section` that `option` names, at `--scale`."""
    book, _ = open_book(root_of(options), options.study)
    return find_call(book, section, name, options.scale, option)


def declared_system(options: argparse.Namespace) -> Run:
    """Returns the system that `--system` names, at `--scale`, as no track changes it."""
    book, _ = open_book(root_of(options), options.study)
    book.check("systems", options.system, "--system")
    check_runnable(book, options.system, "--system")
    return entered_run(book, options.system, options.scale, 0, place="--scale")


def run_of(study: Study, wanted: str) -> Run:
    """Returns the run of a study that RUN names."""
    return find({run.id: run for run in study.runs}, wanted, "run")


def evaluation_of(study: Study, options: argparse.Namespace, identity: str) -> Evaluation:
    """Returns the evaluation that RUN and TEST name; TEST by identity or by its data set."""
    run = run_of(study, options.run_id)
    found = [e for e in study.evaluations if e.run.id == run.id]
    known = {getattr(e, identity): e for e in found}
    names = [e for e in found if e.dataset.name == options.test]
    if len(names) == 1:
        return names[0]
    if options.test is None:
        raise Refused(f"TEST missing; '{run.id}' is tested on {', '.join(known)}")
    return find(known, options.test, f"test of '{run.id}'")
