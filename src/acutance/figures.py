"""Figures of a paper that are drawn from numbers: what `layout.yaml` declares of them, checked.

A figure has a `kind`, and a kind has fields of its own. So far there is one, `scatter`: one point
per image, one metric against another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acutance import params
from acutance.errors import Refused, nearest

KINDS = ("scatter",)


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


def read(content: Mapping[str, Any], place: str) -> dict[str, Scatter]:
    """Returns the figures of a layout by name.

    Args:
        content: `figures` of a layout.yaml.
        place: Where it stands, for error messages.

    Raises:
        Refused: At the first mistake.
    """
    return {name: _figure(name, entry, f"{place}.{name}") for name, entry in content.items()}


def _figure(name: str, entry: Any, place: str) -> Scatter:
    kind = params.mapping(entry, place).get("kind")
    if kind not in KINDS:
        raise Refused(f"{place}.kind: no kind '{kind}'{nearest(kind, KINDS)}")
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
