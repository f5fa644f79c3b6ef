"""Claims as a report shows them: the verdict on print and, for each track, on rebuilt scores."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from acutance.grid import signed
from acutance.intervals import FAILS, HOLDS, NOT_COMPUTED, NOT_TESTABLE, UNDECIDED
from acutance.published import Claim, Paper
from acutance.sheet import plural, rounded
from acutance.sizes import titled
from acutance.verdicts import overall

Row = Mapping[str, str]
MOST = 4  # subjects that a reason names one by one


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One comparison as text.

    Attributes:
        what: `VDSR + GV against VDSR, PSNR, Set5 ×2`.
        printed: The printed difference, empty if there is none.
        rebuilt: The rebuilt difference, its interval and what it is made of; or why there is none.
        verdict: On the rebuilt difference.
        claimed: Whether the claim speaks of it.
    """

    what: str
    printed: str
    rebuilt: str
    verdict: str
    claimed: bool


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A verdict on a claim: one word, and the counts behind it."""

    who: str
    word: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim with its verdicts: on print first, then one for each track."""

    claim: Claim
    verdicts: tuple[Verdict, ...]
    findings: tuple[tuple[str, tuple[Finding, ...]], ...]


def judged(paper: Paper, rows: Sequence[Row], tracks: Mapping[str, str]) -> tuple[Judged, ...]:
    """Returns a paper's claims with their verdicts.

    Args:
        paper: The paper.
        rows: Of its claims.csv, as tabulated.
        tracks: Name and label of the paper's tracks.
    """
    found = []
    for claim in paper.claims:
        own = {
            name: [r for r in rows if (r["id"], r["track"]) == (claim.id, name)] for name in tracks
        }
        verdicts = [_on_print(next(iter(own.values()), []))]
        verdicts += [_rebuilt(tracks[name], own[name], paper) for name in tracks]
        findings = []
        for name, label in tracks.items():
            tested = [_finding(paper, row) for row in own[name] if row["system"]]
            findings.append((label, tuple(tested)))
        found.append(Judged(claim=claim, verdicts=tuple(verdicts), findings=tuple(findings)))
    return tuple(found)


def _on_print(rows: Sequence[Row]) -> Verdict:
    claimed = [row for row in rows if row["claimed"] == "yes"]
    word = overall([row["printed"] for row in claimed], NOT_TESTABLE)
    held = sum(row["printed"] == HOLDS for row in claimed)
    verb = "holds" if held == 1 else "hold"
    detail = f"{held} of {plural(len(claimed), 'comparison')} {verb}"
    if word == NOT_TESTABLE:
        detail = "the paper prints no numbers for it"
    return Verdict(who="print", word=word, detail=detail)


def _rebuilt(label: str, rows: Sequence[Row], paper: Paper) -> Verdict:
    claimed = [row for row in rows if row["claimed"] == "yes"]
    own = [row for row in rows if row["claimed"] == "no"]
    word = overall([row["rebuilt"] for row in claimed], NOT_COMPUTED)
    if word == NOT_COMPUTED:
        detail = reasons(row["reason"] for row in claimed if row["reason"])
    else:
        detail = _counted(claimed)
    if own:
        names = (name for row in own for name in row["dataset"].split(";"))
        sets = _listed(paper.label("dataset", name) for name in names)
        detail = f"on {sets} instead: {_counted(own)}"
    return Verdict(who=label, word=word, detail=detail)


def _counted(rows: Sequence[Row]) -> str:
    """Returns how many comparisons there are of each verdict: `of 12 comparisons 9 hold, ...`."""
    counts = Counter(row["rebuilt"] for row in rows)
    parts = []
    for word, verb in ((HOLDS, "hold"), (FAILS, "fail")):
        if counts[word]:
            parts.append(f"{counts[word]} {word if counts[word] == 1 else verb}")
    parts += [f"{counts[word]} {word}" for word in (UNDECIDED, NOT_COMPUTED) if counts[word]]
    return f"of {plural(counts.total(), 'comparison')} {', '.join(parts)}"


def reasons(each: Iterable[str]) -> str:
    """Returns reasons in short: what each group of them ends with, and of what it is said."""
    groups: dict[str, Counter[str]] = {}
    for reason in each:
        subject, verb, rest = reason.partition(" is not ")
        groups.setdefault(f"not {rest}" if verb else "", Counter())[subject] += 1
    parts = []
    for end, subjects in groups.items():
        some = ", ".join(subjects)
        if len(subjects) > MOST:
            some = plural(subjects.total(), "comparison")
        parts.append(f"{some}: {end}" if end else some)
    return "; ".join(parts)


def _finding(paper: Paper, row: Row) -> Finding:
    metric = row["metric"]
    sheets = [t for t in paper.tables.values() if metric in t.order("metric")]
    digits = max((t.decimals(metric) for t in sheets), default=3)
    rebuilt = row["reason"]
    if row["rebuilt_difference"] and not row["images"]:  # of sizes, which are exact
        rebuilt = f"{_shown(row['rebuilt_difference'], digits + 1)} ({row['reason']})"
    elif row["rebuilt_difference"]:
        ends = (_shown(row[end], digits) for end in ("rebuilt_difference", "low", "high"))
        mean, low, high = ends
        images = plural(int(row["images"]), "image")
        seeds = plural(int(row["seeds"]), "seed")
        level = f"{float(row['level']):.0%}"
        rebuilt = f"{mean} [{low}, {high}] ({level} interval, {images} × {seeds})"
        rebuilt += f"; {row['reason']}" if row["reason"] else ""
    return Finding(
        what=_what(paper, row),
        printed=signed(row["printed_difference"]),
        rebuilt=rebuilt,
        verdict=row["rebuilt"],
        claimed=row["claimed"] == "yes",
    )


def _what(paper: Paper, row: Row) -> str:
    """Returns what a row compares: `VDSR + GV against VDSR, PSNR, Set5 ×2`."""
    who, baseline = (paper.label("system", row[side]) for side in ("system", "baseline"))
    score, _, other = row["metric"].partition("-vs-")
    scales = row["scale"].split("-")
    if baseline:
        gain = other or len(scales) > 1
        who = f"gain of {who} over {baseline}" if gain else f"{who} against {baseline}"
    measured = titled(score)
    if other:
        measured = f"rank correlation of {measured} with {other}"
    place = _listed(paper.label("dataset", name) for name in row["dataset"].split(";"))
    at = " against ".join(f"×{scale}" for scale in scales)
    return f"{who}, {measured}, {f'{place} {at}'.strip()}"


def _shown(number: str, digits: int) -> str:
    return signed(rounded(float(number), digits))


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(labels))
