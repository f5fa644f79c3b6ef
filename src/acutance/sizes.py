"""How large a network is, by which rule: what papers print under Params, Mult-Adds and FLOPs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from acutance.calls import Call

# What papers call sizes
WORDS = {"params": "Params", "madds": "Mult-Adds", "flops": "FLOPs"}
HEAD = "track,system,counted,scale,convention,value"
UNITS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def titled(metric: str) -> str:
    """Returns what a column is called that measures `metric`: `PSNR`, `Params`."""
    return WORDS.get(metric, metric.upper())


@dataclass(frozen=True, kw_only=True)
class Convention:
    """A rule by which a network's size is one number.

    Attributes:
        name: As in params.yaml.
        count: `parameters`; `macs`, multiply-adds of one pass; `flops`, two for each of them.
        of: Of the parameters: `learnable` ones, `weights` (those without biases), or the whole
            `state`, with what no training moves.
        output: Width and height of the SR image that the pass makes.
        lr: Width and height of the LR image that the pass takes; either this or `output`.
        transposed: At which side's resolution transposed convolutions are counted.
        cut: Whether LR sides are cut to whole pixels, where `output` is no multiple of the scale.
        biases: Whether each bias that is added is one FLOP more.
    """

    name: str
    count: Literal["parameters", "macs", "flops"]
    of: Literal["learnable", "weights", "state"] = "learnable"
    output: tuple[int, int] | None = None
    lr: tuple[int, int] | None = None
    transposed: Literal["input", "output"] = "input"
    cut: bool = False
    biases: bool = False

    def sides(self, scale: int) -> tuple[Fraction, Fraction]:
        """Returns width and height of the LR image; (0, 0) where none is asked for."""
        if self.output is None:
            width, height = self.lr or (0, 0)
            return Fraction(width), Fraction(height)
        width, height = self.output
        if self.cut:
            return Fraction(width // scale), Fraction(height // scale)
        return Fraction(width, scale), Fraction(height, scale)

    @property
    def words(self) -> str:
        """The rule in words: `multiply-adds for 1280 × 720 pixels out`."""
        if self.count == "parameters":
            return {
                "learnable": "learnable parameters",
                "weights": "learnable parameters without biases",
                "state": "all values held, fixed ones and statistics among them",
            }[self.of]
        said = "multiply-adds" if self.count == "macs" else "FLOP, two per multiply-add,"
        width, height = self.output or self.lr or (0, 0)
        said += f" for {width} × {height} pixels {'out' if self.output else 'in'}"
        if self.cut:
            said += ", LR sides cut to whole pixels"
        if self.transposed == "output":
            said += ", transposed convolutions at output resolution"
        if self.biases:
            said += ", one more for each bias added"
        return said


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A network whose size a track shows.

    Attributes:
        printed: The system that the paper's table names.
        system: The entry of params.yaml that is counted for it; mostly of the same name.
        scale: Its enlargement.
        model: The network.
    """

    printed: str
    system: str
    scale: int
    model: Call
