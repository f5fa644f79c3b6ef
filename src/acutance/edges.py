"""An edge in one dimension, as it is and as two reconstructions have it, and their gradients.

Computed, not measured: why a smooth and a sharp reconstruction are told apart by gradients.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from acutance.axes import Axis, Tick, fitted
from acutance.curves import BOTTOM, LEFT, LETTER, RIGHT, TOP
from acutance.figures import Edge

PIXELS = range(-12, 13)
SIGNALS = {"original": 0.0, "smooth": 3.0, "sharp": 0.8}  # blurred by a Gaussian of so many pixels


@dataclass(frozen=True, kw_only=True)
class Line:
    """One signal: label, kind of line, where its entry of the legend begins, places."""

    label: str
    style: int
    at: int
    line: tuple[tuple[str, str], ...]

    @property
    def marks(self) -> tuple[()]:
        """No marks: a signal is its line."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Signals:
    """One panel; the attributes of a plot."""

    id: str
    title: str
    words: str
    x: str
    y: str
    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]
    series: tuple[Line, ...]
    track: str = ""
    zero: str = ""
    missing: str = ""


def signals(paper: str, figure: Edge) -> Iterator[Signals]:
    """Yields the edge, then how steep it is.

    Args:
        paper: Its name, for the names of files.
        figure: As the layout declares it.
    """
    values = {label: [edge(x, width) for x in PIXELS] for label, width in SIGNALS.items()}
    steep = {label: gradients(each) for label, each in values.items()}
    yield _panel(f"{paper}-{figure.name}-1", "The edge", "Brightness", values)
    yield _panel(f"{paper}-{figure.name}-2", "Its gradient magnitude", "|right − left|", steep)


def edge(x: float, width: float) -> float:
    """Returns a step from 0 to 1 before pixel 0, blurred by a Gaussian.

    >>> edge(-1, 0), edge(0, 0), edge(-0.5, 2.0)
    (0.0, 1.0, 0.5)
    """
    if width == 0:
        return float(x >= 0)
    return (1 + math.erf((x + 0.5) / (width * math.sqrt(2)))) / 2


def gradients(values: Sequence[float]) -> list[float]:
    """Returns the magnitude of [-1, 0, 1] at each pixel; the border is repeated.

    >>> gradients([0, 0, 1, 1])
    [0, 1, 1, 0]
    """
    padded = [values[0], *values, values[-1]]
    return [abs(right - left) for left, right in zip(padded, padded[2:], strict=False)]


def _panel(name: str, title: str, y: str, values: dict[str, list[float]]) -> Signals:
    xs = fitted([PIXELS[0], PIXELS[-1]], LEFT, RIGHT)
    ys = fitted([v for each in values.values() for v in each], BOTTOM, TOP)
    tops = ", ".join(f"{label} {max(each):.2f}" for label, each in values.items())
    return Signals(
        id=name,
        title=title,
        words=f"{y} upwards over {len(PIXELS)} pixels across; at most: {tops}.",
        x="Pixel",
        y=y,
        xs=xs.ticks,
        ys=ys.ticks,
        series=tuple(_lines(values, xs, ys)),
    )


def _lines(values: dict[str, list[float]], xs: Axis, ys: Axis) -> Iterator[Line]:
    at = LEFT
    for number, (label, each) in enumerate(values.items(), start=1):
        line = tuple((xs.at(x), ys.at(y)) for x, y in zip(PIXELS, each, strict=True))
        yield Line(label=label, style=number, at=at, line=line)
        at += LETTER * len(label) + 40
