"""SIGTERM and SIGINT as a wish to save and leave, however often they come."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

POLITE = (signal.SIGTERM, signal.SIGINT)
ECHO = 2.0  # seconds in which one Ctrl-C comes from the terminal, and from who started the process


class Asked:
    """Whether a signal asked for the end.

    Schedulers send SIGTERM to all processes of a job, and whoever started them hands it on; some
    send it again before SIGKILL. So only a person's second Ctrl-C ends a training that still saves.

    Attributes:
        by: The signal's name, or nothing.
    """

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.by, self._since = "", 0.0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes both signals; idle outside the main thread, to which alone Python gives them."""
        with _handled(self._hear):
            yield

    def _hear(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        if not self.by:
            self.by, self._since = signal.Signals(number).name, now
        elif number == signal.SIGINT and now - self._since > ECHO:
            raise KeyboardInterrupt


@contextmanager
def ignored() -> Iterator[None]:
    """Leaves both signals to another process."""
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def _handled(how: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, how) for number in POLITE}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
