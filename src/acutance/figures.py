"""Figures of a paper, of numbers or of images: what `layout.yaml` declares of them, checked.

A figure has a `kind`, and a kind has fields of its own:

- `scatter`: one point per image, one metric against another;
- `crops`: where images are rebuilt most differently, enlarged, side by side;
- `maps`: the same of their gradient maps;
- `variances`: how much gradients vary in each patch of an image;
- `edge`: an edge in one dimension, computed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from acutance import params
from acutance.errors import Refused, nearest

PICTURED = ("crops", "maps", "variances")
KINDS = ("scatter", *PICTURED, "edge")
HR, LR = "hr", "lr"
_SIDES = (8, 512)  # of a box, in HR pixels


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Whose scores a panel shows: of a system, or its gain `over` another."""

    system: str
    over: str = ""


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """One point per image.

    Attributes:
        name: As layout.yaml calls it: `fig1`.
        label: As the paper numbers it.
        title: What it shows.
        x: Metric across, one that the original alone decides.
        y: Metric upwards.
        scale: Of the images.
        datasets: Whose images.
        panels: Drawn side by side.
        notes: What to know beside it.
    """

    name: str
    label: str
    title: str
    x: str
    y: str
    scale: int
    datasets: tuple[str, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """Images of several systems side by side, or what is measured within them.

    Attributes:
        name: As layout.yaml calls it: `fig7`.
        label: As the paper numbers it.
        title: What it shows.
        kind: One of `PICTURED`.
        scale: Of the images.
        panels: Systems, and `hr` or `lr` for the originals, in the order of the paper.
        images: Data set and image, `set5/baby`; empty where they are chosen by how they differ.
        datasets: Whose images are chosen from; empty where they are named.
        most: How many are chosen.
        box: Side of the square that is shown of each, in HR pixels; 0 for all of it.
        differ: Systems whose differences choose images and places; empty for all in the panels.
        notes: What to know beside it.
    """

    name: str
    label: str
    title: str
    kind: str
    scale: int
    panels: tuple[str, ...]
    images: tuple[str, ...]
    datasets: tuple[str, ...]
    most: int
    box: int
    differ: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A computed edge: its name in layout.yaml, number, title and notes."""

    name: str
    label: str
    title: str
    notes: tuple[str, ...]


Figure = Scatter | Pictured | Edge


def read(content: Mapping[str, Any], place: str, systems: Collection[str]) -> dict[str, Figure]:
    """Returns the figures of a layout by name.

    Args:
        content: `figures` of a layout.yaml.
        place: Where it stands, for error messages.
        systems: Those that the paper's tables and names know.

    Raises:
        Refused: At the first mistake.
    """
    for name in content:
        params.check_name(name, place)
    return {n: _figure(n, entry, f"{place}.{n}", systems) for n, entry in content.items()}


def _figure(name: str, entry: Any, place: str, systems: Collection[str]) -> Figure:
    kind = params.mapping(entry, place).get("kind")
    if kind not in KINDS:
        raise Refused(f"{place}.kind: no kind '{kind}'{nearest(kind, KINDS)}")
    if kind in PICTURED:
        return _pictured(name, entry, place, systems)
    if kind == "edge":
        words = {"kind": str, "label": str, "title": str}
        params.check_fields(entry, words, {"notes": list}, place)
        notes = tuple(entry.get("notes", ()))
        return Edge(name=name, label=entry["label"], title=entry["title"], notes=notes)
    words = {"kind": str, "label": str, "title": str, "x": str, "y": str}
    lists = {"scale": int, "datasets": list, "panels": dict}
    params.check_fields(entry, {**words, **lists}, {"notes": list}, place)
    panels = [_panel(each, f"{place}.panels.{at}") for at, each in entry["panels"].items()]
    return Scatter(
        name=name,
        label=entry["label"],
        title=entry["title"],
        x=entry["x"],
        y=entry["y"],
        scale=entry["scale"],
        datasets=tuple(entry["datasets"]),
        panels=tuple(panels),
        notes=tuple(entry.get("notes", ())),
    )


def _panel(entry: Any, place: str) -> Panel:
    params.check_fields(entry, {"system": str}, {"over": str}, place)
    return Panel(**entry)


def _pictured(name: str, entry: Any, place: str, systems: Collection[str]) -> Pictured:
    kind = entry["kind"]
    boxed = {} if kind == "variances" else {"box": int}
    words = {"kind": str, "label": str, "title": str, "scale": int, "panels": list}
    which = {"images": list, "datasets": list, "most": int, "differ": list}
    params.check_fields(entry, {**words, **boxed}, {**which, "notes": list}, place)
    if ("images" in entry) == ("datasets" in entry) or ("images" in entry and "most" in entry):
        raise Refused(f"{place}: name `images`, or else `datasets` and how many of them (`most`)")
    lists = _lists(entry, place, {*systems, HR, *([LR] if kind == "crops" else [])})
    if kind == "variances" and HR not in lists["panels"]:
        raise Refused(f"{place}.panels: '{HR}' is missing, which the others are measured against")
    box, most = entry.get("box", 0), entry.get("most", len(lists["images"]) or 1)
    if boxed and not _SIDES[0] <= box <= _SIDES[1]:
        raise Refused(
            f"{place}.box: wants a side of {_SIDES[0]} to {_SIDES[1]} pixels, found {box}"
        )
    if most < 1:
        raise Refused(f"{place}.most: wants at least 1 image, found {most}")
    return Pictured(
        name=name,
        label=entry["label"],
        title=entry["title"],
        kind=kind,
        scale=entry["scale"],
        **lists,
        most=most,
        box=box,
        notes=tuple(entry.get("notes", ())),
    )


def _lists(entry: Mapping[str, Any], place: str, known: Collection[str]) -> dict[str, Any]:
    """Returns the lists of a figure of images; one that is not given is empty."""
    found: dict[str, Any] = {}
    for key in ("panels", "images", "datasets", "differ"):
        found[key] = params.listing(entry[key], f"{place}.{key}", str) if key in entry else ()
    for key, valid in (("panels", known), ("differ", set(found["panels"]) - {HR, LR})):
        for each in found[key]:
            if each not in valid:
                raise Refused(f"{place}.{key}: no system '{each}'{nearest(each, valid)}")
    for each in found["images"]:
        if not all(each.partition("/")[::2]):
            raise Refused(f"{place}.images: wants set and image as set5/baby, found '{each}'")
    return found
