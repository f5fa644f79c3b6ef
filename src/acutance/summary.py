"""A track in numbers: how much of the print is rebuilt, how far off it is, what it cost."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from acutance.colophon import costs, trained
from acutance.origins import Origin
from acutance.published import Cell, Paper
from acutance.sizes import titled
from acutance.spec import Track

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """How far rebuilt numbers of one metric are from the print: absolute differences."""

    metric: str
    unit: str
    cells: int
    median: str
    worst: str
    where: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A track in numbers.

    Attributes:
        printed: Cells of the paper's tables, all of them.
        rebuilt: Printed cells that stand beside a rebuilt number.
        own: Rebuilt numbers that the paper does not print or that may not stand beside it.
        wanted: Numbers that the study wants of the track.
        fillable: Printed cells that the track can fill when all of it is computed.
        blanks: Why it cannot fill the others, and how many each reason keeps empty.
        gaps: One for each metric.
        hours: Of training, by machine: ("CPU hours on ...", hours).
        trained: How many runs are trained, and when the last was.
        runs: Trained runs that are done, and all of them.
    """

    printed: int
    rebuilt: int
    own: int
    wanted: int
    fillable: int
    blanks: tuple[tuple[str, int], ...]
    gaps: tuple[Gap, ...]
    hours: tuple[tuple[str, float], ...]
    trained: str
    runs: tuple[int, int]


def summarise(
    paper: Paper, track: Track, rows: Sequence[Row], made: Mapping[str, Origin]
) -> Summary:
    """Returns a track in numbers.

    Args:
        paper: The track's paper.
        track: The track.
        rows: Its rows of all tables, as tabulated.
        made: Origin of each run.
    """
    filled = [row for row in rows if row["rebuilt"]]
    ids = dict.fromkeys(e.run.id for e in track.evaluations if e.run.trained)
    done = [made[run] for run in ids if made[run].state == "trained"]
    wanted = {(e.run.system, e.run.scale, e.dataset.name) for e in track.evaluations}
    wanted |= {(each.printed, each.scale, "") for each in track.sized}
    cells = [cell for table in paper.tables.values() for cell in table.cells]
    blanks = Counter(filter(None, (_blank(paper, track, cell, wanted) for cell in cells)))
    return Summary(
        printed=len(cells),
        rebuilt=sum(bool(row["printed"]) for row in filled),
        own=sum(not row["printed"] for row in filled),
        wanted=sum((r["system"], int(r["scale"]), r["dataset"]) in wanted for r in rows),
        fillable=len(cells) - blanks.total(),
        blanks=tuple(blanks.items()),
        gaps=tuple(_gaps(paper, filled)),
        hours=tuple(costs(done)),
        trained=trained([made[run] for run in ids])[0][1],
        runs=(len(done), len(ids)),
    )


def _blank(paper: Paper, track: Track, cell: Cell, wanted: Collection[tuple[str, int, str]]) -> str:
    """Returns why a track cannot fill a printed cell, whatever is computed; empty if it can."""
    if not track.compare:
        return "the track is another experiment than the paper’s"
    if cell.table not in track.tables:
        return f"{paper.tables[cell.table].layout.label} is not in the track"
    if cell.metric not in (*dict(track.metrics), *dict(track.sizes)):
        return f"{titled(cell.metric)} is not {'measured' if cell.dataset else 'counted'}"
    if cell.dataset and cell.dataset not in {dataset.name for dataset in track.datasets}:
        return f"{paper.label('dataset', cell.dataset)} is not tested on"
    if (cell.system, cell.scale, cell.dataset) in wanted:
        return ""
    known = track.systems if cell.dataset else [each.printed for each in track.sized]
    at = f" at ×{cell.scale}" if cell.system in known else ""
    verb = "trained" if cell.dataset else "modelled"
    return f"{paper.label('system', cell.system, cell.table)} is not {verb}{at}"


def _gaps(paper: Paper, rows: Iterable[Row]) -> Iterable[Gap]:
    by_metric: dict[str, list[Row]] = {}
    for row in rows:
        if row["difference"]:
            by_metric.setdefault(row["metric"], []).append(row)
    for metric, own in by_metric.items():
        worst = max(own, key=lambda row: abs(Decimal(row["difference"])))
        label = paper.label("system", worst["system"])
        if worst["dataset"]:
            label = f"{label}, {paper.label('dataset', worst['dataset'])}"
        yield Gap(
            metric=titled(metric),
            unit="" if own[0]["unit"] == "1" else own[0]["unit"],
            cells=len(own),
            median=str(median([abs(Decimal(row["difference"])) for row in own])),
            worst=worst["difference"],
            where=f"{label} ×{worst['scale']}",
        )
