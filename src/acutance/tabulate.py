"""`tabulate`: the paper's tables as long CSV files, printed beside rebuilt, and its claims.

One row for each track and cell. A cell that is not rebuilt says why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acutance import comparisons, drawings, paths, points, published, verdicts
from acutance.calls import Call
from acutance.counted import MATCHES, Counts
from acutance.files import write_atomically
from acutance.measured import Measured, Place
from acutance.published import Cell, Paper, Table
from acutance.rows import mean, written
from acutance.sheet import HEAD, difference, metrics, shown, systems
from acutance.spec import Evaluation, Study, Track


def tabulate(study: Study, root: Path, *, full: Study | None = None) -> tuple[Path, ...]:
    """Writes every table of a study's papers, verdicts on their claims, points of their figures.

    Args:
        study: The study.
        root: The project's root; all paths are below it.
        full: The study that rebuilds whole papers, to say of a system that is not trained here
            whether it is trained there.

    Returns:
        The files written: `results/tables/<study>/<paper>/<table>.csv`, `…/claims.csv`,
        `…/figures.csv` and `…/panels.csv`.

    Raises:
        Refused: If a published file or a score file is damaged.
    """
    files: dict[Path, str] = {}
    for name in dict.fromkeys(track.paper for track in study.tracks):
        paper = published.read(root / paths.PUBLISHED / name)
        counts = Counts(study, root)
        tracks = [Measured(t, root) for t in study.tracks if t.paper == name]
        for table in dict.fromkeys(table for m in tracks for table in m.track.tables):
            own = [m for m in tracks if table in m.track.tables]
            rows = [row for m in own for row in table_rows(paper, table, m, full, counts)]
            files[root / paths.TABLE.format(study=study.name, paper=name, table=table)] = written(
                HEAD, rows
            )
        where = {"study": study.name, "paper": name}
        sized = [row for m in tracks for row in counts.matches(paper, m.track)]
        if any(m.track.sizes for m in tracks):
            files[root / paths.SIZES.format(study=study.name, paper=name)] = written(MATCHES, sized)
        claims = [row for m in tracks for row in verdicts.claim_rows(paper, m, counts)]
        files[root / paths.CLAIMS.format(**where)] = written(comparisons.HEAD, claims)
        drawn = [row for m in tracks for row in points.point_rows(paper, m)]
        files[root / paths.FIGURES.format(**where)] = written(points.HEAD, drawn)
        shown = [row for m in tracks for row in _shown(paper, m)]
        files[root / paths.SHOWN.format(**where)] = written(points.SHOWN, shown)
    for path, text in files.items():
        write_atomically(path, text)
    return tuple(files)


def _shown(paper: Paper, measured: Measured) -> Iterator[dict[str, str]]:
    """Yields the scores that stand below the images of a paper's figures."""
    for each in drawings.of(paper, measured.track):
        if isinstance(each, drawings.Drawing):
            yield from points.shown_rows(each, measured)


