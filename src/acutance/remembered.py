"""What follows from the package's source alone, kept from one process to the next.

It lies in `__pycache__` beside Python's own translations and may be removed like them at any time.
"""

import atexit
import hashlib
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
FILE = PACKAGE / "__pycache__" / "digests.json"
_Function = Callable[[str, str], str]


def remembered(function: _Function) -> _Function:
    """Has a function of two names computed once for all processes, until any source changes."""

    @cache
    def known(module: str, name: str) -> str:
        found, key = _read(), f"{module}:{name}"
        if key not in found:
            if not _fresh and not sys.dont_write_bytecode:
                atexit.register(_write)
            _fresh[key] = function(module, name)
        return found.get(key) or _fresh[key]

    return known


_fresh: dict[str, str] = {}


@cache
def _sources() -> str:
    """Returns the digest of all that the package's files hold, their names included."""
    files = sorted(PACKAGE.rglob("*.py"))
    said = [(str(file.relative_to(PACKAGE)), _sum(file.read_bytes())) for file in files]
    return _sum(json.dumps(said).encode())


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@cache
def _read() -> dict[str, str]:
    """Returns what is known of these sources: nothing, if the file is damaged or of others."""
    with suppress(OSError, ValueError):
        line, _, text = FILE.read_text(encoding="ascii").partition("\n")
        if line == _sum((_sources() + text).encode()):
            return dict(json.loads(text))
    return {}


def _write() -> None:
    if _sources.__wrapped__() != _sources():
        return  # somebody edits them: of which was it computed?
    # A first line that fits the rest makes a half-written file, or one of two writers, harmless.
    text = json.dumps(_read() | _fresh, sort_keys=True, indent=0)
    with suppress(OSError):
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(f"{_sum((_sources() + text).encode())}\n{text}", encoding="ascii")
