"""journal: the log is CSV that grows, survives a restart, and a quiet stream gets few lines."""

import io
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from acutance.journal import Journal

ROW = {"loss": 0.25, "l2": 0.125, "learning_rate": 1e-4}


def journal(tmp_path: Path, steps: int = 1000, **console: object) -> tuple[Journal, io.StringIO]:
    out = io.StringIO()
    shown = Console(file=out, width=120, **console)
    return Journal(tmp_path / "log.csv", ["l2"], title="espcn", steps=steps, console=shown), out


def test_rows_are_in_the_file_as_they_come(tmp_path: Path) -> None:
    kept, _ = journal(tmp_path)
    with kept:
        kept.record(1, ROW)
        kept.record(2, ROW | {"psnr": 30.123456789012})
        lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "step,loss,l2,learning_rate,psnr,seconds"
    assert lines[1].startswith("1,0.25,0.125,0.0001,,")
    assert lines[2].startswith("2,0.25,0.125,0.0001,30.1234568,")
    assert kept.text().splitlines() == lines


def test_going_on_cuts_later_rows_and_adds_to_the_time(tmp_path: Path) -> None:
    first, _ = journal(tmp_path)
    with first:
        first.record(1, ROW)
        held = [dict(row) for row in first.rows]
        first.record(2, ROW)
    with (tmp_path / "log.csv").open("a") as file:
        file.write("3,0.2")  # a line that a kill cut short
    again, _ = journal(tmp_path)
    again.go_on(held, 100.0, 1)
    with again:
        again.record(2, ROW)
    steps = [line.split(",")[0] for line in (tmp_path / "log.csv").read_text().splitlines()]
    assert steps == ["step", "1", "2"]
    assert again.rows[-1]["seconds"] >= 100


def test_without_a_terminal_a_short_run_says_one_line(tmp_path: Path) -> None:
    kept, out = journal(tmp_path)
    with kept:
        for step in range(1, 1001):
            if step == 500:
                kept.record(step, ROW | {"psnr": 31.0})
            kept.tick(step)
    (line,) = out.getvalue().splitlines()
    assert line.startswith("espcn: step 1,000 of 1,000")
    assert "/s  loss 0.25  31.00 dB  0:00:00 left" in line


def test_on_a_terminal_a_bar_moves(tmp_path: Path) -> None:
    kept, out = journal(tmp_path, force_terminal=True)
    with kept:
        kept.record(1, ROW)
        kept.tick(1000)
    assert "1000/1000" in out.getvalue()
    assert "/s  loss 0.25" in out.getvalue()


@pytest.mark.parametrize("terminal", ["0", "1"])
def test_a_reader_that_leaves_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    with os.fdopen(writer, "w", buffering=1) as left:
        monkeypatch.setattr(sys, "stderr", left)
        kept = Journal(tmp_path / "log.csv", ["l2"], title="espcn", steps=2)
        with kept:
            for step in (1, 2):
                kept.say("hello")
                kept.record(step, ROW)
                kept.tick(step)
        sys.stderr.write("more\n")
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3


def test_a_critic_that_tells_all_apart_is_named_once(tmp_path: Path) -> None:
    shown = io.StringIO()
    names = [f"critic_{name}{part}" for name in ("image", "scores") for part in TOLD]
    with Journal(
        tmp_path / "log.csv", names, title="it", steps=9, console=Console(file=shown, width=200)
    ) as kept:
        for step, image in enumerate((0.69, 2e-3, 9e-4, 1e-5), start=1):
            # beside it a critic whose loss is the difference of its scores
            values = (image, 1.0, 4.0, -4.0, 1e-5, 1.0, 0.5, 0.5)
            kept.record(step, dict(zip(names, values, strict=True), loss=1.0))
            assert bool(shown.getvalue()) == (step >= 3)
    (line,) = shown.getvalue().splitlines()
    assert line.startswith("it: step 3: critic 'image' tells all apart: its loss was 9.0e-04 up to")


TOLD = ("", "_norm", "_real", "_fake")
