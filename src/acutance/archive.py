"""Pictures out of archives and folders, one at a time, trusting neither paths nor sizes.

Nothing is unpacked: a member is read into memory, never written under the name that the archive
gives it, and what is not asked for is not kept. So a 3.5 GB archive needs the room of one picture.
"""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, cast

from acutance.errors import Refused
from acutance.image import SUFFIXES

__all__ = ["DamagedError", "Limits", "pictures"]

PICTURES = (*SUFFIXES, ".gif", ".ppm", ".pgm", ".pnm")

# A tar is decompressed from its start to its end, also where nothing is kept. Sources with text and
# BMP shrink about 5 times, and a bomb 1000 times.
RATIO = 100
ROOM = 64 << 20  # bytes a small tar may grow to in any case

_DAMAGE: tuple[type[Exception], ...] = (  # what zipfile, tarfile and the decompressors raise
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(RuntimeError, ValueError),
)
_OPENERS: tuple[tuple[bytes, Callable[[Path], object]], ...] = (
    *((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open)),
    (b"", partial(open, mode="rb")),
)


class DamagedError(Refused):
    """An archive that cannot be read; another download may be sound."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much an archive may hold before it is taken for a bomb.

    Attributes:
        members: Entries of any kind.
        pictures: Entries that the glob selects.
        bytes: Size of one picture's file.
    """

    members: int = 100_000
    pictures: int
    bytes: int


def pictures(path: Path, members: str, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Yields the pictures of an archive or a folder: the path inside it, and the file's bytes.

    Args:
        path: A zip, a tar (plain, gzip, bzip2, xz), or a folder, which is searched below only where
            no picture lies directly in it.
        members: Glob over the paths inside; `*` also crosses `/`, letter case does not count.
        limits: How much is too much.

    Raises:
        DamagedError: If the archive cannot be read, or is none.
        Refused: If it leads outside itself, holds links for pictures, or exceeds `limits`.
    """
    if path.is_dir():
        yield from _folder(path, members, limits)
        return
    with _damage_named():
        if zipfile.is_zipfile(path):
            yield from _zip(path, members, limits)
        else:
            yield from _tar(path, members, limits)


def _folder(path: Path, members: str, limits: Limits) -> Iterator[tuple[str, bytes]]:
    flat = sorted(file for file in path.iterdir() if _is_picture(file.name))
    # `rglob` follows no links to folders, so it ends.
    files = flat or sorted(file for file in path.rglob("*") if _is_picture(file.name))
    count = _Count(limits)
    for file in files:
        name = file.relative_to(path).as_posix()
        if file.is_file() and count.takes(name, members, file.stat().st_size):
            yield name, file.read_bytes()


def _zip(path: Path, members: str, limits: Limits) -> Iterator[tuple[str, bytes]]:
    count = _Count(limits)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            count.member(entry.filename)
        for entry in archive.infolist():
            if entry.is_dir() or not count.takes(entry.filename, members, entry.file_size):
                continue
            if entry.external_attr >> 28 == 0o12:  # the upper half is Unix's st_mode: S_IFLNK
                raise Refused(f"member '{entry.filename}' is a link, not a picture")
            with archive.open(entry) as file:
                yield entry.filename, _read(file, entry.filename, limits)


def _tar(path: Path, members: str, limits: Limits) -> Iterator[tuple[str, bytes]]:
    count = _Count(limits)
    with path.open("rb") as file:
        begin = file.read(16)
    if begin.startswith(b"PK"):
        raise DamagedError("damaged archive (a zip that lacks its end: it broke off)")
    opener = next(opener for magic, opener in _OPENERS if begin.startswith(magic))
    with cast(IO[bytes], opener(path)) as file:
        bounded = _Bounded(file, max(ROOM, RATIO * path.stat().st_size))
        stream = cast(IO[bytes], bounded)  # all that tarfile asks of a stream is `read`
        try:
            archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115  # closed below
        except tarfile.ReadError:
            raise DamagedError(f"neither zip nor tar; it begins with {begin!r}") from None
        with archive:
            for entry in archive:
                count.member(entry.name)
                if entry.isdir() or not count.takes(entry.name, members, entry.size):
                    continue
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is None:
                    raise Refused(f"member '{entry.name}' is a link or device, not a picture")
                yield entry.name, _read(content, entry.name, limits)


class _Count:
    """Counts what an archive holds, and refuses what no honest one does."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.members = 0
        self.pictures = 0

    def member(self, name: str) -> None:
        """Takes note of an entry of any kind."""
        self.members += 1
        if self.members > self.limits.members:
            raise Refused(f"more than {self.limits.members} members: taken for a bomb")
        windows = PureWindowsPath(name)  # splits at both kinds of slash
        if ".." in windows.parts or windows.drive or windows.root:
            raise Refused(f"member '{name}' leads outside the archive")

    def takes(self, name: str, members: str, size: int) -> bool:
        """Says whether the glob selects this entry, and refuses one too many or too large."""
        if not (_is_picture(name) and fnmatchcase(name.lower(), members.lower())):
            return False
        self.pictures += 1
        if self.pictures > self.limits.pictures:
            raise Refused(f"more than {self.limits.pictures} pictures: taken for a bomb")
        if size > self.limits.bytes:
            raise Refused(_too_large(name, self.limits))
        return True


class _Bounded:
    """A stream that refuses to grow beyond all bounds."""

    def __init__(self, file: IO[bytes], room: int) -> None:
        self.file = file
        self.room = room

    def read(self, size: int) -> bytes:
        """Returns the next `size` bytes, fewer at the end."""
        data = self.file.read(size)
        self.room -= len(data)
        if self.room < 0:
            raise Refused(f"grows more than {RATIO} times when decompressed: taken for a bomb")
        return data


def _read(file: IO[bytes], name: str, limits: Limits) -> bytes:
    data = file.read(limits.bytes + 1)  # the size in the entry may lie
    if len(data) > limits.bytes:
        raise Refused(_too_large(name, limits))
    return data


def _too_large(name: str, limits: Limits) -> str:
    return f"member '{name}' is larger than {limits.bytes} bytes: taken for a bomb"


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts  # macOS's shadow files
    return path.suffix.lower() in PICTURES and not hidden


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except Refused:
        raise
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DamagedError(f"damaged archive ({reason})") from None
