"""params.yaml, a study's overlay and the published tables, checked and made into a `Study`.

Every mistake that can be found without running anything is found here, before the first job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from acutance import calibrations, entries, params, paths, published
from acutance.book import Book, known_keys, open_book, word
from acutance.calls import Call
from acutance.datasets import dataset as declared_dataset
from acutance.datasets import datasets
from acutance.errors import Refused, nearest
from acutance.sets import Dataset, Pairs
from acutance.spec import Evaluation, Run, Study, Track


def load(root: Path, name: str | None = None) -> Study:
    """Returns the study called `name`, checked from end to end.

    Args:
        root: The project's root, which holds params.yaml.
        name: An overlay in workflow/studies, without `.yaml`; None for the one that params.yaml
            names under `study`.

    Raises:
        Refused: At the first mistake; one line with file, place, problem and remedy.
    """
    book, overlay = open_book(root, name)
    try:
        built = book.content.get("build") or sorted(book.section("tracks"))
        tracks = params.listing(list(built), "build", str)
        for section in ("datasets", "degradations", "metrics", "systems"):
            for each in book.section(section):
                params.check_name(each, section)
        _check_all(book)
        return Study(
            name=book.name,
            title=word(book.content, "title", book.name),
            about=word(book.content, "about", ""),
            tracks=tuple(_track(book, each, f"tracks.{each}") for each in tracks),
        )
    except Refused as error:
        raise Refused(f"{_file_of(str(error), overlay, book.name)}: {error}") from None


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
    for name in book.section("metrics"):
        entries.call(book, "metrics", name, scale=2)
    for name in book.section("systems"):
        for scale in entries.scales(book, name):
            entries.run(book, name, scale, 0, place=f"systems.{name}")
    calibrations.read(book)


_TRACK_KEYS = (
    "paper",
    "about",
    "compare",
    "tables",
    "train",
    "validate",
    "test",
    "metrics",
    "also",
    "scales",
    "seeds",
    "systems",
    "deltas",
)


@dataclass(frozen=True, kw_only=True)
class _Test:
    """How a track tests: on what, through which degradation, into which kind of file."""

    datasets: tuple[Dataset, ...]
    degradation: str
    output: Literal["png", "float"]


def _track(book: Book, name: str, place: str) -> Track:
    entry = params.entry(book.section("tracks"), name, place="tracks")
    known_keys(entry, _TRACK_KEYS, place)
    paper = _paper(book.root, entry, place)
    test = _test(book, params.mapping(entry.get("test"), f"{place}.test"), f"{place}.test")
    trained = params.mapping(entry.get("train"), f"{place}.train")
    train = datasets(book, trained, f"{place}.train")
    _check_apart(train, test.datasets, place)
    cells = _cells(paper, entry, place)
    systems = _systems(book, entry, cells, place)
    metrics = params.mapping(entry.get("metrics"), f"{place}.metrics")
    _check_columns(metrics, cells, f"{place}.metrics")
    track = Track(
        name=name,
        paper=paper.name,
        about=word(entry, "about", ""),
        compare=entry.get("compare") is True,
        tables=tuple(dict.fromkeys(c.table for c in cells)),
        datasets=test.datasets,
        systems=systems,
        metrics=tuple(
            (column, entries.metric(book, m, test.output, f"{place}.metrics.{column}"))
            for column, m in metrics.items()
        ),
        also=tuple(
            entries.metric(book, m, test.output, f"{place}.also") for m in entry.get("also") or ()
        ),
        seeds=params.listing(entry.get("seeds", [0]), f"{place}.seeds", int),
        degradation=entries.call(book, "degradations", test.degradation, scale=2),
        output=test.output,
        train=train,
        evaluations=(),
    )
    return replace(track, evaluations=tuple(_evaluations(book, track, entry, cells, place=place)))


def _evaluations(
    book: Book,
    track: Track,
    entry: Mapping[str, Any],
    cells: tuple[published.Cell, ...],
    *,
    place: str,
) -> Iterator[Evaluation]:
    """Yields what a track's tables need: each system on each set the paper tests it on.

    A data set that the paper does not print is tested with every system of the track.
    """
    wanted = {(c.system, c.scale, c.dataset) for c in cells}
    printed = {c.dataset for c in cells}
    pairs = dict.fromkeys((c.system, c.scale) for c in cells)
    pairs |= dict.fromkeys(("bicubic", c.scale) for c in cells)
    for system, scale in pairs:
        if system not in track.systems:
            continue
        runs = _runs(book, entry, track, (system, scale), place=place)
        degradation = entries.call(book, "degradations", track.degradation.name, scale=scale)
        measured = entries.metrics_at(book, entry, track.output, scale, place)
        for dataset in track.datasets:
            asked = (system, scale, dataset.name) in wanted or dataset.name not in printed
            if asked or system == "bicubic":
                tested = Pairs(
                    datasets=(dataset,), degradation=degradation, scale=scale, verb="degrade"
                )
                for run in runs:
                    yield Evaluation(run=run, pairs=tested, output=track.output, metrics=measured)


def _runs(
    book: Book, entry: Mapping[str, Any], track: Track, wanted: tuple[str, int], *, place: str
) -> list[Run]:
    found = [entries.run(book, *wanted, seed, place=place, track=entry) for seed in track.seeds]
    return found if found[0].trained else found[:1]  # nothing random in what is not trained


def _paper(root: Path, entry: Mapping[str, Any], place: str) -> published.Paper:
    name = entry.get("paper")
    offered = sorted(p.name for p in (root / paths.PUBLISHED).glob("*") if p.is_dir())
    if name not in offered:
        raise Refused(
            f"{place}.paper: no paper '{name}' in {paths.PUBLISHED}{nearest(name, offered)}"
        )
    return _read_paper(root / paths.PUBLISHED / str(name))


@cache
def _read_paper(folder: Path) -> published.Paper:
    return published.read(folder)


def _test(book: Book, entry: Mapping[str, Any], place: str) -> _Test:
    known_keys(entry, ("datasets", "degradation", "output"), place)
    output = entry.get("output", "png")
    if output not in ("png", "float"):
        raise Refused(f"{place}.output: found {output!r}{nearest(output, ('png', 'float'))}")
    degradation = entry.get("degradation")
    book.check("degradations", degradation, f"{place}.degradation")
    found = datasets(book, entry, place)
    return _Test(datasets=found, degradation=str(degradation), output=output)


def _check_apart(train: tuple[Dataset, ...], test: tuple[Dataset, ...], place: str) -> None:
    both = {d.name for d in train} & {d.name for d in test}
    if both:
        raise Refused(f"{place}: '{min(both)}' is trained on and tested on; take it out of one")
    shared = {p.sha256 for d in train for p in d.pictures}
    for dataset in test:
        for picture in dataset.pictures:
            if picture.sha256 in shared:
                what = f"image '{picture.name}' of '{dataset.name}' is also trained on"
                raise Refused(f"{place}: {what}; take one of the sets out")


def _cells(
    paper: published.Paper, entry: Mapping[str, Any], place: str
) -> tuple[published.Cell, ...]:
    """Returns the printed cells of the track's tables that measure images."""
    offered = tuple(dict.fromkeys(c.table for c in paper.cells))
    tables = params.listing(entry.get("tables", list(offered)), f"{place}.tables", str)
    for table in tables:
        if table not in offered:
            raise Refused(f"{place}.tables: no table '{table}'{nearest(table, offered)}")
    cells = tuple(c for c in paper.cells if c.table in tables and c.dataset)
    printed = sorted({c.scale for c in cells})
    scales = params.listing(entry.get("scales", printed), f"{place}.scales", int)
    for scale in scales:
        if scale not in printed:
            what = f"the tables print no x{scale}; valid: {', '.join(map(str, printed))}"
            raise Refused(f"{place}.scales: {what}")
    return tuple(c for c in cells if c.scale in scales)


