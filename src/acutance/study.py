"""params.yaml, a study's overlay and the published tables, checked and made into a `Study`.

Every mistake that can be found without running anything is found here, before the first job.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from acutance import assets, calibrations, counts, entries, params, paths, recipes
from acutance.book import Book, open_book, word
from acutance.calls import Call
from acutance.datasets import dataset as declared_dataset
from acutance.errors import Refused, nearest, one_line
from acutance.spec import Study
from acutance.tracks import track

# In these sections a name may become part of a path, a shell word or a label
_NAMED = (
    "datasets",
    "degradations",
    "assets",
    "metrics",
    "recipes",
    "systems",
    "counts",
    "tracks",
    "calibrations",
)

# What Snakemake's --config and the profiles' files may say: workflow/rules/common.smk.
SETTINGS = ("small", "study")


def load(root: Path, name: str | None = None) -> Study:
    """Returns the study called `name`, checked from end to end.

    Args:
        root: The project's root, which holds params.yaml.
        name: An overlay in workflow/studies, without `.yaml`; None for the one that params.yaml
            names under `study`.

    Raises:
        Refused: At the first mistake; one line with file, place, problem and remedy.
    """
    try:
        return _load(root, name)
    except Refused as error:
        raise Refused(one_line(str(error))) from None


def wished(config: Mapping[str, object]) -> str | None:
    """Returns the study that Snakemake's `--config` names; None if it names none.

    Raises:
        Refused: If it names something else: a misspelt `study` would rebuild all papers.
    """
    for key in config:
        if key not in SETTINGS:
            raise Refused(f"--config: no setting '{key}'{nearest(key, SETTINGS)}")
    study = config.get("study")
    if "study" in config and not study:
        raise Refused("--config: study= names none; leave it out for the one of params.yaml")
    return None if study is None else str(study)


def _load(root: Path, name: str | None) -> Study:
    book, overlay = open_book(root, name)
    try:
        for section in _NAMED:
            for each in book.section(section):
                params.check_name(each, section)
        _check_all(book)
        tracks = {each: track(book, each, f"tracks.{each}") for each in book.section("tracks")}
        built = params.listing(book.content.get("build", sorted(tracks)), "build", str)
        for each in built:
            book.check("tracks", each, "build")
        study = Study(
            name=book.name,
            title=word(book.content, "title", book.name),
            about=word(book.content, "about", ""),
            tracks=tuple(tracks[each] for each in built),
            conventions=counts.conventions(book),
        )
        _check_trainable(study, root)
    except Refused as error:
        raise Refused(f"{_file_of(str(error), overlay, book.name)}: {error}") from None
    return study


def _check_trainable(study: Study, root: Path) -> None:
    """Refuses a study one of whose trainings needs a file that is not here, nor to be fetched."""
    for run in study.runs:
        for loss in run.losses:
            for _, needed in loss.assets:
                if lacking := needed.lacking(root):
                    place = f"systems.{run.system}.losses.{loss.name}"
                    raise Refused(f"{place}: needs {lacking}")


def _file_of(message: str, overlay: Mapping[str, Any], study: str) -> str:
    """Returns the file that the dotted path at the start of `message` stands in."""
    inner: Any = overlay
    for part in message.partition(":")[0].split("."):
        if not isinstance(inner, Mapping) or part not in inner:
            return paths.PARAMS
        inner = inner[part]
    return f"{paths.STUDIES}/{study}.yaml"


def _check_all(book: Book) -> None:
    """Checks entries that no track of this study uses: a mistake in them is a mistake too."""
    for name in book.section("datasets"):
        declared_dataset(book, name)
    for name in book.section("degradations"):
        entries.call(book, "degradations", name, scale=2)
    for name in book.section("assets"):
        assets.asset(book, name, "assets")
    for name in book.section("metrics"):
        entries.call(book, "metrics", name, scale=2)
    for name in book.section("recipes"):
        recipes.check(book, name)
    for name in book.section("systems"):
        for scale in entries.scales(book, name):
            entries.run(book, name, scale, 0, place=f"systems.{name}")
    calibrations.read(book)


Identified = TypeVar("Identified")


def find(known: Mapping[str, Identified], wanted: str, what: str) -> Identified:
    """Returns what is called `wanted`, by its identity or by the name before the `@` alone.

    Args:
        known: Identity (`edsr_x2_s0@0123456789`) to what it names.
        wanted: An identity, or a name that only one has.
        what: What they are, for error messages: `run`.

    Raises:
        Refused: If there is none, or several.
    """
    if wanted in known:
        return known[wanted]
    short = [each for each in known if each.partition("@")[0] == wanted]
    if len(short) == 1:
        return known[short[0]]
    if short:
        raise Refused(f"{what} '{wanted}': several are called so; name one of {', '.join(short)}")
    why = "; its entry or the source it uses has changed" if "@" in wanted else ""
    names = {each.partition("@")[0] for each in known}
    raise Refused(f"no {what} '{wanted}' in this study{why}{nearest(wanted, names)}")


def find_call(book: Book, section: str, name: str, scale: int, option: str) -> Call:
    """Returns a declared metric or degradation that a command line names."""
    book.check(section, name, option)
    return entries.call(book, section, name, scale=scale)
