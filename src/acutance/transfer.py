"""One file over HTTP, taken up again wherever it breaks.

pooch's own downloader, like those of torch and Hugging Face's `datasets`, begins anew at every
break, which 3.5 GB do not forgive. What makes resuming safe: the server's own name for this version
of the file (RFC 9110, If-Range) or a checksum of the whole; without either, nothing is resumed.
"""

import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import requests
import urllib3

from acutance import __version__
from acutance.errors import Refused
from acutance.files import write_atomically

__all__ = ["transfer"]

CONNECT, READ = 15, 60  # seconds without an answer before a connection counts as broken
BREAKS = 4  # in a row, without one new byte, before an address is given up
UNREACHED = 1  # the same, where no connection came about
CHUNK = 1 << 16
LARGEST = 16 << 30  # bytes, where nothing promises how many
SPARE = 64 << 20  # bytes to leave free on the disk
LONGEST = 30.0  # seconds of pause, whatever a server asks for
AGENT = f"acutance/{__version__} (super-resolution data sets)"


def transfer(
    url: str,
    part: Path,
    whole: Path,
    *,
    size: int | None,
    checked: bool,
    report: Callable[[int, int], None],
    pause: float,
) -> None:
    """Fetches `url` into `part`, from where an earlier call left it, then moves it to `whole`.

    Args:
        url: http or https.
        part: The file's beginning, if there is one; beside it lies a note of what it belongs to.
        whole: Where the file goes, on the same disk.
        size: Bytes that are promised, or None.
        checked: Whether the caller will compare a checksum.
        report: Called with (bytes there, bytes in all or 0).
        pause: Seconds before the first new attempt; doubles from one to the next.

    Raises:
        Refused: If the file cannot be had; what came of it is kept where it may be of use.
        OSError: If the disk is full.
    """
    breaks = 0
    with requests.Session() as session:
        attempt = _Attempt(session, url, part, size, report)
        while True:
            before = _length(part)
            try:
                attempt.run(checked)
                break
            except _BrokenError as broken:
                breaks = 0 if _length(part) > before else breaks + 1
                if breaks > broken.patience:
                    raise Refused(str(broken)) from None
                time.sleep(min(LONGEST, max(broken.wait, pause * 2**breaks)))
    shutil.move(part, whole)
    _note(part).unlink(missing_ok=True)


class _BrokenError(Exception):
    """A transfer that may be taken up again."""

    def __init__(self, reason: str, *, wait: float = 0.0, patience: int = BREAKS) -> None:
        super().__init__(reason)
        self.wait = wait
        self.patience = patience


@dataclass(frozen=True)
class _File:
    """What a server says of a file.

    Attributes:
        version: ETag or date, either of which another version would not share; or nothing.
        total: Bytes of the whole, or 0.
    """

    version: str = ""
    total: int = 0


