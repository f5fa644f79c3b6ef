"""Bytes that a study takes on the disk and from the network, by what its manifests declare."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from acutance import paths
from acutance.download import file_name
from acutance.sets import Dataset, Pairs, Source
from acutance.spec import Evaluation, Run, Study

SAVED = 3  # states of a training at once: two are kept while a third is written
ABOUT, MOST = "\N{ALMOST EQUAL TO}", "\N{LESS-THAN OR EQUAL TO}"
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Share:
    """One kind of files.

    Attributes:
        what: Its name.
        there: Bytes that lie on the disk already.
        ahead: Bytes still to come.
        sign: How that is meant: nothing where it is exact but for headers and indices, `≤` where
            images are weighed as if nothing compressed them, `≈` where it is an archive's, or
            states without those of critics.
        unknown: What nothing says the size of.
    """

    what: str
    there: int
    ahead: int
    sign: str
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What comes from the network.

    Attributes:
        there: Data sets and files that are here already, by name.
        ahead: Bytes to come, by address, of those that declare them.
        unknown: What is to come and declares no size, by name.
    """

    there: tuple[str, ...]
    ahead: dict[str, int]
    unknown: tuple[str, ...]


def shares(
    study: Study, root: Path, *, held: Callable[[Run], tuple[int, int]], jobs: int
) -> tuple[Share, ...]:
    """Returns what a study takes on the disk, by kind.

    Args:
        study: The study.
        root: The project's root: what is there already is weighed as it is.
        held: Bytes of a run's weights, and at most of its state while it trains.
        jobs: Trainings at a time, whose states lie there together.
    """
    trained = [run for run in study.runs if run.trained]
    tested = [e for e in study.evaluations if not e.run.images]
    fitted = (pairs for run in trained for pairs in (run.train, run.validate) if pairs)
    packed = {pairs.packed: pairs for pairs in fitted}
    degraded = {e.pairs.lr: e.pairs for e in tested}
    originals = {d.hr: d for d in datasets(study)}
    weights = {paths.WEIGHTS.format(run=r.id): r for r in study.runs if r.weighted}
    waiting = [r for r in trained if not (root / paths.WEIGHTS.format(run=r.id)).is_file()]
    states = sorted((held(run)[1] for run in waiting), reverse=True)[:jobs]
    pictures = {e.sr: e for e in study.evaluations}
    parts = (
        ("HR images", ABOUT, ((path, _hr(d, root), (d,)) for path, d in originals.items())),
        ("LR images", MOST, ((path, _lr(p, root), p.datasets) for path, p in degraded.items())),
        ("packed pairs", "", ((path, _packed(p, root), p.datasets) for path, p in packed.items())),
        ("weights", "", ((path, held(run)[0], ()) for path, run in weights.items())),
        ("SR images", MOST, ((path, _sr(e, root), (e.dataset,)) for path, e in pictures.items())),
    )
    saved = Share(
        what="states, while training",
        there=weighed(root / paths.STATE.format(run="")),
        ahead=sum(states),
        sign=ABOUT,
        unknown=(),
    )
    return (*(_share(what, sign, root, each) for what, sign, each in parts), saved)


def transfer(study: Study, root: Path) -> Transfer:
    """Returns what a study has to download: archives, weights of others, files that losses read."""
    there, ahead, unknown = [], {}, []
    for dataset in datasets(study):
        source = _first(dataset)
        if (root / dataset.hr).is_dir():
            there.append(dataset.name)
        elif source is not None and source.url is not None:
            if (root / paths.DOWNLOADS / file_name(source.url)).is_file():
                there.append(dataset.name)
            elif source.bytes is not None:
                ahead[source.url] = source.bytes
            else:
                unknown.append(dataset.name)
    for path, name in _files(study):
        (there if (root / path).exists() else unknown).append(name)
    return Transfer(
        there=tuple(dict.fromkeys(there)), ahead=ahead, unknown=tuple(dict.fromkeys(unknown))
    )


