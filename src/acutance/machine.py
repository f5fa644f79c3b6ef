"""What made a result, beside its inputs: machine, versions of the packages, commit, time."""

import importlib.metadata
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch

VERSIONS = ("acutance", "torch", "numpy", "safetensors")


def device_name(device: torch.device) -> str:
    """Returns the name of the GPU, or that of the CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()


def _processor() -> str:
    """Returns the name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def now() -> str:
    """Returns the time in UTC, ISO 8601, to the second: `2026-10-18T12:31:05Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions() -> dict[str, object]:
    """Returns the version of Python and of the packages that numbers come from."""
    return {
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
    }


def commit() -> dict[str, object]:
    """Returns the commit of the code and whether files differ from it; None outside a checkout."""
    git, here = shutil.which("git"), Path(__file__)

    def ask(*words: str) -> str | None:
        if git is None:
            return None
        done = subprocess.run(
            [git, "-C", str(here.parent), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    # An installed copy may lie inside the checkout of something else.
    head = ask("rev-parse", "HEAD") if ask("ls-files", "--error-unmatch", here.name) else None
    return {"commit": head, "dirty": bool(ask("status", "--porcelain")) if head else None}
