"""A table as every format of a report shows it: numbers, lines, rows, with their words."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from acutance.blanks import word
from acutance.published import Paper

PRINT = "print"
Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Number:
    """One metric of one cell, as text; empty where there is none."""

    metric: str
    text: str
    difference: str = ""
    best: bool = False


@dataclass(frozen=True, kw_only=True)
class Box:
    """A cell of one line: its numbers, why it is empty, and the rows it was made of."""

    id: str
    numbers: tuple[Number, ...]
    reason: str = ""
    note: int = 0
    rows: tuple[Row, ...] = ()

    @property
    def filled(self) -> bool:
        """Whether there is a number to show."""
        return any(number.text for number in self.numbers)

    @property
    def word(self) -> str:
        """What stands in it where it is empty: `not trained`."""
        return word(self.reason)

    @property
    def compared(self) -> bool:
        """Whether there is a printed number to compare with."""
        return any(number.difference for number in self.numbers)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A track's numbers, or the printed ones, of one row of the paper's table.

    `who` says which: `rebuilt`, `rebuilt, stated` where there are several tracks, `printed`.
    """

    name: str
    label: str
    who: str
    boxes: tuple[Box, ...]

    @property
    def printed(self) -> bool:
        """Whether these are the paper's numbers."""
        return self.name == PRINT


@dataclass(frozen=True, kw_only=True)
class Group:
    """A row of the paper's table: its heads (axis, label), one line per track, the print last."""

    heads: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """Its heads in one: `Set5 ×2`."""
        return " ".join(f"×{text}" if axis == "scale" else text for axis, text in self.heads)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows that share what the table's own axes do not say; `caption` says it, or is empty."""

    caption: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table as every format shows it.

    Attributes:
        id: Paper and table: `gv-table1`.
        label: As the paper numbers it.
        title: What it shows.
        heads: Of the columns that name a row.
        columns: Label of each column of numbers, in order.
        inside: What stands in each cell where it is more than one number: `PSNR / SSIM`.
        ours: Labels of the columns and rows that the paper does not print.
        blocks: The rows.
        tracked: Whether a column must say which track a line belongs to.
        footnotes: Why cells are empty; a box's `note` counts from 1.
        notes: What to know beside the table.
        outside: Printed rows whose data set is not in the study.
        sizes: Which conventions meet the printed sizes of networks, one note each.
        sized: What these notes are headed with.
    """

    id: str
    label: str
    title: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    inside: str
    ours: tuple[str, ...]
    blocks: tuple[Block, ...]
    tracked: bool
    footnotes: tuple[str, ...]
    notes: tuple[str, ...]
    outside: tuple[str, ...]
    sizes: tuple[str, ...] = ()
    sized: str = ""

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All boxes, row by row."""
        lines = (line for block in self.blocks for group in block.groups for line in group.lines)
        return tuple(box for line in lines for box in line.boxes)

    @property
    def marked(self) -> bool:
        """Whether any number is marked as the best."""
        return any(number.best for box in self.boxes for number in box.numbers)

    @property
    def widths(self) -> tuple[int, int]:
        """Letters across the names of the rows, and across their longest word; 22 at most.

        Where a row has several lines, a name may be broken between words.
        """
        names = [group.name for block in self.blocks for group in block.groups]
        words = [each for name in (*names, " / ".join(self.heads)) for each in name.split()]
        word = min(max(map(len, words), default=0), 22)
        name = min(max(map(len, names), default=0), max(word, 9) if self.tracked else 22)
        return name, word

    @property
    def fits(self) -> bool:
        """Whether a page of 80 rem shows it whole: an estimate in rem, for a wide font."""
        widths = [0.66 * len(column) + 1 for column in self.columns]
        for block in self.blocks:
            for group in block.groups:
                for line in group.lines:
                    for at, box in enumerate(line.boxes):
                        text = " / ".join(number.text for number in box.numbers)
                        widths[at] = max(widths[at], 0.51 * len(text) + 1)
        return 0.66 * self.widths[0] + 1.4 + (8 if self.tracked else 0) + sum(widths) < 74


def short(track: str, paper: Paper) -> str:
    """Returns what a track is called among those of its paper: `stated` for `gv-stated`."""
    return track.removeprefix(f"{paper.name}-")


def signed(difference: str) -> str:
    """Returns a difference with its sign, as typeset.

    >>> signed("0.12"), signed("-0.05"), signed("0.00")
    ('+0.12', '−0.05', '0.00')
    """
    if not difference or Decimal(difference) == 0:
        return difference
    return difference.replace("-", "−") if difference.startswith("-") else f"+{difference}"
