"""Metrics as params.yaml declares them, ready to call."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from acutance import entries, resolve
from acutance.book import open_book

ROOT = Path(__file__).resolve().parents[2]


@cache
def book() -> entries.Book:
    return open_book(ROOT)[0]


def declared(name: str, scale: int) -> Callable[..., float]:
    call = entries.call(book(), "metrics", name, scale=scale)
    function: Any = resolve.load("metrics", call.function)
    return partial(function, **call.kwargs)


def names(*functions: str) -> list[str]:
    """The metrics that are made by one of `functions`."""
    section = book().section("metrics")
    return sorted(name for name in section if section[name]["function"] in functions)
