"""Data sets of params.yaml, checked against their manifests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acutance import params, paths, resolve
from acutance.book import Book, known_keys, word
from acutance.errors import Refused, nearest
from acutance.rows import read_rows
from acutance.sets import Dataset, Picture, Source


def datasets(book: Book, entry: Mapping[str, Any], place: str) -> tuple[Dataset, ...]:
    """Returns the data sets that an entry lists."""
    names = params.listing(entry.get("datasets"), f"{place}.datasets", str)
    for name in names:
        book.check("datasets", name, f"{place}.datasets")
    return tuple(dataset(book, name) for name in names)


def dataset(book: Book, name: str) -> Dataset:
    """Returns a data set with its sources and its manifest."""
    place = f"datasets.{name}"
    entry = book.entry("datasets", name, "datasets")
    known_keys(entry, ("role", "images", "licence", "cite", "sources"), place)
    if entry.get("role") not in ("train", "test"):
        found = entry.get("role")
        raise Refused(f"{place}.role: found {found!r}{nearest(found, ('train', 'test'))}")
    images = entry.get("images")
    if type(images) is not int or images < 1:
        raise Refused(f"{place}.images: wants how many images there are, found {images!r}")
    listed = params.listing(entry.get("sources"), f"{place}.sources", dict)
    sources = tuple(_source(s, f"{place}.sources[{i}]") for i, s in enumerate(listed))
    pictures = _manifest(book.root / paths.MANIFEST.format(dataset=name))
    if pictures and len(pictures) != images:
        what = f"{images} images, and its manifest lists {len(pictures)}"
        raise Refused(f"{place}.images: {what}")
    if not pictures and not any(s.sha256 or s.md5 for s in sources):
        what = "nothing can verify it: no manifest and no source with a checksum"
        raise Refused(f"{place}: {what}; add {paths.MANIFEST.format(dataset=name)}")
    return Dataset(
        name=name,
        role=entry["role"],
        images=images,
        licence=word(entry, "licence", None, place),
        cite=word(entry, "cite", "", place),
        sources=sources,
        pictures=pictures,
    )


def _source(entry: Mapping[str, Any], place: str) -> Source:
    given = resolve.check(resolve.fields(Source), entry, what="a source", scale=1, place=place)
    if (given.get("url") is None) == (given.get("package") is None):
        raise Refused(f"{place}: wants either url or package")
    source = Source(**given)  # type: ignore[arg-type]  # checked against the very fields
    for key, value, form, wanted in (
        (
            "url",
            source.url,
            r"https?://[^\s/]\S*",
            "an address that begins with http:// or https://",
        ),
        ("package", source.package, r"[A-Za-z_][A-Za-z0-9_]*", "the name of a Python package"),
        ("sha256", source.sha256, r"[0-9a-f]{64}", "64 digits 0-9 a-f"),
        ("md5", source.md5, r"[0-9a-f]{32}", "32 digits 0-9 a-f"),
    ):
        if value is not None and not re.fullmatch(form, value):
            raise Refused(f"{place}.{key}: wants {wanted}, found {value!r}")
    if source.bytes is not None and source.bytes < 1:
        raise Refused(f"{place}.bytes: must not be below 1, found {source.bytes}")
    return source


def _manifest(path: Path) -> tuple[Picture, ...]:
    """Returns what each image of a data set must decode to; empty where there is no manifest."""
    if not path.is_file():
        return ()
    try:
        return tuple(
            Picture(
                name=_file_name(row["name"], place),
                width=int(row["width"]),
                height=int(row["height"]),
                mode=row["mode"],
                sha256=row["sha256"],
            )
            for place, row in read_rows(path, "name,width,height,mode,sha256")
        )
    except ValueError as error:  # a `Refused` is one
        raise Refused(f"{path.name}: damaged manifest ({error}); restore it from git") from None


def _file_name(name: str, place: str) -> str:
    """Returns a picture's name if a file in a folder can have it: anything else but these."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise Refused(
            f"{place}: '{name}' cannot be a picture's name: it would be hidden or elsewhere"
        )
    return name
