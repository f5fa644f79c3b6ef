"""Files that others offer: from the user's own folder or from the internet, verified."""

import hashlib
import importlib.util
import io
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from acutance.download import download, file_name
from acutance.errors import Refused
from acutance.files import checksums, write_atomically
from acutance.released import File
from acutance.released import Place as Address
from acutance.sets import Source

__all__ = ["Found", "keep", "obtain"]

LARGEST = 4 << 30  # bytes of a checkpoint inside an archive
WHOLE = 64  # digits of a SHA-256

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file, or a folder, that is here now.

    Attributes:
        path: Where.
        origin: Where it came from, for people.
        sha256: What its checksum is; empty for a folder.
    """

    path: Path
    origin: str
    sha256: str


def obtain(
    file: File,
    *,
    mirror: Path | None,
    folder: str,
    downloads: Path,
    say: Say | None = None,
    pause: float = 1.0,
) -> Found:
    """Returns a file that others offer, from wherever it can be had.

    Args:
        file: What it is called, and where it is offered.
        mirror: A folder that is looked in first: in `folder` inside it, then in itself.
        folder: Where a mirror keeps such files: `weights`.
        downloads: Keeps what is fetched, and the beginnings of broken transfers.
        say: Takes lines for the user; None: standard error.
        pause: Seconds before a broken transfer is first taken up again.

    Raises:
        Refused: If it cannot be had, with what each place gave instead and how to help by hand.
        OSError: If the disk is full.
    """
    tell = say or _tell
    if mirror is not None and not mirror.is_dir():
        raise Refused(f"ACUTANCE_MIRROR: no folder '{mirror}'; make it, or unset the variable")
    faults = []
    for origin, get in _places(
        file, mirror, folder, downloads, partial(download, say=tell, pause=pause)
    ):
        tell(f"{file.name}: from {origin}")
        try:
            path = get()
            return Found(path=path, origin=origin, sha256=_verified(path, file))
        except Refused as refused:
            tell(f"{file.name}: {refused}")
            faults.append(f"{origin}: {refused}")
    raise Refused(_nowhere(file, folder, faults))


def _places(
    file: File,
    mirror: Path | None,
    folder: str,
    downloads: Path,
    fetch: Callable[..., Path],
) -> Iterator[tuple[str, Callable[[], Path]]]:
    """Yields where the file may be, and what gets it from there."""
    own = [mirror / folder, mirror] if mirror is not None else []
    for place in own:
        if (path := place / file.name).exists():
            yield f"mirror {path}", partial(Path, path)
    packed = [source for source in file.sources if source.url and _inside(source)]
    for source in packed:
        for place in own:
            if (path := place / file_name(source.url)).is_file():
                yield f"mirror {path}", partial(_taken, path, source, downloads)
    for source in file.sources:
        if source.package:
            yield source.shown, partial(_shipped, source)
        else:
            yield source.url, partial(_fetched, source, file, downloads, fetch)


def _shipped(source: Address) -> Path:
    """Returns a file that an installed package ships; the package is not imported."""
    found = importlib.util.find_spec(source.package)
    places = list(found.submodule_search_locations or ()) if found else []
    files = [path for place in places for path in Path(place).glob(source.member)]
    if len(files) != 1:
        what = f"has {len(files)} files called '{source.member}'" if places else "is not installed"
        raise Refused(f"the package '{source.package}' {what}")
    return files[0]


def _fetched(source: Address, file: File, downloads: Path, fetch: Callable[..., Path]) -> Path:
    promised = file.sha256 if len(file.sha256) == WHOLE and not _inside(source) else None
    path = fetch(Source(url=source.url, sha256=promised), downloads)
    if _inside(source):
        return _taken(path, source, downloads)
    try:
        _verified(path, file)
    except Refused:
        path.unlink()
        raise
    return path


def _verified(path: Path, file: File) -> str:
    """Returns a file's checksum.

    Raises:
        Refused: If it is not the promised one.
    """
    if path.is_dir():
        return ""
    found = checksums(path)
    if fault := file.unlike(*found):
        raise Refused(f"{fault}; is it another version?")
    return found[0]


def _inside(source: Address) -> str:
    """Returns which files of a zip are meant, or nothing where the address is the file's own."""
    return source.member or source.members


def _taken(archive: Path, source: Address, downloads: Path) -> Path:
    """Takes files out of a zip, into a folder of its own beside the downloads.

    Several come as a zip that has the same bytes whatever the first one looked like.
    """
    glob = _inside(source)
    try:
        with zipfile.ZipFile(archive) as opened:
            found = [e for e in opened.infolist() if fnmatchcase(e.filename, glob)]
            if not found or (len(found) > 1 and not source.members):
                named = ", ".join(e.filename for e in found[:3])
                raise Refused(f"{len(found)} files in it are called '{glob}' {named}".rstrip())
            if sum(each.file_size for each in found) > LARGEST:
                raise Refused(f"'{found[0].filename}' is larger than {LARGEST} bytes")
            held = {Path(each.filename).name: opened.read(each) for each in found}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise Refused(f"damaged archive ({error})") from None
    key = hashlib.sha256(f"{archive}/{glob}".encode()).hexdigest()[:8]
    (name, content), *others = sorted(held.items())
    if source.members:
        name, content = "members.zip", _zipped({name: content, **dict(others)})
    path = downloads / key / name
    write_atomically(path, content)
    return path


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Returns a zip without compression, of files that are as old as a zip's can be."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _nowhere(file: File, folder: str, faults: list[str]) -> str:
    """Returns what happened at each place, and what the user can do."""
    lines = [f"'{file.name}' cannot be had", *(f"  {fault}" for fault in faults)]
    if file.by_hand:
        lines[0] += ": no program can fetch it" if not file.sources else ""
    pages = [file.by_hand] if file.by_hand else [source.shown for source in file.sources]
    lines += [f"Fetch it by hand from {pages[0]}", f"and put it as {folder}/{file.name} into the"]
    lines[-1] += " folder that ACUTANCE_MIRROR names"
    return "\n".join(lines)


def keep(
    file: File, out: Path, *, mirror: Path | None, downloads: Path, say: Say | None = None
) -> str:
    """Puts a file that others offer to where it is read from, verified; see `obtain`.

    Args:
        file: What it is called, and where it is offered.
        out: Where to put it; a right one that is there stays as it is.
        mirror: A folder that is looked in first: in `weights` inside it, then in itself.
        downloads: Keeps the beginnings of broken transfers.
        say: Takes lines for the user; None: standard error.

    Returns:
        What was done, in a line.
    """
    if out.is_file():
        try:
            _verified(out, file)
        except Refused as refused:
            raise Refused(f"{out}: {refused} Remove it, and run it again") from None
        return f"{out}: here already"
    found = obtain(file, mirror=mirror, folder="weights", downloads=downloads, say=say)
    write_atomically(out, found.path.read_bytes())
    if found.path.is_relative_to(downloads):
        found.path.unlink()  # one copy is enough
    unsure = "" if file.promised else f"; nobody gives its checksum, found {found.sha256}"
    return f"{out}: from {found.origin}{unsure}"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
