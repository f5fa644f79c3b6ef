"""bundle: a study's data, packages and program in one folder, for a place without internet.

Whatever is there already and right is left alone, so a call that was killed is gone on with. The
checksums are written last: a folder that has them is whole.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jinja2

from acutance import sums
from acutance.download import check, download, file_name
from acutance.errors import Refused
from acutance.files import write_atomically
from acutance.obtain import keep, obtain
from acutance.sets import Dataset
from acutance.spec import Evaluation, Run, Study

__all__ = ["add_data", "add_project", "add_wheels", "check_committed", "datasets", "unfinished"]

SUMS, UNFINISHED = "SHA256SUMS", "unfinished"
MIRROR, WHEELS, PROJECT = "mirror", "wheels", "acutance.bundle"
PINS, PYPROJECT = "requirements.txt", "pyproject.toml"

Say = Callable[[str], None]


def check_committed(root: Path) -> None:
    """Refuses a project that is no git repository, or has changes that no commit holds."""
    if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
        raise Refused(f"{root}: not a git repository of its own; clone the project and try there")
    if changed := _git(root, "status", "--porcelain"):
        first = changed.splitlines()[0][3:]
        raise Refused(f"{root / first}: not committed; a bundle carries what is, so commit first")


@contextmanager
def unfinished(out: Path) -> Iterator[None]:
    """Makes or opens a bundle; writes the checksums of all that is in it when the block ends well.

    Raises:
        Refused: If `out` holds something else.
    """
    if out.exists() and not out.is_dir():
        raise Refused(f"{out}: is a file; give a folder to make")
    ours = (out / SUMS).is_file() or (out / UNFINISHED).is_file()
    if out.is_dir() and any(out.iterdir()) and not ours:
        raise Refused(f"{out}: holds something else; give a new folder or an earlier bundle")
    out.mkdir(parents=True, exist_ok=True)
    (out / UNFINISHED).touch()
    (out / SUMS).unlink(missing_ok=True)
    for torn in out.rglob(".*.partial"):
        torn.unlink()
    yield
    files = sorted(p for p in out.rglob("*") if p.is_file() and p.name != UNFINISHED)
    lines = (sums.line(sums.digest_of(p), p.relative_to(out).as_posix()) for p in files)
    write_atomically(out / SUMS, "".join(lines))
    (out / UNFINISHED).unlink()


def datasets(study: Study) -> tuple[Dataset, ...]:
    """Returns the data sets that a study trains, validates and tests on, each once."""
    pairs = [pairs for run in study.runs for pairs in (run.train, run.validate) if pairs]
    pairs += [evaluation.pairs for evaluation in study.evaluations]
    return tuple({d.id: d for each in pairs for d in each.datasets}.values())


def add_data(study: Study, root: Path, out: Path, *, downloads: Path, mirror: Path | None) -> None:
    """Adds a mirror, as ACUTANCE_MIRROR names one: images, and every file that others offer.

    Args:
        study: Whose.
        root: The project's root; images that a manifest lists are taken from its data/hr.
        out: The bundle.
        downloads: Keeps what is fetched.
        mirror: The user's own folder, looked in first.

    Raises:
        Refused: If something cannot be had.
        OSError: If the disk is full.
    """
    for dataset in datasets(study):
        if dataset.pictures:
            for picture in dataset.pictures:
                file = f"{picture.name}.png"
                _copy(root / dataset.hr / file, out / MIRROR / dataset.name / file)
        else:
            archive = _archive(dataset, downloads, mirror)
            _copy(archive, out / MIRROR / archive.name)
    _add_assets(study, root, out, downloads=downloads, mirror=mirror)
    for run in study.runs:
        if run.released is not None:
            weights = run.released.file
            keep(
                weights, out / MIRROR / "weights" / weights.name, mirror=mirror, downloads=downloads
            )
        if run.images is not None:
            for images in run.images.files.values():
                found = obtain(images, mirror=mirror, folder="images", downloads=downloads).path
                for path in [found] if found.is_file() else filter(Path.is_file, found.rglob("*")):
                    _copy(path, out / MIRROR / "images" / images.name / path.relative_to(found))


def _add_assets(
    study: Study, root: Path, out: Path, *, downloads: Path, mirror: Path | None
) -> None:
    """Adds the files that losses and metrics read."""
    made: tuple[Run | Evaluation, ...] = (*study.runs, *study.evaluations)
    for asset in {asset.path: asset for each in made for asset in each.assets}.values():
        to = out / MIRROR / "weights" / asset.file.name
        if (root / asset.path).is_file():
            _copy(asset.held((root / asset.path).parent), to)
        elif not asset.lacking(root):  # else the study goes without it here as there
            keep(asset.file, to, mirror=mirror, downloads=downloads)


def add_wheels(root: Path, out: Path) -> None:
    """Adds a wheel of each pinned package, and of what builds the project, for this Python.

    Raises:
        Refused: If pip cannot have one of them, with pip's last word on it.
    """
    project = tomllib.loads((root / PYPROJECT).read_text(encoding="utf-8"))
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--progress-bar", "off"]
    words += ["--wheel-dir", str(out / WHEELS), "--requirement", str(root / PINS)]
    done = subprocess.run(
        [*words, *project["build-system"]["requires"]], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise Refused(f"{out / WHEELS}: pip stopped: {(said or ['without a word'])[-1]}")


def add_project(study: Study, root: Path, out: Path, *, wheels: bool) -> None:
    """Adds the program as a git bundle, and what rebuilds the study from all of it."""
    hidden = out / f".{PROJECT}.partial"
    _git(root, "bundle", "create", "--quiet", str(hidden.resolve()), "HEAD", "--branches")
    hidden.replace(out / PROJECT)
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("acutance", "airgap"),
        keep_trailing_newline=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  (no markup: a Makefile and plain Markdown)
    )
    told = {
        "study": study.name,
        "title": study.title,
        "commit": _git(root, "rev-parse", "HEAD"),
        "wheels": wheels,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "machine": f"{sys.platform} {os.uname().machine}",
        "datasets": datasets(study),
    }
    for name in ("Makefile", "README.md"):
        write_atomically(out / name, templates.get_template(name).render(told))


def _archive(dataset: Dataset, downloads: Path, mirror: Path | None) -> Path:
    """Returns the archive of a data set whose images nothing but its checksum can verify."""
    certified = [s for s in dataset.sources if s.url and (s.sha256 or s.md5)]
    faults = []
    for source in certified:
        name = file_name(str(source.url))
        try:
            if mirror is not None and (mirror / name).is_file():
                check(source, mirror / name)
                return mirror / name
            return download(source, downloads, say=_tell)
        except Refused as refused:
            faults.append(f"{name}: {refused}")
    raise Refused(f"{dataset.name}: its archive cannot be had: {'; '.join(faults)}")


def _copy(file: Path, to: Path) -> None:
    """Copies a file, whole or not at all, unless the very same is there."""
    same = to.is_file() and to.stat().st_size == file.stat().st_size
    if same and sums.digest_of(to) == sums.digest_of(file):
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    hidden = to.with_name(f".{to.name}.partial")
    with file.open("rb") as content, hidden.open("wb") as copy:
        shutil.copyfileobj(content, copy)
        copy.flush()
        os.fsync(copy.fileno())
    hidden.replace(to)


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words],  # noqa: S607  (whichever git the user has)
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"{root}: git {words[0]}: {done.stderr.strip() or 'failed'}")
    return done.stdout.rstrip()


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
