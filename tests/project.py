"""A copy of the project with a small real study, and the engines that run it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

TINY = """
title: Tiny
build: [tiny]
recipes:
  tiny: {base: espcn, steps: 6, milestones: [4], batch: 2, patch: 8, validate_every: 3}
tracks:
  tiny:
    paper: gv
    tables: [table1]
    systems: [espcn, espcn+gv]
    scales: [2]
    train: {datasets: [photographs-train], degradation: bicubic}
    validate: {datasets: [photographs]}
    test: {datasets: [photographs], degradation: bicubic}
    metrics: {psnr: psnr_float, ssim: ssim_float}
    deltas:
      espcn: {recipe: tiny}
"""


@dataclass(frozen=True)
class Project:
    """A copy of the project that may be spoilt, and its engines."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which the environment's commands are found, and use this copy's source."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ours = {"PYTHONPATH": str(self.folder / "src"), "PATH": path}
        ours["PYTHONDONTWRITEBYTECODE"] = ""  # else each process translates the copy anew
        return {**os.environ, **ours}

    def run(self, *command: str, ok: bool = True) -> str:
        """Runs one of the environment's commands in the folder; returns what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) == ok, done.stdout
        return done.stdout

    def copy(self, folder: Path) -> "Project":
        """Copies it, with what Snakemake remembers of it and all time stamps."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def snakemake(self, *options: str) -> str:
        """Runs Snakemake on the study."""
        return self.run("snakemake", "--profile", "workflow/profiles/cpu", *options)

    def jobs(self) -> dict[str, int]:
        """How many jobs of each rule Snakemake would run now."""
        printed = self.snakemake("-n", "--quiet", "reason")
        found: dict[str, int] = {}
        inside = False
        for line in printed.splitlines():
            words = line.split()
            if words[:2] == ["job", "count"]:
                inside = True
            elif not words:
                inside = False
            elif inside and len(words) == 2 and words[1].isdigit():
                found[words[0]] = int(words[1])
        assert found or "Nothing to be done" in printed, printed
        for word in ("all", "total"):
            found.pop(word, None)
        return found

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces the first `old` in a file of the folder."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


def copy_of_the_project(folder: Path) -> Project:
    """Copies what a clone of the repository holds, and adds the small study."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "workflow/studies/tiny.yaml").write_text(TINY)
    project = Project(folder)
    project.edit("params.yaml", "study: papers", "study: tiny")
    return project
