"""Panels of images as every format of a report shows them: files, labels, words, scores."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from acutance.drawings import WHOLE, Drawing
from acutance.figures import HR, LR
from acutance.grid import short
from acutance.protocols import worded
from acutance.published import Paper
from acutance.resolve import noun
from acutance.sheet import rounded
from acutance.sizes import titled
from acutance.spec import Track

Row = Mapping[str, str]
Fact = tuple[str, str]
DIGITS = 4  # after the point, however many the paper prints
MAPS = (
    "sqrt(v² + h²) of each channel, v the pixel below minus the pixel above, h the right minus the "
    "left; mean over the box"
)
VARIANCES = (
    "of Sobel’s maps of the grey image in [0, 1], across plus down, in patches of {0} × {0} "
    "pixels: what the loss compares in training"
)
ORIGINALS = {HR: "HR", LR: "LR"}


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One panel.

    Attributes:
        label: Whose image.
        file: Beside the page; empty where there is none.
        words: What it shows, for those who do not see it.
        lines: What is measured, a number each.
        reason: Why there is no image.
    """

    label: str
    file: str
    words: str
    lines: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Strip:
    """An image with the place that is shown of it, and that place in every panel.

    Attributes:
        id: Of its files and of its parts on a page.
        track: Whose it is, as a report calls it.
        title: Which image: `Set14, baboon, ×4`.
        width: Of the image, in pixels.
        height: Of the image.
        x: Of the box that is shown, from the left.
        y: Of the box, from above.
        across: Width of the box.
        down: Height of the box.
        times: How many times it is enlarged.
        range: What black and white mean in a gradient map; empty for images.
        shots: The panels.
    """

    id: str
    track: str
    title: str
    width: int
    height: int
    x: int
    y: int
    across: int
    down: int
    times: int
    range: str
    shots: tuple[Shot, ...]

    @property
    def words(self) -> str:
        """Its overview in words."""
        place = f"{self.x} from the left and {self.y} from above"
        box = f"a box of {self.across} × {self.down} pixels, {place}"
        return f"{self.title}: the original, {self.width} × {self.height} pixels; in it {box}."

    @property
    def side(self) -> tuple[int, int]:
        """Width and height of a panel."""
        return self.across * self.times, self.down * self.times