@dataclass(frozen=True)
class _Attempt:
    session: requests.Session
    url: str
    part: Path
    size: int | None
    report: Callable[[int, int], None]

    def run(self, checked: bool) -> None:
        """Asks for what is missing and appends it."""
        known = _noted(self.part)
        have = _length(self.part) if known.version or checked else 0
        if have and have == known.total:
            return  # killed between the last byte and the end
        if known.total and have > known.total:
            have = 0
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            headers |= {"If-Range": known.version} if known.version else {}
        try:
            with self.session.get(
                self.url, headers=headers, stream=True, timeout=(CONNECT, READ)
            ) as answer:
                self._receive(answer, have, known)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _broken(error) from None

    def _receive(self, answer: requests.Response, have: int, known: _File) -> None:
        """Appends what comes to what is there, or begins anew if it is another file's."""
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            self._begin_anew()
        _check_answer(answer)
        coming = _offered(answer)
        if answer.status_code != requests.codes.partial_content:
            have = 0
        elif _begin(answer) != have or (coming.version or known.version) != known.version:
            self._begin_anew()
        else:
            coming = known
        self._check_room(coming.total, have)
        write_atomically(_note(self.part), json.dumps([coming.version, coming.total]))
        with self.part.open("ab" if have else "wb") as file:
            # Not `iter_content`: it would undo the gzip that some servers claim of a .tar.gz.
            for chunk in answer.raw.stream(CHUNK, decode_content=False):
                have += len(chunk)
                if have > (self.size or coming.total or LARGEST):
                    break
                file.write(chunk)
                self.report(have, coming.total)
        if have < coming.total:
            raise _BrokenError(f"broke off after {have} of {coming.total} bytes")
        if have != (self.size or coming.total or min(have, LARGEST)):
            self._refuse_size(have)

    def _begin_anew(self) -> NoReturn:
        self.part.unlink(missing_ok=True)
        raise _BrokenError("the file on the server changed while it was being fetched")

    def _check_room(self, total: int, have: int) -> None:
        if total > LARGEST or (self.size and total and total != self.size):
            self._refuse_size(total)
        free = shutil.disk_usage(self.part.parent).free
        if total - have + SPARE > free:
            need = f"{(total - have + SPARE) / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free"
            raise Refused(f"no room in {self.part.parent}: {need}")

    def _refuse_size(self, size: int) -> NoReturn:
        self.part.unlink(missing_ok=True)
        raise Refused(f"{size} bytes instead of the promised {self.size or LARGEST}")


def _check_answer(answer: requests.Response) -> None:
    """Refuses what is neither the file nor a part of it; says what may be better the next time."""
    said = f"HTTP {answer.status_code} {answer.reason}"
    if answer.status_code == requests.codes.too_many_requests or answer.status_code >= 500:
        asked = answer.headers.get("Retry-After", "")
        raise _BrokenError(said, wait=float(asked) if asked.isdigit() else 0.0)
    if answer.status_code not in (requests.codes.ok, requests.codes.partial_content):
        raise Refused(said)
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise Refused("a web page came instead of a file; the address may have moved")


def _offered(answer: requests.Response) -> _File:
    tag = answer.headers.get("ETag", "")
    weak = tag.startswith("W/")  # means alike, not the same byte by byte
    version = tag if tag and not weak else answer.headers.get("Last-Modified", "")
    length = answer.headers.get("Content-Length", "")
    return _File(version, int(length) if length.isdigit() else 0)


def _begin(answer: requests.Response) -> int:
    """Returns where the part that came begins in the file, or -1."""
    begin = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(begin[1]) if begin else -1


def _broken(error: Exception) -> _BrokenError:
    """Returns in few words what requests and urllib3 say in many, and whether to try again."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return _BrokenError(f"no safe connection ({_core(text)})", patience=0)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        lost = isinstance(error, requests.ConnectTimeout)
        patience = UNREACHED if lost else BREAKS
        return _BrokenError(f"no answer within {CONNECT if lost else READ} s", patience=patience)
    if isinstance(error, ValueError | requests.TooManyRedirects):  # no address, or a loop
        return _BrokenError(_core(text), patience=0)
    unreached = "NewConnectionError" in text or "NameResolutionError" in text
    what = "not reached" if unreached else "connection broke"
    return _BrokenError(f"{what} ({_core(text)})", patience=UNREACHED if unreached else BREAKS)


def _core(text: str) -> str:
    """Returns the innermost reason of nested messages.

    >>> _core("Pool(port=1): failed (Caused by E('<c>: no: [Errno 111] Connection refused'))")
    'Connection refused'
    """
    inner = re.findall(r"\[[^\]]*\] ([^'\")\]]+)", text)
    return inner[-1] if inner else text[:120]


def _noted(part: Path) -> _File:
    with suppress(OSError, ValueError, TypeError):
        version, total = json.loads(_note(part).read_text())
        return _File(str(version), int(total))
    return _File()


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
