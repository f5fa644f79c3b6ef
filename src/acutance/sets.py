"""Data sets and the pairs made of them, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from acutance import paths
from acutance.calls import Call
from acutance.identity import digest, source_digest


@dataclass(frozen=True, kw_only=True)
class Source:
    """One place a data set can be had from.

    Attributes:
        url: Address of an archive (zip, tar, tar.gz) or None.
        package: An installed Python package that ships the images, or None.
        members: Which files in it are the images: a glob.
        bytes: Size of the archive, where known.
        sha256: Checksum of the archive, where known.
        md5: The same, for archives whose publisher gives no better one.
    """

    url: str | None = None
    package: str | None = None
    members: str = "*"
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One image of a manifest: its size, mode, and the SHA-256 of its decoded uint8 array."""

    name: str
    width: int
    height: int
    mode: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A set of original images.

    Attributes:
        name: As in params.yaml and in the published tables.
        role: `train` or `test`; a set is never both in one track.
        images: How many there are.
        licence: What may be done with them.
        cite: Whom to cite.
        sources: Where to get them, best first.
        pictures: What each must decode to; empty where the archive's checksum stands for all.
    """

    name: str
    role: str
    images: int
    licence: str
    cite: str
    sources: tuple[Source, ...]
    pictures: tuple[Picture, ...]

    @cached_property
    def id(self) -> str:
        """Name and digest; the digest covers the decoded images."""
        if self.pictures:
            return f"{self.name}@{digest([asdict(p) for p in self.pictures])}"
        best = {s.sha256 for s in self.sources if s.sha256} or {
            s.md5 for s in self.sources if s.md5
        }
        return f"{self.name}@{digest(self.images, sorted(map(str, best)))}"

    @property
    def hr(self) -> str:
        """The folder of its verified images."""
        return paths.HR.format(dataset=self.id)


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """HR images with their LR counterparts.

    Attributes:
        datasets: Whose images; several only to train on.
        degradation: Makes the LR images.
        scale: HR sides over LR sides.
        verb: `pack` makes pairs to train on, `degrade` LR images to test on.
        centre: Side of the crop that alone is kept of each HR image, or None.
    """

    datasets: tuple[Dataset, ...]
    degradation: Call
    scale: int
    verb: Literal["pack", "degrade"]
    centre: int | None = None

    @cached_property
    def id(self) -> str:
        """Names and digest; the digest covers the HR images and how the LR are made of them."""
        names = "+".join(d.name for d in self.datasets)
        function = {"pack": "pack", "degrade": "degrade_folder"}[self.verb]
        found = digest(
            [d.id for d in self.datasets],
            self.degradation.identity,
            self.scale,
            self.centre,
            source_digest(self.verb, function),
        )
        return f"{names}_{self.degradation.name}_x{self.scale}@{found}"

    @property
    def hr(self) -> tuple[str, ...]:
        """The folders of the HR images."""
        return tuple(d.hr for d in self.datasets)

    @property
    def lr(self) -> str:
        """The folder of the LR images as PNG."""
        return paths.LR.format(pairs=self.id)

    @property
    def packed(self) -> str:
        """The folder of the packed pairs."""
        return paths.PACKED.format(pairs=self.id)
