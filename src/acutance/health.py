"""Whether a training against critics is still one: signs of collapse, read from its log's rows.

A loss that is not finite, or explodes, stops a training; these signs do not. They are said, and
kept with the run: such weights are a finding, and may be scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

__all__ = ["Finding", "Health"]

LASTING = 10  # rows in succession (about one in 500 steps of a run stands for each): no passing dip
WON = 1e-3  # a critic's loss below this: it tells all images apart
APART = 5.0  # of its mean scores then, at least: cross-entropy is below `WON` from 6.9 on
VANISHED = 1e-6  # of a gradient's usual norm
EXPLODED = 1e3  # times a gradient's usual norm
USUAL = 10  # rows, at least, to know a usual norm by
CONSTANT = 1e-2  # of HR's contrast

Row = Mapping[str, float]


@dataclass(kw_only=True)
class Finding:
    """A sign, and for how long it was there.

    Attributes:
        sign: What was found.
        first: Step of the row it was first found in.
        last: Step of the row it was last found in.
        rows: In succession, up to `last`.
        lasting: Whether it ever was there for `LASTING` rows in succession.
    """

    sign: str
    first: int
    last: int
    rows: int
    lasting: bool = False


class Health:
    """What the rows of a log have shown so far.

    Attributes:
        findings: Each sign once, in the order in which they came.
    """

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}
        self._norms: dict[str, list[float]] = {}
        self._step = 0

    def look(self, row: Row) -> list[str]:
        """Takes a row, and returns what is to be said of it, if anything: each thing once."""
        said = []
        before, self._step = self._step, int(row["step"])
        for sign, more in self._signs(row):
            found = self.findings.get(sign)
            if found is None:
                found = Finding(sign=sign, first=self._step, last=before, rows=0)
                self.findings[sign] = found
                said.append(f"{sign}{more}")
            found.rows = found.rows + 1 if found.last == before else 1
            found.last = self._step
            if found.rows == LASTING and not found.lasting:
                found.lasting = True
                said.append(f"collapse: {sign}, in {LASTING} rows of the log by now")
        for whose, value in _norms(row).items():
            if value > VANISHED * self._usual(whose):  # else what is usual would vanish, too
                self._norms.setdefault(whose, []).append(value)
        return said

    def shown(self) -> list[dict[str, object]]:
        """Returns the findings as plain values, for run.json."""
        return [asdict(found) for found in self.findings.values()]

    def collapsed(self) -> str:
        """Returns the lasting signs that are there still, or nothing: what the run ended in."""
        last = [f for f in self.findings.values() if f.rows >= LASTING and f.last == self._step]
        return "; ".join(f"{found.sign} (since step {found.first:,})" for found in last)

    def _signs(self, row: Row) -> Iterator[tuple[str, str]]:
        """Yields each sign of a row, and what more to say when it is seen first."""
        for name in (n.removesuffix("_real") for n in row if n.endswith("_real")):
            critic, loss = name.removeprefix("critic_"), row[name]
            apart = row[f"{name}_real"] - row[f"{name}_fake"]
            # A loss of scores themselves passes through zero unheeded: they must lie apart, too.
            if 0 <= loss < WON and apart > APART:
                more = f": its loss was {loss:.1e} up to here, from which a network learns little"
                yield f"critic '{critic}' tells all apart", more
        if row.get("contrast", 1.0) < CONSTANT:
            yield "the network's images are constant", f": {row['contrast']:.1e} of HR's contrast"
        for whose, value in _norms(row).items():
            usual = self._usual(whose)
            if value <= VANISHED * usual:
                yield f"the gradient of {whose} vanishes", f": its norm was {value:.1e}"
            elif usual and value > EXPLODED * usual:
                yield f"the gradient of {whose} explodes", f": {value:.1e}, usually {usual:.1e}"

    def _usual(self, whose: str) -> float:
        """Returns the median of a gradient's norms so far, 0 while they are few."""
        known: Sequence[float] = self._norms.get(whose, [])
        return median(known) if len(known) >= USUAL else 0.0


def _norms(row: Row) -> dict[str, float]:
    """Returns the norms of gradients in a row, by whose they are."""
    found = {"the network": row["norm"]} if "norm" in row else {}
    for name, value in row.items():
        if name.startswith("critic_") and name.endswith("_norm"):
            found[f"critic '{name.removeprefix('critic_').removesuffix('_norm')}'"] = value
    return found
