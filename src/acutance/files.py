"""Files that are whole or absent: everything a verb leaves behind passes through here."""

import errno
import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from acutance.errors import Refused, one_line

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room, and run it again: it goes on"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "see that it can be written"),
}
_RANDOM = "[a-z0-9_]" * 8  # what tempfile puts between: no point, as a longer name may have
_LONGEST = 230  # bytes of a name's 255, beside two points, what is random, and `.partial`
_WORKFLOWS = ".snakemake_timestamp"  # Snakemake puts it into folders that a rule makes


def write_atomically(path: Path, content: bytes | str) -> None:
    """Writes `content` to `path` so that a reader, or a crash, sees the old file or the new one.

    Args:
        path: Where to; missing parent folders are made.
        content: Bytes as they are; text as UTF-8 with the line ends it has.

    Raises:
        OSError: If the file cannot be written (disk full, read-only); `path` is then as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    _make_parent(path)
    handle, name = _hidden_file(path)
    try:
        with naming(path), os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextmanager
def folder_atomically(path: Path) -> Iterator[Path]:
    """Gives an empty folder to fill; it becomes `path` when the block ends without an error.

    The folder lies beside `path` under a hidden name, locked by this process. An error removes it
    and leaves `path` as it was; a `kill -9` leaves the hidden folder without its lock, and the next
    call for the same `path` removes it.

    Args:
        path: The folder to make; one that is there already is replaced as a whole.

    Yields:
        The folder to write into.

    Raises:
        Refused: If another process is making `path`.
        OSError: If it cannot be written; one that names no file (disk full) gets `path`.
    """
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    for left_over in path.parent.glob(f"{glob.escape(_hidden(path))}{_RANDOM}.partial"):
        if left_over.is_dir():
            with _held(left_over, path):
                shutil.rmtree(left_over, ignore_errors=True)
    fresh = _hidden_folder(path)
    with _held(fresh, path), naming(path):
        try:
            fresh.chmod(0o777 & ~_umask())
            yield fresh
            for file in fresh.rglob("*"):
                if file.is_file():
                    with file.open("rb") as handle:
                        os.fsync(handle.fileno())
            _publish(fresh, path)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        _sync_folder(path.parent)


def check_replaceable(out: Path, source: Path, names: Collection[str]) -> None:
    """Refuses to replace a folder that holds anything but what is about to be written.

    Args:
        out: The folder to make.
        source: The folder that is read.
        names: Files that may be in `out`: it is this call that writes them.

    Raises:
        Refused: If `out` is `source` or a file, or holds anything else.
    """
    if out.resolve() == source.resolve():
        raise Refused(f"{out}: is the folder that is read; give another one to write")
    if not out.exists():
        return
    if not out.is_dir():
        raise Refused(f"{out}: is a file; give a folder to make")
    known = {*names, _WORKFLOWS}
    strange = sorted(p.name for p in out.iterdir() if p.name not in known or not p.is_file())
    if strange:
        raise Refused(
            f"{out}: holds '{strange[0]}', which would be lost; give a new folder or empty this one"
        )


def remove(path: Path) -> None:
    """Removes a file or a folder; a crash leaves a folder whole, or under a hidden name alone."""
    if not path.is_dir() or path.is_symlink():
        path.unlink()
        return
    shutil.rmtree(path.replace(_hidden_folder(path)))
    _sync_folder(path.parent)


def checksums(path: Path) -> tuple[str, str]:
    """Returns a file's SHA-256, and what git calls it: the SHA-1 of `blob <bytes>`, 0, content."""
    sha256 = hashlib.sha256()
    git = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as content:
        while part := content.read(1 << 20):
            sha256.update(part)
            git.update(part)
    return sha256.hexdigest(), git.hexdigest()


def told(error: OSError) -> str:
    """Returns an error of the system in one line: the file, what is wrong, what to do."""
    place = f"{one_line(str(error.filename))}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{place}{error.strerror or error}{f'; {remedy}' if remedy else ''}"


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Gives `path` to an error of the system that names no file, as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def take_lock(handle: int) -> bool | None:
    """Locks an open file or folder until it is closed, by this process's end at the latest.

    Returns:
        True if it is locked now, False if another process has it, None if its file system knows no
        locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


@contextmanager
def _held(hidden: Path, path: Path) -> Iterator[None]:
    """Locks the hidden folder, in which `path` is or was being made."""
    try:
        handle = os.open(hidden, os.O_RDONLY)
    except FileNotFoundError:  # its maker, or another that tidied up, was faster
        raise _busy(path) from None
    try:
        if take_lock(handle) is False or not hidden.is_dir():
            raise _busy(path)
        yield
    finally:
        os.close(handle)


def _busy(path: Path) -> Refused:
    return Refused(f"{path}: another process is making it; wait for it, or end it")


def _publish(fresh: Path, path: Path) -> None:
    """Renames `fresh` to `path`; what was there goes, or stays if that fails."""
    if not path.exists():
        fresh.replace(path)
        return
    old = path.replace(_hidden_folder(path))
    try:
        fresh.replace(path)
    except BaseException:
        old.replace(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _make_parent(path: Path) -> None:
    """Makes the folders above `path`, but no hidden one anew: who removed it wants it gone."""
    for folder in path.parents:
        hidden = folder.name.startswith(".") and folder.name.endswith(".partial")
        if hidden and not folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)


def _hidden_file(path: Path) -> tuple[int, str]:
    """Returns a locked new file beside `path`; those that a `kill -9` left unlocked are removed."""
    if not path.parent.name.endswith(".partial"):
        for left_over in path.parent.glob(f"{glob.escape(_hidden(path))}{_RANDOM}.partial"):
            with suppress(OSError), left_over.open("rb") as file:
                if take_lock(file.fileno()):
                    left_over.unlink()
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_hidden(path), suffix=".partial")
        if take_lock(handle) is not False and os.path.lexists(name):
            return handle, name
        os.close(handle)  # somebody took it for a left-over before it was locked


def _hidden_folder(path: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=path.parent, prefix=_hidden(path), suffix=".partial"))


def _hidden(path: Path) -> str:
    """Returns what the names of what is not yet `path` begin with: no longer than a name may be."""
    return f".{os.fsdecode(os.fsencode(path.name)[:_LONGEST])}."


def _sync_folder(path: Path) -> None:
    """Makes a rename inside `path` survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
