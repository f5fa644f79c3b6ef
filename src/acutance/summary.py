"""A track in numbers: how much of the print is rebuilt, how far off it is, what it cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from acutance.origins import Origin
from acutance.published import Paper
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
        gaps: One for each metric.
        hours: Of training, by device.
        commits: Of the code that trained.
        runs: Trained runs that are done, and all of them.
    """

    printed: int
    rebuilt: int
    own: int
    wanted: int
    gaps: tuple[Gap, ...]
    hours: tuple[tuple[str, float], ...]
    commits: tuple[str, ...]
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
    hours: dict[str, float] = {}
    for origin in done:
        hours[origin.device] = hours.get(origin.device, 0.0) + origin.hours
    wanted = {(e.run.system, e.run.scale, e.dataset.name) for e in track.evaluations}
    return Summary(
        printed=sum(len(table.cells) for table in paper.tables.values()),
        rebuilt=sum(bool(row["printed"]) for row in filled),
        own=sum(not row["printed"] for row in filled),
        wanted=sum((r["system"], int(r["scale"]), r["dataset"]) in wanted for r in rows),
        gaps=tuple(_gaps(paper, filled)),
        hours=tuple(hours.items()),
        commits=tuple(dict.fromkeys(o.commit for o in done if o.commit)),
        runs=(len(done), len(ids)),
    )


def _gaps(paper: Paper, rows: Iterable[Row]) -> Iterable[Gap]:
    by_metric: dict[str, list[Row]] = {}
    for row in rows:
        if row["difference"]:
            by_metric.setdefault(row["metric"], []).append(row)
    for metric, own in by_metric.items():
        worst = max(own, key=lambda row: abs(Decimal(row["difference"])))
        label = paper.label("system", worst["system"])
        dataset = paper.label("dataset", worst["dataset"])
        yield Gap(
            metric=metric.upper(),
            unit="" if own[0]["unit"] == "1" else own[0]["unit"],
            cells=len(own),
            median=str(median([abs(Decimal(row["difference"])) for row in own])),
            worst=worst["difference"],
            where=f"{label}, {dataset} ×{worst['scale']}",
        )
