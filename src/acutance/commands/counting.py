"""What `count` does: how large networks are."""

from __future__ import annotations

import argparse
import re

from acutance import entries
from acutance.book import open_book
from acutance.calls import Call
from acutance.commands.named import print_paths, root_of, study_of
from acutance.errors import Refused
from acutance.rows import written
from acutance.sizes import Convention

_SIDES = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_OUTPUT = "1280x720"  # of most papers' tables


def count(options: argparse.Namespace) -> None:
    """Prints the sizes of systems; without any, writes those that the study's tables show."""
    from acutance import count as verb

    if not options.systems:
        root, study = study_of(options)
        print_paths(root, [verb.write_counts(study, root)])
        return
    convention = Convention(
        name="",
        count="flops" if options.unit == "flop" else "macs",
        output=None if options.lr else _sides(options.output or _OUTPUT, "--output"),
        lr=_sides(options.lr, "--lr") if options.lr else None,
        transposed=options.transposed,
        cut=options.cut,
    )
    if options.lr and (options.output or options.cut):
        raise Refused("--lr: says the whole size; leave --output and --cut out")
    rows = list(verb.count(_networks(options), convention))
    if options.csv:
        print(written(verb.HEAD, rows), end="")
    else:
        print(verb.shown(rows, options.unit.upper()), end="")


def _networks(options: argparse.Namespace) -> list[tuple[str, int, Call]]:
    """Returns the networks of the systems that are named, at `--scale` or at all their scales."""
    book, _ = open_book(root_of(options), options.study)
    found = []
    for name in dict.fromkeys(options.systems):
        book.check("systems", name, "SYSTEM")
        scales = [options.scale] if options.scale is not None else entries.scales(book, name)
        for scale in scales:
            run = entries.run(book, name, scale, 0, place="--scale")
            if run.images is not None:
                raise Refused(f"SYSTEM: '{name}' is images that others made; no network to count")
            found.append((name, scale, run.model))
    return found


def _sides(text: str, option: str) -> tuple[int, int]:
    """Returns width and height: (1280, 720) of `1280x720`."""
    found = _SIDES.fullmatch(text)
    if found is None:
        raise Refused(f"{option}: wants width and height in pixels as 1280x720, found '{text}'")
    return int(found[1]), int(found[2])