def _systems(
    book: Book, entry: Mapping[str, Any], cells: tuple[published.Cell, ...], place: str
) -> tuple[str, ...]:
    """Returns the systems that the track runs: all that its tables print, or those it lists."""
    printed = tuple(dict.fromkeys(c.system for c in cells))
    for system in params.mapping(entry.get("deltas"), f"{place}.deltas"):
        book.check("systems", system, f"{place}.deltas")
    if "systems" not in entry:
        return ("bicubic", *(s for s in printed if s in book.section("systems")))
    listed = params.listing(entry["systems"], f"{place}.systems", str)
    for system in listed:
        book.check("systems", system, f"{place}.systems")
        if system not in printed and system != "bicubic":
            what = f"'{system}' stands in no table of the track"
            raise Refused(f"{place}.systems: {what}{nearest(system, printed)}")
    return tuple(listed)


def _check_columns(
    metrics: Mapping[str, Any], cells: tuple[published.Cell, ...], place: str
) -> None:
    printed = sorted({c.metric for c in cells})
    for column in metrics:
        if column not in printed:
            raise Refused(
                f"{place}.{column}: the tables print no such metric{nearest(column, printed)}"
            )
    for column in printed:
        if column not in metrics:
            raise Refused(f"{place}: the tables print '{column}'; say which metric measures it")


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
