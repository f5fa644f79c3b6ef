"""Files in and out, rounding, luma, borders."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from skimage import color, data

from acutance import image
from acutance.errors import Refused

HR = data.astronaut()[100:140, 200:233]
GREY = data.camera()[100:140, 200:233]
ANY = arrays.arrays(np.float64, (4, 5, 3), elements=st.floats(-1e4, 1e4))


@pytest.mark.parametrize("pixels", [HR, GREY, HR[:, ::-1], HR[:1, :1]])
def test_png_gives_back_what_it_got(tmp_path: Path, pixels) -> None:
    image.write_png(tmp_path / "deep" / "a.png", pixels)
    np.testing.assert_array_equal(image.read_image(tmp_path / "deep" / "a.png"), pixels)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "tif"])
@pytest.mark.parametrize("pixels", [HR, GREY])
def test_lossless_formats_are_read(tmp_path: Path, suffix: str, pixels) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels).save(path, lossless=True)
    found = image.read_image(path)
    expected = pixels if suffix != "webp" else image.as_rgb(pixels)  # WebP knows no grey
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("pixels", [HR * np.float32(1.3) - 20, GREY / np.float32(3)])
def test_float_tif_gives_back_what_it_got(tmp_path: Path, pixels) -> None:
    image.write_float_tif(tmp_path / "a.tif", pixels)
    found = image.read_sr(tmp_path / "a.tif")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels)


def test_equal_images_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image.write_png(tmp_path / f"{name}.png", HR)
        image.write_float_tif(tmp_path / f"{name}.tif", HR / 3)
    for suffix in ("png", "tif"):
        files = [(tmp_path / f"{name}.{suffix}").read_bytes() for name in ("a", "b")]
        assert files[0] == files[1]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_a_cut_file_is_refused_by_name(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(HR).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(Refused, match=r"a\.\w+: cannot be read as a picture \(.+\); make it again"):
        image.read_image(path)
    with pytest.raises(Refused, match="cannot be read as a picture"):
        image.read_sr(path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@settings(deadline=None, max_examples=100)
@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "tif", "float.tif"])
@given(place=st.integers(0, 10**6), head=st.booleans(), flip=st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_harmless(tmp_path_factory, kind, place, head, flip) -> None:
    path = tmp_path_factory.mktemp("flipped") / f"a.{kind}"
    if kind == "float.tif":
        image.write_float_tif(path, HR / 3)
    else:
        Image.fromarray(HR).save(path)
    content = bytearray(path.read_bytes())
    content[place % (200 if head else len(content))] ^= flip
    path.write_bytes(content)
    try:
        found = image.read_sr(path)
    except Refused as error:
        assert "\n" not in str(error)  # noqa: PT017 (either outcome is right)
    else:
        assert found.dtype in (np.uint8, np.float32)


@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        ("P", "a palette instead of colours"),
        ("RGBA", r"an alpha channel \(mode RGBA\)"),
        ("LA", r"an alpha channel \(mode LA\)"),
        ("I;16", r"more than 8 bits per channel \(mode I;16\)"),
        ("1", "mode 1"),
    ],
)
def test_modes_that_need_a_choice_are_refused(tmp_path: Path, mode: str, problem: str) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(GREY).convert(mode).save(path)
    with pytest.raises(Refused, match=f"a.png: {problem}; save it as 8-bit RGB or grey"):
        image.read_image(path)


def test_16_bit_colour_is_not_cut_to_8_in_silence(tmp_path: Path) -> None:
    # Pillow writes no such file: one pixel, 16 bits each of R, G, B
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\x12\x34\x56\x78\x9a\xbc")
    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    )
    with pytest.raises(Refused, match="more than 8 bits per channel"):
        image.read_image(path)


def test_absent_files_and_wrong_arrays_are_refused(tmp_path: Path) -> None:
    for name in ("a.png", "a.tif"):
        with pytest.raises(Refused, match=f"{name}: no such file"):
            image.read_sr(tmp_path / name)
    tifffile.imwrite(tmp_path / "deep.tif", HR.astype(np.uint16))
    with pytest.raises(Refused, match=r"deep.tif: uint16 pixels; expected uint8 or float32"):
        image.read_sr(tmp_path / "deep.tif")
    tifffile.imwrite(tmp_path / "alpha.tif", np.zeros((4, 5, 4), np.uint8), photometric="rgb")
    with pytest.raises(Refused, match=r"alpha.tif: an array of shape .*; expected \(H, W, 3\)"):
        image.read_sr(tmp_path / "alpha.tif")
    tifffile.imwrite(tmp_path / "two.tif", np.zeros((2, 4, 5), np.float32))
    with pytest.raises(Refused, match=r"two.tif: cannot be read as a picture \(2 pages instead"):
        image.read_sr(tmp_path / "two.tif")
    image.write_float_tif(tmp_path / "float.tif", HR / 3)
    with pytest.raises(Refused, match=r"float.tif: float32 pixels; save it as 8-bit RGB or grey"):
        image.read_image(tmp_path / "float.tif")
    image.write_float_tif(tmp_path / "nan.tif", np.full((4, 5), np.nan))
    with pytest.raises(Refused, match=r"nan.tif: holds NaN or infinity"):
        image.read_sr(tmp_path / "nan.tif")
    with pytest.raises(TypeError, match="a PNG holds uint8, not float64; quantise first"):
        image.write_png(tmp_path / "a.png", HR / 3)


def test_folders_are_listed_by_stem(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such folder"):
        image.list_images(tmp_path / "none")
    with pytest.raises(Refused, match=r"no pictures in it; looked for .png"):
        image.list_images(tmp_path)
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    assert list(image.list_images(tmp_path)) == ["a", "b"]
    (tmp_path / "b.bmp").touch()
    with pytest.raises(Refused, match=r"two pictures of one name, b.bmp and b.png; keep one"):
        image.list_images(tmp_path)


@settings(deadline=None, max_examples=50)
@given(pixels=ANY)
def test_quantise_is_idempotent_and_nearest(pixels) -> None:
    found = image.quantise(pixels)
    np.testing.assert_array_equal(image.quantise(found), found)
    np.testing.assert_array_equal(image.quantise(found.astype(np.float64)), found)
    assert np.abs(found - np.clip(pixels, 0, 255)).max() <= 0.5


def test_quantise_rounds_halves_up_and_clips_where_told() -> None:
    halves = np.arange(-1, 257) + 0.5
    assert image.quantise(halves).tolist() == [*range(256), 255, 255]
    assert image.quantise(np.array([0, 100, 255], np.uint8), 16, 235).tolist() == [16, 100, 235]
    assert image.quantise(np.array([0.0, 99.5, 255.0]), 16, 235).tolist() == [16, 100, 235]
    assert image.quantise(np.array([-np.inf, np.inf])).tolist() == [0, 255]
    with pytest.raises(ValueError, match="NaN"):
        image.quantise(np.array([np.nan, 1.0]))


def test_float32_just_below_a_half_is_rounded_down() -> None:
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert below + np.float32(0.5) == np.float32(1)  # what a sum in single precision would say
    assert image.quantise(np.array([below])).tolist() == [0]


def test_luma_and_chroma_are_scikit_images() -> None:
    np.testing.assert_allclose(image.ycbcr(HR), color.rgb2ycbcr(HR), atol=1e-10)
    np.testing.assert_allclose(image.luma(HR), color.rgb2ycbcr(HR)[..., 0], atol=1e-10)
    np.testing.assert_array_equal(image.luma(HR.astype(np.float32)), image.luma(HR))
    np.testing.assert_array_equal(image.luma(GREY), GREY)


@settings(deadline=None, max_examples=30)
@given(pixels=ANY)
def test_rgb_undoes_ycbcr_so_that_luma_is_what_the_network_gave(pixels) -> None:
    np.testing.assert_allclose(image.ycbcr(image.rgb(pixels)), pixels, atol=1e-8)
    np.testing.assert_allclose(image.luma(image.rgb(pixels)), pixels[..., 0], atol=1e-8)


def test_grey_and_colour_are_each_others_inverse() -> None:
    np.testing.assert_allclose(image.as_grey(image.as_rgb(GREY)), GREY, atol=1e-12)
    assert image.as_grey(GREY) is GREY
    assert image.as_rgb(HR) is HR


@given(height=st.integers(1, 30), width=st.integers(1, 30), scale=st.integers(1, 5))
@settings(deadline=None)
def test_modcrop_keeps_the_upper_left(height: int, width: int, scale: int) -> None:
    whole = np.arange(height * width).reshape(height, width)
    if min(height, width) < scale:
        with pytest.raises(Refused, match=f"{width} x {height} is smaller than the scale {scale}"):
            image.modcrop(whole, scale)
        return
    found = image.modcrop(whole, scale)
    assert not found.shape[0] % scale
    assert not found.shape[1] % scale
    assert height - found.shape[0] < scale
    assert width - found.shape[1] < scale
    np.testing.assert_array_equal(found, whole[: found.shape[0], : found.shape[1]])


def test_shave_takes_from_each_side() -> None:
    np.testing.assert_array_equal(image.shave(HR, 3), HR[3:-3, 3:-3])
    np.testing.assert_array_equal(image.shave(HR, 0), HR)
    for pixels in (-1, 17, 20):
        with pytest.raises(Refused, match=f"cannot shave {pixels} pixels"):
            image.shave(HR, pixels)


def test_networks_get_rgb_or_luma_and_give_back_an_image() -> None:
    assert image.to_chw(HR, 3).shape == (3, *HR.shape[:2])
    assert image.to_chw(GREY, 3).shape == (3, *GREY.shape)
    np.testing.assert_allclose(image.to_chw(HR, 1)[0] * 255, image.luma(HR), rtol=1e-6)
    np.testing.assert_array_equal(image.to_chw(GREY, 1)[0], (GREY / 255).astype(np.float32))
    for pixels, channels in ((HR, 3), (GREY, 1)):
        planes = image.to_chw(pixels, channels)
        assert planes.dtype == np.float32
        np.testing.assert_array_equal(image.quantise(image.from_chw(planes)), pixels)


def test_png_bytes_need_no_file() -> None:
    with Image.open(io.BytesIO(image.encode_png(GREY))) as picture:
        assert picture.mode == "L"
