"""Variances of gradients, patch by patch, as curves: places on paper, words, a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from acutance.axes import Axis, Decades, Tick
from acutance.figures import HR
from acutance.strips import Framer

Row = Mapping[str, str]
Array = npt.NDArray[np.float64]
LEFT, RIGHT, TOP, BOTTOM = 50, 430, 34, 284
GROUPS = 60  # points of a curve at most
LEAST = 1e-6  # variance that is drawn as the least: of 8-bit pixels, next to none
STYLES = 6  # kinds of lines that the templates know
LETTER = 8  # width that the legend leaves for one


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The variances of one panel.

    Attributes:
        label: Whose.
        style: Which kind of line, from 1.
        at: Where its entry of the legend begins.
        line: Places from left to right.
        mean: Over all patches.
        share: Of the original's mean.
        loss: The gradient variance loss against the original.
    """

    label: str
    style: int
    at: int
    line: tuple[tuple[str, str], ...]
    mean: str
    share: str
    loss: str

    @property
    def marks(self) -> tuple[()]:
        """No marks: a curve is its line."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Curves:
    """One image's variances, drawn; the attributes of a plot.

    Attributes:
        id: Of its file and of its parts on a page.
        track: Whose it is, as a report calls it.
        title: Which image.
        x: What runs across.
        y: What runs upwards.
        xs: Ticks across.
        ys: Ticks upwards.
        zero: Empty: nothing is marked.
        series: What is drawn.
        patches: How many there are.
        missing: Why panels are not there; empty where all are.
    """

    id: str
    track: str
    title: str
    x: str
    y: str
    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]
    zero: str
    series: tuple[Curve, ...]
    patches: int
    missing: str

    @property
    def words(self) -> str:
        """The drawing in words, for those who do not see it."""
        means = ", ".join(f"{each.label} {each.mean} ({each.share})" for each in self.series)
        return (
            f"Variance of gradients upwards, {self.patches:,} patches across in the order of the "
            f"original’s. Means, and their share of the original’s: {means}."
        )


def curves(framer: Framer, rows: Sequence[Row], index: Sequence[Row]) -> Iterator[Curves]:
    """Yields the variances of each image as curves.

    Args:
        framer: Of the figure and the track.
        rows: The drawing's variances.csv.
        index: Its panels.csv.
    """
    absent = dict(framer.drawing.missing) | {r["panel"]: r["reason"] for r in index if r["reason"]}
    for number, (dataset, image) in enumerate(_scenes(index), start=1):
        own = [r for r in rows if (r["dataset"], r["image"]) == (dataset, image)]
        found = {
            panel: np.array(
                [(float(r["across"]), float(r["down"])) for r in own if r["panel"] == panel]
            )
            for panel in dict.fromkeys(r["panel"] for r in own)
        }
        order = np.argsort(found[HR].sum(axis=1), kind="stable")
        groups = np.array_split(order, min(GROUPS, len(order)))
        means = {
            panel: np.array([max(float(each[g].sum(axis=1).mean()), LEAST) for g in groups])
            for panel, each in found.items()
        }
        ys = Decades.fitted([v for each in means.values() for v in each.tolist()], BOTTOM, TOP)
        xs = Axis(low=0, high=103, step=20, start=LEFT, end=RIGHT)
        yield Curves(
            id=f"{framer.id}-{number}",
            track=framer.track_label,
            title=framer.title(dataset, image),
            x="Share of patches, least varied first (%)",
            y=f"Variance in patches of {framer.drawing.patch} × {framer.drawing.patch}",
            xs=xs.ticks,
            ys=ys.ticks,
            zero="",
            series=tuple(_series(framer, found, means, xs, ys)),
            patches=len(order),
            missing="; ".join(dict.fromkeys(_why(framer, *each) for each in absent.items())),
        )


def _series(
    framer: Framer, found: Mapping[str, Array], means: Mapping[str, Array], xs: Axis, ys: Decades
) -> Iterator[Curve]:
    at = LEFT
    for number, (panel, values) in enumerate(found.items(), start=1):
        middles = [(n + 0.5) * 100 / len(means[panel]) for n in range(len(means[panel]))]
        whole, original = float(values.sum(axis=1).mean()), float(found[HR].sum(axis=1).mean())
        loss = float(np.square(values - found[HR]).mean(axis=0).sum())
        label = framer.label(panel)
        yield Curve(
            label=label,
            style=(number - 1) % STYLES + 1,
            at=at,
            line=tuple((xs.at(x), ys.at(y)) for x, y in zip(middles, means[panel], strict=True)),
            mean=f"{whole:.4f}",
            share=f"{whole / original:.0%}" if original else "–",
            loss="–" if panel == HR else f"{loss:.3g}",
        )
        at += LETTER * len(label) + 40


def _scenes(index: Sequence[Row]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["dataset"], row["image"]) for row in index))


def _why(framer: Framer, panel: str, reason: str) -> str:
    return reason if reason.startswith(framer.label(panel)) else f"{framer.label(panel)}: {reason}"
