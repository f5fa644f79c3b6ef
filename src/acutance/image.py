"""Pictures as arrays: files in and out, rounding, luma, borders.

An image is uint8 (H, W, 3) RGB, or (H, W) where the picture is grey. Between networks and metrics
it may also be float on the same 0-255 scale, neither rounded nor clipped. Nothing else in Acutance
converts, rounds or clamps pixels.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from acutance import png, tif
from acutance.errors import Refused, Unmeasurable, one_line
from acutance.files import write_atomically

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Dialect = Literal["bt601", "edsr"]

SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".webp", *(_TIF := (".tif", ".tiff")))

_DAMAGE: tuple[type[Exception], ...] = (  # what Pillow and tifffile raise on a damaged file
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error),
    *(zlib.error, Image.DecompressionBombError, MemoryError, OverflowError, ZeroDivisionError),
)

# MATLAB's rgb2ycbcr for R, G, B in 0-255: rows Y, Cb, Cr; ITU-R BT.601, studio range.
_STUDIO = [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
_YCBCR = np.array(_STUDIO) / 255
_OFFSET = np.array([16.0, 128.0, 128.0])
_LUMA = {
    "bt601": (_YCBCR[0], 16.0),
    "edsr": (np.array([65.738, 129.057, 25.064]) / 256, 0.0),  # EDSR-PyTorch, utility.py, calc_psnr
}
_FULL_RANGE = np.array([0.299, 0.587, 0.114])  # BT.601 without studio swing, what mode L means


def list_images(folder: Path) -> dict[str, Path]:
    """Returns the pictures that lie directly in `folder`, by stem, sorted by stem.

    Raises:
        Refused: If there is no such folder, no picture in it, or two with one stem.
    """
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder; give a folder of pictures")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda path: (path.stem, path.name)):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise Refused(
                f"{folder}: two pictures of one name, {found[path.stem].name} and {path.name};"
                " keep one of them"
            )
        found[path.stem] = path
    if not found:
        raise Refused(f"{folder}: no pictures in it; looked for {', '.join(SUFFIXES)}")
    return found


def read_image(path: Path) -> Bytes:
    """Returns the pixels of an 8-bit PNG, BMP, JPEG, WebP or TIFF.

    Returns:
        uint8 (H, W, 3), or (H, W) for mode L.

    Raises:
        Refused: If the file is absent, damaged, or neither 8-bit RGB nor grey (palette, alpha).
    """
    if path.suffix.lower() in _TIF:
        if (pixels := read_sr(path)).dtype != np.uint8:
            raise Refused(f"{path}: {pixels.dtype} pixels; save it as 8-bit RGB or grey")
        return pixels
    with _damage_named(path):
        png.check(data := path.read_bytes())
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
    if fault := _fault(picture, data):
        raise Refused(f"{path}: {fault}; save it as 8-bit RGB or grey without loss")
    return np.asarray(picture)


def read_sr(path: Path) -> Array:
    """Returns an SR image as it was written: uint8 or float32, (H, W, 3) or (H, W).

    Args:
        path: A picture as for `read_image`, or `.tif` of uint8 or float32 on the 0-255 scale.

    Raises:
        Refused: If the file is absent, damaged, of another kind, or holds a NaN or an infinity.
    """
    if path.suffix.lower() not in _TIF:
        return read_image(path)
    with _damage_named(path):
        image = tif.read(path)
    _check_shape(image, f"{path}: ")
    if image.dtype not in (np.uint8, np.float32):
        raise Refused(f"{path}: {image.dtype} pixels; expected uint8 or float32 on the 0-255 scale")
    if not np.isfinite(image).all():
        raise Refused(f"{path}: holds NaN or infinity; the network that wrote it has diverged")
    return image


def encode_png(image: Bytes) -> bytes:
    """Returns `image`, uint8 (H, W, 3) or (H, W), as a PNG file's bytes.

    zlib's level 1: 3 times as fast as Pillow's default for files about a tenth larger.

    Raises:
        TypeError: If `image` is not uint8: rounding is `quantise`'s, not a file format's.
    """
    if image.dtype != np.uint8:
        raise TypeError(f"a PNG holds uint8, not {image.dtype}; quantise first")
    _check_shape(image)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def write_png(path: Path, image: Bytes) -> None:
    """Writes `image`, uint8 (H, W, 3) or (H, W), to `path`, whole or not at all."""
    write_atomically(path, encode_png(image))


def write_float_tif(path: Path, image: Array) -> None:
    """Writes `image`, float (H, W, 3) or (H, W) on the 0-255 scale, as float32 TIFF, atomically."""
    _check_shape(image)
    write_atomically(path, tif.encode(np.ascontiguousarray(image, np.float32)))


def quantise(image: Array, low: int = 0, high: int = 255) -> Bytes:
    """Returns `image` rounded half up and clipped to [low, high], uint8, same shape.

    Args:
        image: Any real dtype, 0-255 scale.
        low: Least value to come out.
        high: Greatest value to come out.

    Raises:
        ValueError: If `image` holds a NaN, for which no byte is right.

    Source: MATLAB's `uint8()`, which rounds negative halves the other way, where both clip.

    >>> quantise(np.array([-3.0, 0.5, 1.49, 254.5, 300.0])).tolist()
    [0, 1, 1, 255, 255]
    """
    if image.dtype == np.uint8:
        return np.clip(image, low, high) if (low, high) != (0, 255) else image
    rounded = np.asarray(image, np.float64) + 0.5
    if np.isnan(rounded.min()):
        raise ValueError("an image with NaN cannot be rounded")
    return np.clip(np.floor(rounded, out=rounded), low, high, out=rounded).astype(np.uint8)


def luma(image: Array, dialect: Dialect = "bt601") -> Float:
    """Returns the luma plane of an RGB image; a grey image is its own luma.

    Args:
        image: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        dialect: "bt601": 16 + (65.481 R + 128.553 G + 24.966 B) / 255, so 16 to 235;
            "edsr": (65.738 R + 129.057 G + 25.064 B) / 256, so 0 to 219.

    Returns:
        float64 (H, W), not rounded.

    Source: ITU-R BT.601 as in MATLAB's `rgb2ycbcr`; EDSR-PyTorch's `utility.py`.

    >>> luma(np.full((1, 1, 3), 255, np.uint8)).tolist()
    [[235.0]]
    """
    if image.ndim == 2:
        return np.asarray(image, np.float64)
    coefficients, offset = _LUMA[dialect]
    return _weighted(image, coefficients, offset)


def ycbcr(image: Array) -> Float:
    """Returns Y, Cb, Cr of an RGB image (H, W, 3): float64 (H, W, 3), studio range, not rounded."""
    planes = [_weighted(image, row, offset) for row, offset in zip(_YCBCR, _OFFSET, strict=True)]
    return np.stack(planes, axis=-1)


def rgb(image: Array) -> Float:
    """Returns R, G, B of a Y, Cb, Cr image (H, W, 3): float64 (H, W, 3), not rounded, not clipped.

    The exact inverse of `ycbcr`, so that `luma(rgb(x))` is the Y that went in.
    """
    inverse = np.linalg.inv(_YCBCR)
    planes = np.asarray(image, np.float64) - _OFFSET
    return np.stack([_weighted(planes, row, 0.0) for row in inverse], axis=-1)


def as_rgb(image: Array) -> Array:
    """Returns `image` with three channels: itself, or a grey image (H, W) three times over."""
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def as_grey(image: Array) -> Array:
    """Returns `image` (H, W, 3) as one full-range plane: float64 (H, W); a grey image is itself.

    0.299 R + 0.587 G + 0.114 B: three equal channels give that channel back, as `luma` would not.
    """
    return image if image.ndim == 2 else _weighted(image, _FULL_RANGE, 0.0)


def shave(image: Array, pixels: int) -> Array:
    """Returns `image` without `pixels` rows and columns at each side (a view).

    Raises:
        Unmeasurable: If `pixels` is negative or nothing would be left.
    """
    if pixels < 0 or 2 * pixels >= min(image.shape[:2]):
        raise Unmeasurable(f"cannot shave {pixels} pixels off each side of {_size(image)}")
    return image[pixels : image.shape[0] - pixels, pixels : image.shape[1] - pixels]


def modcrop(image: Array, scale: int) -> Array:
    """Returns `image` cut right and below so that both sides are multiples of `scale` (a view).

    Raises:
        Refused: If a side is smaller than `scale`.
    """
    height, width = (side // scale * scale for side in image.shape[:2])
    if not (height and width):
        raise Refused(f"{_size(image)} is smaller than the scale {scale}")
    return image[:height, :width]


def to_chw(image: Array, channels: int) -> Single:
    """Returns `image` as networks take it.

    Args:
        image: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        channels: 3: RGB, a grey image three times over; 1: luma (BT.601, studio range), a grey
            image as it is.

    Returns:
        float32 (channels, H, W), the 0-255 scale divided by 255.
    """
    planes = luma(image)[None] if channels == 1 else as_rgb(image).transpose(2, 0, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)


def from_chw(planes: Array) -> Single:
    """Returns a network's output, (1 or 3, H, W) around [0, 1], as a float32 image times 255."""
    image = np.asarray(planes, np.float32) * np.float32(255)
    return image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))


