"""`count`: how many parameters a network has, and how many multiply-adds it takes."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from acutance import flops, resolve
from acutance.calls import Call
from acutance.errors import Refused
from acutance.files import write_atomically
from acutance.rows import written
from acutance.sizes import HEAD as SIZES
from acutance.sizes import Convention
from acutance.spec import Study

HEAD = "system,scale,parameters,biases,statistics,fixed,lr,convention,value"
_WIDE = 2  # spaces between columns


class Counter:
    """Counts one network by any number of conventions; each LR size is run once.

    Args:
        model: The network.
        scale: Its enlargement.

    Attributes:
        state: What the network holds.
    """

    def __init__(self, model: Call, scale: int) -> None:
        made: Any = resolve.load("models", model.function)
        with torch.device("meta"):
            self.network: torch.nn.Module = made(scale, **model.kwargs)
        self.scale = scale
        self.state = flops.state(self.network)
        self._runs: dict[tuple[Fraction, Fraction], flops.MultiplyAdds] = {}

    def value(self, convention: Convention) -> int:
        """Returns the size by a convention, as a whole number.

        Raises:
            Refused: If LR sides are not whole, and the network's count is not affine in pixels.
        """
        if convention.count == "parameters":
            held = self.state
            return {
                "learnable": held.learnable,
                "weights": held.weights,
                "state": held.learnable + held.statistics + held.fixed,
            }[convention.of]
        width, height = convention.sides(self.scale)
        if (width, height) not in self._runs:
            self._runs[width, height] = flops.multiply_adds(self.network, height, width)
        run = self._runs[width, height]
        macs = run.at_output if convention.transposed == "output" else run.at_input
        if convention.count == "macs":
            return round(macs)
        return round(2 * macs + (run.biases if convention.biases else 0))


def count(
    networks: Iterable[tuple[str, int, Call]], convention: Convention
) -> Iterator[dict[str, str]]:
    """Yields the sizes of some networks, one row of `HEAD` each.

    Args:
        networks: Name, scale and network of each.
        convention: Of the multiply-adds, or FLOP.

    Raises:
        Refused: If LR sides are not whole, and a network's count is not affine in pixels.
    """
    for name, scale, model in networks:
        counter = Counter(model, scale)
        held = counter.state
        yield {
            "system": name,
            "scale": str(scale),
            "parameters": str(held.learnable),
            "biases": str(held.biases),
            "statistics": str(held.statistics),
            "fixed": str(held.fixed),
            "lr": "x".join(map(str, convention.sides(scale))),
            "convention": convention.words,
            "value": str(counter.value(convention)),
        }


def study_rows(study: Study) -> Iterator[dict[str, str]]:
    """Yields the sizes that a study's tables show, by every convention: rows of `sizes.HEAD`.

    `value` is empty where a convention cannot count a network.
    """
    counters: dict[object, Counter] = {}
    for track in study.tracks:
        for each in track.sized:
            key = (each.model.identity, each.scale)
            if key not in counters:
                counters[key] = Counter(each.model, each.scale)
            for convention in study.conventions:
                try:
                    value = str(counters[key].value(convention))
                except Refused:  # third pixels, and not affine in them
                    value = ""
                yield {
                    "track": track.name,
                    "system": each.printed,
                    "counted": each.system,
                    "scale": str(each.scale),
                    "convention": convention.name,
                    "value": value,
                }


def write_counts(study: Study, root: Path) -> Path:
    """Writes the sizes that a study's tables show, none where they show none; returns the file."""
    path = root / study.counts
    write_atomically(path, written(SIZES, study_rows(study)))
    return path


def shown(rows: Iterable[dict[str, str]], unit: str) -> str:
    """Returns rows of `count` as a table for people; `unit` is what they count: MAC, FLOP."""
    table = [["system", "scale", "parameters", "statistics", "fixed", "LR", f"G {unit}"]]
    words: dict[str, None] = {}
    for row in rows:
        whole = [f"{int(row[name]):,}" for name in ("parameters", "statistics", "fixed")]
        giga = f"{int(row['value']) / 1e9:,.4f}"
        table.append([row["system"], f"x{row['scale']}", *whole, row["lr"], giga])
        words[row["convention"]] = None
    widths = [max(map(len, column)) + _WIDE for column in zip(*table, strict=True)]
    lines = [
        line[0].ljust(widths[0])
        + "".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        for line in table
    ]
    return "\n".join([*lines, *(f"\nG {unit}: {each}" for each in words)]) + "\n"
