"""Makes `.venv`, the one pinned environment; `make` calls this before everything else.

It needs a Python and nothing else. What was installed is written to a stamp, last of all, so that
a second call does nothing, a changed pin installs what changed, and a broken install is redone.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements.txt"
PROJECT = ROOT / "pyproject.toml"

# What pip says when it fails, and what to do about it. The first that fits is told: a full disk
# and a missing compiler are named by pip once and surely, a lost connection in many ways.
REMEDIES = {
    r"No space left on device": "the disk is full; the environment needs 3 GB, and 4 GB more with "
    "a CUDA build of torch",
    r"command '\S*(gcc|g\+\+|cc|clang|c\+\+)'|No such file or directory: '(gcc|cc|clang)'|"
    r"Unknown compiler|No CMAKE_CX*_COMPILER": "a package has no wheel for this Python, and no C "
    "compiler is here to build it; use Python 3.11, 3.12 or 3.13, or install a compiler (Debian, "
    "Ubuntu: apt install build-essential)",
    r"NewConnectionError|NameResolutionError|Max retries exceeded|ConnectTimeout|ReadTimeout|"
    r"ProxyError|SSLError|Network is unreachable|Connection (refused|reset|aborted|broken)": "the "
    "package index cannot be reached; check the network and https_proxy, or name an index that "
    "can be reached in pip's configuration (PIP_INDEX_URL, or PIP_FIND_LINKS for a folder of "
    "wheels)",
    r"No matching distribution found for (?P<what>\S+)": "the package index has no {what} for "
    "this Python and machine; the pins were made with Python 3.11 on Linux",
}
HEAD = "# What `make` installs, at the versions tested; made by `make lock` from pyproject.toml.\n"


class Stopped(Exception):  # noqa: N818  (not a defect: the one line is the whole message)
    """The environment cannot be made; the message is one line: problem, remedy."""


def diagnose(said: str) -> str:
    """Returns one line of cause and remedy for what a failing pip `said`."""
    for pattern, remedy in REMEDIES.items():
        found = re.search(pattern, said)
        if found:
            return remedy.format(**found.groupdict())
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip stopped without a word"])[-1]


def wanted() -> str:
    """Returns what the stamp holds when the environment is complete: a digest of its sources."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    parts = [project["build-system"], project["project"], PINS.read_text(encoding="utf-8")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def make_folder(folder: Path, *, system_torch: bool = False) -> None:
    """Makes an empty virtual environment in place of whatever `folder` holds.

    Raises:
        Stopped: If this Python lacks a part, as Debian's does, or cannot write there.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if find_spec("ensurepip") is None:
        raise Stopped(
            f"Python {version} here has no module venv; Debian, Ubuntu: apt install "
            f"python{version}-venv; elsewhere name a complete one: make PYTHON=python{version}"
        )
    try:
        venv.create(folder, clear=True, with_pip=True, system_site_packages=system_torch)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Stopped(f"no virtual environment in {folder}: {error}") from error


def torch_in(python: Path | str) -> str:
    """Returns the version of torch that `python` sees, or nothing."""
    code = "from importlib.metadata import version; print(version('torch'))"
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def sound(folder: Path, *, system_torch: bool) -> bool:
    """Returns whether `folder` is a whole environment, made here, whose Python still runs."""
    code = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        settings = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
        script = (folder / "bin" / "pip").read_text(encoding="utf-8")
        asked = subprocess.run(
            [folder / "bin" / "python", "-c", code], capture_output=True, check=False
        )
    except OSError:
        return False
    moved = str(folder) not in script  # its commands would start the Python of the old place
    opened = "include-system-site-packages = true" in settings
    killed = (folder / "unfinished").exists()
    return asked.returncode == 0 and not moved and not killed and (opened or not system_torch)


def pip_install(folder: Path, arguments: list[str]) -> None:
    """Runs pip, its words in `folder`/install.log; a terminal sees what it is at.

    Raises:
        Stopped: If pip fails.
    """
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off"]
    log = folder / "install.log"
    live = sys.stdout.isatty()
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as pip,
    ):
        for line in pip.stdout or ():
            file.write(line)
            file.flush()
            if live:
                print(f"\r\x1b[K  {line.strip()[:76]}", end="", flush=True)
    if live:
        print("\r\x1b[K", end="")
    if pip.returncode:
        remedy = diagnose(log.read_text(encoding="utf-8"))
        raise Stopped(f"installing failed: {remedy}. pip's words: {log}")


def install(folder: Path) -> None:
    """Installs the pinned packages and Acutance, editable, into `folder`."""
    pins = PINS.read_text(encoding="utf-8")
    # A torch that is there already (a CUDA build, a cluster's own) stays if pyproject allows it.
    if torch_in(folder / "bin" / "python"):
        pins = re.sub(r"(?m)^torch(vision)?==.*$", "", pins)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as constraints:
        constraints.write(pins)
        constraints.flush()
        pip_install(folder, ["--constraint", constraints.name, "--editable", ".[test]"])


def prepare(folder: Path, *, system_torch: bool) -> None:
    """Brings `folder` to the pins, or does nothing if it is there.

    Raises:
        Stopped: If that cannot be done; the next call goes on from there.
    """
    stamp, unfinished = folder / "stamp", folder / "unfinished"
    fits = sound(folder, system_torch=system_torch)
    if fits and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted():
        return
    # A venv made from a venv sees the packages of the Python behind both, not its parent's.
    if system_torch and (sys.prefix != sys.base_prefix or not torch_in(sys.executable)):
        raise Stopped(
            f"SYSTEM_TORCH=1, but {sys.executable} has no torch of its own; name the Python that "
            "has: make PYTHON=... SYSTEM_TORCH=1"
        )
    if not fits:
        print(f"Making {folder.name} with Python {sys.version.split()[0]}", flush=True)
        make_folder(folder, system_torch=system_torch)
    print("Installing the pinned packages (a few minutes on a first run)", flush=True)
    stamp.unlink(missing_ok=True)
    unfinished.touch()  # stays only after a kill, which may leave half a package behind
    try:
        install(folder)
    except Stopped:
        unfinished.unlink()
        raise
    unfinished.unlink()
    stamp.write_text(wanted(), encoding="utf-8")
    print(f"Ready: {folder.name}, torch {torch_in(folder / 'bin' / 'python')}", flush=True)


def lock() -> None:
    """Writes requirements.txt anew: all that pyproject.toml brings into an empty environment."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "venv"
        make_folder(folder)
        pip_install(folder, ["--editable", ".[test]"])
        # --all: torch wants setuptools, which pip leaves out of its list before Python 3.12.
        words = ["freeze", "--all", "--exclude", "pip", "--exclude-editable"]
        command = [str(folder / "bin" / "python"), "-m", "pip", *words]
        frozen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # `2.13.0+cpu` names one build; without its ending the pin holds for every build of 2.13.0.
    pins = re.sub(r"(?m)\+\w+$", "", frozen)
    fresh = PINS.with_suffix(".partial")
    fresh.write_text(HEAD + pins, encoding="utf-8")
    fresh.replace(PINS)
    print(f"{PINS.name}: {len(pins.splitlines())} packages")


def main() -> int:
    """Returns the exit status: 0, 1 with one line on stderr, 130 after an interrupt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".venv", help="where (.venv)")
    parser.add_argument("--system-torch", action="store_true", help="use this Python's own torch")
    parser.add_argument("--lock", action="store_true", help="write requirements.txt anew instead")
    given = parser.parse_args()
    try:
        if given.lock:
            lock()
        else:
            prepare(given.folder.absolute(), system_torch=given.system_torch)
    except Stopped as stop:
        print(f"environment: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("environment: interrupted; the same command starts it again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
