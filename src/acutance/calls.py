"""Nouns with their arguments, as frozen dataclasses: what params.yaml declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from acutance import resolve
from acutance.errors import Refused
from acutance.identity import source_digest
from acutance.resolve import Noun, Value, noun

_SHAVE = 64  # pixels: more would leave nothing of the smallest test images
_LEARNERS = ("models", "critics", "losses")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A noun with its arguments: a model, loss, metric or degradation as params.yaml declares it.

    Attributes:
        name: What params.yaml calls it.
        kind: The folder of the noun: `metrics`.
        function: The file in it.
        arguments: Name and value, sorted by name; those not given keep the signature's default.
    """

    name: str
    kind: str
    function: str
    arguments: tuple[tuple[str, Value], ...] = ()

    @property
    def kwargs(self) -> dict[str, Value]:
        """The arguments as keywords."""
        return dict(self.arguments)

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """What can change the bytes this call makes: file, arguments, source. Not its name."""
        public = noun(self.kind, self.function).public
        source = source_digest(f"{self.kind}.{self.function}", public)
        return (self.kind, self.function, self.arguments, source)


@dataclass(frozen=True, kw_only=True)
class Loss(Call):
    """A term of the objective.

    Attributes:
        weight: What it is multiplied by.
        levels: Whether the coarser outputs of a progressive network are measured too.
    """

    weight: float
    levels: bool = False

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """As for `Call`, and the weight; `levels` where they are on."""
        return (*super().identity, self.weight, *(["levels"] if self.levels else []))


def declared(kind: str, name: str, entry: Mapping[str, Any], *, scale: int, place: str) -> Call:
    """Returns a noun as an entry declares it, its arguments checked and resolved for one scale.

    Args:
        kind: A folder of nouns.
        name: What the entry is called; also its file, where `function` does not name another.
        entry: `function` and arguments.
        scale: What by-scale maps are resolved for.
        place: Where the entry stands, for error messages.

    Raises:
        Refused: If there is no such noun, or an argument does not fit.
    """
    function = entry.get("function", name)
    found = _noun(kind, function, f"{place}.function" if "function" in entry else place)
    given = {k: v for k, v in entry.items() if k != "function"}
    bound = resolve.bind(found, given, scale=scale, place=place)
    least = 1 if kind in _LEARNERS else 0  # sides, depths, widths; pixels shaved
    for name_, value in bound.items():
        if isinstance(value, int) and not isinstance(value, bool) and value < least:
            raise Refused(f"{place}.{name_}: must not be below {least}, found {value}")
        if name_ == "shave" and isinstance(value, int) and value > _SHAVE:
            raise Refused(f"{place}.shave: must not be above {_SHAVE}, found {value}")
    return Call(name=name, kind=kind, function=function, arguments=tuple(sorted(bound.items())))


def _noun(kind: str, function: object, place: str) -> Noun:
    if not isinstance(function, str):
        raise Refused(f"{place}: wants the name of a file in {kind}/, found {function!r}")
    try:
        return resolve.noun(kind, function)
    except Refused as error:
        raise Refused(f"{place}: {error}") from None
