"""status: of a training that really runs, is killed, goes on; of other machines; in a browser."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from acutance import beats, lives, paths, status, study
from acutance.lives import Life, View
from acutance.spec import Run, Study
from planning.conftest import acutance
from report import test_browser as pages
from synthetic import ROOT, fill, lay

browser = pages.browser
NAME = "espcn+gv_x2_s0"


def endless(root: Path) -> Path:  # before anybody loads it
    """Gives the small study more steps than anyone waits for."""
    overlay = root / "workflow/studies/tiny.yaml"
    overlay.write_text(overlay.read_text().replace("steps: 6", "steps: 900000"))
    return root


@cache
def tiny(root: Path) -> Study:
    return study.load(root, "tiny")


def life(root: Path, *, now: float | None = None, name: str = NAME) -> Life:
    view = lives.look(tiny(root), root, time.time() if now is None else now)
    return next(life for life in view.lives if life.name == name)


def run_of(root: Path, name: str = NAME) -> Run:
    return next(r for r in tiny(root).runs if r.id.startswith(f"{name}@"))


def log_of(root: Path) -> Path:
    path = root / paths.LOGS / "train" / f"{run_of(root).id}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def training(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that trains, its log where Snakemake puts it."""
    words = ["--root", str(root), "--study", "tiny", "train", NAME, "--device", "cpu"]
    with log_of(root).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "acutance", *words, "--threads", "1", "--checkpoint", "0.2"],
            stdout=log,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(root: Path, true: Callable[[Life], bool]) -> Life:
    """Looks until what is seen is so."""
    for _ in range(1200):
        seen = life(root)
        if true(seen):
            return seen
        time.sleep(0.1)
    pytest.fail(f"saw {seen} to the end")


def test_a_real_training_runs_is_killed_goes_on_and_is_told_to_stop(begun: Path) -> None:
    root = endless(begun)
    assert life(root).state == "waiting"
    with training(root) as process:
        seen = until(root, lambda it: it.beat is not None and it.beat.step > 0)
        assert (seen.state, seen.beat.pid) == ("running", process.pid)
        assert seen.beat.rate > 0
        assert "of 900,000" in status.told(seen)
        assert status.told(seen).endswith("left")
        until(root, lambda _: any((root / paths.STATE.format(run="")).rglob("*.state")))
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        dead = life(root)
        assert dead.state == "stopped"
        assert "ended without a word; run again to go on" in dead.why
        assert "left" not in status.told(dead)
    with training(root) as process:
        until(root, lambda it: it.state == "running")
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 75
        told = life(root)
        assert told.state == "stopped"
        assert told.why.startswith("SIGTERM: saved at step ")


