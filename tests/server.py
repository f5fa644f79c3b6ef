"""A web server on this machine that serves files well or badly, as told."""

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """A file and how it is served.

    Attributes:
        content: What it holds.
        ranges: Whether a part of it can be asked for.
        tags: "strong", "weak" or "none": what names its version.
        heeds: Whether If-Range is looked at.
        cuts: After how many bytes the connection breaks: the first time, the second time, ...
        refusals: Answers given first instead of the file: status, headers.
        headers: More headers.
        chunked: Whether it comes without a length.
        pause: Seconds between pieces of 1 kB.
    """

    content: bytes
    ranges: bool = True
    tags: str = "strong"
    heeds: bool = True
    cuts: list[int] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    pause: float = 0.0

    @property
    def tag(self) -> str:
        """The ETag, a digest of the content."""
        return f'"{hashlib.md5(self.content).hexdigest()}"'  # noqa: S324  # a name, no secret


class Server:
    """Its address, its files, and what was asked of it: path and Range."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str]] = []

    def serve(self, name: str, content: bytes, **how: Any) -> str:
        """Serves a file; returns its address."""
        self.files[name] = Served(content, **how)
        return f"{self.address}/{name}"

    @property
    def ranges(self) -> list[str]:
        """The Range of each request, in order."""
        return [wanted for _, wanted in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Server

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.close_connection = True
        name = self.path.lstrip("/")
        wanted = self.headers.get("Range", "")
        self.owner.asked.append((name, wanted))
        served = self.owner.files.get(name)
        if served is None or served.refusals:
            status, headers = served.refusals.pop(0) if served else (404, {})
            self._head(status, {"Content-Length": "0"} | headers)
            return
        if served.tags == "strong":
            same = self.headers.get("If-Range") in (None, served.tag)
        else:
            same = "If-Range" not in self.headers
        if served.ranges and wanted and (same or not served.heeds):
            self._part(served, int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]))
        else:
            self._body(served, 200, served.content, {})

    def _part(self, served: Served, begin: int) -> None:
        size = len(served.content)
        if begin >= size:
            self._head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
            return
        where = {"Content-Range": f"bytes {begin}-{size - 1}/{size}"}
        self._body(served, 206, served.content[begin:], where)

    def _body(self, served: Served, status: int, body: bytes, headers: dict[str, str]) -> None:
        mark = {"strong": served.tag, "weak": f"W/{served.tag}"}.get(served.tags)
        headers |= {"ETag": mark} if mark else {}
        length = {"Transfer-Encoding": "chunked"} if served.chunked else {}
        length = length or {"Content-Length": str(len(body))}
        self._head(status, headers | length | served.headers)
        cut = served.cuts.pop(0) if served.cuts else len(body)
        for at in range(0, cut, 1024):
            piece = body[at : min(at + 1024, cut)]
            if served.chunked:
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
            self.wfile.write(piece)
            time.sleep(served.pause)
        if served.chunked and cut == len(body):
            self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what is tested."""


@contextmanager
def running() -> Iterator[Server]:
    """Runs a server until the block ends."""
    handler = type("Handler", (_Handler,), {})
    with _Quiet(("127.0.0.1", 0), handler) as http:
        server = handler.owner = Server(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
