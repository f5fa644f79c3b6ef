"""`report`: a study's tables, claims and origins as HTML, Markdown and LaTeX.

A page is a pure function of the study and of files under results/: the same files give the same
bytes. No number in it is typed; templates hold words only.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2

from acutance import __version__, comparisons, counted, paths, points, published
from acutance.agreement import Calibrated, calibrated
from acutance.charts import Chart, charts
from acutance.claims import Judged, judged
from acutance.colophon import Colophon, colophon
from acutance.colophon import command as rebuild
from acutance.drawings import WHOLE
from acutance.errors import Refused
from acutance.escape import Raw, markdown, tex
from acutance.files import folder_atomically
from acutance.galleries import galleries
from acutance.grid import Grid, short, signed
from acutance.layout import lay_out
from acutance.origins import Origin, origins
from acutance.published import Paper
from acutance.resolve import noun
from acutance.rows import read_rows
from acutance.sheet import HEAD
from acutance.spec import Study, Track
from acutance.summary import Summary, summarise

Row = Mapping[str, str]
CALIBRATION = "calibration,paper,table,dataset,scale,metric,protocol,printed,measured,agrees,reason"
# What is read: columns, those with numbers, those with whole ones
TABLE = (HEAD, ("printed", "rebuilt", "difference"), ("scale",))
CLAIMS = (
    comparisons.HEAD,
    ("printed_difference", "rebuilt_difference", "low", "high", "level"),
    ("images", "seeds"),
)
_LOADER = jinja2.PackageLoader("acutance")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A track as a report tells of it."""

    track: Track
    label: str
    summary: Summary


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A paper in a study: tracks, tables, figures, claims; what made each table, by track."""

    paper: Paper
    parts: tuple[Part, ...]
    grids: tuple[Grid, ...]
    charts: tuple[Chart, ...]
    made: Mapping[str, tuple[Colophon, ...]]
    claims: tuple[Judged, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that a report shows."""

    study: Study
    chapters: tuple[Chapter, ...]
    origins: Mapping[str, Origin]
    calibration: Calibrated | None
    command: str
    version: str

    @property
    def finished(self) -> str:
        """When the last training finished; empty where no record says."""
        return max((origin.finished for origin in self.origins.values()), default="")


def report(study: Study, root: Path, *, command: str | None = None) -> tuple[Path, ...]:
    """Writes a study's report: the folder `reports/<study>` as a whole.

    Args:
        study: The study.
        root: The project's root; tables, run records and calibration are read below it.
        command: What rebuilds the study; None for the study's usual command.

    Returns:
        The files: index.html, index.md, for each table a LaTeX document and its tabular, for each
        figure a LaTeX document, for each of its plots an SVG and a LaTeX picture, and its panels.

    Raises:
        Refused: If `tabulate` has not run, or a file is damaged.
    """
    page = gather(study, root, command or rebuild(study.name))
    files: dict[str, str | Path] = {}
    files["index.html"] = _html().get_template("index.html").render(page=page)
    files["index.md"] = _markdown().get_template("index.md").render(page=page)
    for chapter in page.chapters:
        for grid in chapter.grids:
            for name in ("table", "tabular"):
                template = _tex().get_template(f"{name}.tex")
                file = f"{grid.id}.tex" if name == "table" else f"{grid.id}-tabular.tex"
                files[file] = template.render(page=page, chapter=chapter, grid=grid)
        for chart in chapter.charts:
            files |= _drawings(page, chapter, chart)
    folder = root / paths.REPORT.format(study=study.name)
    with folder_atomically(folder) as fresh:
        for name, content in files.items():
            if isinstance(content, Path):
                (fresh / name).write_bytes(_panel(content))
            else:
                (fresh / name).write_text(content, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in files)


def _drawings(page: Page, chapter: Chapter, chart: Chart) -> dict[str, str | Path]:
    """Returns the files of a figure, texts or what is copied; none where nothing is drawn."""
    if not chart.drawn and not chart.strips:
        return {}
    whole = _tex().get_template("figure.tex").render(page=page, chapter=chapter, chart=chart)
    files: dict[str, str | Path] = {f"{chart.id}.tex": whole, **dict(chart.copies)}
    for strip in chart.strips:
        image = b64encode(_panel(dict(chart.copies)[f"{strip.id}-{WHOLE}.png"])).decode()
        svg = _html().get_template("whole.svg").render(strip=strip, image=image)
        files[f"{strip.id}-{WHOLE}.svg"] = svg
    for plot in chart.drawn:
        files[f"{plot.id}.svg"] = _html().get_template("plot.svg").render(plot=plot)
        files[f"{plot.id}-picture.tex"] = _tex().get_template("picture.tex").render(plot=plot)
    return files


