"""A paper's figure of scores as a report shows it: places on paper, words, statistics.

Places are in units of the drawing, 440 wide and 330 high, from its upper left corner, as in SVG.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.axes import Axis, Tick, fitted
from acutance.claims import reasons
from acutance.correlations import pearson, spearman
from acutance.curves import Curves
from acutance.edges import Signals
from acutance.figures import Panel, Scatter
from acutance.grid import short
from acutance.measured import protocol
from acutance.protocols import worded
from acutance.published import Paper
from acutance.resolve import noun
from acutance.sheet import plural, rounded
from acutance.spec import Track
from acutance.strips import Strip

Row = Mapping[str, str]
Fact = tuple[str, str]
LEFT, RIGHT, TOP, BOTTOM = 50, 430, 34, 284
STYLES = 6  # kinds of marks that the templates know
LETTER = 8  # width that the legend leaves for one


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An image: its place, and what it says when it is pointed at."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """The images of one data set.

    Attributes:
        label: Of the data set.
        style: Which kind of mark, from 1.
        at: Where its entry of the legend begins.
        marks: One for each image.
    """

    label: str
    style: int
    at: int
    marks: tuple[Mark, ...]

    @property
    def line(self) -> tuple[()]:
        """No line: an image has no neighbour."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """How two numbers go together over some images: coefficients, `–` where there is none."""

    label: str
    images: int
    spearman: str
    pearson: str


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One panel of one track, drawn.

    Attributes:
        id: Of its file and of its parts on a page.
        track: Whose it is, as a report calls it.
        title: Whose numbers: `Gain of LapSRN + FD over LapSRN, ×4`.
        x: What runs across, with its unit.
        y: What runs upwards.
        xs: Ticks across.
        ys: Ticks upwards.
        zero: Where a gain is zero; empty where that lies outside.
        series: What is drawn.
        correlations: Over all images, then over each data set; of one set alone, once.
        missing: Why images are not there; empty where all are.
    """

    id: str
    track: str
    title: str
    x: str
    y: str
    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]
    zero: str
    series: tuple[Series, ...]
    correlations: tuple[Correlation, ...]
    missing: str

    @property
    def words(self) -> str:
        """The drawing in words, for those who do not see it."""
        whole = self.correlations[0]
        return (
            f"{self.x} across, {self.y} upwards: {plural(whole.images, 'image')}. Spearman’s "
            f"rank correlation is {whole.spearman}, Pearson’s correlation {whole.pearson}."
        )


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure.

    Attributes:
        id: Of its file and of its part of a page.
        label: As the paper numbers it.
        title: What it shows.
        kind: Which kind of figure.
        words: What is to be seen.
        plots: Track by track.
        strips: Track by track, a strip for each image; of figures that show images.
        made: What made the plots of each track: track, (what, how).
        missing: What a track lacks of the figure: track, reason.
        notes: What to know beside it.
        copies: Files that lie beside the page: name, and where it comes from.
    """

    id: str
    label: str
    title: str
    kind: str
    words: str
    plots: tuple[Plot | Curves | Signals, ...]
    strips: tuple[Strip, ...] = ()
    made: tuple[tuple[str, tuple[Fact, ...]], ...]
    missing: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...]
    copies: tuple[tuple[str, Path], ...] = ()

    @property
    def drawn(self) -> tuple[Plot | Curves | Signals, ...]:
        """The plots that have points."""
        return tuple(plot for plot in self.plots if plot.series)


def charts(paper: Paper, tracks: Sequence[Track], rows: Sequence[Row]) -> tuple[Chart, ...]:
    """Returns a paper's figures of scores as a report shows them.

    Args:
        paper: The paper.
        tracks: The study's tracks of this paper.
        rows: Of its figures.csv, as tabulated.
    """
    found = []
    for figure in (each for each in paper.figures.values() if isinstance(each, Scatter)):
        plots, made = [], []
        for track in tracks:
            drawer = _Drawer(paper=paper, track=track, figure=figure)
            many = f"-{short(track.name, paper)}" if len(tracks) > 1 else ""
            for number, panel in enumerate(figure.panels, start=1):
                key = (figure.name, track.name, str(number))
                own = [r for r in rows if (r["figure"], r["track"], r["panel"]) == key]
                plots.append(drawer.plot(f"{paper.name}-{figure.name}{many}-{number}", panel, own))
            mine = [r for r in rows if (r["figure"], r["track"]) == (figure.name, track.name)]
            if any(row["image"] for row in mine):
                made.append((short(track.name, paper), tuple(drawer.facts(mine))))
        chart = Chart(
            id=f"{paper.name}-{figure.name}",
            label=figure.label,
            title=figure.title,
            kind="scatter",
            words="Drawn here from rebuilt scores: a point is an image.",
            plots=tuple(plots),
            made=tuple(made),
            notes=figure.notes,
        )
        found.append(chart)
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _Drawer:
    """Draws one figure from one track's scores."""

    paper: Paper
    track: Track
    figure: Scatter

    def plot(self, name: str, panel: Panel, rows: Sequence[Row]) -> Plot:
        """Returns one panel."""
        points = [row for row in rows if row["image"]]
        xs = fitted([float(row["x"]) for row in points], LEFT, RIGHT)
        ys = fitted([float(row["y"]) for row in points], BOTTOM, TOP)
        x, y = self.measure(self.figure.x), self.measure(self.figure.y)
        title = self.paper.label("system", panel.system)
        if panel.over:
            title = f"Gain of {title} over {self.paper.label('system', panel.over)}"
            y = f"Gain in {y}"
        return Plot(
            id=name,
            track=short(self.track.name, self.paper),
            title=f"{title}, ×{self.figure.scale}",
            x=x,
            y=y,
            xs=xs.ticks,
            ys=ys.ticks,
            zero=ys.at(0.0) if panel.over and ys.low < 0 < ys.high else "",
            series=tuple(_series(points, xs, ys, self.paper)),
            correlations=tuple(_correlations(points, self.paper)),
            missing=reasons(dict.fromkeys(row["reason"] for row in rows if row["reason"])),
        )

    def measure(self, metric: str) -> str:
        """Returns what an axis measures: `PSNR (dB)`."""
        call = protocol(self.track, metric)
        unit = str(noun("metrics", call.function).constants["UNIT"]) if call else ""
        return self.paper.label("metric", metric) + (f" ({unit})" if unit else "")

    def facts(self, rows: Sequence[Row]) -> Iterator[Fact]:
        """Yields how both metrics measure, and the seeds whose mean a point is."""
        scale = self.figure.scale
        here = [m for e in self.track.evaluations if e.run.scale == scale for m in e.metrics]
        for metric in (self.figure.x, self.figure.y):
            named = protocol(self.track, metric)
            call = next((m for m in here if named and m.name == named.name), None)
            if call:
                yield metric, f"{call.name} ({worded(call)})"
        seeds = dict.fromkeys(row["seeds"] for row in rows if row["seeds"])
        if seeds:
            yield "seeds", "; ".join(each.replace(";", ", ") for each in seeds)


