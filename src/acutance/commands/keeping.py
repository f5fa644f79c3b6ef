"""What `adopt`, `prune` and `bundle` do: results kept, dropped, carried elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from acutance import paths, sums
from acutance.book import Book, open_book
from acutance.commands.data import mirror_named
from acutance.commands.named import check_whole, root_of, run_of, study_of
from acutance.datasets import dataset as declared_dataset
from acutance.errors import Refused
from acutance.sets import Dataset
from acutance.spec import Study
from acutance.study import load


def adopt(options: argparse.Namespace) -> None:
    """Accepts old results under the names that today's source gives them."""
    from acutance import adopt as verb

    root, study = study_of(options)
    if options.old is None:
        found = verb.candidates(study.runs, root)
        for wanted, alike in found.items():
            print(f"{', '.join(alike)} as {wanted}")
        clear = {wanted: alike[0] for wanted, alike in found.items() if len(alike) == 1}
        if not options.yes:
            print(f"{len(found)} runs could be adopted; `--yes` does it where there is one each")
            return
    elif options.new is None:
        raise Refused("NEW missing; see `acutance adopt --help`")
    else:
        clear = {options.new: options.old}
    for new, old in clear.items():
        run = run_of(study, new)
        tests = [each for each in study.evaluations if each.run.id == run.id]
        for path in verb.adopt(old, run, tests, root, although=options.although):
            print(f"{path.relative_to(root)}: adopted from {old}")


def prune(options: argparse.Namespace) -> None:
    """Lists what no study wants, and removes it where that is asked for."""
    from acutance import prune as verb
    from acutance.adopt import candidates

    root = root_of(options)
    verb.check_idle(root)
    studies = _studies(root)
    books = [open_book(root, study.name)[0] for study in studies]
    datasets = {each.id: each for book in books for each in _declared(book)}
    entries, links = verb.unwanted(studies, datasets.values(), root)
    runs = {run.id: run for study in studies for run in study.runs}.values()
    found = candidates(runs, root)
    old = {each for names in found.values() for each in names}
    stays = {entry for entry in entries if old & set(entry.path.with_suffix("").parts)}
    for entry in entries:
        remark = "  could be adopted, so it stays: see `acutance adopt`" if entry in stays else ""
        print(f"{entry.bytes / 1e6:12,.3f} MB  {entry.path.relative_to(root)}{remark}")
    for link in links:
        print(f"{'':15}  {link}  is a link, not followed")
    entries = tuple(entry for entry in entries if entry not in stays)
    total = f"{len(entries)} files and folders, {sum(e.bytes for e in entries) / 1e6:,.3f} MB"
    if options.yes:
        verb.prune(entries, root)
        print(f"removed {total}")
    else:
        print(f"{total}, that no study wants; nothing was removed, `--yes` does it")


def bundle(options: argparse.Namespace) -> None:
    """Packs a study for a place without internet."""
    from acutance import bundle as verb
    from acutance.fetch import fetch

    root, study = study_of(options)
    downloads, mirror = root / paths.DOWNLOADS, mirror_named()
    verb.check_committed(root)
    with verb.unfinished(options.out):
        for dataset in verb.datasets(study):
            if dataset.pictures:
                if not (root / dataset.hr).is_dir():
                    fetch(dataset, root / dataset.hr, downloads=downloads, mirror=mirror)
                    sums.write(root / dataset.hr)
                check_whole(root / dataset.hr, dataset)
        verb.add_data(study, root, options.out, downloads=downloads, mirror=mirror)
        if options.wheels:
            verb.add_wheels(root, options.out)
        verb.add_project(study, root, options.out, wheels=options.wheels)
    print(f"{options.out}: all that '{study.name}' needs; {options.out}/README.md says how")


def _studies(root: Path) -> list[Study]:
    return [load(root, file.stem) for file in sorted((root / paths.STUDIES).glob("*.yaml"))]


def _declared(book: Book) -> list[Dataset]:
    return [declared_dataset(book, name) for name in book.section("datasets")]
