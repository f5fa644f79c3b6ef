"""The options of the verbs that keep, drop and carry results."""

import argparse
from collections.abc import Callable
from pathlib import Path

Verb = Callable[..., argparse.ArgumentParser]


def keeping(verb: Verb) -> None:
    """Adds `adopt`, `prune` and `bundle` to a command line.

    Args:
        verb: Adds a verb: its name, a sentence, and more sentences.
    """
    _adopt(verb)
    _prune(verb)
    _bundle(verb)


def _adopt(verb: Verb) -> None:
    made = verb(
        "adopt",
        "accept an old result under the name that today's source gives it",
        "After a refactoring that moves no number. SR images and scores come along; files are\n"
        "linked, the old ones stay, and run.json and the report say from what it was adopted.\n"
        "Without names: lists old runs made with the very parameters of one that is missing.",
    )
    made.add_argument("old", nargs="?", metavar="OLD", help="a folder in results/runs")
    made.add_argument("new", nargs="?", metavar="NEW", help="a run of the study: edsr_x2_s0")
    made.add_argument(
        "--although",
        action="store_true",
        help="adopt OLD although its parameters differ; that is recorded, too",
    )
    made.add_argument("--yes", action="store_true", help="without names: adopt what is listed")


def _prune(verb: Verb) -> None:
    made = verb(
        "prune",
        "list what no study wants any more: runs, images, scores, logs, downloads",
        "Looks at results/ and data/lr, packed, downloads, for what is named by a digest that no\n"
        "study in workflow/studies has. Follows no links; refuses while something runs.",
    )
    made.add_argument("--yes", action="store_true", help="remove what is listed")


def _bundle(verb: Verb) -> None:
    made = verb(
        "bundle",
        "pack a study for a place without internet: data, packages, program, checksums",
        "Fetches what is missing first. The same call goes on with a bundle that was not\n"
        "finished; `make` in the folder checks it, installs it and rebuilds the study.",
    )
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    made.add_argument(
        "--no-wheels", dest="wheels", action="store_false", help="leave the packages out"
    )
