"""What the papers printed: `data/published/<paper>/` as frozen dataclasses, checked as it is read.

`cells.csv` has one printed number a row, `claims.csv` one testable claim a row, and `layout.yaml`
what the cells do not say about the printed tables. Numbers stay text, digit for digit.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any

from acutance import figures, params
from acutance.errors import Refused, nearest
from acutance.rows import read_rows

# `measure`: the test set, or the metric where there is none, as of a size of the network
AXES = ("dataset", "scale", "system", "metric", "measure")
BEST = ("row", "column", "scale", "none")
_CELL_HEAD = (
    "paper,table,row,column,system,variant_of,scale,dataset,metric,value,unit,highlight,note"
)
_CLAIM_HEAD = "id,paper,claim,system,baseline,metric,datasets,scales,direction,margin,source"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A printed number: where it stands, what it measures, its digits as printed."""

    paper: str
    table: str
    row: str
    column: str
    system: str
    variant_of: str
    scale: int
    dataset: str
    metric: str
    value: str
    unit: str
    highlight: str
    note: str

    @property
    def number(self) -> Decimal:
        """The printed value, exactly."""
        return Decimal(self.value)

    @property
    def decimals(self) -> int:
        """How many digits are printed after the point."""
        return len(self.value.partition(".")[2])

    @property
    def measure(self) -> str:
        """What was measured: the test set; of a size of the network, the metric."""
        return self.dataset or self.metric

    def at(self, axis: str) -> str:
        """Returns where the cell stands on one of `AXES`, as text."""
        return str(getattr(self, axis))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: `systems` against `baselines`, in `metrics`, on `datasets`, at `scales`."""

    id: str
    paper: str
    claim: str
    systems: tuple[str, ...]
    baselines: tuple[str, ...]
    metrics: tuple[str, ...]
    datasets: tuple[str, ...]
    scales: tuple[int, ...]
    direction: str
    margin: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a table is printed: (heading, axis) pairs; of what the best is marked, one of `BEST`."""

    table: str
    label: str
    title: str
    rows: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    best: str
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A printed table: its cells in printed order, and its layout."""

    cells: tuple[Cell, ...]
    layout: Layout

    def order(self, axis: str) -> tuple[str, ...]:
        """Returns the values of an axis in printed order."""
        return tuple(dict.fromkeys(cell.at(axis) for cell in self.cells))

    @cached_property
    def across(self) -> tuple[tuple[str, ...], ...]:
        """The places along the axes of the columns, in printed order.

        Rows with the most columns come first: one that lacks some says nothing of their order.
        """
        rows: dict[str, dict[tuple[str, ...], None]] = {}
        for cell in self.cells:
            place = tuple(cell.at(axis) for _, axis in self.layout.columns)
            rows.setdefault(cell.row, {})[place] = None
        longest = sorted(rows.values(), key=len, reverse=True)
        return tuple(dict.fromkeys(place for row in longest for place in row))

    @cached_property
    def labels(self) -> Mapping[tuple[str, str], str]:
        """The printed label of each (axis, value) that heads a row or a column."""
        found: dict[tuple[str, str], str] = {}
        for cell in self.cells:
            for heads, text in ((self.layout.rows, cell.row), (self.layout.columns, cell.column)):
                parts = text.split(" / ", len(heads) - 1)
                for (_, axis), part in zip(heads, parts, strict=True):
                    # the sign of a scale is set by each format: `2x` is 2
                    plain = part.removesuffix("x") if axis == "scale" else part
                    found.setdefault((axis, cell.at(axis)), plain)
        return found

    def decimals(self, metric: str) -> int:
        """Returns the digits after the point that most cells of `metric` are printed with."""
        counts = [cell.decimals for cell in self.cells if cell.metric == metric]
        return max(sorted(set(counts)), key=counts.count) if counts else 4

    def unit(self, metric: str) -> str:
        """Returns the printed unit of `metric`."""
        return next((cell.unit for cell in self.cells if cell.metric == metric), "")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper's printed results. `names`: labels outside tables, and of what it does not print."""

    name: str
    short: str
    title: str
    authors: str
    venue: str
    url: str
    notes: tuple[str, ...]
    names: Mapping[str, str]
    tables: Mapping[str, Table]
    figures: Mapping[str, figures.Figure]
    cells: tuple[Cell, ...]
    claims: tuple[Claim, ...]

    def label(self, axis: str, value: str, table: str = "") -> str:
        """Returns what `value` is called: in `table`, else in `names`, else in any table."""
        if table and (axis, value) in self.tables[table].labels:
            return self.tables[table].labels[axis, value]
        if value in self.names:
            return str(self.names[value])
        found = (s.labels[axis, value] for s in self.tables.values() if (axis, value) in s.labels)
        return next(found, value)


