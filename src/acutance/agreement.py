"""Calibration as a report shows it: each paper's bicubic row, printed beside measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from acutance.grid import signed
from acutance.sheet import plural, rounded

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Line:
    """The metrics of one data set at one scale, in the order printed: `33.66 / 0.9299`."""

    paper: str
    place: str
    metrics: str
    protocols: str
    printed: str
    measured: str
    difference: str
    agrees: bool


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What is measured, and in a line what is not.

    Attributes:
        lines: What is measured.
        agree: Numbers that are met to the last printed digit.
        measured: Numbers that are measured.
        missing: Why the others are not; empty where there are none.
    """

    lines: tuple[Line, ...]
    agree: int
    measured: int
    missing: str


def calibrated(rows: Sequence[Row]) -> Calibrated | None:
    """Returns what a report shows of the rows of calibration.csv; None where there are none."""
    done = [row for row in rows if row["measured"]]
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in done:
        groups.setdefault((row["paper"], row["table"], row["dataset"], row["scale"]), []).append(
            row
        )
    if not rows:
        return None
    return Calibrated(
        lines=tuple(_line(group) for group in groups.values()),
        agree=sum(row["agrees"] == "true" for row in done),
        measured=len(done),
        missing=_missing([row for row in rows if not row["measured"]], len(rows)),
    )


def _line(rows: Sequence[Row]) -> Line:
    first = rows[0]
    shown = [rounded(float(r["measured"]), len(r["printed"].partition(".")[2])) for r in rows]
    gaps = [Decimal(own) - Decimal(r["printed"]) for own, r in zip(shown, rows, strict=True)]
    return Line(
        paper=f"{first['paper']} {first['table']}",
        place=f"{first['dataset']} ×{first['scale']}",
        metrics=" / ".join(row["metric"].upper() for row in rows),
        protocols=", ".join(row["protocol"] for row in rows),
        printed=" / ".join(row["printed"] for row in rows),
        measured=" / ".join(shown),
        difference=" / ".join(signed(str(gap + 0)) for gap in gaps),
        agrees=all(row["agrees"] == "true" for row in rows),
    )


def _missing(rows: Sequence[Row], of: int) -> str:
    """Returns in a line what is not measured: `16 of 34 numbers (urban100: not here; fetch it)`.

    Where nothing is and all sets have one reason: `34 numbers on 5 data sets: not here; fetch it`.
    """
    if not rows:
        return ""
    groups: dict[str, dict[str, None]] = {}
    for row in rows:
        why = row["reason"].removeprefix(f"{row['dataset']} is ")
        groups.setdefault(why, {})[row["dataset"]] = None
    if len(rows) == of and len(groups) == 1:
        ((why, sets),) = groups.items()
        return f"{plural(of, 'number')} on {plural(len(sets), 'data set')}: {why}"
    whys = (f"{', '.join(sets)}: {why}" for why, sets in groups.items())
    return f"{len(rows)} of {of} numbers ({'; '.join(whys)})"