def _series(points: Sequence[Row], xs: Axis, ys: Axis, paper: Paper) -> Iterator[Series]:
    at = LEFT
    for number, dataset in enumerate(dict.fromkeys(row["dataset"] for row in points)):
        label = paper.label("dataset", dataset)
        marks = []
        for row in points:
            if row["dataset"] == dataset:
                x, y = float(row["x"]), float(row["y"])
                text = f"{label}, {row['image']}: {_two(x)}; {_two(y)}"
                marks.append(Mark(x=xs.at(x), y=ys.at(y), text=text))
        yield Series(label=label, style=number % STYLES + 1, at=at, marks=tuple(marks))
        at += LETTER * len(label) + 30


def _correlations(points: Sequence[Row], paper: Paper) -> Iterator[Correlation]:
    sets = dict.fromkeys(row["dataset"] for row in points)
    if len(sets) != 1:
        yield _correlation("all images", points)
    for dataset in sets:
        own = [row for row in points if row["dataset"] == dataset]
        yield _correlation(paper.label("dataset", dataset), own)


def _correlation(label: str, rows: Sequence[Row]) -> Correlation:
    x, y = (np.array([float(row[side]) for row in rows]) for side in ("x", "y"))
    texts = []
    for coefficient in (spearman, pearson):
        value = float(coefficient(y, x)[0]) if len(rows) > 2 else np.nan
        texts.append(_two(value) if np.isfinite(value) else "–")
    return Correlation(label=label, images=len(rows), spearman=texts[0], pearson=texts[1])


def _two(value: float) -> str:
    """Returns a number with two digits after the point and a typographic minus."""
    return rounded(value, 2).replace("-", "−")
