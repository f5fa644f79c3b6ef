"""The verb `status`: how a rebuild stands, in a terminal and as a page that loads itself anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from acutance import paths
from acutance.files import write_atomically
from acutance.lives import Life, State, View, look
from acutance.spec import Study

STATES: tuple[State, ...] = ("running", "quiet", "failed", "stopped", "waiting", "done")
_COLOURS: dict[State, str] = {
    "running": "cyan",
    "quiet": "yellow",
    "failed": "red",
    "stopped": "yellow",
}
_INDENT, _BAR = 9, 20  # letters
_RELOAD = 10  # seconds between two loads of a page, at least


def status(
    study: Study,
    root: Path,
    *,
    every: float | None,
    page: bool = False,
    console: Console | None = None,
    now: Callable[[], float] = time.time,
) -> View:
    """Shows how a study stands, once or until it is done; returns what it saw last.

    Args:
        study: The study.
        root: The project's root: its files are read, no job is asked.
        every: Seconds between two looks; None for a single one.
        page: Whether to write results/status/<study>.html at each look.
        console: Where it is shown; None for the standard output.
        now: Seconds since 1970.
    """
    console = console or Console()
    file = root / paths.STATUS.format(study=study.name) if page else None
    view = _seen(study, root, file, every, now)
    if every is None or not console.is_terminal:
        console.print(shown(view))
        while every is not None and not view.done:
            time.sleep(every)
            before, view = head(view), _seen(study, root, file, every, now)
            if head(view) != before:
                console.print(f"{_clock(view.at)}  {head(view)}", highlight=False)
        return view
    with Live(shown(view), console=console, auto_refresh=False) as live:
        while not view.done:
            time.sleep(every)
            view = _seen(study, root, file, every, now)
            live.update(shown(view), refresh=True)
    return view


def _seen(
    study: Study, root: Path, file: Path | None, every: float | None, now: Callable[[], float]
) -> View:
    view = look(study, root, now())
    if file is not None:
        write_atomically(file, html(view, every))
    return view


def head(view: View) -> str:
    """Returns how many runs are in each state: `1 running, 4 waiting, 2 done of 7 runs`."""
    found = [f"{len(lives)} {state}" for state in STATES if (lives := view.of(state))]
    return f"{', '.join(found) or 'none'} of {len(view.lives)} runs"


def tests(view: View) -> str:
    """Returns how many tests have images and scores."""
    of = f"of {len(view.study.evaluations)} tests"
    return f"{view.pictured} {of} have SR images, {view.scored} are scored"


def told(life: Life) -> str:
    """Returns how far a run is: `1,200 of 5,000, 12.5/s, 5 min left`."""
    beat = life.beat
    if beat is None:
        return ""
    far = f"{beat.step:,} of {beat.steps:,}"
    if life.state != "running" or beat.left is None:
        return far
    return f"{far}, {beat.rate:.3g}/s, {duration(beat.left)} left"


def duration(seconds: float) -> str:
    """Returns a time in words.

    >>> duration(59), duration(3540), duration(9000), duration(200_000)
    ('59 s', '59 min', '2 h 30 min', '2 d 7 h')
    """
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def shown(view: View) -> Group:
    """Returns a view for a terminal: a line for what moves or is in trouble, names of the rest."""
    lines: list[RenderableType] = [Text(f"{view.study.title} (study {view.study.name})", "bold")]
    lines.append(Text(head(view)))
    wide = max((len(life.name) for life in view.lives), default=0)
    for state, colour in _COLOURS.items():
        for life in view.of(state):
            lines += [_row(life, colour, wide), *_indented(life.why)]
    for fault in view.faults:
        lines += [Text.assemble(("failed   ", "red"), fault.what)]
        lines += _indented(f"{fault.why} ({fault.log})")
    rest: tuple[State, ...] = ("waiting", "done")
    for state in rest:
        if lives := view.of(state):
            names = ", ".join(life.name + f" {life.why}" * bool(life.why) for life in lives)
            lines.append(Text(f"{state}: {names}", "dim", overflow="ellipsis", no_wrap=True))
    return Group(*lines, Text(f"{tests(view)}; {_clock(view.at)}"))


def _row(life: Life, colour: str, wide: int) -> Table:
    row = Table.grid(padding=(0, 1, 0, 0))
    for width in (_INDENT - 1, wide, _BAR):
        row.add_column(width=width)
    beat = life.beat
    bar = ProgressBar(beat.steps, beat.step, width=_BAR) if beat else ""
    row.add_row(Text(life.state, colour), life.name, bar, told(life))
    return row


def _indented(text: str) -> list[RenderableType]:
    return [Padding(Text(text, "dim"), (0, 0, 0, _INDENT))] if text else []


def html(view: View, every: float | None) -> str:
    """Returns a view as a page; with `every` one that loads itself anew until all is done."""
    environment = jinja2.Environment(
        autoescape=True, loader=jinja2.PackageLoader("acutance"), undefined=jinja2.StrictUndefined
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment.get_template("status.html").render(
        view=view,
        head=head(view),
        tests=tests(view),
        told=told,
        at=datetime.fromtimestamp(view.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        states=STATES,
        every=None if every is None or view.done else max(_RELOAD, round(every)),
    )


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")
