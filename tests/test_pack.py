"""pack: what lies in the two files is what the pictures and the degradation say, and is checked."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from acutance.errors import Refused
from acutance.image import write_png
from acutance.pack import pack
from acutance.packed import open_packed

Image = NDArray[np.uint8]


def corner(hr: Image, scale: int) -> Image:
    """The simplest degradation: the top left pixel of every square."""
    return hr[: len(hr) // scale * scale : scale, : hr.shape[1] // scale * scale : scale].copy()


def picture(seed: int, *shape: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_png(tmp_path / "hr" / "b.png", picture(1, 25, 40, 3))
    write_png(tmp_path / "hr" / "a.png", picture(2, 31, 22, 3))
    write_png(tmp_path / "hr" / "grey.png", picture(3, 20, 21))
    return tmp_path


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_holds_every_picture_cut_to_the_scale(folder: Path, scale: int) -> None:
    pack([folder / "hr"], folder / "out", degradation=corner, scale=scale)
    packed = open_packed(folder / "out", verify=True)
    assert packed.names == ("hr/a", "hr/b", "hr/grey")
    for number, whole in enumerate((picture(2, 31, 22, 3), picture(1, 25, 40, 3))):
        height, width = (side - side % scale for side in whole.shape[:2])
        hr = whole[:height, :width].transpose(2, 0, 1)
        np.testing.assert_array_equal(packed.hr.image(number), hr)
        np.testing.assert_array_equal(packed.lr.image(number), hr[:, ::scale, ::scale])


def test_grey_becomes_three_equal_channels(folder: Path) -> None:
    pack([folder / "hr"], folder / "out", degradation=corner, scale=2)
    packed = open_packed(folder / "out")
    for side, image in ((packed.hr, picture(3, 20, 21)[:, :20]), (packed.lr, None)):
        found = side.image(2)
        assert (found == found[:1]).all()
        if image is not None:
            np.testing.assert_array_equal(found[0], image)


@pytest.mark.parametrize(
    ("scale", "centre", "rows", "columns"),
    # By hand: torchvision's CenterCrop begins at round((side - crop) / 2), halves to even.
    [
        (2, 16, slice(8, 24), slice(3, 19)),  # 31 x 22: 7.5 -> 8, 3
        (3, 16, slice(8, 23), slice(4, 19)),  # a crop of 15: 8, 3.5 -> 4
        (4, 19, slice(8, 24), slice(3, 19)),  # a crop of 16
        (2, 21, slice(6, 26), slice(1, 21)),  # a crop of 20: 5.5 -> 6, 1
    ],
)
def test_centre_is_cut_out_before_degrading(
    tmp_path: Path, scale: int, centre: int, rows: slice, columns: slice
) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(2, 31, 22, 3))
    pack([tmp_path / "hr"], tmp_path / "out", degradation=corner, scale=scale, centre=centre)
    packed = open_packed(tmp_path / "out")
    crop = picture(2, 31, 22, 3)[rows, columns].transpose(2, 0, 1)
    np.testing.assert_array_equal(packed.hr.image(0), crop)
    np.testing.assert_array_equal(packed.lr.image(0), crop[:, ::scale, ::scale])


def test_number_of_threads_changes_no_byte(folder: Path) -> None:
    write_png(folder / "more" / "a.png", picture(4, 30, 30, 3))
    for threads in (1, 4):
        out = folder / f"out{threads}"
        folders = [folder / "hr", folder / "more"]
        pack(folders, out, degradation=corner, scale=2, threads=threads)
    for name in ("hr.bin", "lr.bin", "index.json"):
        assert (folder / "out1" / name).read_bytes() == (folder / "out4" / name).read_bytes()
    assert open_packed(folder / "out1").names == ("hr/a", "hr/b", "hr/grey", "more/a")


def refused(folder: Path, **changed: object) -> str:
    arguments = {"degradation": corner, "scale": 2, **changed}
    with pytest.raises(Refused) as caught:
        pack([folder / "hr"], folder / "out", **arguments)
    assert [path.name for path in folder.iterdir()] == ["hr"], "something was left behind"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_refuses_what_it_cannot_pack(folder: Path) -> None:
    assert "a.png: 22x31, smaller than the 24x24" in refused(folder, centre=24)
    double = refused(folder, degradation=lambda hr, scale: corner(hr, scale).astype(float))
    assert "gives float64" in double
    whole = (folder / "hr" / "b.png").read_bytes()
    (folder / "hr" / "b.png").write_bytes(whole[: len(whole) // 2])
    assert "b.png" in refused(folder)
    (folder / "hr" / "b.png").write_bytes(b"no picture")
    assert "b.png" in refused(folder)


def test_a_degradation_that_crops_is_a_defect(folder: Path) -> None:
    with pytest.raises(ValueError, match="wants"):
        pack([folder / "hr"], folder / "out", degradation=lambda hr, _: hr[:-1], scale=1)


def test_replaces_an_old_folder_as_a_whole(folder: Path) -> None:
    pack([folder / "hr"], folder / "out", degradation=corner, scale=2)
    pack([folder / "hr"], folder / "out", degradation=corner, scale=4)
    assert open_packed(folder / "out", verify=True).scale == 4


def test_damage_is_refused(folder: Path) -> None:
    out = folder / "out"
    with pytest.raises(Refused, match=r"no packed pairs .*run `acutance pack`"):
        open_packed(out)
    pack([folder / "hr"], out, degradation=corner, scale=2)
    pixels = bytearray((out / "hr.bin").read_bytes())
    pixels[len(pixels) // 2] ^= 1
    (out / "hr.bin").write_bytes(pixels)
    open_packed(out)
    with pytest.raises(Refused, match=r"hr\.bin: hr/b fails its checksum"):
        open_packed(out, verify=True)
    (out / "hr.bin").write_bytes(pixels[:-1])
    with pytest.raises(Refused, match=r"hr\.bin: \d+ bytes, wants \d+"):
        open_packed(out)
    (out / "index.json").write_text(json.dumps({"version": 99, "images": []}))
    with pytest.raises(Refused, match="version 99"):
        open_packed(out)
    (out / "index.json").write_text("{")
    with pytest.raises(Refused, match="no packed pairs"):
        open_packed(out)
