"""params.yaml with a study laid over it: entries by name, not yet checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acutance import params, paths
from acutance.errors import Refused, nearest

SECTIONS = (
    "study",
    "title",
    "about",
    "build",
    "datasets",
    "degradations",
    "assets",
    "metrics",
    "recipes",
    "systems",
    "counts",
    "tracks",
    "calibrations",
)


@dataclass(frozen=True, kw_only=True)
class Book:
    """params.yaml with a study laid over it, as mappings not yet checked."""

    root: Path
    name: str
    content: Mapping[str, Any]

    def section(self, name: str) -> dict[str, Any]:
        """Returns a section's entries by name."""
        return params.mapping(self.content.get(name), name)

    def check(self, section: str, name: object, place: str) -> None:
        """Refuses a name that the section does not have."""
        if not isinstance(name, str) or name not in self.section(section):
            what = f"no entry '{name}' in {section}"
            raise Refused(f"{place}: {what}{nearest(name, self.section(section))}")

    def entry(self, section: str, name: object, place: str) -> dict[str, Any]:
        """Returns an entry merged onto its bases."""
        self.check(section, name, place)
        return params.entry(self.section(section), str(name), place=section)


def known_keys(entry: Iterable[str], keys: tuple[str, ...], place: str) -> None:
    """Refuses a key that is not one of `keys`."""
    for key in entry:
        if key not in keys:
            raise Refused(f"{place}.{key}: no such key{nearest(key, keys)}")


def word(entry: Mapping[str, Any], key: str, default: str | None, place: str = "") -> str:
    """Returns a text of an entry; `default` None means it must be there."""
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise Refused(f"{place}.{key}".strip(".") + f": wants a text, found {value!r}")
    return " ".join(value.split())


def open_book(root: Path, name: str | None = None) -> tuple[Book, dict[str, Any]]:
    """Returns params.yaml with the overlay of a study laid over it, and the overlay alone."""
    base = params.read(root / paths.PARAMS)
    chosen = name or base.get("study")
    offered = sorted(p.stem for p in (root / paths.STUDIES).glob("*.yaml"))
    if chosen not in offered:
        place = "--study" if name else f"{paths.PARAMS}: study"
        raise Refused(f"{place}: no study '{chosen}'{nearest(chosen, offered)}")
    overlay = params.read(root / paths.STUDIES / f"{chosen}.yaml")
    for file, content in ((paths.PARAMS, base), (f"{paths.STUDIES}/{chosen}.yaml", overlay)):
        for section in content:
            if section not in SECTIONS:
                what = f"no section is called '{section}'{nearest(section, SECTIONS)}"
                raise Refused(f"{file}: {section}: {what}")
    return Book(root=root, name=str(chosen), content=params.merge(base, overlay)), overlay
