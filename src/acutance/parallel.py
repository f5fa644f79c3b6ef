"""One function over many images, in threads: decoding, encoding and filters leave Python's lock."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int | None, title: str
) -> Iterator[Result]:
    """Yields `function` of each item, in their order, with a progress bar on a terminal.

    Args:
        function: Called in any thread.
        items: What it is called with.
        workers: Threads; None for one per core this process may use.
        title: What the progress bar says.

    Raises:
        Exception: The first that `function` raises, in the order of items; the rest is not begun.
    """
    console = Console(stderr=True)
    threads = workers if workers is not None else len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        results = pool.map(function, items)
        try:
            yield from track(
                results, title, len(items), console=console, disable=not console.is_terminal
            )
        finally:
            pool.shutdown(cancel_futures=True)
