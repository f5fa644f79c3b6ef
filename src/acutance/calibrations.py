"""Which printed bicubic rows calibrate which protocol: `calibrations` of params.yaml, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from acutance import entries, params, paths, published, resolve
from acutance.book import Book, known_keys, word
from acutance.calls import Call
from acutance.datasets import datasets
from acutance.errors import Refused, nearest
from acutance.sets import Dataset

_KEYS = ("paper", "cells", "table", "system", "chain", "metrics", "datasets", "scales")


@dataclass(frozen=True, kw_only=True)
class Chain:
    """How a paper made its bicubic images: shrunk and enlarged by MATLAB's `imresize`.

    Attributes:
        channel: "y": the 8-bit luma plane is resized; "rgb": all three channels are.
        lr: Whether the small image is rounded to 8 bits before it is enlarged: once, not after
            each pass as `imresize` of a uint8 array does (up to 0.004 dB less, on Set5).
        clip: "studio": the result is clipped to 16-235 as `ycbcr2rgb` does; "none": to 0-255.
        grey: A grey picture stays one full-range plane, or counts as three equal channels.
    """

    channel: Literal["y", "rgb"]
    lr: Literal["double", "uint8"]
    clip: Literal["studio", "none"]
    grey: Literal["keep", "rgb"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One printed cell, and the metric that should meet it."""

    cell: published.Cell
    metric: Call


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """One paper's bicubic row."""

    name: str
    chain: Chain
    datasets: tuple[Dataset, ...]
    targets: tuple[Target, ...]

    def at(self, dataset: str, scale: int) -> tuple[Target, ...]:
        """Returns what is to be met on one data set at one scale."""
        return tuple(t for t in self.targets if (t.cell.dataset, t.cell.scale) == (dataset, scale))

    @property
    def scales(self) -> tuple[int, ...]:
        """The scales of its cells, each once."""
        return tuple(dict.fromkeys(t.cell.scale for t in self.targets))


def read(book: Book) -> tuple[Calibration, ...]:
    """Returns every calibration of params.yaml, checked against what the papers printed.

    Raises:
        Refused: At the first mistake: place, problem, what was found, nearest valid name.
    """
    section = book.section("calibrations")
    return tuple(_calibration(book, name, f"calibrations.{name}") for name in section)


def _calibration(book: Book, name: str, place: str) -> Calibration:
    entry = book.entry("calibrations", name, "calibrations")
    known_keys(entry, _KEYS, place)
    given = params.mapping(entry.get("chain"), f"{place}.chain")
    chain: dict[str, Any] = resolve.check(
        resolve.fields(Chain), given, what="a chain", scale=2, place=f"{place}.chain"
    )
    return Calibration(
        name=name,
        chain=Chain(**chain),
        datasets=datasets(book, entry, place),
        targets=tuple(_targets(book, entry, _row(book, entry, place), place)),
    )


def _row(book: Book, entry: Mapping[str, Any], place: str) -> tuple[published.Cell, ...]:
    """Returns the printed cells of the row: paper, file of its folder, table and system."""
    known = [path.parent.name for path in (book.root / paths.PUBLISHED).glob("*/cells.csv")]
    paper = word(entry, "paper", None, place)
    if paper not in known:
        raise Refused(f"{place}.paper: no paper '{paper}'{nearest(paper, known)}")
    folder = book.root / paths.PUBLISHED / paper
    cells = word(entry, "cells", "cells.csv", place)
    files = [path.name for path in folder.glob("*.csv")]
    if cells not in files:
        raise Refused(f"{place}.cells: {paper} has no '{cells}'{nearest(cells, files)}")
    found = published.read_cells(folder / cells)
    for axis in ("table", "system"):
        wanted = word(entry, axis, None, place)
        offered = {str(getattr(cell, axis)) for cell in found}
        found = tuple(cell for cell in found if getattr(cell, axis) == wanted)
        if not found:
            raise Refused(f"{place}.{axis}: {paper} has no '{wanted}'{nearest(wanted, offered)}")
    return found


def _targets(
    book: Book, entry: Mapping[str, Any], row: tuple[published.Cell, ...], place: str
) -> Iterator[Target]:
    """Yields the cells that the entry's metrics, data sets and scales pick out of a printed row."""
    metrics = params.mapping(entry.get("metrics"), f"{place}.metrics")
    printed = {(cell.dataset, cell.scale, cell.metric): cell for cell in row}
    for column, name in metrics.items():
        book.check("metrics", name, f"{place}.metrics.{column}")
        metric = entries.call(book, "metrics", name, scale=2)
        entries.check_unit(metric, (c for c in row if c.metric == column), f"{place}.metrics")
    for scale in params.listing(entry.get("scales"), f"{place}.scales", int):
        for dataset in params.listing(entry.get("datasets"), f"{place}.datasets", str):
            for column, name in metrics.items():
                cell = printed.get((dataset, scale, column))
                if cell is None:
                    what = f"the printed row has no {column} of {dataset} at x{scale}"
                    raise Refused(f"{place}: {what}; leave it out")
                yield Target(cell=cell, metric=entries.call(book, "metrics", name, scale=scale))
