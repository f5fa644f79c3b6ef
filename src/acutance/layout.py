"""Lays a tabulated table out as the paper prints it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import count

from acutance.blanks import Blanks
from acutance.grid import PRINT, Block, Box, Grid, Group, Line, Number, short, signed
from acutance.published import Paper, Table
from acutance.sheet import outside, rounded, systems
from acutance.sizes import WORDS as SIZES
from acutance.spec import Track

Row = Mapping[str, str]
# Why an empty cell of a system is empty that has other scales
_ELSEWHERE = re.compile(r" is not (run|declared) at scale ")


def lay_out(
    paper: Paper, table: str, rows: Sequence[Row], tracks: tuple[Track, ...], better: Row
) -> Grid:
    """Lays the rows of a table's CSV file out as the paper prints the table.

    Args:
        paper: The paper.
        table: The table's name.
        rows: As `tabulate` wrote them, all tracks.
        tracks: The study's tracks that have this table.
        better: `higher`, `lower` or `neither` for each metric of the paper.
    """
    sheet = paper.tables[table]
    layout = sheet.layout
    printer = _Printer(paper, sheet, rows, [track.name for track in tracks], better)
    blocks = tuple(printer.block(where) for where in printer.order(printer.apart))
    used = {axis for _, axis in (*layout.rows, *layout.columns)}
    added = {system for track in tracks for system in systems(paper, sheet, track)}
    added -= set(sheet.order("system"))
    return Grid(
        id=f"{paper.name}-{table}",
        label=layout.label,
        title=layout.title,
        heads=tuple(head for head, _ in layout.rows),
        columns=tuple(printer.label(printer.across, at) for at in printer.columns),
        inside="" if "metric" in used else " / ".join(printer.inside),
        ours=tuple(sorted(paper.label("system", system, table) for system in added)),
        blocks=blocks,
        tracked=any(len(group.lines) > 1 for block in blocks for group in block.groups),
        footnotes=printer.blanks.notes,
        notes=layout.notes,
        outside=outside(paper, sheet, tracks),
    )


class _Printer:
    """Lays out one table; `blanks` gathers the reasons for empty cells."""

    def __init__(
        self, paper: Paper, sheet: Table, rows: Sequence[Row], names: list[str], better: Row
    ) -> None:
        layout = sheet.layout
        self.paper, self.sheet, self.rows, self.names = paper, sheet, rows, names
        self.down = [axis for _, axis in layout.rows]
        self.across = [axis for _, axis in layout.columns]
        used = {*self.down, *self.across, *(("dataset",) * ("measure" in self.across))}
        self.apart = [axis for axis in ("dataset", "scale", "system") if axis not in used]
        self.columns = _sorted(self.order(self.across), sheet.across)
        self.blanks = Blanks()
        self._ids = count(1)
        self.best = self._best(better)

    def order(self, axes: list[str], rows: Sequence[Row] | None = None) -> list[tuple[str, ...]]:
        """Returns the places along some axes, in the order of the rows."""
        return list(dict.fromkeys(_at(row, axes) for row in (self.rows if rows is None else rows)))

    @property
    def inside(self) -> list[str]:
        """What stands in one cell: the metrics of a test set."""
        return list(dict.fromkeys(c.metric.upper() for c in self.sheet.cells if c.dataset))

    def label(self, axes: list[str], at: tuple[str, ...]) -> str:
        """Returns the words for a place: `Set5 ×2`."""
        return " ".join(filter(None, (text for _, text in self.heads(axes, at, sign="×"))))

    def heads(
        self, axes: list[str], at: tuple[str, ...], sign: str = ""
    ) -> tuple[tuple[str, str], ...]:
        """Returns (axis, label) along some axes; `sign` stands before a scale."""
        table = self.sheet.layout.table
        labels = [
            (a, self.paper.label(a, v, table) + (f", {self.sheet.unit(v)}" if v in SIZES else ""))
            for a, v in zip(axes, at, strict=True)
        ]
        return tuple((axis, (sign if axis == "scale" else "") + text) for axis, text in labels)

    def block(self, where: tuple[str, ...]) -> Block:
        """Returns the rows of one block."""
        own = [row for row in self.rows if _at(row, self.apart) == where]
        groups = [self.group(rows, at) for at, rows in self.grouped(own)]
        return Block(caption=self.label(self.apart, where), groups=tuple(groups))

    def grouped(self, rows: Sequence[Row]) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
        """Yields the table's rows with their cells.

        What the paper does not print has no row at a scale at which the study does not run it.
        """
        printed = self.sheet.order("system")
        for at in self.order(self.down, rows):
            own = [row for row in rows if _at(row, self.down) == at]
            if any(r["system"] in printed or not _ELSEWHERE.search(r["reason"]) for r in own):
                yield at, own

    def group(self, own: Sequence[Row], at: tuple[str, ...]) -> Group:
        """Returns the lines of one printed row: one per track that has it, then the print."""
        lines = []
        for name in self.names:
            if any(row["track"] == name for row in own):
                boxes = [self.box(self.cell(own, name, column)) for column in self.columns]
                label = short(name, self.paper)
                who = f"rebuilt, {label}" if len(self.names) > 1 else "rebuilt"
                lines.append(Line(name=name, label=label, who=who, boxes=tuple(boxes)))
        if any(row["printed"] for row in own):
            first = next(row["track"] for row in own if row["printed"])
            boxes = [self.print_box(self.cell(own, first, column)) for column in self.columns]
            lines.append(Line(name=PRINT, label=PRINT, who="printed", boxes=tuple(boxes)))
        return Group(heads=self.heads(self.down, at), lines=tuple(lines))

    def cell(self, rows: Sequence[Row], track: str, column: tuple[str, ...]) -> list[Row]:
        """Returns the rows of one cell: one for each metric that stands in it."""
        return [r for r in rows if r["track"] == track and _at(r, self.across) == column]

    def box(self, rows: list[Row]) -> Box:
        """Returns a rebuilt cell, or why it is empty."""
        numbers = tuple(
            Number(
                metric=row["metric"],
                text=self.text(row),
                difference=signed(row["difference"]),
                best=self.is_best(row, "rebuilt", self.text(row)),
            )
            for row in rows
        )
        reason = "; ".join(dict.fromkeys(row["reason"] for row in rows if row["reason"]))
        note = self.blanks.note(reason)
        return Box(id=self.fresh(), numbers=numbers, reason=reason, note=note, rows=tuple(rows))

    def print_box(self, rows: list[Row]) -> Box:
        """Returns a printed cell."""
        numbers = tuple(
            Number(
                metric=row["metric"],
                text=row["printed"],
                best=self.is_best(row, "printed", row["printed"]),
            )
            for row in rows
        )
        return Box(id=self.fresh(), numbers=numbers)

    def fresh(self) -> str:
        """Returns an identifier that no other box of the page has."""
        return f"{self.paper.name}-{self.sheet.layout.table}-{next(self._ids)}"

    def text(self, row: Row) -> str:
        """Returns the rebuilt number with as many digits as the paper prints."""
        if not row["rebuilt"]:
            return ""
        printed = row["printed"]
        digits = len(printed.partition(".")[2]) if printed else self.sheet.decimals(row["metric"])
        return rounded(float(row["rebuilt"]), digits)

    def is_best(self, row: Row, field: str, text: str) -> bool:
        """Returns whether a number is the best of its row or column."""
        return bool(text) and self.best.get(self._rivals(row, field)) == Decimal(text)

    def _rivals(self, row: Row, field: str) -> tuple[object, ...]:
        along = {"row": self.down, "column": self.across, "scale": ["scale", *self.across]}.get(
            self.sheet.layout.best, []
        )
        track = row["track"] if field == "rebuilt" else ""
        return (field, track, row["metric"], _at(row, self.apart), _at(row, along))

    def _best(self, better: Row) -> dict[tuple[object, ...], Decimal]:
        """Returns the best number of each row or column in which two or more stand."""
        found: dict[tuple[object, ...], dict[str, Decimal]] = {}
        if self.sheet.layout.best == "none":
            return {}
        for row in self.rows:
            for field, text in (("rebuilt", self.text(row)), ("printed", row["printed"])):
                if text and better.get(row["metric"]) in ("higher", "lower"):
                    rivals = found.setdefault((*self._rivals(row, field),), {})
                    rivals[row["system"]] = Decimal(text)
        return {
            key: (max if better[str(key[2])] == "higher" else min)(rivals.values())
            for key, rivals in found.items()
            if len(rivals) > 1
        }


def _at(row: Row, axes: Iterable[str]) -> tuple[str, ...]:
    seen = {**row, "measure": row["dataset"] or row["metric"]}
    return tuple(seen[axis] for axis in axes)


def _sorted(
    found: Sequence[tuple[str, ...]], printed: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Returns places with those that are printed in printed order, the others where they were."""
    ordered = iter(sorted((at for at in found if at in printed), key=printed.index))
    return [next(ordered) if at in printed else at for at in found]
