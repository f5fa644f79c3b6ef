"""Rectangles that an image is cut into where a network cannot take it whole; geometry alone."""

from collections.abc import Iterator
from dataclasses import dataclass

LEAST = 32  # sides of what is kept of a tile, in pixels: below, most of the work is context


@dataclass(frozen=True, kw_only=True)
class Span:
    """Some pixels in a row or a column, and those around them that are read too.

    Attributes:
        begin: First pixel that is kept.
        end: One past the last that is kept.
        start: First pixel that is read, at most `begin`.
        stop: One past the last that is read, at least `end`.
    """

    begin: int
    end: int
    start: int
    stop: int

    @property
    def read(self) -> slice:
        """What is read, in the image."""
        return slice(self.start, self.stop)

    def kept(self, scale: int) -> slice:
        """What is kept, in the enlarged image."""
        return slice(scale * self.begin, scale * self.end)

    def inside(self, scale: int) -> slice:
        """What is kept, in the enlargement of what was read."""
        return slice(scale * (self.begin - self.start), scale * (self.end - self.start))


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A rectangle."""

    rows: Span
    columns: Span


def tiles(height: int, width: int, *, most: int, context: int, grid: int = 1) -> tuple[Tile, ...]:
    """Cuts an image into the fewest tiles of which none reads more than `most` pixels.

    What tiles keep covers the image once. Each reads `context` pixels more on every side, rounded
    up to the grid, unless the image ends there. No tile keeps less than `LEAST` pixels a side; if
    that is too much still, tiles read as little as they then can.

    Args:
        height: Of the image in pixels.
        width: Of the image in pixels.
        most: Pixels that one tile may read.
        context: How far a kept pixel depends on others.
        grid: Tiles start at multiples of so many pixels.

    >>> len(tiles(100, 100, most=10000, context=9)), len(tiles(100, 100, most=9999, context=9))
    (1, 2)
    """
    rows, columns = _fewest(height, width, most, context, grid)
    return tuple(
        Tile(rows=down, columns=along)
        for down in _spans(height, rows, context, grid)
        for along in _spans(width, columns, context, grid)
    )


def _fewest(height: int, width: int, most: int, context: int, grid: int) -> tuple[int, int]:
    """Returns how many tiles stand above and beside one another; of equals, the squarest."""
    least = -(-LEAST // grid)
    tall, wide = (
        [_longest(size, n + 1, context, grid) for n in range(max(1, size // grid // least))]
        for size in (height, width)
    )
    fitting = []
    for rows, down in enumerate(tall, start=1):
        columns = next((n for n, along in enumerate(wide, start=1) if down * along <= most), None)
        if columns is not None:
            fitting.append((rows * columns, down * wide[columns - 1], rows, columns))
    if not fitting:
        return tall.index(min(tall)) + 1, wide.index(min(wide)) + 1
    _, _, rows, columns = min(fitting)
    return rows, columns


def _longest(size: int, count: int, context: int, grid: int) -> int:
    """Returns the most pixels that one of `count` spans may read."""
    kept = -(-size // grid // count) * grid
    return min(size, kept + min(count - 1, 2) * _around(context, grid))


def _spans(size: int, count: int, context: int, grid: int) -> Iterator[Span]:
    """Yields `count` spans of almost one length that together keep [0, size)."""
    cells, around = -(-size // grid), _around(context, grid)
    for number in range(count):
        begin, end = (cells * n // count * grid for n in (number, number + 1))
        yield Span(
            begin=begin,
            end=min(size, end),
            start=max(0, begin - around),
            stop=min(size, end + around),
        )


def _around(context: int, grid: int) -> int:
    return -(-context // grid) * grid
