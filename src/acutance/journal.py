"""What a training run tells: the rows of its log, and how far it is."""

import csv
import io
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acutance import beats
from acutance.files import naming
from acutance.health import Health

Row = dict[str, float]

GLANCE = 0.2  # seconds between two looks at a bar
LINE = 15.0  # seconds between two lines, where there is no terminal


class _Console(Console):
    """The standard error; when its reader leaves, nobody is told and the training goes on."""

    def on_broken_pipe(self) -> None:
        """Keeps quiet from now on, where rich would end the process."""
        self.quiet = True
        with suppress(OSError):  # a stream without a descriptor
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.file.fileno())
            os.close(nowhere)


class Journal:
    """Log and progress of one run; a context manager.

    Attributes:
        rows: Of the log so far: step, values, seconds.
        health: What they have shown.
        left: Why the run is left before it is done; for those who look on.
    """

    def __init__(
        self,
        file: Path,
        terms: Sequence[str],
        *,
        title: str,
        steps: int,
        console: Console | None = None,
    ) -> None:
        """Names what is told and where.

        Args:
            file: The CSV that grows with the run.
            terms: Columns of the objective's parts.
            title: What stands before the bar.
            steps: How many there will be.
            console: Where progress is shown; None for the standard error.
        """
        self.rows: list[Row] = []
        self.left = ""
        self._columns = ("step", "loss", *terms, "learning_rate", "psnr", "seconds")
        self._file, self._title, self._steps = file, title, steps
        self._console = console or _Console(stderr=True)
        self._begun, self._before, self._first = time.monotonic(), 0.0, 0
        self._look, self._beat = 0.0, 0.0
        self._step, self._last, self._silence = 0, self._begun, 0.0
        self.health = Health()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=steps, told="")

    @property
    def seconds(self) -> float:
        """Time spent on the run, earlier sittings included."""
        return self._before + time.monotonic() - self._begun

    def go_on(self, rows: Sequence[Mapping[str, float]], seconds: float, step: int) -> None:
        """Takes over the rows and the time of earlier sittings; later rows of the file are cut."""
        self.rows, self.health = [dict(row) for row in rows], Health()
        for row in self.rows:
            self.health.look(row)  # which was said when it came
        self._before, self._first, self._step = seconds, step, step
        self._begun = time.monotonic()

    def __enter__(self) -> "Journal":
        """Writes the rows so far and shows the bar."""
        with naming(self._file):
            self._file.write_text(self.text(), encoding="utf-8")
        self._bar.start()
        self._last = time.monotonic()
        self._look = self._last + (GLANCE if self._console.is_terminal else LINE)
        self._live()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the bar away; says why, if the run is not done."""
        self._bar.stop()
        if error is not None or self.left:
            self._live(self.left or str(error) or type(error).__name__)

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a row to the log."""
        row = {"step": step, **values, "seconds": self.seconds}
        self.rows.append(row)
        with naming(self._file), self._file.open("a", encoding="utf-8") as file:
            file.write(self._line(row))
        for said in self.health.look(row):
            self.say(f"step {step:,}: {said}")

    def tick(self, step: int) -> None:
        """Shows how far the run is, if it is time to."""
        now = time.monotonic()
        self._step, self._last, self._silence = step, now, max(self._silence, now - self._last)
        if now >= self._beat:
            self._live()
        if now < self._look and step < self._steps:
            return
        rate = self._rate()
        told = f"{rate:.3g}/s  {self._values()}"
        if self._console.is_terminal:
            self._look = now + GLANCE
            self._bar.update(self._task, completed=step, told=told)
        else:
            self._look = now + LINE
            left = timedelta(seconds=round((self._steps - step) / rate))
            self.say(f"step {step:,} of {self._steps:,}  {told}  {left} left")

    def _rate(self) -> float:
        """Returns updates a second in this sitting."""
        return (self._step - self._first) / max(time.monotonic() - self._begun, 1e-9)

    def _live(self, ended: str = "") -> None:
        """Writes a sign of life beside the log, for `acutance status`: often in the beginning."""
        now = time.monotonic()
        self._beat = now + min(beats.EVERY, max(1.0, now - self._begun))
        beat = beats.Beat(
            step=self._step,
            steps=self._steps,
            rate=self._rate(),
            silence=self._silence,
            written=time.time(),
            ended=ended,
        )
        beats.write(self._file.parent, beat)

    def say(self, text: str) -> None:
        """Prints a line, above the bar where there is one."""
        self._console.print(f"{self._title}: {text}", highlight=False, markup=False, soft_wrap=True)

    def text(self) -> str:
        """Returns the log as CSV."""
        return ",".join(self._columns) + "\n" + "".join(map(self._line, self.rows))

    def _line(self, row: Mapping[str, float]) -> str:
        shown = {
            name: f"{value:.1f}" if name == "seconds" else f"{value:.9g}"
            for name, value in row.items()
        }
        line = io.StringIO()
        csv.DictWriter(line, self._columns, lineterminator="\n").writerow(shown)
        return line.getvalue()

    def _values(self) -> str:
        """Returns the last loss and the last validation PSNR, where there are any."""
        if not self.rows:
            return ""
        measured = [row["psnr"] for row in self.rows if "psnr" in row]
        psnr = f"  {measured[-1]:.2f} dB" if measured else ""
        return f"loss {self.rows[-1]['loss']:.4g}{psnr}"
