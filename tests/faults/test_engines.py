"""The engines disturbed: killed at random moments, two at once, with the clock set back."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from disturbed import EACH, content

from project import Project

pytestmark = pytest.mark.workflow

SNAKEMAKE = ("snakemake", "--profile", "workflow/profiles/cpu")
DVC = ("dvc", "repro")
ALIVE = 300  # seconds that what a killed engine left behind may go on
MADE = ("results/runs", "results/sr", "results/scores", "results/counts", "results/tables")


def unmake(project: Project) -> None:
    for place in (*MADE, "data/lr", "data/packed", "reports"):
        shutil.rmtree(project.folder / place)


def made(project: Project) -> dict[str, dict[str, bytes]]:
    return {place: content(project.folder / place) for place in MADE}


def start(project: Project, command: tuple[str, ...], told: Path) -> subprocess.Popen[bytes]:
    with told.open("wb") as file:
        return subprocess.Popen(
            command,
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def orphans(project: Project) -> list[int]:
    """Processes that still run in the project."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = (process / "cwd").readlink().is_relative_to(project.folder)
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if inside and state != "Z":
            found.append(int(process.name))
    return found


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + ALIVE
    while not until() and time.monotonic() < end:
        time.sleep(0.02)


def kill(project: Project, command: tuple[str, ...], told: Path, draw: random.Random) -> None:
    """Starts an engine, and ends it, or it and all that it started, after some of its jobs."""
    process = start(project, command, told)
    jobs = draw.randint(0, 3)
    wait(lambda: told.read_text().count("rule ") > jobs or process.poll() is not None)
    time.sleep(draw.uniform(0, 4))
    if draw.random() < 0.5:
        process.kill()
    else:
        with suppress(ProcessLookupError):  # it ended before: done, or refused beside an orphan
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tidy(project: Project) -> None:
    """Does what Snakemake asks for after a kill, where it locks by files."""
    if [*project.folder.glob(".snakemake/locks/*")]:
        wait(lambda: not orphans(project))
        project.snakemake("--unlock")


def go_on(project: Project, command: tuple[str, ...]) -> None:
    """Runs an engine again as often as it says that something has to be done first."""
    for _ in range(4):
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = done.stdout + done.stderr
        if done.returncode == 0:
            return
        assert "Traceback" not in printed, printed
        if "--unlock" in printed:
            tidy(project)
        else:
            assert re.search(r"(another process|being rebuilt) .*; wait for it", printed), printed
            wait(lambda: not orphans(project))
    raise AssertionError(printed)


@pytest.mark.parametrize("command", [SNAKEMAKE, DVC], ids=["snakemake", "dvc"])
def test_a_killed_engine_makes_the_same_bytes_when_it_is_run_again(
    project: Project, tmp_path: Path, command: tuple[str, ...]
) -> None:
    wanted = made(project)
    if command == DVC:
        project.run("git", "init", "--quiet")
    unmake(project)
    draw = random.Random(command[0])  # noqa: S311 (no secret)
    for number in range(EACH):
        tidy(project)
        if number and draw.random() < 0.5:
            wait(lambda: not orphans(project))
        kill(project, command, tmp_path / "told", draw)
    go_on(project, command)
    assert made(project) == wanted
    assert project.jobs() == {}
    assert not [*project.folder.rglob(".*.partial"), *project.folder.glob("results/state/*")]
    if command == DVC:
        assert "up to date" in project.run("dvc", "status")
    pages = content(project.folder / "reports")
    project.run("acutance", "report")
    assert content(project.folder / "reports") == pages


@pytest.mark.parametrize("command", [SNAKEMAKE, DVC], ids=["snakemake", "dvc"])
def test_a_second_engine_is_refused_and_the_first_ends_well(
    project: Project, tmp_path: Path, command: tuple[str, ...]
) -> None:
    if command == DVC:
        project.run("git", "init", "--quiet")
    wanted = made(project)
    for place in ("results/tables", "results/scores", "reports"):
        shutil.rmtree(project.folder / place)
    first = start(project, command, tmp_path / "told")
    wait(lambda: "rule " in (tmp_path / "told").read_text() or first.poll() is not None)
    printed = project.run(*command, ok=False)
    assert re.search(r"cannot be locked|is being rebuilt|Another DVC process|is busy", printed)
    assert "Traceback" not in printed
    assert first.wait() == 0, (tmp_path / "told").read_text()
    assert made(project) == wanted
    assert project.jobs() == {}


def test_a_clock_set_back_is_told_and_nothing_finished_is_lost(project: Project) -> None:
    """Seen from such a clock, all that is there comes from the future."""
    wanted = made(project)
    shutil.rmtree(project.folder / "reports")
    shutil.rmtree(project.folder / "results/scores")
    ahead = time.time() + 400 * 86400
    for path in project.folder.rglob("*"):
        os.utime(path, (ahead, ahead), follow_symlinks=False)
    printed = project.run(*SNAKEMAKE, ok=False)
    assert "has older modification time" in printed
    assert "rule fit:" not in printed
    assert [*project.folder.glob("results/scores/*/*.csv")], "what was made is kept"
    project.run("find", "data", "results", "-newermt", "now", "-exec", "touch", "{}", "+")
    printed = project.snakemake()
    assert "rule fit:" not in printed
    assert made(project) == wanted
    assert project.jobs() == {}