def _panel(path: Path) -> bytes:
    """Returns a file of a drawing.

    Raises:
        Refused: If it is gone.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused(f"{path}: no such file; remove its folder and run `acutance draw`") from None


def gather(study: Study, root: Path, command: str) -> Page:
    """Reads everything that a report shows.

    Raises:
        Refused: If a file is missing or damaged.
    """
    made = origins(study, root)
    calibration = root / paths.CALIBRATION.format(study=study.name)
    numbers = ("printed", "measured")
    rows = read_rows(calibration, CALIBRATION, numbers) if calibration.is_file() else ()
    return Page(
        study=study,
        chapters=tuple(
            _chapter(study, published.read(root / paths.PUBLISHED / name), root, made)
            for name in dict.fromkeys(track.paper for track in study.tracks)
        ),
        origins=made,
        calibration=calibrated([row for _, row in rows]),
        command=command,
        version=__version__,
    )


def _chapter(study: Study, paper: Paper, root: Path, made: Mapping[str, Origin]) -> Chapter:
    tracks = tuple(track for track in study.tracks if track.paper == paper.name)
    names = list(dict.fromkeys(table for track in tracks for table in track.tables))
    where = {"study": study.name, "paper": paper.name}
    rows = {t: _read(root, paths.TABLE.format(**where, table=t), *TABLE) for t in names}
    claims = _read(root, paths.CLAIMS.format(**where), *CLAIMS)
    drawn = _read(root, paths.FIGURES.format(**where), points.HEAD, ("x", "y"))
    shown = _read(root, paths.SHOWN.format(**where), points.SHOWN, ("value",))
    sizes = []
    if any(track.sizes for track in tracks):
        sizes = _read(root, paths.SIZES.format(**where), counted.MATCHES, ("printed", "shown"))
    every = [row for each in rows.values() for row in each]
    if not {run for row in every for run in row["runs"].split(";") if run} <= set(made):
        place = f"results/tables/{study.name}/{paper.name}"
        raise Refused(f"{place}: made of other parameters; run `acutance tabulate` first")
    better = {column: _better(call.function) for t in tracks for column, call in t.metrics}
    labels = {track.name: short(track.name, paper) for track in tracks}
    grids, below = [], {}
    for table in names:
        own = tuple(track for track in tracks if table in track.tables)
        grid = replace(
            lay_out(paper, table, rows[table], own, better),
            sizes=tuple(counted.notes(paper, table, sizes, labels, study.conventions)),
            sized=counted.heading(paper, table, sizes),
        )
        by_track = {t.name: [r for r in rows[table] if r["track"] == t.name] for t in own}
        grids.append(grid)
        below[grid.id] = tuple(
            colophon(paper, t, labels[t.name], by_track[t.name], made) for t in own
        )
    parts = (_part(paper, t, [r for r in every if r["track"] == t.name], made) for t in tracks)
    return Chapter(
        paper=paper,
        parts=tuple(parts),
        grids=tuple(grids),
        charts=_in_order(
            paper, (*charts(paper, tracks, drawn), *galleries(paper, tracks, shown, root))
        ),
        made=below,
        claims=judged(paper, claims, labels),
    )


def _in_order(paper: Paper, found: Sequence[Chart]) -> tuple[Chart, ...]:
    by_id = {chart.id: chart for chart in found}
    return tuple(by_id[f"{paper.name}-{name}"] for name in paper.figures)


def _part(paper: Paper, track: Track, rows: Sequence[Row], made: Mapping[str, Origin]) -> Part:
    label = short(track.name, paper)
    return Part(track=track, label=label, summary=summarise(paper, track, rows, made))


def _read(
    root: Path, name: str, head: str, numbers: Sequence[str] = (), counts: Sequence[str] = ()
) -> list[Row]:
    if not (root / name).is_file():
        raise Refused(f"{name}: no such file; run `acutance tabulate` first")
    return [row for _, row in read_rows(root / name, head, numbers, counts)]


def _better(function: str) -> str:
    return str(noun("metrics", function).constants["BETTER"])


def _html() -> jinja2.Environment:
    """Returns the environment of the HTML template: autoescape escapes everything."""
    return _environment(jinja2.Environment(autoescape=True, loader=_LOADER))


def _markdown() -> jinja2.Environment:
    """Returns the environment of the Markdown template: `finalize` escapes everything."""
    return _environment(
        jinja2.Environment(finalize=markdown, loader=_LOADER)  # noqa: S701
    )


def _tex() -> jinja2.Environment:
    """Returns the environment of the LaTeX templates: `finalize` escapes everything.

    LaTeX has its own use for braces, so `<<` and `<%` stand for `{{` and `{%`.
    """
    return _markdown().overlay(
        finalize=tex,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )


def _environment(made: jinja2.Environment) -> jinja2.Environment:
    made.undefined = jinja2.StrictUndefined
    made.trim_blocks = made.lstrip_blocks = made.keep_trailing_newline = True
    made.filters |= {"signed": signed, "raw": Raw}
    return made
