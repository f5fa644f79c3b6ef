"""diagnose: a copy that is not the original is named as what it is."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from acutance.diagnose import Stray, examine, explain
from acutance.sets import Picture
from acutance.verify import Photograph, decode, digest

COLOUR = data.astronaut()[100:229, 150:301].copy()  # 151 x 129
GREY = data.camera()[100:200, 150:270].copy()  # 120 x 100
PIXELS = {"colour": COLOUR, "grey": GREY}


def picture(name: str) -> Picture:
    pixels = PIXELS[name]
    height, width = pixels.shape[:2]
    mode = "L" if pixels.ndim == 2 else "RGB"
    return Picture(name=name, width=width, height=height, mode=mode, sha256=digest(pixels))


PICTURES = (picture("colour"), picture("grey"))


def photograph(name: str, pixels, form="PNG", **how) -> Photograph:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, form, **how)
    return decode(name, buffer.getvalue())


def told(*photographs: Photograph) -> str:
    """What is said when these came and both pictures were missing."""
    return explain(PICTURES, [examine(p, PICTURES) for p in photographs], 2)


def half(pixels):
    return pixels[: pixels.shape[0] // 2 * 2 : 2, : pixels.shape[1] // 2 * 2 : 2]


def enlarged(pixels):
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def framed(pixels):
    return np.pad(pixels, ((0, 2), (0, 3), *((0, 0),) * (pixels.ndim - 2)))


ANY_NAME = [
    ("grey", lambda p: np.dstack([p] * 3), "grey turned into RGB (three equal channels): grey"),
    ("colour", lambda p: p[..., ::-1], "red and blue exchanged: colour"),
    ("colour", np.rot90, "turned by 90 degrees: colour"),
    ("colour", framed, "with a border (154x131 instead of 151x129): colour"),
    ("colour", lambda p: p[:-1, :-1], "cropped to even sizes: colour 150x128 instead of 151x129"),
    ("colour", lambda p: p[:126, :150], "cropped to multiples of 6: colour 150x126"),
    ("colour", lambda p: p[:129, :150], "cropped to multiples of 3: colour 150x129"),
    ("colour", lambda p: p[3:-3, 3:-3], "cropped to another size: colour 145x123"),
]
BY_NAME = [
    *ANY_NAME,
    ("colour", half, "half the size: colour 75x64 instead of 151x129"),
    ("colour", enlarged, "enlarged 2 times: colour 302x258 instead of 151x129"),
    ("colour", lambda p: p[..., 1], "turned into grey: colour"),
    ("grey", lambda p: np.dstack([p, p, 255 - p]), "in colour instead of grey: grey"),
    ("colour", lambda p: p[:50, :60], "of another size: colour 60x50 instead of 151x129"),
    ("colour", lambda p: 255 - p, "same size, other pixels: colour"),
]


@pytest.mark.parametrize(("name", "change", "words"), BY_NAME)
def test_names_what_happened(name, change, words):
    assert words in told(photograph(f"some/folder/{name.upper()}_HR.png", change(PIXELS[name])))


@pytest.mark.parametrize(("name", "change", "words"), ANY_NAME[:5])
def test_names_what_happened_whatever_the_file_is_called(name, change, words):
    said = told(photograph("img_012.png", change(PIXELS[name])))
    assert words in said
    assert "not belonging" not in said


@pytest.mark.parametrize("quality", [50, 75, 90, 95])
@pytest.mark.parametrize("name", PIXELS)
def test_names_a_jpeg_copy(name, quality):
    jpeg = photograph(f"{name}.jpg", PIXELS[name], "JPEG", quality=quality)
    assert f"a JPEG copy (same size, other pixels): {name}" in told(jpeg)
    again = photograph(f"{name}.png", jpeg.pixels)
    assert f"a JPEG copy saved again as PNG (same size, other pixels): {name}" in told(again)


def test_names_selfexsrs_trap():
    said = told(photograph("Urban100/image_SRF_2/colour_SRF_2_HR.png", half(COLOUR)))
    assert "half the size (SelfExSR's image_SRF_2; the full size is in image_SRF_4): colour" in said


def test_names_what_is_not_there_and_what_does_not_belong():
    said = told(photograph("a.png", COLOUR[:20, :20]), photograph("b.png", COLOUR[:9, :9]))
    assert said.startswith("2 of 2 images lack the original; ")
    assert "not there: colour, grey" in said
    assert "not belonging: 'a.png' 20x20, 'b.png' 9x9" in said


def test_names_copies_that_nothing_tells_apart():
    said = told(photograph("1.png", COLOUR[:-1]), photograph("2.png", COLOUR[1:]))
    assert "not there: colour, grey" in said
    assert "cropped or with loss, under other names: '1.png' 151x128, '2.png' 151x128" in said


def test_names_a_file_that_cannot_be_decoded():
    said = explain(PICTURES, [Stray(name="x/colour.png", fault="cannot be decoded (text)")], 2)
    assert "cannot be decoded (text): colour; not there: grey" in said


def test_the_copy_nearest_in_size_is_meant():
    both = [photograph("x2/colour.png", half(COLOUR)), photograph("hr/colour.png", COLOUR[:-1])]
    assert "cropped" in told(*both)
    assert "cropped" in told(*reversed(both))


def test_many_are_told_in_short():
    pictures = [
        Picture(name=f"img_{n:03}", width=9, height=9, mode="L", sha256=f"{n}") for n in range(100)
    ]
    strays = [Stray(name=f"x/img_{n}_SRF_4_HR.png", width=4, height=5) for n in range(100)]
    said = explain(pictures, strays, 100)
    assert "half the size: img_000 4x5 instead of 9x9, " in said
    assert said.endswith("and 97 more")
    assert len(said) < 300
