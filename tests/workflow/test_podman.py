"""The container: podman builds it by its recipe on a bare Debian, and rebuilds a small study in it.

No registry of images is needed: the base is made of Debian's packages, as the published one is.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1800)]

PROGRAMS = ("podman", "runc", "mmdebstrap")
COMPILED = "import torch; assert torch.compile(lambda x: x + 1)(torch.ones(1)).item() == 2"


def run(*command: str | Path) -> str:
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def own_pip(place: Path) -> list[str]:
    """This machine's configuration of pip for a build: a mirror, its certificate, its wheels."""
    listed = run(sys.executable, "-m", "pip", "config", "list").splitlines()
    settings, folders = ["[global]"], set()
    for line in listed:
        name, _, value = line.partition("=")
        key, value = name.rpartition(".")[2], value.strip("'")
        for word in value.split():
            path = Path(word.removeprefix("file://"))
            if key == "cert":  # not over the image's own
                shutil.copy(path, place / "pip.pem")
                value = "/etc/pip.pem"
            elif path.is_absolute() and path.exists():
                folders.add(path.parent)  # an index names files beside it
        settings.append(f"{key} = {value}")
    (place / "pip.conf").write_text("\n".join(dict.fromkeys(settings)) + "\n")
    outer = [each for each in sorted(folders) if folders.isdisjoint(each.parents)]
    mounted = {str(each): f"/etc/{each.name}" for each in place.iterdir()}
    mounted |= {str(each): str(each) for each in outer}
    return [f"--volume={ours}:{theirs}:ro" for ours, theirs in mounted.items()]


class Podman:
    """Images and containers of this test alone, in a folder."""

    def __init__(self, place: Path) -> None:
        self._settings = ["podman", f"--root={place}/images", f"--runroot={place}/running"]
        self._settings += ["--runtime=runc", "--cgroup-manager=cgroupfs"]

    def __call__(self, *words: str | Path) -> str:
        return run(*self._settings, *words)

    def run(self, *command: str, project: Path = ROOT) -> str:
        """Runs a command in the image, a project's folder mounted."""
        limits = ["--ulimit=nofile=4096:4096", "--ulimit=nproc=16384:16384"]  # not above our own
        mounted = f"--volume={project}:/project"
        return self("run", "--rm", "--network=host", *limits, mounted, "acutance", *command)


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    """With the image built; a skip says what is missing."""
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        pytest.skip(f"no {', '.join(missing)}; as root: apt-get install {' '.join(PROGRAMS)}")
    if os.geteuid():
        pytest.skip("only root builds the base")
    place = Path(tempfile.mkdtemp())  # podman wants a short one
    made, pip = Podman(place), place / "pip"
    pip.mkdir()
    try:
        run("mmdebstrap", "--variant=minbase", "bookworm", place / "base.tar")
        made("import", place / "base.tar", "localhost/debian")
        options = ["--isolation=chroot", "--network=host", "--build-arg=BASE=localhost/debian"]
        recipe = "--file=workflow/container/Containerfile"
        made("build", *options, *own_pip(pip), recipe, "--tag=acutance", ".")
        yield made
    finally:  # gigabytes, which pytest would keep
        subprocess.run(["umount", place / "images/overlay"], capture_output=True, check=False)
        shutil.rmtree(place)


def test_the_image_is_complete_and_holds_nothing_else(podman: Podman) -> None:
    assert podman.run("acutance", "--version").startswith("acutance ")
    assert podman.run("python", "-c", COMPILED) == ""
    held = podman.run("sh", "-c", "cd /usr/local/acutance && find . -path ./.venv -prune -o -print")
    names = {Path(line).parts[0] for line in held.splitlines() if line != "."}
    assert names == {
        *("LICENSE", "Makefile", "README.md", "pyproject.toml", "requirements.txt"),
        *("src", "workflow"),
    }
    assert "__pycache__" not in held


def test_a_study_is_rebuilt_in_it(podman: Podman, finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    shutil.rmtree(project.folder / "results")
    podman.run("snakemake", "--profile=workflow/profiles/cpu", project=project.folder)
    rebuilt = []
    for each in (project, finished):
        with (each.folder / "results/tables/tiny/gv/table1.csv").open() as file:
            rebuilt.append({row["system"]: row["rebuilt"] for row in csv.DictReader(file)})
    assert rebuilt[0] == rebuilt[1]
    assert any(rebuilt[0].values())