def datasets(study: Study) -> list[Dataset]:
    """Returns the data sets that a study needs, each once."""
    pairs = [p for run in study.runs for p in (run.train, run.validate) if p]
    every = [d for p in (*pairs, *(e.pairs for e in study.evaluations)) for d in p.datasets]
    return list({d.id: d for d in every}.values())


def weighed(path: Path) -> int:
    """Returns the bytes of a file or of all files in a folder; 0 where there is none."""
    if path.is_file():
        return path.stat().st_size
    found = (Path(top) / name for top, _, names in os.walk(path) for name in names)
    return sum(file.stat().st_size for file in found if file.is_file())


def _share(
    what: str, sign: str, root: Path, parts: Iterable[tuple[str, int | None, Sequence[Dataset]]]
) -> Share:
    """Adds up files: path, bytes it will take where that is known, and whose images they are."""
    there = ahead = 0
    unknown: dict[str, None] = {}
    for path, size, of in parts:
        if (root / path).exists():
            there += weighed(root / path)
        elif size is None:
            unknown |= dict.fromkeys(d.name for d in of if _sizes(d, root) is None)
        else:
            ahead += size
    return Share(what=what, there=there, ahead=ahead, sign=sign, unknown=tuple(unknown))


def _first(dataset: Dataset) -> Source | None:
    """Returns the best source of a data set, or none where a package ships it."""
    return next((s for s in dataset.sources if s.url), None) if _remote(dataset) else None


def _remote(dataset: Dataset) -> bool:
    return not any(source.package for source in dataset.sources)


def _files(study: Study) -> Iterator[tuple[str, str]]:
    """Yields path and name of single files that others offer."""
    read = [each for run in study.runs for each in run.assets]
    read += [each for evaluation in study.evaluations for each in evaluation.assets]
    for asset in read:
        if not any(place.package for place in asset.file.sources):
            yield asset.path, asset.file.name
    for run in study.runs:
        if run.released is not None:
            yield paths.WEIGHTS.format(run=run.id), run.released.file.name
    for each in study.evaluations:
        if each.run.images is not None:
            yield each.sr, each.run.images.files[each.dataset.name].name


@cache
def _sizes(dataset: Dataset, root: Path) -> tuple[Size, ...] | None:
    """Returns width and height of each image, by the manifest or by the images that are there."""
    if dataset.pictures:
        return tuple((p.width, p.height) for p in dataset.pictures)
    files = sorted((root / dataset.hr).glob("*.png"))
    if len(files) != dataset.images:
        return None
    return tuple(map(_size, files))


def _size(file: Path) -> Size:
    with Image.open(file) as header:
        return header.size


def _hr(dataset: Dataset, root: Path) -> int | None:
    """Returns the bytes of a set's pixels; where nothing says how many, those of its archive."""
    sizes, source = _sizes(dataset, root), _first(dataset)
    if sizes is None:
        return source.bytes if source else None
    return sum(3 * w * h for w, h in sizes)


def _lr(pairs: Pairs, root: Path) -> int | None:
    sizes, scale = _sizes(pairs.datasets[0], root), pairs.scale
    return None if sizes is None else sum(3 * (w // scale) * (h // scale) for w, h in sizes)


def _packed(pairs: Pairs, root: Path) -> int | None:
    """Returns the bytes of both sides: `pack` cuts HR to multiples of the scale, or to a square."""
    scale, total = pairs.scale, 0
    for dataset in pairs.datasets:
        sizes = _sizes(dataset, root)
        if pairs.centre:
            sizes = ((pairs.centre, pairs.centre),) * dataset.images
        if sizes is None:
            return None
        total += sum(3 * (w // scale) * (h // scale) * (scale**2 + 1) for w, h in sizes)
    return total


def _sr(evaluation: Evaluation, root: Path) -> int | None:
    """Returns at most how much its SR images take: bytes, or floats of four bytes each."""
    sizes, scale = _sizes(evaluation.dataset, root), evaluation.run.scale
    if sizes is None:
        return None
    each = 3 * (4 if evaluation.output == "float" else 1)
    return sum(each * (w - w % scale) * (h - h % scale) for w, h in sizes)
