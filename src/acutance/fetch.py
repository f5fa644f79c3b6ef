"""fetch: original images from where they are published, each verified.

A mirror is looked at first, then the sources in order. What a place gives is kept if its pixels are
those of the manifest, and the next place is asked for the rest; so the images found are the right
ones, wherever they come from and whatever they are called there.
"""

import errno
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from acutance import archive
from acutance.diagnose import Stray, examine, explain
from acutance.download import check, download, file_name
from acutance.errors import Refused
from acutance.files import folder_atomically
from acutance.sets import Dataset, Picture, Source
from acutance.verify import decode

Say = Callable[[str], None]
Key = tuple[int, int, str, str]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
LARGEST = 64 << 20  # bytes of a picture's file, where no manifest says how large it is
HEADERS = 1 << 20  # bytes of a file that are not its pixels: colour profiles, thumbnails
LARGER = 16  # times the largest wanted picture: one enlarged 4 times can still be told as that
OTHERS = 8  # times as many pictures as wanted: other scales, the results of methods
ANY = 1000  # pictures that an archive may hold in any case
SHOWN = 10  # names in the first line of an error


@dataclass(frozen=True)
class _Place:
    """Where images may be.

    Attributes:
        name: For the user.
        get: Gives the archive or folder.
        members: Which files in it are the images: a glob.
        certified: Whether a checksum stands for all that is in it.
        ours: Whether it is a download, to be deleted if it is damaged.
    """

    name: str
    get: Callable[[], Path]
    members: str = "*"
    certified: bool = False
    ours: bool = False


def fetch(
    dataset: Dataset,
    out: Path,
    *,
    downloads: Path,
    mirror: Path | None = None,
    say: Say | None = None,
    pause: float = 1.0,
) -> None:
    """Gets the images of `dataset` into `out`, as PNG, all of them or none.

    Args:
        dataset: What to get, where from, and what each image must decode to.
        out: The folder to make; one that is there is replaced.
        downloads: Folder that keeps archives, and the beginnings of broken transfers.
        mirror: A folder that is looked at first. It holds archives under the names they have in
            their addresses, or the images in a folder named like the data set (`Set5/`), in any
            format without loss and under any names.
        say: Takes lines for the user; None: standard error.
        pause: Seconds before a broken transfer is first taken up again.

    Raises:
        Refused: If an image cannot be had anywhere, with what each place gave instead.
    """
    say = say or _tell
    if mirror is not None and not mirror.is_dir():
        raise Refused(f"ACUTANCE_MIRROR: no folder '{mirror}'; make it, or unset the variable")
    places = [*_mirrored(dataset, mirror), *_published(dataset, downloads, say, pause)]
    try:
        with folder_atomically(out) as fresh:
            _gather(_Harvest(dataset, fresh), places, say)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "no space left on its disk" if full else str(error)
        remedy = "make room" if full else "see that both can be written"
        raise Refused(
            f"fetch {dataset.name}: to '{out}' by way of '{downloads}': {what}; {remedy} and run it"
            " again; what was downloaded is kept"
        ) from None


def _gather(harvest: "_Harvest", places: list[_Place], say: Say) -> None:
    """Takes images from one place after another until all are there."""
    dataset = harvest.dataset
    faults = []
    for place in places:
        say(f"{dataset.name}: from {place.name}")
        fault = _try(harvest, place)
        if not fault:
            say(f"{dataset.name}: {dataset.images} images, each verified")
            return
        say(f"{dataset.name}: {fault}")
        faults.append(f"{place.name}: {fault}")
    raise Refused(_all_failed(dataset, harvest.missing, faults))


def _try(harvest: "_Harvest", place: _Place) -> str:
    """Takes what a place has; returns nothing if that was all, else what is wrong with it."""
    try:
        path = place.get()
    except Refused as refused:
        return str(refused)
    try:
        return harvest.take(path, place)
    except archive.DamagedError as damage:
        if place.certified or not place.ours:
            return str(damage)  # another download would be the same, or is not ours to replace
        path.unlink()
        return f"{damage}; the download was deleted"
    except Refused as refused:
        return str(refused)