def read(folder: Path) -> Paper:
    """Reads one paper's printed results: its cells, its claims and its layout.

    Args:
        folder: `data/published/<paper>`; its name is the paper's.

    Raises:
        Refused: If a file is missing or wrong, with its line.
    """
    cells, claims = read_cells(folder / "cells.csv"), read_claims(folder / "claims.csv")
    content = params.read(folder / "layout.yaml")
    place = f"{folder.name}/layout.yaml"
    words = {"short": str, "title": str}
    known = {"authors": str, "venue": str, "url": str}  # what is not known is not invented
    optional = {**known, "notes": list, "names": dict, "figures": dict}
    params.check_fields(content, {**words, "tables": dict}, optional, place)
    if not re.fullmatch(r"|https?://[\w./:%~-]+", content.get("url", "")):
        raise Refused(f"{place}: url: wants an http address, found {content['url']!r}")
    tables = {
        name: _table(name, entry, cells, f"{place}: tables.{name}")
        for name, entry in content["tables"].items()
    }
    systems = {*(cell.system for cell in cells), *content.get("names", {})}
    return Paper(
        name=folder.name,
        **{word: content.get(word, "") for word in (*words, *known)},
        notes=tuple(content.get("notes", ())),
        names=content.get("names", {}),
        tables=tables,
        figures=figures.read(content.get("figures", {}), f"{place}: figures", systems),
        cells=cells,
        claims=claims,
    )


def read_cells(path: Path) -> tuple[Cell, ...]:
    """Reads a `cells.csv`, in printed order.

    Raises:
        Refused: If a line lacks a field, a number is none, or a cell stands there twice.
    """
    cells: list[Cell] = []
    seen: dict[object, str] = {}
    for place, row in read_rows(path, _CELL_HEAD):
        try:
            if not Decimal(row["value"]).is_finite():
                raise InvalidOperation
        except InvalidOperation:
            raise Refused(f"{place}: value: wants a number, found '{row['value']}'") from None
        scale = _whole(row.pop("scale"), f"{place}: scale")
        cell = Cell(scale=scale, **row)
        for name in ("table", "row", "column", "system", "metric"):
            if not getattr(cell, name):
                raise Refused(f"{place}: {name}: is empty")
        key = (cell.table, cell.row, cell.column, *(cell.at(axis) for axis in AXES))
        if key in seen:
            raise Refused(f"{place}: repeats the cell of {seen[key]}; remove one of them")
        seen[key] = place.rpartition(": ")[2]
        cells.append(cell)
    return tuple(cells)


def read_claims(path: Path) -> tuple[Claim, ...]:
    """Reads a `claims.csv`. Lists in it are separated by semicolons.

    Raises:
        Refused: If a line lacks a field or an identifier stands there twice.
    """
    claims: dict[str, Claim] = {}
    for place, row in read_rows(path, _CLAIM_HEAD):
        if row["id"] in claims:
            raise Refused(f"{place}: id: '{row['id']}' stands there a second time")
        scales = tuple(_whole(s, f"{place}: scales") for s in _listed(row["scales"]))
        claims[row["id"]] = Claim(
            **{
                name: row[name]
                for name in ("id", "paper", "claim", "direction", "margin", "source")
            },
            systems=_listed(row["system"]),
            baselines=_listed(row["baseline"]),
            metrics=_listed(row["metric"]),
            datasets=_listed(row["datasets"]),
            scales=scales,
        )
    return tuple(claims.values())


def _table(name: str, entry: Any, cells: Sequence[Cell], place: str) -> Table:
    params.check_fields(
        entry,
        {"label": str, "title": str, "rows": dict, "columns": dict, "best": str},
        {"notes": list},
        place,
    )
    if entry["best"] not in BEST:
        raise Refused(f"{place}.best: found '{entry['best']}'{nearest(entry['best'], BEST)}")
    axes = [*entry["rows"].items(), *entry["columns"].items()]
    for head, axis in axes:
        if axis not in AXES:
            raise Refused(f"{place}: {head}: no axis '{axis}'{nearest(axis, AXES)}")
    own = tuple(cell for cell in cells if cell.table == name)
    if not own:
        tables = {cell.table for cell in cells}
        raise Refused(f"{place}: cells.csv has no cell of it{nearest(name, tables)}")
    layout = Layout(
        table=name,
        label=entry["label"],
        title=entry["title"],
        rows=tuple(entry["rows"].items()),
        columns=tuple(entry["columns"].items()),
        best=entry["best"],
        notes=tuple(entry.get("notes", ())),
    )
    for cell in own:
        for heads, label in ((layout.rows, cell.row), (layout.columns, cell.column)):
            if label.count(" / ") + 1 < len(heads):
                wanted = " / ".join(head for head, _ in heads)
                raise Refused(f"{place}: label '{label}' of cells.csv does not part into {wanted}")
    return Table(cells=own, layout=layout)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _whole(text: str, place: str) -> int:
    if not text.isdecimal():
        raise Refused(f"{place}: wants a whole number, found '{text}'")
    return int(text)
