"""What a study shows of a printed table: which rows and columns, and numbers as text."""

import math
from decimal import Decimal

from acutance.measured import Measured
from acutance.published import Cell, Paper, Table
from acutance.spec import Track

HEAD = (
    "track,row,column,system,variant_of,scale,dataset,metric,protocol,unit,"
    "printed,rebuilt,difference,reason,seeds,runs"
)


def shown(paper: Paper, sheet: Table, measured: Measured) -> list[tuple[str, int]]:
    """Returns the data sets and scales that a track shows of a table: printed ones, then its own.

    Its own are data sets that none of its paper's tables prints, at the scales that the table has.
    Sizes of networks have no data set, and are shown where the track counts them.
    """
    printed = list(dict.fromkeys((cell.dataset, cell.scale) for cell in sheet.cells))
    chosen = [dataset.name for dataset in measured.track.datasets]
    scales = dict.fromkeys(scale for _, scale in printed)
    tested = {(dataset, scale) for _, scale, dataset in measured.wanted}
    known = {cell.dataset for cell in paper.cells}
    own = [(d, s) for d in chosen if d not in known for s in scales if (d, s) in tested]
    sized = [""] if measured.track.sizes else []
    return [place for place in printed if place[0] in [*chosen, *sized]] + own


def metrics(sheet: Table, *, sized: bool) -> tuple[str, ...]:
    """Returns what a table measures, in printed order: of networks alone, or of images."""
    return tuple(dict.fromkeys(c.metric for c in sheet.cells if bool(c.dataset) != sized))


def outside(paper: Paper, sheet: Table, tracks: tuple[Track, ...]) -> tuple[str, ...]:
    """Returns what is printed on data that no track tests on: `Set14 ×2, ×3, ×4`."""
    chosen = {dataset.name for track in tracks for dataset in track.datasets}
    scales: dict[str, dict[int, None]] = {}
    for cell in sheet.cells:
        if cell.dataset and cell.dataset not in chosen:
            scales.setdefault(cell.dataset, {})[cell.scale] = None
    return tuple(
        f"{paper.label('dataset', name)} {', '.join(f'×{scale}' for scale in each)}"
        for name, each in scales.items()
    )


def systems(paper: Paper, sheet: Table, track: Track) -> tuple[str, ...]:
    """Returns the systems of a table: what no table of the paper prints, first, then as printed."""
    printed = {cell.system for cell in paper.cells}
    return (*(s for s in track.systems if s not in printed), *sheet.order("system"))


def difference(rebuilt: float | None, printed: Cell | None) -> str:
    """Returns rebuilt minus printed, the rebuilt number rounded to the printed digits first.

    Args:
        rebuilt: The rebuilt number, or None.
        printed: The printed cell, or None.

    Returns:
        A decimal with as many digits as printed; empty where there is nothing to compare.
    """
    if rebuilt is None or printed is None or not math.isfinite(rebuilt):
        return ""
    exact = Decimal(rounded(rebuilt, printed.decimals)) - printed.number
    return str(exact + 0)  # + 0 makes a zero unsigned


def plural(count: int, noun: str) -> str:
    """Returns a count with its noun: `1 image`, `2 images`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def rounded(value: float, decimals: int) -> str:
    """Returns a number as it is printed: half to even, `decimals` digits after the point.

    >>> rounded(28.005, 2)
    '28.00'
    """
    if not math.isfinite(value):
        return str(value)
    return f"{Decimal(repr(value)):.{decimals}f}"
