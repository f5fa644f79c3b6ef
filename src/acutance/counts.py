"""Sizes of networks in params.yaml: the section `counts`, and what a track counts by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from acutance import entries, params, resolve, values
from acutance.book import Book, known_keys
from acutance.errors import Refused, nearest
from acutance.published import Cell
from acutance.sizes import UNITS, Convention, Sized

_MOST = 100_000  # pixels along a side
# What a track that runs something says beside `sizes`
_RUNNING = ("train", "validate", "test", "metrics", "also", "seeds", "systems", "ours")


class Asked(TypedDict):
    """What a track counts, and what it does no more of: fields of `Track`."""

    sizes: tuple[tuple[str, Convention], ...]
    sized: tuple[Sized, ...]
    unrun: tuple[tuple[str, str], ...]


def conventions(book: Book) -> tuple[Convention, ...]:
    """Returns all conventions that are declared."""
    return tuple(_convention(book, name) for name in book.section("counts"))


def asked(book: Book, entry: Mapping[str, Any], cells: Sequence[Cell], place: str) -> Asked:
    """Returns what a track counts.

    Args:
        book: All entries.
        entry: The track's. Under `sizes` it says which convention counts which column; under
            `counted` it may name a system to count in place of one that the tables name.
        cells: Of its tables.
        place: Where it stands in params.yaml.

    Raises:
        Refused: If a size that the tables print is not counted, or one that they do not print is.
    """
    printed = dict.fromkeys(cell.system for cell in cells)
    reasons = {s: only_counted(book, s) for s in printed if s in book.section("systems")}
    unrun = tuple((system, why) for system, why in reasons.items() if why is not None)
    if "sizes" not in entry:
        if "counted" in entry:
            raise Refused(f"{place}.counted: the track counts nothing; add `sizes`")
        return {"sizes": (), "sized": (), "unrun": unrun}
    sized = [cell for cell in cells if not cell.dataset]
    default = ["bicubic"] if "test" in entry else []
    ours = params.listing(entry["ours"], f"{place}.ours", str) if "ours" in entry else default
    tables = {cell.table for cell in sized}
    shown = (cell.system for cell in cells if cell.table in tables)  # some have dashes for sizes
    systems = dict.fromkeys((*ours, *shown))
    return {
        "sizes": _sizes(book, entry, {cell.metric: cell for cell in sized}, f"{place}.sizes"),
        "sized": tuple(_sized(book, entry, systems, {cell.scale for cell in sized}, place)),
        "unrun": unrun,
    }


def runs_nothing(entry: Mapping[str, Any], place: str) -> bool:
    """Returns whether a track counts sizes and does nothing else; refuses what is neither."""
    if "sizes" not in entry or "test" in entry:
        return False
    for key in _RUNNING:
        if key in entry:
            raise Refused(f"{place}.{key}: the track tests nothing; add `test`, or take it out")
    return True


def check_runnable(book: Book, system: str, place: str) -> None:
    """Refuses a system that is declared for its size alone."""
    why = only_counted(book, system)
    if why is not None:
        because = f": {why}" if why else ""
        what = f"'{system}' is only counted (size_only){because}"
        raise Refused(f"{place}: {what}; name another system")


def only_counted(book: Book, system: str) -> str | None:
    """Returns why a system is no more than a network whose size is counted; None if it is more.

    Empty where its entry does not say why.
    """
    entry = params.entry(book.section("systems"), system, place="systems")
    return entries.only_counted(entry, f"systems.{system}")


def _convention(book: Book, name: object) -> Convention:
    """Returns an entry of `counts`; refuses one that contradicts itself."""
    entry = book.entry("counts", name, "counts")
    place = f"counts.{name}"
    fields = resolve.fields(Convention, without=("name",))
    for key, value in entry.items():
        if values.scales(value) is not None:
            raise Refused(f"{place}.{key}: depends on the scale; declare one convention for each")
    given = resolve.check(fields, entry, what="a convention", scale=0, place=place)
    found = Convention(name=str(name), **given)  # type: ignore[arg-type]  # checked: the very fields
    image = [key for key in ("output", "lr") if getattr(found, key) is not None]
    of_image = (*image, *(key for key in ("transposed", "cut", "biases") if key in entry))
    if found.count == "parameters" and of_image:
        raise Refused(f"{place}.{of_image[0]}: parameters do not depend on it; take it out")
    if found.count != "parameters" and len(image) != 1:
        raise Refused(f"{place}: wants one of output and lr: [width, height] in pixels")
    if found.count != "parameters" and "of" in entry:
        raise Refused(f"{place}.of: is a choice of parameters; take it out")
    for side in (*(found.output or ()), *(found.lr or ())):
        if not 0 < side <= _MOST:
            raise Refused(f"{place}.{image[0]}: wants 1 to {_MOST:,} pixels, found {side}")
    if found.cut and found.output is None:
        raise Refused(f"{place}.cut: is about the sides of `output`; take it out")
    if found.biases and found.count != "flops":
        raise Refused(f"{place}.biases: adds to FLOP alone; take it out")
    return found


def _sizes(
    book: Book, entry: Mapping[str, Any], printed: Mapping[str, Cell], place: str
) -> tuple[tuple[str, Convention], ...]:
    found = []
    for column, name in params.mapping(entry["sizes"], place).items():
        inside = f"{place}.{column}"
        if column not in printed:
            raise Refused(f"{inside}: the tables print no such size{nearest(column, printed)}")
        book.check("counts", name, inside)
        rule = _convention(book, name)
        if (rule.count == "parameters") != (column == "params"):
            raise Refused(f"{inside}: '{name}' counts {rule.count}; name another convention")
        found.append((column, rule))
    for column, cell in printed.items():
        if column not in dict(found):
            raise Refused(f"{place}: the tables print '{column}'; say what counts it")
        if cell.unit not in UNITS:
            wanted = ", ".join(UNITS)
            raise Refused(f"{place}.{column}: is printed in '{cell.unit}', not in {wanted}")
    return tuple(found)


def _sized(
    book: Book, entry: Mapping[str, Any], systems: Iterable[str], scales: set[int], place: str
) -> Iterator[Sized]:
    """Yields the networks that a track counts: of each system that has one, at each scale."""
    deltas = params.mapping(entry.get("deltas"), f"{place}.deltas")
    others = params.mapping(entry.get("counted"), f"{place}.counted")
    known_keys(others, tuple(systems), f"{place}.counted")
    for printed, name in others.items():
        book.check("systems", name, f"{place}.counted.{printed}")
    for printed in systems:
        name = others.get(printed, printed)
        if name not in book.section("systems"):
            continue
        own = params.entry(book.section("systems"), name, place="systems", deltas=deltas)
        for scale in sorted(scales & set(entries.scales(book, name))):
            if "model" in own:  # not of images that others made
                model = entries.network(own["model"], scale, f"systems.{name}.model")
                yield Sized(printed=printed, system=name, scale=scale, model=model)
