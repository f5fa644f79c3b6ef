"""verify: one picture is one picture in every format without loss; what is none is refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from acutance.errors import Refused
from acutance.verify import decode, digest

RGB = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)
GREY = RGB[..., 0].copy()


def saved(pixels, form="PNG", mode=None, **how) -> bytes:
    picture = Image.fromarray(pixels)
    buffer = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(buffer, form, **how)
    return buffer.getvalue()


@pytest.mark.parametrize("pixels", [RGB, GREY], ids=["RGB", "L"])
@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_one_picture_in_every_format(pixels, form):
    photograph = decode("a", saved(pixels, form))
    assert photograph.format == form
    assert photograph.mode == ("RGB" if pixels.ndim == 3 else "L")
    assert photograph.sha256 == digest(pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(photograph.png()))), pixels)


def test_lossless_webp():
    assert decode("a", saved(RGB, "WEBP", lossless=True)).sha256 == digest(RGB)


def test_the_hash_is_that_of_the_rows():
    pixels = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    known = "7192385c3c0605de55bb9476ce1d90748190ecb32a8eed7f5207b30cf6a1fe89"  # of 1 2 3 4 5 6
    assert decode("a", saved(pixels)).sha256 == digest(pixels) == known


def test_a_plain_png_stays_as_it_is():
    for level in (0, 9):
        file = saved(RGB, compress_level=level)
        assert decode("a", file).png() is file


@pytest.mark.parametrize("mode", ["P", "RGBA", "1", "LA"])
def test_other_modes_are_converted_where_that_loses_nothing(mode):
    few = np.where(GREY > 99, np.uint8(255), np.uint8(0))
    pixels = few if mode in ("1", "LA") else np.stack([few, few, 255 - few], axis=-1)
    if mode == "P":
        file = saved(pixels, mode="P", palette=Image.Palette.ADAPTIVE)
    file = saved(pixels, mode=mode)
    photograph = decode("a", file)
    assert photograph.png() is not file
    np.testing.assert_array_equal(photograph.pixels, pixels)
    png = Image.open(io.BytesIO(photograph.png()))
    assert png.mode == photograph.mode
    np.testing.assert_array_equal(np.asarray(png), pixels)


def test_refuses_transparency():
    clear = np.dstack([RGB, GREY])
    with pytest.raises(Refused, match="transparent"):
        decode("a", saved(clear))


def test_refuses_16_bits():
    with pytest.raises(Refused, match="more than 8 bits"):
        decode("a", saved(GREY.astype(np.uint16) * 257))


def test_refuses_16_bits_of_colour_which_pillow_would_cut_to_8():
    rows = b"".join(b"\0" + bytes(6 * 17) for _ in range(13))
    with pytest.raises(Refused, match="more than 8 bits"):
        decode("a", png(17, 13, 16, zlib.compress(rows)))


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_refuses_enormous_pictures_before_they_are_decoded(side):
    with pytest.raises(Refused, match=r"claims|cannot be decoded"):
        decode("a", png(side, side, 8, b""))


@pytest.mark.parametrize("file", [b"", b"text", saved(RGB)[:200], saved(RGB, "BMP")[:200]])
def test_names_what_cannot_be_decoded(file):
    with pytest.raises(Refused, match="cannot be decoded"):
        decode("a", file)


def png(width: int, height: int, bits: int, body: bytes) -> bytes:
    """A PNG of colour by hand."""
    head = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    packed = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
