"""How long jobs take on several machines, of which each does one at a time."""

from __future__ import annotations

import heapq
from collections.abc import Mapping


def longest(hours: Mapping[str, float], after: Mapping[str, str]) -> dict[str, float]:
    """Returns for each job the time from its beginning to the end of the last that waits for it.

    Args:
        hours: How long each job takes, in any unit.
        after: The job that another one waits for, where it waits for one.
    """
    followers: dict[str, list[str]] = {}
    for job, before in after.items():
        followers.setdefault(before, []).append(job)
    found: dict[str, float] = {}

    def chain(job: str) -> float:
        if job not in found:
            found[job] = hours[job] + max(map(chain, followers.get(job, ())), default=0.0)
        return found[job]

    for job in hours:
        chain(job)
    return found


def makespan(hours: Mapping[str, float], after: Mapping[str, str], machines: int) -> float:
    """Returns when the last job ends, if whatever machine is free begins the longest chain.

    No order is faster than the longest chain, nor than all hours shared evenly; this one takes at
    most twice as long as the best (R. L. Graham, Bounds on multiprocessing timing anomalies, SIAM
    J. Appl. Math. 17, 1969).

    Args:
        hours: How long each job takes.
        after: The job that another one waits for, where it waits for one; both among `hours`.
        machines: How many jobs at a time.

    >>> makespan({"a": 3, "b": 2, "c": 2}, {"c": "b"}, 2)
    4.0
    """
    urgency = longest(hours, after)
    ready = [(-urgency[job], job) for job in hours if job not in after]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < machines:
            _, job = heapq.heappop(ready)
            heapq.heappush(running, (now + hours[job], job))
        now, done = heapq.heappop(running)
        for job, before in after.items():
            if before == done:
                heapq.heappush(ready, (-urgency[job], job))
    return now
