"""A made-up data set of three pictures, and what its sources may give."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import server as web
from acutance.errors import Refused
from acutance.fetch import fetch
from acutance.image import read_image
from acutance.sets import Dataset, Picture, Source
from acutance.verify import digest

PIXELS = {
    "cat": data.chelsea()[50:211, 100:261].copy(),  # 161 x 161
    "coffee": data.coffee()[:120, :200].copy(),  # 200 x 120
    "man": data.camera()[50:150, 200:331].copy(),  # 131 x 100, grey
}


def encoded(pixels, form="PNG", **how) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, form, **how)
    return buffer.getvalue()


GOOD = {f"set/HR/{name}.png": encoded(pixels) for name, pixels in PIXELS.items()}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content)  # of no date: the same bytes each time
    return buffer.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def picture(name: str, pixels) -> Picture:
    height, width = pixels.shape[:2]
    mode = "L" if pixels.ndim == 2 else "RGB"
    return Picture(name=name, width=width, height=height, mode=mode, sha256=digest(pixels))


PICTURES = tuple(picture(name, pixels) for name, pixels in PIXELS.items())


def dataset(*sources: Source, pictures=PICTURES, images=3) -> Dataset:
    return Dataset(
        name="trio",
        role="test",
        images=images,
        licence="free",
        cite="nobody",
        sources=sources,
        pictures=pictures,
    )


def bare(*sources: Source, images: int = 3) -> Dataset:
    """A data set like DIV2K: without a manifest, verified by the checksum of its archive."""
    return dataset(*sources, pictures=(), images=images)


class Kitchen:
    """What tests of fetch need: folders, a server, and what was said."""

    def __init__(self, root: Path, server: web.Server) -> None:
        self.server = server
        self.out = root / "hr" / "trio@123"
        self.downloads = root / "downloads"
        self.mirror = root / "mirror"
        self.said: list[str] = []

    def source(self, name: str, content: bytes, members: str = "*", **how) -> Source:
        return Source(url=self.server.serve(name, content, **how), members=members)

    def fetch(self, wanted: Dataset, *, mirror: bool = False) -> None:
        place = self.mirror if mirror else None
        keep = {"downloads": self.downloads, "say": self.said.append, "pause": 0.001}
        fetch(wanted, self.out, mirror=place, **keep)

    def refused(self, wanted: Dataset, *, mirror: bool = False) -> str:
        with pytest.raises(Refused) as refusal:
            self.fetch(wanted, mirror=mirror)
        assert not self.out.exists()
        assert list(self.out.parent.iterdir()) == []
        return str(refusal.value)

    def assert_whole(self) -> None:
        assert sorted(path.name for path in self.out.iterdir()) == [f"{n}.png" for n in PIXELS]
        for name, pixels in PIXELS.items():
            np.testing.assert_array_equal(read_image(self.out / f"{name}.png"), pixels)

    def put(self, name: str, content: bytes) -> None:
        path = self.mirror / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
