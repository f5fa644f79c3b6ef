"""Nouns with their arguments, as frozen dataclasses: what params.yaml declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from acutance import resolve
from acutance.assets import Asset, asset
from acutance.book import Book
from acutance.errors import Refused
from acutance.identity import source_digest
from acutance.resolve import Noun, noun
from acutance.values import Value

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
        assets: The files that it needs, each with the name of the parameter that takes it.
    """

    name: str
    kind: str
    function: str
    arguments: tuple[tuple[str, Value], ...] = ()
    assets: tuple[tuple[str, Asset], ...] = ()

    @property
    def kwargs(self) -> dict[str, Value]:
        """The arguments as keywords."""
        return dict(self.arguments)

    def files(self, folder: Path) -> dict[str, Path]:
        """Returns the files that it needs, as keywords.

        Args:
            folder: Where they lie: data/assets.

        Raises:
            Refused: If one is not there, or is not what its entry promises.
        """
        return {name: needed.held(folder) for name, needed in self.assets}

    @property
    def placed(self) -> bool:
        """Whether it is told where to compute."""
        return noun(self.kind, self.function).placed

    def bound(self, folder: Path | None = None, device: str = "cpu") -> Callable[..., Any]:
        """Returns the noun itself, to be called with images alone.

        Args:
            folder: Where the files that it needs lie; None where it needs none.
            device: Where it computes, if it is told.

        Raises:
            Refused: If a file is not there, or is not what its entry promises.
        """
        function: Any = resolve.load(self.kind, self.function)
        files = self.files(folder) if folder is not None else {}
        there = {"device": device} if self.placed else {}
        return partial(function, **self.kwargs, **files, **there)

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """What can change the bytes this call makes: file, arguments, source. Not its name."""
        public = noun(self.kind, self.function).public
        source = source_digest(f"{self.kind}.{self.function}", public)
        files = [[name, needed.file.identity] for name, needed in self.assets]
        return (self.kind, self.function, self.arguments, source, *([files] if files else []))


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


def declared(
    kind: str,
    name: str,
    entry: Mapping[str, Any],
    *,
    scale: int,
    place: str,
    book: Book | None = None,
) -> Call:
    """Returns a noun as an entry declares it, its arguments checked and resolved for one scale.

    Args:
        kind: A folder of nouns.
        name: What the entry is called; also its file, where `function` does not name another.
        entry: `function`, arguments, and entries of `assets` for the files that the noun needs,
            where they are not called as its parameters are.
        scale: What by-scale maps are resolved for.
        place: Where the entry stands, for error messages.
        book: All entries; None where no noun needs a file.

    Raises:
        Refused: If there is no such noun, or an argument does not fit.
    """
    function = entry.get("function", name)
    found = _noun(kind, function, f"{place}.function" if "function" in entry else place)
    given = {k: v for k, v in entry.items() if k not in ("function", *found.assets)}
    bound = resolve.bind(found, given, scale=scale, place=place)
    least = 1 if kind in _LEARNERS else 0  # sides, depths, widths; pixels shaved
    for name_, value in bound.items():
        if isinstance(value, int) and not isinstance(value, bool) and value < least:
            raise Refused(f"{place}.{name_}: must not be below {least}, found {value}")
        if name_ == "shave" and isinstance(value, int) and value > _SHAVE:
            raise Refused(f"{place}.shave: must not be above {_SHAVE}, found {value}")
    if found.assets and book is None:
        raise Refused(f"{place}: '{function}' needs files, and none can be given here")
    files = [
        (each, asset(book, entry.get(each, each), f"{place}.{each}"))
        for each in found.assets
        if book is not None
    ]
    return Call(
        name=name,
        kind=kind,
        function=function,
        arguments=tuple(sorted(bound.items())),
        assets=tuple(files),
    )


def _noun(kind: str, function: object, place: str) -> Noun:
    if not isinstance(function, str):
        raise Refused(f"{place}: wants the name of a file in {kind}/, found {function!r}")
    try:
        return resolve.noun(kind, function)
    except Refused as error:
        raise Refused(f"{place}: {error}") from None