class _Harvest:
    """The images found so far, in a folder, and those still missing."""

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self.dataset = dataset
        self.folder = folder
        self.known = {_key(picture) for picture in dataset.pictures}
        self.missing = dataset.pictures

    def take(self, path: Path, place: _Place) -> str:
        """Keeps the right images of an archive or folder; says what is wrong with the others."""
        files = archive.pictures(path, place.members, self._limits())
        if self.dataset.pictures:
            return self._take_wanted(files)
        if not place.certified:
            return "nothing can verify it: the data set has no manifest; give the archive itself"
        try:
            return self._take_all(files)
        except Refused:
            self._clear()
            raise

    def _take_wanted(self, files: Iterator[tuple[str, bytes]]) -> str:
        strays = []
        for name, file in files:
            try:
                photograph = decode(name, file)
            except Refused as refused:
                strays.append(Stray(name=name, fault=str(refused)))
                continue
            height, width = photograph.pixels.shape[:2]
            key = (width, height, photograph.mode, photograph.sha256)
            if key not in self.known:
                strays.append(examine(photograph, self.dataset.pictures))
                continue
            for picture in self.missing:
                if _key(picture) == key:
                    (self.folder / f"{picture.name}.png").write_bytes(photograph.png())
            self.missing = tuple(p for p in self.missing if _key(p) != key)
            if not self.missing:
                return ""
        return explain(self.missing, strays, self.dataset.images)

    def _take_all(self, files: Iterator[tuple[str, bytes]]) -> str:
        """Keeps every image: a checksum has said already that they are the right ones."""
        names = set()
        for name, file in files:
            stem = PurePosixPath(name).stem
            if stem in names:
                raise Refused(f"two images are called '{stem}'; narrow the glob of its members")
            names.add(stem)
            try:
                photograph = decode(name, file)
            except Refused as refused:
                raise Refused(f"'{name}' {refused}") from None
            (self.folder / f"{stem}.png").write_bytes(photograph.png())
        if len(names) != self.dataset.images:
            raise Refused(f"{len(names)} images instead of {self.dataset.images}")
        return ""

    def _limits(self) -> archive.Limits:
        pixels = max((p.width * p.height for p in self.dataset.pictures), default=0)
        size = LARGER * pixels * 3 + HEADERS if pixels else LARGEST
        return archive.Limits(pictures=ANY + OTHERS * self.dataset.images, bytes=size)

    def _clear(self) -> None:
        for file in self.folder.iterdir():
            file.unlink()


def _mirrored(dataset: Dataset, mirror: Path | None) -> list[_Place]:
    """Returns where in the user's own folder the images may be."""
    if mirror is None:
        return []
    entries = {entry.name.lower(): entry for entry in sorted(mirror.iterdir())}
    own = [entries.get(f"{dataset.name}{end}".lower()) for end in ("", *ARCHIVES)]
    places = [_Place(f"mirror {path}", partial(_itself, path)) for path in own if path is not None]
    for source in dataset.sources:
        for name in _names(source):
            path = mirror / name
            if path.is_file():
                get = partial(_checked, source, path)
                certified = bool(source.sha256 or source.md5)
                places.append(_Place(f"mirror {path}", get, source.members, certified))
    if places or not any(source.url for source in dataset.sources):
        return places
    return [_Place(f"mirror {mirror}", partial(_nothing_there, dataset))]


def _published(dataset: Dataset, downloads: Path, say: Say, pause: float) -> Iterator[_Place]:
    for source in dataset.sources:
        if source.package:
            installed = partial(_package, source.package)
            yield _Place(f"package {source.package}", installed, source.members)
        else:
            get = partial(download, source, downloads, say=say, pause=pause)
            certified = bool(source.sha256 or source.md5)
            yield _Place(str(source.url), get, source.members, certified, ours=True)


def _itself(path: Path) -> Path:
    return path


def _checked(source: Source, path: Path) -> Path:
    check(source, path)
    return path


def _nothing_there(dataset: Dataset) -> Path:
    raise Refused(f"neither a folder '{dataset.name}' nor one of the archives named below")


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        raise Refused(f"the package '{name}' is not installed")
    return Path(places[0])


def _names(source: Source) -> tuple[str, ...]:
    """Returns the names under which a mirror may keep the archive of `source`.

    GitHub's archives come as `<commit>.zip` by address and as `<repository>-<commit>.zip` by
    browser.
    """
    if source.url is None:
        return ()
    name = file_name(source.url)
    parts = urlsplit(source.url).path.split("/")
    if "archive" in parts[2:]:
        return (name, f"{parts[parts.index('archive', 2) - 1]}-{name}")
    return (name,)


def _key(picture: Picture) -> Key:
    return picture.width, picture.height, picture.mode, picture.sha256


def _all_failed(dataset: Dataset, missing: tuple[Picture, ...], faults: list[str]) -> str:
    """Returns what happened at each place, and what the user can do."""
    names = ", ".join(picture.name for picture in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    what = f"{len(missing)} of {dataset.images} images cannot be had: {names}{more}"
    lines = [f"fetch {dataset.name}: {what if missing else 'no source gave its images'}"]
    lines += [f"  {fault}" for fault in faults]
    wanted = [
        f"  {_names(source)[-1]}  from {source.url}" for source in dataset.sources if source.url
    ]
    if dataset.pictures:
        wanted.append(f"  {dataset.name}/  the images: any names, any format without loss")
    lines += ["Put one of these into a folder, and name that folder in ACUTANCE_MIRROR:", *wanted]
    return "\n".join(lines)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
