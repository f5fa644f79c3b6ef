"""prune: what no study wants any more, listed, and removed where that is asked for."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from acutance import paths, sums, turn
from acutance.download import shelf
from acutance.drawings import drawings
from acutance.errors import Refused
from acutance.files import remove, take_lock
from acutance.sets import Dataset
from acutance.spec import Evaluation, Run, Study

__all__ = ["Entry", "check_idle", "prune", "unwanted"]

LOCKS = ".snakemake/locks"
PRUNED = (
    *(paths.RUN, paths.STATE, paths.SR, paths.SCORES, paths.COUNTS, paths.PANELS),
    *(paths.LR, paths.PACKED),
)
_NAMED = re.compile(r"@[0-9a-f]{10}(?=$|\.)")  # what a digest names; all else is not looked at
_ENDINGS = (sums.SUFFIX, ".csv", ".log")
_LEFT = re.compile(r"\..+\.[a-z0-9_]{8}\.partial")  # see files.py


@dataclass(frozen=True)
class Entry:
    """A file or folder that no study wants, and the bytes that removing it frees.

    Its checksums, which lie beside it, go with it.
    """

    path: Path
    bytes: int


def unwanted(
    studies: Sequence[Study], datasets: Iterable[Dataset], root: Path
) -> tuple[tuple[Entry, ...], tuple[Path, ...]]:
    """Returns what lies in results/ and data/{lr,packed,downloads} without any study wanting it.

    Original images, assets and what carries no digest in its name are not looked at.

    Args:
        studies: All there are.
        datasets: All that are declared; what is downloaded for those that are not here is wanted.
        root: The project's root.

    Returns:
        Entries by path; and symbolic links, which are neither followed nor removed.
    """
    wanted = _wanted(studies, root)
    search = _Search(root, wanted, {parent for path in wanted for parent in path.parents})
    for pattern in PRUNED:
        search.look(Path(pattern.partition("/{")[0]))
    declared = tuple(datasets)
    names = {part for path in wanted for part in path.parts} | {each.id for each in declared}
    search.logs(Path(paths.LOGS), names)
    search.downloads({shelf(url) for url in _addresses(studies, declared, root)})
    return tuple(sorted(search.found, key=lambda each: each.path)), tuple(sorted(search.links))


def prune(entries: Iterable[Entry], root: Path) -> None:
    """Removes entries; each is whole or gone at any time.

    Raises:
        Refused: If a rebuild or a training begins meanwhile; what is removed until then is gone.
    """
    for entry in entries:
        check_idle(root)
        remove(entry.path)
        sums.beside(entry.path).unlink(missing_ok=True)


def check_idle(root: Path) -> None:
    """Refuses to go on while a rebuild or a training is under way.

    Raises:
        Refused: Naming the lock that is held.
    """
    if held := sorted((root / LOCKS).glob("*")):
        remedy = "wait for it; if none runs, `snakemake --unlock`"
        raise Refused(f"{held[0]}: Snakemake is at work here; {remedy}")
    for each in (root / turn.FOLDER).glob("*"):
        if not _free(each):
            raise Refused(f"{each}: study '{each.name}' is being rebuilt; wait for it, or end it")
    for lock in root.glob(f"{paths.STATE.format(run='*')}/lock"):
        if not _free(lock):
            raise Refused(f"{lock}: a training is under way; wait for it, or end it")


def _wanted(studies: Iterable[Study], root: Path) -> set[Path]:
    """Returns every path with a digest in it that some study wants, without its ending."""
    found = set()
    for study in studies:
        found.add(study.counts)
        for run in study.runs:
            found |= {pattern.format(run=run.id) for pattern in (paths.RUN, paths.STATE)}
            found |= {pairs.packed for pairs in (run.train, run.validate) if pairs}
        for each in study.evaluations:
            found |= {each.sr, each.scores, each.pairs.lr}
        for drawing in drawings(study, root):
            found |= {pattern.format(drawn=drawing.id) for pattern in (paths.PANELS, paths.SKETCH)}
    return {_bare(Path(path)) for path in found}


def _addresses(studies: Iterable[Study], datasets: Iterable[Dataset], root: Path) -> Iterator[str]:
    """Yields from where something that is not here yet may be downloaded."""
    for dataset in datasets:
        if not (root / dataset.hr).is_dir():
            yield from (source.url for source in dataset.sources if source.url)
    for study in studies:
        made: tuple[Run | Evaluation, ...] = (*study.runs, *study.evaluations)
        for one in made:
            missing = [asset.file for asset in one.assets if not (root / asset.path).is_file()]
            yield from (source.url for file in missing for source in file.sources)
        for run in study.runs:
            if run.released and not (root / paths.RUN.format(run=run.id)).is_dir():
                yield from (source.url for source in run.released.file.sources)
        for each in study.evaluations:
            if each.run.images and not (root / each.sr).is_dir():
                file = each.run.images.files[each.dataset.name]
                yield from (source.url for source in file.sources)


def _bare(path: Path) -> Path:
    """Returns a path without the endings of checksums, scores and logs."""
    name = path.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return path.with_name(name)


class _Search:
    """What of a tree is not wanted."""

    def __init__(self, root: Path, wanted: set[Path], parents: set[Path]) -> None:
        self.root, self.wanted, self.parents = root, wanted, parents
        self.found: list[Entry] = []
        self.links: list[Path] = []

    def look(self, folder: Path) -> None:
        """Looks through a folder, given as seen from the root."""
        for path in self._inside(folder):
            bare = _bare(path)
            if bare in self.parents:
                self.look(path)
            elif _NAMED.search(path.name) and bare not in self.wanted:
                self._add(path)

    def logs(self, folder: Path, names: set[str]) -> None:
        """Looks through logs, which are named by what they tell of."""
        for path in self._inside(folder):
            if _NAMED.search(path.name) and _bare(path).name not in names:
                self._add(path)
            elif (self.root / path).is_dir():
                self.logs(path, names)

    def downloads(self, wanted: set[str]) -> None:
        """Looks through downloads, whose folders are named by their addresses."""
        for path in self._inside(Path(paths.DOWNLOADS)):
            ours = re.fullmatch(r"[0-9a-f]{8}", path.name)
            if ours and path.name not in wanted and _free(self.root / path / ".lock"):
                self._add(path)

    def _inside(self, folder: Path) -> Iterator[Path]:
        """Yields what lies in a folder; no links, nor anything behind one."""
        for part in (*reversed(folder.parents), folder):
            if (self.root / part).is_symlink():
                self.links.append(part)
                return
        if not (self.root / folder).is_dir():
            return
        for path in sorted((self.root / folder).iterdir()):
            inner = path.relative_to(self.root)
            if path.is_symlink():
                self.links.append(inner)
            elif _LEFT.fullmatch(path.name) and path.is_dir():
                if _free(path):  # of a process that was killed
                    self._add(inner)
            elif not path.name.startswith("."):
                yield inner

    def _add(self, path: Path) -> None:
        if (
            path.name.endswith(sums.SUFFIX)
            and (self.root / path.with_name(path.name.removesuffix(sums.SUFFIX))).exists()
        ):
            return  # goes with what it is of
        full = self.root / path
        inside = [full, *full.rglob("*")] if full.is_dir() else [full]
        self.found.append(Entry(path=full, bytes=sum(each.lstat().st_size for each in inside)))


def _free(path: Path) -> bool:
    """Returns whether no process has locked a file or folder."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        return take_lock(handle) is not False
    finally:
        os.close(handle)
