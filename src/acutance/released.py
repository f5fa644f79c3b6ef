"""Systems that others released: weights they trained, or SR images they made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from acutance import params, paths, values
from acutance.book import Book, known_keys, word
from acutance.errors import Refused, nearest
from acutance.identity import source_digest
from acutance.keys import Keys, keys

__all__ = ["File", "Images", "Known", "Place", "Weights", "check", "file", "images", "weights"]

_PAGE = ("about", "licence", "cite", "known")
_FILE = ("name", "sha256", "git", "sources", "by_hand")
_SHA256 = r"[0-9a-f]{8,64}"
_GIT = r"[0-9a-f]{40}"
_FILE_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_ADDRESS = r"https?://[^\s/]\S*"


@dataclass(frozen=True, kw_only=True)
class Place:
    """An address that a file can be had from.

    Attributes:
        url: Of the file, or of a zip that holds it; empty where a package ships it.
        member: Which file of the zip or the package: a glob; empty for the address's own.
        members: Which files of the zip belong together: a glob; they come as a zip of their own.
        package: An installed Python package that ships it, or nothing.
    """

    url: str
    member: str = ""
    members: str = ""
    package: str = ""

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        return self.url or f"package {self.package}"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that others offer.

    Attributes:
        name: What it is called, also in a mirror.
        sha256: The beginning of its checksum, or all of it; empty where nobody gives one.
        sources: Where to get it, best first.
        by_hand: A page that no program can fetch it from; empty where `sources` do.
        git: What git calls it, where its authors keep it in a repository; or empty.
    """

    name: str
    sha256: str
    sources: tuple[Place, ...]
    by_hand: str
    git: str = ""

    @property
    def promised(self) -> str:
        """Its checksum, of whichever kind; empty where nobody gives one."""
        return self.sha256 or self.git

    @property
    def identity(self) -> list[object]:
        """What tells it from other files: its checksum, else its name and addresses."""
        return [self.promised] if self.promised else [self.name, *(s.shown for s in self.sources)]

    def unlike(self, sha256: str, git: str) -> str:
        """Returns how the checksums of a file differ from the promised ones, or nothing."""
        for what, found, wanted in (("sha256", sha256, self.sha256), ("git name", git, self.git)):
            if not found.startswith(wanted):
                return (
                    f"its {what} begins with {found[: len(wanted)]}, not with the promised {wanted}"
                )
        return ""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A number that is known of a released system: whoever gives it, ours must be near it."""

    dataset: str
    metric: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights that others trained, for one scale.

    Attributes:
        name: Of the entry in data/released.
        about: Who trained them, on what.
        licence: What may be done with them.
        cite: Whom to cite.
        file: The checkpoint.
        keys: What its names mean.
        known: What they are known to score.
    """

    name: str
    about: str
    licence: str
    cite: str
    file: File
    keys: Keys
    known: tuple[Known, ...]

    @cached_property
    def identity(self) -> list[object]:
        """What can change the weights that come of it."""
        used = (("convert", "convert"), ("foreign", "read"), ("keys", "Keys"))
        sources = [source_digest(*each) for each in used]
        return ["released", self.file.identity, self.keys.identity, sources]

    def shown(self) -> dict[str, object]:
        """Returns what `show` and run.json say of it."""
        said = {"entry": self.name, "about": self.about, "licence": self.licence}
        said |= {"cite": self.cite, "file": self.file.name, "sha256": self.file.sha256}
        return {**said, "keys": self.keys.name}


@dataclass(frozen=True, kw_only=True)
class Images:
    """SR images that others made, of one test set at one scale.

    Attributes:
        name: Of the entry in data/released.
        about: Who made them.
        licence: What may be done with them.
        cite: Whom to cite.
        known: What they are known to score.
        files: By data set: the archive (or a folder in a mirror, of the same name).
        members: By data set: which files in it are its images, a glob.
        pattern: An image's file name without ending; `{name}` is what the test set calls it.
    """

    name: str
    about: str
    licence: str
    cite: str
    known: tuple[Known, ...]
    files: Mapping[str, File]
    members: Mapping[str, str]
    pattern: str

    @cached_property
    def identity(self) -> list[object]:
        """What can change which images are taken."""
        files = sorted((d, f.identity, self.members[d]) for d, f in self.files.items())
        return ["images", files, self.pattern]

    def shown(self) -> dict[str, object]:
        """Returns what `show` says of it."""
        said = {"entry": self.name, "about": self.about, "licence": self.licence}
        files = {dataset: file.name for dataset, file in self.files.items()}
        return {**said, "cite": self.cite, "files": files, "pattern": self.pattern}


def weights(root: Path, name: object, scale: int, place: str) -> Weights:
    """Returns a set of released weights at one scale.

    Args:
        root: The project's root.
        name: A file of data/released, without `.yaml`.
        scale: One that the entry gives a file for.
        place: Where params.yaml names it, for error messages.

    Raises:
        Refused: If there is none, or its entry has a mistake.
    """
    entry, inside = _entry(root, name, place)
    known_keys(entry, (*_PAGE, "keys", "file"), inside)
    asked = values.by_scale(entry.get("keys", "plain"), scale, f"{inside}.keys")
    return Weights(
        **_page(entry, str(name), scale, inside),
        file=file(_at(entry, "file", scale, inside), f"{inside}.file"),
        keys=keys(root, asked, scale, f"{inside}.keys"),
    )


