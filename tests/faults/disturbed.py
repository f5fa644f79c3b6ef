"""What is disturbed, how often, and what must be the same afterwards."""

import os
import re
import shutil
from pathlib import Path

KILLS = int(os.environ.get("ACUTANCE_KILLS", "30"))  # in all
EACH = -(-KILLS // 10)  # of each verb, and of each engine
RUN = "espcn+gv_x2_s0"
ALONE = ("--device=cpu", "--threads=1")
VERBS = {  # what is made, and by which words
    "fetch": ("data/hr/photographs@*", "fetch", "photographs"),
    "degrade": ("data/lr/*", "degrade", "photographs_bicubic_x2"),
    "pack": ("data/packed/photographs-train_*", "pack", "photographs-train_bicubic_x2"),
    "train": (f"results/runs/{RUN}@*", "train", RUN, *ALONE, "--checkpoint=0"),
    "predict": (f"results/sr/{RUN}@*/*", "predict", RUN, "photographs", *ALONE),
    "score": (f"results/scores/{RUN}@*/*", "score", RUN, "photographs", "--workers=1"),
    "tabulate": ("results/tables/tiny", "tabulate"),
    "report": ("reports/tiny", "report"),
}
OF_OTHERS = ("run.json", "calibration.csv")  # holds times; made by another verb


def made_by(root: Path, name: str) -> Path:
    """The file or folder that a verb makes in the project."""
    (found,) = (path for path in root.glob(VERBS[name][0]) if not sums(path))
    return found


def sums(path: Path) -> bool:
    """Whether a file holds checksums, which are of times, too."""
    return path.suffix == ".sha256"


def content(made: Path) -> dict[str, bytes]:
    """What lies in a file or folder, without what differs from one calm run to the next: times."""
    found = {}
    for path in [made] if made.is_file() else sorted(made.rglob("*")):
        skipped = path.name.startswith((".", "made@", *OF_OTHERS)) or sums(path)
        if path.is_file() and not skipped:
            data = path.read_bytes()
            name = path.relative_to(made).as_posix()
            found[name] = re.sub(rb",[\d.]+\n", b"\n", data) if path.name == "log.csv" else data
    return found


def remove(made: Path) -> None:
    if made.is_dir():
        shutil.rmtree(made)
    else:
        made.unlink(missing_ok=True)


def sound(name: str, there: dict[str, bytes], wanted: dict[str, bytes]) -> bool:
    """Whether what a disturbed verb left is nothing, or whole; of several files, each is."""
    return not there or there == wanted or (name == "tabulate" and there.items() <= wanted.items())
