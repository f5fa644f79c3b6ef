"""Nouns with their arguments, as frozen dataclasses: what params.yaml declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from acutance.identity import source_digest
from acutance.resolve import Value, noun


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