def test_what_made_a_training_fail_is_said(begun: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (pixels,) = begun.glob("data/packed/photographs-train*/hr.bin")
    pixels.write_bytes(b"")
    assert acutance(begun, "train", NAME, "--device", "cpu") == 2
    log_of(begun).write_text(capfd.readouterr().err)
    failed = life(begun)
    assert failed.state == "failed"
    assert "hr.bin: 0 bytes, wants" in failed.why
    log_of(begun).write_text("Traceback (most recent call last):\nRuntimeError: CUDA error: x\n\n")
    assert life(begun).why == "RuntimeError: CUDA error: x"
    log_of(begun).write_text("espcn+gv_x2_s0: step 3 of 6\n")
    assert life(begun).state == "waiting"
    log_of(begun).write_text("waiting for a GPU: all are taken (1, 1 job each).\n")
    assert (life(begun).state, life(begun).why) == ("waiting", "for a GPU")


BEAT = beats.Beat(
    step=30, steps=100, rate=0.5, silence=2.0, written=1e9, host="node7", here="elsewhere"
)
HERE = beats.Beat(step=0, steps=1, rate=0.0, silence=0.0, written=0.0).here
SIGNS = {
    "running": (BEAT, 1e9 + 60, "running", "node7"),
    "quiet": (BEAT, 1e9 + 600, "quiet", "no word for 10 min from node7"),
    "ran away": (replace(BEAT, ended="the loss is nan"), 1e9, "failed", "the loss is nan"),
    "interrupted": (replace(BEAT, ended="KeyboardInterrupt"), 1e9, "stopped", "Keyboard"),
    "dead": (replace(BEAT, here=HERE, born=0), 1e9, "stopped", "ended without a word"),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_signs_of_life_are_read_for_what_they_are(half: Path, tmp_path: Path, sign: str) -> None:
    beat, now, state, why = SIGNS[sign]
    root = tmp_path
    for name in ("params.yaml", "workflow", "data/manifests", "data/published", "data/released"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).symlink_to(half / name)
    beats.write(root / paths.STATE.format(run=run_of(root).id), beat)
    seen = life(root, now=now)
    assert (seen.state, why in seen.why) == (state, True)
    assert ("2 min left" in status.told(seen)) == (state == "running")


def test_other_jobs_that_failed_are_named_until_their_result_is_there(half: Path) -> None:
    pairs = next(e.pairs for e in tiny(half).evaluations)
    log = half / paths.LOGS / "degrade" / f"{pairs.id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("acutance: no space left\n")
    assert lives.look(tiny(half), half, 0).faults == ()
    hidden = half / "hidden"
    (half / pairs.lr).rename(hidden)
    (fault,) = lives.look(tiny(half), half, 0).faults
    assert (fault.what, fault.why) == ("degrade photographs_bicubic_x2", "no space left")
    hidden.rename(half / pairs.lr)
    log.unlink()


def test_the_command_looks_once_where_there_is_no_terminal(
    half: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert acutance(half, "status", "--page") == 0
    told = capsys.readouterr().out
    assert "1 waiting, 1 done of 2 runs" in told
    assert "1 of 3 tests have SR images, 0 are scored" in told
    page = (half / told.splitlines()[-1]).read_text()
    assert "1 waiting, 1 done of 2 runs" in page
    assert "refresh" not in page
    assert acutance(half, "status", "--every", "0") == 2
    assert "--every: wants seconds above 0" in capsys.readouterr().err


def test_a_view_goes_on_until_all_is_done(tmp_path: Path) -> None:
    root = lay(tmp_path)
    demo = study.load(root, "demo")
    out, looks = io.StringIO(), iter(range(100))

    def later() -> float:
        if next(looks) == 1:
            fill(demo, root)
            for run in demo.runs:
                for name in paths.WHOLE_RUN:
                    (root / name.format(run=run.id)).parent.mkdir(parents=True, exist_ok=True)
                    (root / name.format(run=run.id)).touch()
        return 0.0

    console = Console(file=out, force_terminal=True, width=90)
    seen = status.status(demo, root, every=0.01, page=True, console=console, now=later)
    assert seen.done
    assert next(looks) == 2
    assert "6 waiting of 6 runs" in out.getvalue()
    assert "6 done of 6 runs" in out.getvalue()
    assert 'http-equiv="refresh"' not in (root / "results/status/demo.html").read_text()


def every_state(root: Path) -> View:
    """A view that holds a run in each state, hostile words among them."""
    view = lives.look(study.load(root, "papers"), root, 1e9)
    ids = iter(view.lives)
    shown = [
        replace(next(ids), state="running", beat=replace(BEAT, step=12_345, steps=1_000_000)),
        replace(next(ids), state="quiet", beat=BEAT, why="no word for 10 min from node7"),
        replace(next(ids), state="failed", why="<script>alert(1)</script>" + "x" * 200),
        replace(next(ids), state="stopped", beat=BEAT, why="SIGTERM: saved at step 30"),
        replace(next(ids), state="done"),
    ]
    fault = lives.Fault(what="fetch set5", why="no space left", log="results/logs/fetch/set5.log")
    return replace(view, lives=(*shown, *ids), faults=(fault,))


@pytest.mark.parametrize("look", pages.LOOKS)
def test_the_page_in_a_browser(browser, look, tmp_path) -> None:
    width, scheme = look
    view = every_state(ROOT)
    path = tmp_path / "status.html"
    path.write_text(status.html(view, 60.0))
    page, wrong = pages.opened(browser, path, width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width, "overflows sideways"
    assert page.evaluate(pages.CONTRAST) == []
    assert page.locator("li progress").count() == 3
    assert "12,345 of 1,000,000, 0.5/s, 22 d 20 h left" in page.inner_text("body")
    assert page.locator(".state").all_inner_texts()[:6] == [
        "failed", "running", "quiet", "failed", "stopped", "waiting",
    ]  # fmt: skip
    assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "60"
    assert wrong == []
    page.context.close()


def test_the_terminal_says_what_the_page_says() -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(status.shown(every_state(ROOT)))
    told = " ".join(out.getvalue().split())
    for part in (
        "1 running, 1 quiet, 1 failed, 1 stopped,",
        "12,345 of 1,000,000, 0.5/s, 22 d 20 h left",
        "SIGTERM: saved at step 30",
        "fetch set5",
    ):
        assert part in told
