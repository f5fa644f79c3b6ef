"""A training whose clock jumps an hour back while it runs."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from acutance import beats
from project import Project

pytestmark = pytest.mark.workflow

RUN = "espcn_x2_s0"
COMMAND = ("acutance", "train", RUN, "--threads", "1")
# What the C library says of the time of day; an hour less once a file is there. Clocks that only
# count on stay, as they do when a clock is set.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long back(void) { return access(getenv("CLOCK_BACK"), F_OK) ? 0 : 3600; }
int clock_gettime(clockid_t clock, struct timespec *at) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, at);
    if (!code && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec -= back();
    return code;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class Clock:
    """A clock that can be set back, of the processes that are given `environment`."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        if not (compiler := shutil.which("cc")):
            pytest.skip("no C compiler")
        library, self._back = folder / "shim.so", folder / "back"
        command = [compiler, "-shared", "-fPIC", "-x", "c", "-o", library, "-"]
        subprocess.run(command, input=SHIM, text=True, check=True)
        self.environment = {**environment, "LD_PRELOAD": str(library)}
        self.environment["CLOCK_BACK"] = str(self._back)

    def set_back(self) -> None:
        self._back.touch()

    def run(self, project: Project, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return done.stdout


def sign_of(project: Project) -> beats.Beat:
    (state,) = project.folder.glob(f"results/state/{RUN}@*")
    found = beats.read(state)
    assert found
    return found


def trained(project: Project) -> dict[str, bytes]:
    files = project.folder.glob(f"results/runs/{RUN}@*/weights.safetensors")
    return {file.parent.name: file.read_bytes() for file in files}


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_training_does_not_mind_that_its_clock_is_set_back(
    finished: Project, project: Project, tmp_path: Path
) -> None:
    undisturbed = finished.copy(tmp_path / "undisturbed")
    for each in (undisturbed, project):
        old, new = "steps: 6, milestones: [4]", "steps: 30, milestones: [20]"
        each.edit("workflow/studies/tiny.yaml", old, new)
    undisturbed.run(*COMMAND)
    clock = Clock(tmp_path, project.environment)
    with subprocess.Popen(COMMAND, cwd=project.folder, env=clock.environment) as training:
        try:
            wait_for(lambda: [*project.folder.glob(f"results/state/{RUN}@*/beat.json")])
            training.send_signal(signal.SIGSTOP)
            before = sign_of(project)
            assert abs(before.written - time.time()) < 60
            clock.set_back()
            shown = clock.run(project, "acutance", "status")
            assert re.search(rf"{re.escape(RUN)}.* {before.step} of 30", shown), shown
            training.send_signal(signal.SIGTERM)
            training.send_signal(signal.SIGCONT)
            assert training.wait(120) == os.EX_TEMPFAIL
        finally:
            training.kill()  # it may be stopped
    assert 3500 < before.written - sign_of(project).written < 3700
    assert "1 stopped" in clock.run(project, "acutance", "status")
    assert "goes on from step" in clock.run(project, *COMMAND)
    assert trained(project) == trained(undisturbed)
    assert len(trained(project)) == 2
    assert project.jobs()["fit"] == 1, "the other run"
