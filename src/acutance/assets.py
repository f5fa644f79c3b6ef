"""Files of parameters that losses and metrics need: others' networks, models of natural images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from acutance import params, paths, released
from acutance.book import Book, word
from acutance.errors import Refused
from acutance.files import checksums
from acutance.released import File

__all__ = ["Asset", "asset"]

_WORDS = ("licence", "cite")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file that a loss or a metric reads, as the section `assets` declares it.

    Attributes:
        name: Of the entry.
        file: What it is called, its checksum, and where it is offered.
        licence: What may be done with it.
        cite: Whom to cite.
    """

    name: str
    file: File
    licence: str
    cite: str

    @property
    def path(self) -> str:
        """Where it lies, below the project's root."""
        return paths.ASSET.format(file=self.file.name)

    def lacking(self, root: Path) -> str:
        """Returns what to do for it, if it is not here and no program can fetch it; else nothing.

        `'x.mat', which no program can fetch: take it from https://… and put it into data/assets`
        """
        if self.file.sources or (root / self.path).is_file():
            return ""
        remedy = f"take it from {self.file.by_hand} and put it into {Path(self.path).parent}"
        return f"'{self.file.name}', which no program can fetch: {remedy}"

    def held(self, folder: Path) -> Path:
        """Returns where it lies in a folder, its checksum verified.

        Raises:
            Refused: If it is not there, or is another file.
        """
        path = folder / self.file.name
        remedy = f"run `acutance fetch {self.name}`"
        if not path.is_file():
            raise Refused(f"{path}: no such file; {remedy}")
        if fault := self.file.unlike(*_checksums(path, path.stat().st_mtime_ns)):
            raise Refused(f"{path}: {fault}; remove it and {remedy}")
        return path


def asset(book: Book, name: object, place: str) -> Asset:
    """Returns an entry of `assets`.

    Args:
        book: All entries.
        name: Of the entry.
        place: Where it is asked for, for error messages.

    Raises:
        Refused: If there is none of that name, or it has a mistake.
    """
    book.check("assets", name, place)
    inside = f"assets.{name}"
    entry = params.mapping(book.section("assets")[str(name)], inside)
    said = {key: word(entry, key, None, inside) for key in _WORDS}
    rest = {key: value for key, value in entry.items() if key not in _WORDS}
    return Asset(name=str(name), file=released.file(rest, inside), **said)


@cache
def _checksums(path: Path, _changed: int) -> tuple[str, str]:
    return checksums(path)
