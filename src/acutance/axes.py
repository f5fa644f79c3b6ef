"""Axes of a drawing: round numbers on them, and where a number lies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from acutance.sheet import rounded


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A round number on an axis, its place, and its text."""

    value: float
    at: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Axis:
    """An axis from `low`, which lies at `start`, to `high`, at `end`.

    Attributes:
        low: Least number.
        high: Greatest number.
        step: Between two ticks: 1, 2 or 5 times a power of ten.
        start: Place of `low`.
        end: Place of `high`.
    """

    low: float
    high: float
    step: float
    start: float
    end: float

    def at(self, value: float) -> str:
        """Returns the place of a number, to a tenth.

        >>> Axis(low=0, high=10, step=5, start=0, end=100).at(2.5)
        '25'
        """
        share = (value - self.low) / (self.high - self.low)
        return f"{self.start + share * (self.end - self.start):.1f}".removesuffix(".0")

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The round numbers within the axis."""
        first, last = math.ceil(self.low / self.step), math.floor(self.high / self.step)
        decimals = max(0, -math.floor(math.log10(self.step)))
        values = (number * self.step for number in range(first, last + 1))
        return tuple(
            Tick(value=v, at=self.at(v), text=rounded(v, decimals).replace("-", "−"))
            for v in values
        )


def fitted(values: Sequence[float], start: float, end: float, *, ticks: int = 5) -> Axis:
    """Returns an axis on which all values lie, with some room beside them.

    Args:
        values: Finite numbers.
        start: Place of the low end.
        end: Place of the high end.
        ticks: About how many round numbers there are to be.
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    spread, size = high - low, max(abs(low), abs(high), 1.0)
    # one value alone, or values as near as a double's last digits: some room about them
    room = (spread if spread > 1e-9 * size else size) * 0.05
    low, high = low - room, high + room
    rough = (high - low) / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((1, 2, 5, 10), key=lambda times: abs(times * power - rough)) * power
    return Axis(low=low, high=high, step=step, start=start, end=end)


@dataclass(frozen=True, kw_only=True)
class Decades:
    """A logarithmic axis from 10^`low`, which lies at `start`, to 10^`high`, at `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def fitted(cls, values: Sequence[float], start: float, end: float) -> "Decades":
        """Returns an axis on which all values, which are positive, lie with some room."""
        low, high = math.log10(min(values)), math.log10(max(values))
        room = max((high - low) * 0.05, 0.05)
        return cls(low=low - room, high=high + room, start=start, end=end)

    def at(self, value: float) -> str:
        """Returns the place of a number, to a tenth.

        >>> Decades(low=-2, high=2, start=0, end=100).at(10)
        '75'
        """
        inner = Axis(low=self.low, high=self.high, step=1, start=self.start, end=self.end)
        return inner.at(math.log10(value))

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Powers of ten within the axis; where these are few, twice and five times as much, too."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        times = (1,) if self.high - self.low > 2 else (1, 2, 5)
        values = (Decimal(each).scaleb(power) for power in powers for each in times)
        inside = [v for v in values if self.low <= math.log10(v) <= self.high]
        return tuple(Tick(value=float(v), at=self.at(float(v)), text=_short(v)) for v in inside)


def _short(value: Decimal) -> str:
    """Returns a round number in few letters: `0.01`, but `1e−3`."""
    return f"{value:f}" if value >= Decimal("0.01") else f"{value:.0e}".replace("-", "−")
