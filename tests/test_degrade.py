"""Folders of HR pictures to folders of LR pictures."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from acutance.degradations.imresize import imresize
from acutance.degrade import degrade_folder
from acutance.errors import Refused
from acutance.image import read_image, write_png

HR = data.astronaut()[100:141, 200:235]
GREY = data.camera()[100:141, 200:235]


@pytest.fixture
def hr(tmp_path: Path) -> Path:
    folder = tmp_path / "hr"
    write_png(folder / "woman.png", HR)
    write_png(folder / "bridge.png", GREY)
    Image.fromarray(HR[::-1]).save(folder / "bird.bmp")
    return folder


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_each_picture_has_its_lr_under_its_name(hr: Path, tmp_path: Path, workers) -> None:
    degrade_folder(hr, tmp_path / "lr", imresize, 3, workers=workers)
    assert sorted(path.name for path in (tmp_path / "lr").iterdir()) == [
        "bird.png", "bridge.png", "woman.png",
    ]  # fmt: skip
    for name, pixels in (("woman", HR), ("bird", HR[::-1]), ("bridge", GREY)):
        found = read_image(tmp_path / "lr" / f"{name}.png")
        np.testing.assert_array_equal(found, imresize(pixels, 3))


def test_again_gives_the_same_bytes(hr: Path, tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        degrade_folder(hr, tmp_path / "lr", imresize, 2)
        contents.append([p.read_bytes() for p in sorted((tmp_path / "lr").iterdir())])
    assert contents[0] == contents[1]


def refused(hr: Path, out: Path, match: str, degradation=imresize, scale: int = 2) -> None:
    """Checks the words, that nothing new is there and that what was there stays."""
    before = sorted(out.parent.rglob("*"))
    with pytest.raises(Refused, match=match) as error:
        degrade_folder(hr, out, degradation, scale)
    assert "\n" not in str(error.value)
    assert sorted(out.parent.rglob("*")) == before


def test_bad_input_is_refused_in_one_line_and_leaves_nothing(hr: Path, tmp_path: Path) -> None:
    out = tmp_path / "lr"
    (tmp_path / "none").mkdir()
    refused(tmp_path / "missing", out, "missing: no such folder")
    refused(tmp_path / "none", out, "none: no pictures in it")
    refused(hr, out, r"bird\.bmp: an image of 35 x 41 is smaller than the scale 36", scale=36)
    refused(
        hr, out, "gives float64, a PNG holds uint8; have it rounded",
        partial(imresize, rounding="none"),
    )  # fmt: skip
    (hr / "cut.png").write_bytes((hr / "woman.png").read_bytes()[:500])
    refused(hr, out, r"hr/cut\.png: cannot be read as a picture \(.*\); make it again")
    (hr / "cut.png").rename(hr / "woman.bmp")
    refused(hr, out, r"two pictures of one name, woman\.bmp and woman\.png")


def test_nothing_of_the_users_is_overwritten(hr: Path, tmp_path: Path) -> None:
    refused(hr, hr, "is the folder that is read; give another")
    refused(hr, hr / ".." / "hr", "is the folder that is read; give another")
    refused(hr, hr / "woman.png", r"woman\.png: is a file; give a folder")
    photos = tmp_path / "photos"
    write_png(photos / "holiday.png", HR)
    refused(hr, photos, r"photos: holds 'holiday\.png', which would be lost; give a new folder")
    refused(hr, tmp_path, "holds 'hr', which would be lost")
