"""Files from the internet, kept in a folder: whole and as promised, or not at all."""

import fcntl
import hashlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn

from acutance.errors import Refused
from acutance.sets import Source
from acutance.transfer import transfer

__all__ = ["check", "download", "file_name", "shelf"]

Say = Callable[[str], None]


def download(source: Source, folder: Path, *, say: Say, pause: float = 1.0) -> Path:
    """Returns the file behind `source.url`, from `folder` where it lies there already.

    A broken transfer is resumed where it broke, also by another process after a `kill -9`, if the
    server can do that and its file is still the same one.

    Args:
        source: Its address, and its size and checksum where they are known.
        folder: Where downloads are kept, each in a folder of its own.
        say: Takes lines for the user.
        pause: Seconds before the first new attempt; doubles from one to the next.

    Raises:
        Refused: If the file cannot be had, or is not what the checksum promises; then it is gone.
        OSError: If the disk is full.
    """
    url = str(source.url)
    place = folder / shelf(url)

    def receive(_url: str, output_file: str, _pooch: object) -> None:
        with _progress(file_name(url), say) as report:
            transfer(
                url,
                Path(output_file).with_name(f"{file_name(url)}.part"),
                Path(output_file),
                size=source.bytes,
                checked=_promised(source) is not None,
                report=report,
                pause=pause,
            )

    pooch.get_logger().setLevel(logging.WARNING)  # else it prints checksums
    with _alone(place):
        try:
            found = pooch.retrieve(
                url, _promised(source), fname=file_name(url), path=place, downloader=receive
            )
        except Refused:
            raise
        except ValueError:  # pooch's word for a wrong checksum; it has deleted the file
            promised = str(_promised(source)).replace(":", " ")
            raise Refused(f"what came has not the promised {promised}; it was deleted") from None
    return Path(found)


def check(source: Source, path: Path) -> None:
    """Checks a file that was not downloaded.

    Raises:
        Refused: If `source` promises another checksum.
    """
    promised = _promised(source)
    if promised is None:
        return
    kind, value = promised.split(":")
    found = pooch.file_hash(str(path), alg=kind)
    if found != value:
        raise Refused(f"its {kind} is {found}, not the promised {value}; is it another version?")


def shelf(url: str) -> str:
    """Returns the name of the folder, among the downloads, that keeps what an address gave."""
    return hashlib.sha256(url.encode()).hexdigest()[:8]


def file_name(url: str) -> str:
    """Returns the last part of an address, by which a mirror keeps the file.

    >>> file_name("https://example.org/a/Set5_HR.tar.gz?download=true")
    'Set5_HR.tar.gz'
    """
    return PurePosixPath(unquote(urlsplit(url).path)).name or "download"


def _promised(source: Source) -> str | None:
    if source.sha256:
        return f"sha256:{source.sha256.lower()}"
    return f"md5:{source.md5.lower()}" if source.md5 else None


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Lets one process at a time use `place`: several data sets come from one archive."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left_over in place.glob("tmp*"):  # pooch's, after a `kill -9`
            left_over.unlink()
        yield


@contextmanager
def _progress(name: str, say: Say) -> Iterator[Callable[[int, int], None]]:
    """Gives a function of (bytes there, bytes in all or 0) that shows how far a transfer is.

    A bar on a terminal, a line for each tenth elsewhere: a log of Snakemake's, say.
    """
    if not sys.stderr.isatty():
        yield _Lines(name, say)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), SpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


class _Lines:
    """Progress as lines of text."""

    def __init__(self, name: str, say: Say) -> None:
        self.name = name
        self.say = say
        self.tenths = 0

    def __call__(self, done: int, total: int) -> None:
        """Says how far it is, if that is a tenth further than last said."""
        tenths = 10 * done // total if total else 0
        if tenths > self.tenths:
            self.say(f"{self.name}: {done / total:.0%} of {total / 1e6:.1f} MB")
        self.tenths = tenths