def _weighted(image: Array, coefficients: Float, offset: float) -> Float:
    """Returns the weighted sum of three channels, in double whatever comes in."""
    total: Float = np.multiply(image[..., 0], coefficients[0], dtype=np.float64)
    for channel in (1, 2):
        total += np.multiply(image[..., channel], coefficients[channel], dtype=np.float64)
    total += offset
    return total


def _fault(picture: Image.Image, data: bytes) -> str:
    """Returns why this picture is not 8-bit RGB or grey, or nothing."""
    wide = data.startswith(png.MAGIC) and data[24] == 16  # Pillow would drop 8 of 16 bits
    if wide or picture.mode.startswith(("I", "F")):
        return f"more than 8 bits per channel (mode {picture.mode})"
    if picture.mode in ("P", "PA"):
        return "a palette instead of colours"
    if picture.mode in ("LA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
        return f"an alpha channel (mode {picture.mode})"
    return "" if picture.mode in ("RGB", "L") else f"mode {picture.mode}"


def _check_shape(image: Array, place: str = "") -> None:
    if image.ndim != 2 and image.shape[2:] != (3,):
        raise Refused(f"{place}an array of shape {image.shape}; expected (H, W, 3) or (H, W)")


def _size(image: Array) -> str:
    return f"an image of {image.shape[1]} x {image.shape[0]}"


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turns what decoders raise into one line that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise Refused(f"{one_line(str(path))}: no such file") from None
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        what = f"cannot be read as a picture ({reason}); make it again"
        raise Refused(f"{one_line(str(path))}: {what}") from None
