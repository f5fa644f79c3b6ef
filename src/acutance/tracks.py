"""A track of params.yaml, checked against the published tables it rebuilds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from acutance import counts, entries, params, paths, published
from acutance.book import Book, known_keys, word
from acutance.datasets import datasets
from acutance.errors import Refused, nearest
from acutance.sets import Dataset, Pairs
from acutance.spec import Evaluation, Run, Track

_TRACK_KEYS = (
    "paper",
    "about",
    "readings",
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
    "ours",
    "deltas",
    "sizes",
    "counted",
)


@dataclass(frozen=True, kw_only=True)
class _Test:
    """How a track tests: on what, through which degradation, into which kind of file."""

    datasets: tuple[Dataset, ...]
    degradation: str
    output: Literal["png", "float"]


def track(book: Book, name: str, place: str) -> Track:
    """Returns a track with its evaluations.

    Args:
        book: All entries.
        name: An entry of `tracks`.
        place: Where it stands in params.yaml, for error messages.

    Raises:
        Refused: At the first mistake; one line with place, problem and remedy.
    """
    entry = params.entry(book.section("tracks"), name, place="tracks")
    known_keys(entry, _TRACK_KEYS, place)
    paper = _paper(book.root, entry, place)
    every = _cells(paper, entry, place)
    plain = Track(
        name=name,
        paper=paper.name,
        about=word(entry, "about", ""),
        readings=_words(entry, "readings", place),
        compare=params.flag(entry, "compare", place),
        tables=tuple(dict.fromkeys(c.table for c in every)),
        **counts.asked(book, entry, every, place),
    )
    if counts.runs_nothing(entry, place):
        return plain
    cells = tuple(cell for cell in every if cell.dataset)
    test = _test(book, params.mapping(entry.get("test"), f"{place}.test"), f"{place}.test")
    train = _train(book, entry, test.datasets, place)
    systems = _systems(book, entry, cells, place)
    metrics = params.mapping(entry.get("metrics"), f"{place}.metrics")
    _check_columns(metrics, cells, f"{place}.metrics")
    also = _words(entry, "also", place)
    found = replace(
        plain,
        datasets=test.datasets,
        systems=systems,
        metrics=tuple(
            (column, entries.metric(book, m, test.output, f"{place}.metrics.{column}"))
            for column, m in metrics.items()
        ),
        also=tuple(entries.metric(book, m, test.output, f"{place}.also") for m in also),
        seeds=_seeds(entry, place),
        degradation=entries.call(book, "degradations", test.degradation, scale=2),
        output=test.output,
        train=train,
    )
    for column, metric in found.metrics:
        entries.check_unit(metric, (c for c in cells if c.metric == column), f"{place}.metrics")
    _check_deltas(book, entry, {c.scale for c in cells}, place)
    return replace(found, evaluations=tuple(_evaluations(book, found, entry, cells, place=place)))


def _words(entry: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    return params.listing(entry[key], f"{place}.{key}", str) if key in entry else ()


def _train(
    book: Book, entry: Mapping[str, Any], test: tuple[Dataset, ...], place: str
) -> tuple[Dataset, ...]:
    """Returns the sets trained on; no image of them may be tested or validated on."""
    train = datasets(book, params.mapping(entry.get("train"), f"{place}.train"), f"{place}.train")
    _check_apart(train, test, place, "tested on")
    _check_roles(train, "train", f"{place}.train")
    _check_roles(test, "test", f"{place}.test")
    if "validate" in entry:
        given = params.mapping(entry["validate"], f"{place}.validate")
        known_keys(given, ("datasets", "degradation"), f"{place}.validate")
        validated = datasets(book, given, f"{place}.validate")
        _check_apart(train, validated, place, "validated on")
        _check_roles(validated, "test", f"{place}.validate")
    return train


def _check_roles(found: tuple[Dataset, ...], role: str, place: str) -> None:
    for each in found:
        if each.role != role:
            what = f"'{each.name}' has the role '{each.role}', wanted is '{role}'"
            raise Refused(f"{place}.datasets: {what}; take another set")


def _seeds(entry: Mapping[str, Any], place: str) -> tuple[int, ...]:
    seeds: tuple[int, ...] = params.listing(entry.get("seeds", [0]), f"{place}.seeds", int)
    for seed in seeds:
        if not 0 <= seed < 2**63:
            raise Refused(f"{place}.seeds: a seed is from 0 to 2^63 - 1, found {seed}")
    return seeds


def _check_deltas(book: Book, entry: Mapping[str, Any], scales: set[int], place: str) -> None:
    """Checks what a track changes of systems, whether it runs them or not."""
    for system, value in params.mapping(entry.get("deltas"), f"{place}.deltas").items():
        inside = f"{place}.deltas.{system}"
        book.check("systems", system, f"{place}.deltas")
        delta = params.mapping(value, inside)
        for key in ("base", "scales"):
            if key in delta:
                raise Refused(f"{inside}.{key}: a track may not change it; declare a system")
        known_keys(delta, ("model", "losses", "recipe", "train"), inside)
        for scale in entries.scales(book, system):
            if scale in scales:
                entries.run(book, system, scale, 0, place=place, track=entry)


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
    own = [system for system in track.systems if system not in {c.system for c in cells}]
    scales = dict.fromkeys(c.scale for c in cells)
    pairs |= {(s, x): None for s in own for x in scales if x in entries.scales(book, s)}
    shrunk = str(params.mapping(entry.get("test"), f"{place}.test").get("degradation"))
    for system, scale in pairs:
        if system not in track.systems:
            continue
        runs = _runs(book, entry, track, (system, scale), place=place)
        if runs[0].train is not None:  # its own sets, perhaps, and not the track's
            fed, inside = runs[0].train.datasets, f"{place} (systems.{system}.train)"
            _check_apart(fed, track.datasets, inside, "tested on")
            _check_roles(fed, "train", inside)
        degradation = entries.call(book, "degradations", shrunk, scale=scale)
        measured = entries.metrics_at(book, entry, track.output, scale, place)
        for dataset in track.datasets:
            asked = (system, scale, dataset.name) in wanted or dataset.name not in printed
            if asked or system in own:
                tested = Pairs(
                    datasets=(dataset,), degradation=degradation, scale=scale, verb="degrade"
                )
                for run in (run for run in runs if run.covers(dataset.name)):
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


def _check_apart(
    train: tuple[Dataset, ...], test: tuple[Dataset, ...], place: str, used: str
) -> None:
    both = {d.name for d in train} & {d.name for d in test}
    if both:
        raise Refused(f"{place}: '{min(both)}' is trained on and {used}; take it out of one")
    shared = {p.sha256 for d in train for p in d.pictures}
    for dataset in test:
        for picture in dataset.pictures:
            if picture.sha256 in shared:
                what = f"image '{picture.name}' of '{dataset.name}' is also trained on"
                raise Refused(f"{place}: {what}; take one of the sets out")


def _cells(
    paper: published.Paper, entry: Mapping[str, Any], place: str
) -> tuple[published.Cell, ...]:
    """Returns the printed cells of the track's tables; sizes of networks where it counts them."""
    offered = tuple(dict.fromkeys(c.table for c in paper.cells))
    tables = params.listing(entry.get("tables", list(offered)), f"{place}.tables", str)
    for table in tables:
        if table not in offered:
            raise Refused(f"{place}.tables: no table '{table}'{nearest(table, offered)}")
    sizes = "sizes" in entry
    cells = tuple(c for c in paper.cells if c.table in tables and (c.dataset or sizes))
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
    """Returns the systems that a track runs.

    First those of its key `ours`, which the paper does not print; then those that its tables print,
    all of them or those it lists under `systems`.
    """
    printed = tuple(dict.fromkeys(c.system for c in cells))
    ours = params.listing(entry.get("ours", ["bicubic"]), f"{place}.ours", str)
    for system in ours:
        book.check("systems", system, f"{place}.ours")
        counts.check_runnable(book, system, f"{place}.ours")
        if system in printed:
            raise Refused(f"{place}.ours: '{system}' is printed; list it under systems")
    if "systems" not in entry:
        known = [s for s in printed if s in book.section("systems")]
        return (*ours, *(s for s in known if counts.only_counted(book, s) is None))
    listed = params.listing(entry["systems"], f"{place}.systems", str)
    for system in listed:
        book.check("systems", system, f"{place}.systems")
        counts.check_runnable(book, system, f"{place}.systems")
        if system not in printed:
            what = f"'{system}' stands in no table of the track; list it under ours"
            raise Refused(f"{place}.systems: {what}{nearest(system, printed)}")
    return (*ours, *listed)


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