def table_rows(
    paper: Paper,
    table: str,
    measured: Measured,
    full: Study | None = None,
    counts: Counts | None = None,
) -> Iterator[dict[str, str]]:
    """Yields the cells of one table as one track has them, in printed order.

    Args:
        paper: The paper.
        table: Its name in cells.csv.
        measured: The track's scores.
        full: See `tabulate`.
        counts: Sizes of networks; None where the track counts none.
    """
    sheet = paper.tables[table]
    spot = {(c.system, c.scale, c.dataset, c.metric): c for c in sheet.cells}
    for dataset, scale in shown(paper, sheet, measured):
        for system in systems(paper, sheet, measured.track):
            place = (system, scale, dataset)
            for metric in metrics(sheet, sized=not dataset):
                cell = spot.get((system, scale, dataset, metric))
                asked = _Asked(paper=paper, sheet=sheet, metric=metric, cell=cell)
                if counts is not None and not dataset:
                    yield _sized(asked, place, measured.track, counts)
                else:
                    yield _scored(asked, place, measured, full)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A place in a printed table, whether or not something is printed there."""

    paper: Paper
    sheet: Table
    metric: str
    cell: Cell | None

    def label(self, heads: tuple[tuple[str, str], ...], place: Place) -> str:
        """Returns the row or column label: as printed, or made of the parts that are."""
        system, scale, dataset = place
        value = {"system": system, "scale": str(scale), "dataset": dataset, "metric": self.metric}
        value["measure"] = dataset or self.metric
        table = self.sheet.layout.table
        return " / ".join(self.paper.label(axis, value[axis], table) for _, axis in heads)


def _scored(asked: _Asked, place: Place, measured: Measured, full: Study | None) -> dict[str, str]:
    """Returns the row of a cell that measures images."""
    protocol = measured.protocol(asked.metric)
    done, reason = _computed(asked, place, measured, full)
    seeds = [str(e.run.seed) for e, _ in done if e.run.trained]
    return _row(
        asked,
        place,
        measured.track,
        rebuilt=mean([value for _, value in done]) if done else None,
        protocol=protocol.name if protocol else "",
        reason=reason,
        seeds=";".join(seeds),
        runs=";".join(e.run.id for e, _ in done),
    )


def _sized(asked: _Asked, place: Place, track: Track, counts: Counts) -> dict[str, str]:
    """Returns the row of a cell that says how large a network is."""
    found = counts.size(track, asked.paper, asked.sheet, (*place[:2], asked.metric))
    return _row(
        asked,
        place,
        track,
        rebuilt=None if found.value is None else float(found.value),
        protocol=found.convention,
        reason=found.reason,
    )


def _row(
    asked: _Asked, place: Place, track: Track, *, rebuilt: float | None, **found: str
) -> dict[str, str]:
    system, scale, dataset = place
    layout, cell = asked.sheet.layout, asked.cell
    printed = cell if track.compare else None
    return {
        "track": track.name,
        "row": cell.row if cell else asked.label(layout.rows, place),
        "column": cell.column if cell else asked.label(layout.columns, place),
        "system": system,
        "variant_of": next((c.variant_of for c in asked.sheet.cells if c.system == system), ""),
        "scale": str(scale),
        "dataset": dataset,
        "metric": asked.metric,
        "unit": asked.sheet.unit(asked.metric),
        "printed": printed.value if printed else "",
        "rebuilt": "" if rebuilt is None else repr(rebuilt),
        "difference": difference(rebuilt, printed),
        "seeds": "",
        "runs": "",
        **found,
    }


def _computed(
    asked: _Asked, place: Place, measured: Measured, full: Study | None
) -> tuple[list[tuple[Evaluation, float]], str]:
    """Returns the means over images that are there, by seed, and why others are not."""
    protocol = measured.protocol(asked.metric)
    wanted = measured.wanted.get(place, ())
    if protocol is None or not wanted:
        return [], _not_wanted(asked, place, protocol, measured, full)
    if lacking := measured.lacking(protocol):
        return [], f"{asked.metric} is not measured without {lacking}"
    done, missing, blank = [], [], []
    for evaluation in wanted:
        images = measured.images(evaluation, protocol)
        if images is None:
            missing.append(evaluation.scores)
        elif isinstance(images, str):
            blank.append(images)
        else:
            done.append((evaluation, mean(list(images.values()))))
    reasons = []
    if blank:
        of = f" of {len(blank)} of {len(wanted)} seeds" if len(wanted) > 1 else ""
        reasons.append(f"{asked.metric}{of} is not measured on {blank[0]}")
    if missing:
        of = f"{len(missing)} of {len(wanted)} seeds " if len(wanted) > 1 else ""
        reasons.append(f"{of}not computed yet: {', '.join(missing)}")
    return done, "; ".join(reasons)


def _not_wanted(
    asked: _Asked, place: Place, protocol: Call | None, measured: Measured, full: Study | None
) -> str:
    """Returns why a study does not compute a cell at all."""
    system, scale, dataset = place
    label = asked.paper.label("system", system, asked.sheet.layout.table)
    if protocol is None:
        return f"{asked.metric} is not measured in the track {measured.track.name}"
    if system in (unrun := dict(measured.track.unrun)):
        return f"{label} is only counted here" + (f": {unrun[system]}" if unrun[system] else "")
    if system not in measured.track.systems:
        reason = f"{label} is not trained in this study"
        others = full.tracks if full else ()
        if full and any(system in t.systems for t in others if t.paper == asked.paper.name):
            return f"{reason}, but in the study '{full.name}'"
        return reason
    if scale not in {s for name, s, _ in measured.wanted if name == system}:
        return f"{label} is not run at scale {scale} in this study"
    return f"{label} is not tested on {asked.paper.label('dataset', dataset)} here"