@dataclass(frozen=True, kw_only=True)
class Framer:
    """Makes the strips of one figure of one track."""

    paper: Paper
    track: Track
    drawing: Drawing
    many: bool  # whether the study has several tracks of the paper

    @property
    def id(self) -> str:
        """Of the figure's files: paper, figure, track where there are several."""
        end = f"-{self.track_label}" if self.many else ""
        return f"{self.paper.name}-{self.drawing.figure.name}{end}"

    @property
    def track_label(self) -> str:
        """What a report calls the track."""
        return short(self.track.name, self.paper)

    def strips(self, rows: Sequence[Row], scores: Sequence[Row]) -> Iterator[Strip]:
        """Yields a strip for each image.

        Args:
            rows: The drawing's index.
            scores: Of the paper's panels.csv, as tabulated.
        """
        scenes = groupby(rows, key=lambda row: (row["dataset"], row["image"]))
        for number, ((dataset, image), panels) in enumerate(scenes, start=1):
            by_panel = {row["panel"]: row for row in panels}
            own = [r for r in scores if (r["dataset"], r["image"]) == (dataset, image)]
            yield self._strip(number, by_panel, own)

    def copies(self, rows: Sequence[Row], folder: Path) -> Iterator[tuple[str, Path]]:
        """Yields the files that a page needs beside it: name, and where it comes from."""
        for row in rows:
            if row["file"]:
                yield f"{self.id}-{row['file']}", folder / row["file"]

    def title(self, dataset: str, image: str) -> str:
        """Returns what an image is called: `Set14, baboon, ×4`."""
        return f"{self.paper.label('dataset', dataset)}, {image}, ×{self.drawing.scale}"

    def label(self, panel: str) -> str:
        """Returns what a panel is called."""
        return ORIGINALS.get(panel) or self.paper.label("system", panel)

    def named(self, systems: Sequence[str]) -> str:
        """Returns systems as a list in words."""
        labels = [self.label(system) for system in systems]
        return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))

    def facts(self, strips: Sequence[Strip]) -> Iterator[Fact]:
        """Yields how images and places were chosen, and how the numbers below are measured."""
        differ, figure = self.drawing.differ, self.drawing.figure
        among = self.named(differ) if len(differ) > 1 else f"{self.named(differ)} and the original"
        what = "where" if figure.box else "in which"
        if not self.drawing.images:
            sets = ", ".join(self.paper.label("dataset", d.name) for d in self.drawing.datasets)
            yield "images", f"of {sets}, those {what} {among} differ most"
        if figure.box:
            square = f"the square of {figure.box} HR pixels, on a grid of {self.drawing.scale}"
            rule = f"{square}, with the greatest variance of their luma in 8 bits"
            yield "boxes", f"where {among} differ most: {rule}"
        if figure.kind == "maps":
            yield "maps", MAPS
        if figure.kind == "variances":
            yield "variances", VARIANCES.format(self.drawing.patch)
        if figure.box:
            times = ", ".join(str(t) for t in dict.fromkeys(strip.times for strip in strips))
            yield "pixels", f"as stored, in 8 bits, {times} times as large, not interpolated"
        if figure.kind == "crops":
            tests = [each for _, each in self.drawing.tests]
            for column, protocol in self.track.metrics:
                calls = (m for e in tests for m in e.metrics if m.name == protocol.name)
                call = next(calls, protocol)
                yield titled(column), f"{call.name} ({worded(call)}), of the whole image"
        seeds = {each.run.seed for _, each in self.drawing.tests if each.run.trained}
        if seeds:
            yield "seed", ", ".join(map(str, sorted(seeds)))

    def _strip(self, number: int, rows: Mapping[str, Row], scores: Sequence[Row]) -> Strip:
        first = rows[WHOLE]
        drawn = [row for panel, row in rows.items() if row["times"] and panel != LR]
        top = next((row["top"] for row in drawn), "")
        sizes = ("width", "height", "x", "y", "across", "down")
        title = self.title(first["dataset"], first["image"])
        return Strip(
            id=f"{self.id}-{number}",
            track=self.track_label,
            title=title,
            **{name: int(first[name]) for name in sizes},
            times=max(int(row["times"]) for row in drawn),
            range=f"black is 0, white {top} of the image’s range or more" if top else "",
            shots=tuple(self._shot(p, rows.get(p), title, scores) for p in self.drawing.panels),
        )

    def _shot(self, panel: str, row: Row | None, title: str, scores: Sequence[Row]) -> Shot:
        label = self.label(panel)
        if row is None or not row["file"]:
            reason = dict(self.drawing.missing).get(panel, "not tested on this set")
            reason = reason.partition(" is ")[2] or reason if row is None else row["reason"]
            return Shot(label=label, file="", words="", lines=(), reason=reason)
        what = "gradient map" if self.drawing.figure.kind == "maps" else "part"
        lines = [self._line(r) for r in scores if r["system"] == panel and r["value"]]
        if row["mean"]:
            lines = [f"mean {rounded(float(row['mean']), 4)}"]
        return Shot(
            label=label,
            file=f"{self.id}-{row['file']}",
            words=f"{title}, {label}: {what} in the box",
            lines=tuple(lines),
            reason="",
        )

    def _line(self, row: Row) -> str:
        metric = row["metric"]
        sheets = [t for t in self.paper.tables.values() if metric in t.order("metric")]
        digits = min(max((t.decimals(metric) for t in sheets), default=3), DIGITS)
        protocol = dict(self.track.metrics)[metric]
        unit = str(noun("metrics", protocol.function).constants["UNIT"])
        number = rounded(float(row["value"]), digits)
        return f"{titled(metric)} {number}{f' {unit}' if unit not in ('', '1') else ''}"
