"""What `draw`, `tabulate`, `report`, `show`, `plan` do: pages, and what they are made of."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from acutance import paths, sums
from acutance.commands.named import check_results, check_sound, print_paths, study_of, undate
from acutance.errors import Refused
from acutance.files import write_atomically
from acutance.spec import Study
from acutance.study import find, load


def draw(options: argparse.Namespace) -> None:
    """Draws the figures of the study that are made of images, or one of them."""
    from acutance import draw as verb
    from acutance.drawings import drawings

    root, study = study_of(options)
    known = {each.id: each for each in drawings(study, root)}
    begun = [each for each in known.values() if each.begun(root)]
    wanted = [find(known, options.drawing, "drawing")] if options.drawing else begun
    for each in known.values() if not options.drawing else ():
        if each not in begun:
            print(f"{each.id}: not drawn, no network's SR images are here yet", file=sys.stderr)
    for each in wanted:
        for folder in each.inputs:
            check_sound(root / folder)
        sums.forget(root / paths.SKETCH.format(drawn=each.id))  # of fewer images than today
        made = verb.draw(each, root)
        sums.write(made)
        print_paths(root, [made])


def tabulate(options: argparse.Namespace) -> None:
    """Writes the tables of the study."""
    from acutance import tabulate as verb
    from acutance.watch import watch

    root, study = study_of(options)
    undate(study, root)
    check_results(study, root)
    made = verb.tabulate(study, root, full=load(root, "papers"))
    print_paths(root, (*made, *watch(study, root)))


def report(options: argparse.Namespace) -> None:
    """Renders the report of the study."""
    from acutance import report as verb

    root, study = study_of(options)
    undate(study, root)
    check_results(study, root)
    made = verb.report(study, root)
    print_paths(root, made)
    if options.made is not None:
        marker = root / paths.MADE.format(study=study.name, made=options.made)
        write_atomically(marker, "".join(f"{path.relative_to(root)}\n" for path in made))


def show(options: argparse.Namespace) -> None:
    """Prints a system's resolved runs as YAML."""
    import yaml

    _, study = study_of(options)
    runs = [r for r in study.runs if options.system in (r.system, r.id, r.id.partition("@")[0])]
    if not runs:
        runs = [find({r.id: r for r in study.runs}, options.system, "system or run")]
    shown = [json.loads(json.dumps(run.shown())) for run in runs]  # tuples become lists
    print(yaml.safe_dump_all(shown, sort_keys=False, allow_unicode=True), end="")


def plan(options: argparse.Namespace) -> None:
    """Prints what the study takes: FLOPs, hours, wall time, bytes; or what it took."""
    from acutance import billed
    from acutance.bill import bill

    root, study = study_of(options)
    if options.gpus < 1:
        raise Refused(f"--gpus: wants how many there are, from 1, found {options.gpus}")
    device = options.device
    if options.probe is not None:
        device = _probed(options, study, root)
    found = bill(study, root, device=device, devices=options.gpus)
    if options.json:
        print(json.dumps(billed.plain(found), indent=1))
    elif options.spent:
        print(billed.spent(found), end="")
    else:
        print(billed.text(found, every_run=options.runs), end="")


def _probed(options: argparse.Namespace, study: Study, root: Path) -> str:
    """Measures this machine's device; returns its name."""
    from acutance.probe import probe
    from acutance.train import train

    if options.device is not None:
        raise Refused("--device: says what to reckon with, and --probe measures here; give one")
    if not 1 <= options.probe <= 3600:
        raise Refused(f"--probe: wants seconds from 1 to 3600, found {options.probe:g}")

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    return probe(study, root, fit=train, seconds=options.probe, threads=options.threads, say=say)


def status(options: argparse.Namespace) -> None:
    """Shows how the rebuild of the study stands, until it is done or Ctrl-C."""
    from acutance import status as verb

    root, study = study_of(options)
    every = options.every
    if every is not None and not 0 < every < 86400:
        raise Refused(f"--every: wants seconds above 0, below a day; found {every:g}")
    if every is None and sys.stdout.isatty():
        every = 5.0
    with contextlib.suppress(KeyboardInterrupt):  # the way to leave a view, and no fault
        verb.status(study, root, every=every, page=options.page)
    if options.page:
        print(paths.STATUS.format(study=study.name))
