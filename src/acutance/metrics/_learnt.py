"""What metrics without a reference were taught, read from its file once, whichever thread asks."""

import threading
from functools import lru_cache
from pathlib import Path

from acutance.ma import Raters, read_raters
from acutance.niqe import Natural, read_natural

_READING = threading.Lock()  # images are measured in several threads


def natural(path: Path) -> Natural:
    """Returns NIQE's model of natural photographs; see `read_natural`."""
    with _READING:
        return _natural(path)


def raters(path: Path) -> Raters:
    """Returns Ma's forests; see `read_raters`."""
    with _READING:
        return _raters(path)


_natural = lru_cache(maxsize=2)(read_natural)
_raters = lru_cache(maxsize=2)(read_raters)
