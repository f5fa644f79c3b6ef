"""Checksums of what the verbs leave, kept beside it: damage is noticed before it is used.

Beside a file or folder `X` of a study lies `X.sha256`, which `sha256sum --check` reads, too. DVC
and other caches trust what they once wrote, and a disk or a copy may fail at any later time.
"""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from acutance.errors import Refused
from acutance.files import write_atomically

__all__ = ["beside", "check", "digest_of", "forget", "line", "write"]

SUFFIX = ".sha256"
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}  # as GNU's sha256sum writes such names


def beside(path: Path) -> Path:
    """Returns where the checksums of a file or folder lie.

    >>> beside(Path("results/runs/a_x2_s0@0123456789")).name
    'a_x2_s0@0123456789.sha256'
    """
    return path.with_name(f"{path.name}{SUFFIX}")


def write(path: Path) -> None:
    """Writes the checksums of a file, or of every file in a folder, beside it."""
    lines = (line(digest_of(file), name) for name, file in _files(path).items())
    write_atomically(beside(path), "".join(lines))


def forget(path: Path) -> None:
    """Removes the checksums of what is about to be made anew, with other bytes.

    A process that is killed between the new files and their checksums must not leave the old ones.
    """
    beside(path).unlink(missing_ok=True)


def check(path: Path, remedy: str, *, only: Collection[str] = ()) -> None:
    """Checks a file or folder against its checksums; without any it is taken as it is.

    That it is not there at all is for its reader to say.

    Args:
        path: What is about to be used.
        remedy: What to do about damage: `remove it and run …`.
        only: Files in the folder that are about to be used; none for all, and no others.

    Raises:
        Refused: If a file differs, is missing, or is one too many.
    """
    if not path.exists():
        return
    try:
        text = beside(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        text = "?"
    wanted = dict(_parsed(each, beside(path), remedy) for each in text.splitlines())
    found = _files(path)
    asked = {f"{path.name}/{name}" for name in only}
    names = sorted(asked or {*wanted, *found})
    for name in names:
        if name not in found:
            raise Refused(f"{path.parent / name}: missing; {remedy}")
        if name not in wanted:
            raise Refused(
                f"{found[name]}: not one of the files that {beside(path)} lists; {remedy}"
            )
        if digest_of(found[name]) != wanted[name]:
            raise Refused(
                f"{found[name]}: damaged, its SHA-256 is not the one in {beside(path)}; {remedy}"
            )


def digest_of(file: Path) -> str:
    """Returns the SHA-256 of a file, 64 digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def line(sha256: str, name: str) -> str:
    r"""Returns a file's line, as `sha256sum` writes it.

    >>> line("00", "a b"), line("00", "a\nb")
    ('00  a b\n', '\\00  a\\nb\n')
    """
    written = "".join(_ESCAPES.get(character, character) for character in name)
    return f"{'' if written == name else chr(92)}{sha256}  {written}\n"


def _parsed(text: str, place: Path, remedy: str) -> tuple[str, str]:
    """Returns name and checksum of a line."""
    sha256, _, name = text.removeprefix("\\").partition("  ")
    if len(sha256) != 64 or not name:
        raise Refused(f"{place}: damaged, not a list of checksums; {remedy}")
    if text.startswith("\\"):
        meant = {written: character for character, written in _ESCAPES.items()}
        name = re.sub(r"\\.", lambda found: meant.get(found[0], found[0]), name)
    return name, sha256


def _files(path: Path) -> dict[str, Path]:
    """Returns the files that count, by their names as seen from the folder above `path`.

    What begins with a point is not ours: Snakemake leaves a time stamp in folders.
    """
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {
        file.relative_to(path.parent).as_posix(): file
        for file in inside
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path.parent).parts)
    }
