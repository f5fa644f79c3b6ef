"""Printed sizes beside counted ones: cells of tables, and by which convention a size is met."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from pathlib import Path

from acutance.published import Cell, Paper, Table
from acutance.rows import read_rows
from acutance.sheet import plural, rounded
from acutance.sizes import HEAD, UNITS, Convention, titled
from acutance.spec import Study, Track

Row = Mapping[str, str]
MATCHES = (
    "track,table,row,column,system,counted,scale,metric,unit,printed,convention,count,shown,meets"
)
MEETS, CUT, MISSES = "yes", "cut", "no"


@dataclass(frozen=True, kw_only=True)
class Size:
    """A counted size, or why there is none.

    Attributes:
        value: In the printed unit, exactly; None where there is none.
        convention: That counts it, or nothing where the track has none.
        reason: Why there is none.
    """

    value: Decimal | None = None
    convention: str = ""
    reason: str = ""


class Counts:
    """The sizes that `count` found for a study, as far as they are there."""

    def __init__(self, study: Study, root: Path) -> None:
        self.study = study
        self.path = root / study.counts

    @cached_property
    def found(self) -> Mapping[tuple[str, str, int, str], tuple[str, int]]:
        """What was counted, and its size, by track, printed system, scale and convention."""
        if not self.path.is_file():
            return {}
        return {
            (row["track"], row["system"], int(row["scale"]), row["convention"]): (
                row["counted"],
                int(row["value"]),
            )
            for _, row in read_rows(self.path, HEAD)
            if row["value"]
        }

    def size(self, track: Track, paper: Paper, table: Table, place: tuple[str, int, str]) -> Size:
        """Returns the size that belongs into a cell.

        Args:
            track: Whose cell it is.
            paper: Its paper.
            table: The table.
            place: System, scale and metric of the cell.
        """
        system, scale, metric = place
        rule = dict(track.sizes).get(metric)
        if rule is None:
            return Size(reason=f"{metric} is not counted in the track {track.name}")
        label = paper.label("system", system, table.layout.table)
        scales = [each.scale for each in track.sized if each.printed == system]
        if scale not in scales:
            here = f"run at scale {scale} here" if scales else "modelled here yet"
            return Size(convention=rule.name, reason=f"{label} is not {here}")
        if not self.path.is_file():
            return Size(convention=rule.name, reason=f"not counted yet: {self.study.counts}")
        found = self.found.get((track.name, system, scale, rule.name))
        if found is None:
            return Size(convention=rule.name, reason=f"{label} is not countable by {rule.name}")
        value = Decimal(found[1]) / UNITS[table.unit(metric)]
        return Size(value=value, convention=rule.name)

    def matches(self, paper: Paper, track: Track) -> Iterator[dict[str, str]]:
        """Yields one row of `MATCHES` for each printed size, and each convention of its kind."""
        columns = dict(track.sizes)
        for cell in (cell for name in track.tables for cell in paper.tables[name].cells):
            if cell.dataset or cell.metric not in columns or not track.compare:
                continue
            for rule in rivals(self.study.conventions, columns[cell.metric]):
                found = self.found.get((track.name, cell.system, cell.scale, rule.name))
                if found is not None:
                    yield _match(track, cell, rule, *found)


def rivals(conventions: Iterable[Convention], chosen: Convention) -> tuple[Convention, ...]:
    """Returns the conventions that count the same thing as the chosen one, which comes first."""
    same = [
        each
        for each in conventions
        if (each.count == "parameters") == (chosen.count == "parameters")
    ]
    return tuple(sorted(same, key=lambda each: each.name != chosen.name))


def meets(count: Decimal, cell: Cell) -> str:
    """Returns whether a count gives the printed digits: rounded, cut off, or not at all."""
    if Decimal(rounded(float(count), cell.decimals)) == cell.number:
        return MEETS
    cut = count.quantize(Decimal(1).scaleb(-cell.decimals), rounding=ROUND_DOWN)
    return CUT if cut == cell.number else MISSES


def _match(track: Track, cell: Cell, rule: Convention, name: str, count: int) -> dict[str, str]:
    value = Decimal(count) / UNITS[cell.unit]
    return {
        "track": track.name,
        "table": cell.table,
        "row": cell.row,
        "column": cell.column,
        "system": cell.system,
        "counted": name,
        "scale": str(cell.scale),
        "metric": cell.metric,
        "unit": cell.unit,
        "printed": cell.value,
        "convention": rule.name,
        "count": str(count),
        "shown": rounded(float(value), cell.decimals + 1),
        "meets": meets(value, cell),
    }


def heading(paper: Paper, table: str, rows: Sequence[Row]) -> str:
    """Returns what notes on sizes are headed with: `Params and Mult-Adds`."""
    labels = paper.tables[table].labels
    names = []
    for metric in dict.fromkeys(row["metric"] for row in rows if row["table"] == table):
        either = labels.get(("measure", metric)) or labels.get(("metric", metric))
        names.append(either or titled(metric))
    return " and ".join(names)


def notes(
    paper: Paper,
    table: str,
    rows: Sequence[Row],
    tracks: Mapping[str, str],
    conventions: Sequence[Convention],
) -> list[str]:
    """Returns one note for each printed size: which conventions meet it, or that none does.

    Scales that print the same number and have the same outcome share a note.

    Args:
        paper: The paper.
        table: The table.
        rows: Of `MATCHES`, all of the paper.
        tracks: Name and label of the paper's tracks that count sizes.
        conventions: All that are declared; a last note says what those mean that the others name.
    """
    cells: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row["table"] == table:
            key = tuple(row[name] for name in ("track", "system", "metric", "scale"))
            cells.setdefault(key, []).append(row)
    scales = {key[3] for key in cells}
    shared: dict[tuple[str, str], list[str]] = {}
    for track, system, metric, scale in sorted(cells, key=_order(cells)):
        own = cells[track, system, metric, scale]
        label = paper.label("system", system, table)
        who = f"{label} ({tracks[track]})" if len(tracks) > 1 else label
        named = heading(paper, table, [row for row in own if row["metric"] == metric])
        printed = f"{named} {own[0]['printed']} {own[0]['unit']}: {_outcome(own)}"
        shared.setdefault((who, printed), []).append(scale)
    found = [
        f"{who}{_scales(own) if len(scales) > 1 else ''}, {text}"
        for (who, text), own in shared.items()
    ]
    said = set(re.findall(r"[^\s,()]+", " ".join(found)))
    legend = [f"{each.name} ({each.words})" for each in conventions if each.name in said]
    return found + ([f"Conventions: {'; '.join(legend)}"] if legend else [])


def _order(keys: Iterable[tuple[str, ...]]) -> Callable[[tuple[str, ...]], list[int]]:
    """Returns a key that sorts by the first part, then the second, each as it first appears."""
    places = [list(dict.fromkeys(parts)) for parts in zip(*keys, strict=True)]
    return lambda key: [place.index(part) for place, part in zip(places, key, strict=True)]


def _outcome(rows: Sequence[Row]) -> str:
    """Returns what became of one printed size under every convention."""
    kinds = Counter(row["meets"] for row in rows)
    if kinds[MEETS]:
        return f"met by {_listed(row for row in rows if row['meets'] == MEETS)}"
    none = f"none of {plural(len(rows), 'convention')} meets it"
    if kinds[CUT]:
        cut = _listed(row for row in rows if row["meets"] == CUT)
        return f"{none} rounded; cut, not rounded, {cut} does"
    printed = Decimal(rows[0]["printed"])
    distance = [abs(Decimal(row["shown"]) - printed) for row in rows]
    nearest = [row for row, far in zip(rows, distance, strict=True) if far == min(distance)]
    return f"{none}; nearest: {_listed(nearest)}"


def _listed(rows: Iterable[Row]) -> str:
    """Returns conventions with their counts: `macs-720p, macs-720p-up (52.70 G)`."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(f"{row['shown']} {row['unit']}", []).append(row["convention"])
    return " and ".join(f"{', '.join(names)} ({shown})" for shown, names in found.items())


def _scales(scales: Iterable[str]) -> str:
    return " " + ", ".join(f"×{scale}" for scale in scales)