def images(root: Path, name: object, scale: int, place: str) -> Images:
    """Returns a set of released images at one scale; see `weights`."""
    entry, inside = _entry(root, name, place)
    known_keys(entry, (*_PAGE, "pattern", "datasets"), inside)
    pattern = _at(entry, "pattern", scale, inside)
    if not isinstance(pattern, str) or pattern.count("{name}") != 1 or "/" in pattern:
        raise Refused(f"{inside}.pattern: wants a file name with one {{name}}, found {pattern!r}")
    given = params.mapping(entry.get("datasets"), f"{inside}.datasets")
    files, members = {}, {}
    for dataset, value in given.items():
        if (there := values.scales(value)) is not None and scale not in there:
            continue
        where = f"{inside}.datasets.{dataset}"
        each = params.mapping(values.by_scale(value, scale, where), where)
        members[dataset] = word(each, "members", "*", where)
        files[dataset] = file({k: v for k, v in each.items() if k != "members"}, where)
    if not files:
        raise Refused(f"{inside}.datasets: no data set has images at x{scale}")
    page = _page(entry, str(name), scale, inside)
    return Images(**page, files=files, members=members, pattern=pattern)


def check(book: Book, found: Weights | Images, model: str, place: str) -> None:
    """Refuses what does not go together: data sets, metrics, and the network of weights."""
    inside = paths.RELEASED.format(released=found.name)
    for each in found.known:
        book.check("datasets", each.dataset, f"{inside}: known")
        book.check("metrics", each.metric, f"{inside}: known.{each.dataset}")
    if isinstance(found, Images):
        for dataset in found.files:
            book.check("datasets", dataset, f"{inside}: datasets")
    elif model not in found.keys.models:
        fits = ", ".join(found.keys.models)
        what = f"its names ('{found.keys.name}') are those of {fits}"
        raise Refused(f"{place}: {what}, and the system's network is '{model}'")


def _entry(root: Path, name: object, place: str) -> tuple[dict[str, Any], str]:
    folder = (root / paths.RELEASED).parent
    offered = sorted(p.stem for p in folder.glob("*.yaml") if p != root / paths.KEYS)
    if not isinstance(name, str) or name not in offered:
        raise Refused(f"{place}: no entry '{name}' in data/released{nearest(name, offered)}")
    path = paths.RELEASED.format(released=name)
    return params.read_once(root / path), path


def _page(entry: Mapping[str, Any], name: str, scale: int, inside: str) -> dict[str, Any]:
    """Returns what weights and images have in common."""
    words = {key: word(entry, key, None, inside) for key in ("about", "licence", "cite")}
    known = entry.get("known", {})
    there = values.scales(known)
    known = values.by_scale(known, scale, inside) if there is None or scale in there else {}
    found = [
        Known(dataset=dataset, metric=metric, value=_number(value, f"{inside}.known.{dataset}"))
        for dataset, values in params.mapping(known, f"{inside}.known").items()
        for metric, value in params.mapping(values, f"{inside}.known.{dataset}").items()
    ]
    return {"name": name, **words, "known": tuple(found)}


def _number(value: object, place: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Refused(f"{place}: wants numbers by metric, found {value!r}")
    return float(value)


def _at(entry: Mapping[str, Any], key: str, scale: int, inside: str) -> Any:
    if key not in entry:
        raise Refused(f"{inside}: says no {key}")
    return values.by_scale(entry[key], scale, f"{inside}.{key}")


def file(value: object, place: str) -> File:
    """Returns a file that others offer, as an entry declares it.

    Raises:
        Refused: If it has no name, an impossible checksum, or nowhere to be had from.
    """
    entry = params.mapping(value, place)
    known_keys(entry, _FILE, place)
    name, sha256 = word(entry, "name", None, place), word(entry, "sha256", "", place)
    git = word(entry, "git", "", place)
    if not re.fullmatch(_FILE_NAME, name):
        raise Refused(f"{place}.name: wants a file's name, found {name!r}")
    if sha256 and not re.fullmatch(_SHA256, sha256):
        raise Refused(f"{place}.sha256: wants 8 to 64 digits 0-9 a-f, found {sha256!r}")
    if git and not re.fullmatch(_GIT, git):
        raise Refused(f"{place}.git: wants 40 digits 0-9 a-f, found {git!r}")
    by_hand = word(entry, "by_hand", "", place)
    given = (
        params.listing(entry["sources"], f"{place}.sources", object) if "sources" in entry else ()
    )
    sources = tuple(_place(each, f"{place}.sources[{i}]") for i, each in enumerate(given))
    if not sources and not by_hand:
        raise Refused(f"{place}: wants sources, or by_hand with the page that offers '{name}'")
    return File(name=name, sha256=sha256, sources=sources, by_hand=by_hand, git=git)


def _place(value: object, place: str) -> Place:
    entry = {"url": value} if isinstance(value, str) else params.mapping(value, place)
    which = "members" if "members" in entry else "member"  # one of them
    known_keys(entry, ("url", which, "package"), place)
    if "package" in entry:
        member, package = (word(entry, key, None, place) for key in ("member", "package"))
        return Place(url="", member=member, package=package)
    url = word(entry, "url", None, place)
    if not re.fullmatch(_ADDRESS, url):
        raise Refused(f"{place}.url: wants an address, found {url!r}")
    return Place(url=url, **{which: word(entry, which, "", place)})
