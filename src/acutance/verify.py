"""Pictures as their pixels, which alone say whether a copy is the original.

A PNG, a BMP and a lossless WebP of one picture are the same picture; a JPEG copy is another.
"""

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from acutance.errors import Refused
from acutance.image import Bytes, encode_png

__all__ = ["Photograph", "decode", "digest"]

PIXELS = 1 << 26  # the largest original in use is 2040 x 2040; a file that claims more is a bomb

_DAMAGE: tuple[type[Exception], ...] = (  # what Pillow raises on a damaged file
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, MemoryError),
    *(struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning),
)


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """A decoded file.

    Attributes:
        name: Its path inside the archive or folder.
        file: The bytes it was decoded from.
        format: As Pillow names it: `PNG`.
        pixels: uint8 (H, W, 3) RGB, or (H, W) where the picture is grey.
        sha256: Of the pixels, row by row.
    """

    name: str
    file: bytes
    format: str
    pixels: Bytes
    sha256: str

    @property
    def mode(self) -> str:
        """`L` for grey, `RGB` for colour."""
        return "L" if self.pixels.ndim == 2 else "RGB"

    def png(self) -> bytes:
        """Returns the picture as a PNG: the file itself where it is a plain one of 8 bits."""
        head = self.file[:29]
        plain = self.format == "PNG" and head[24] == 8 and head[25] in (0, 2)  # grey, RGB
        if plain and b"tRNS" not in self.file[: self.file.find(b"IDAT")]:
            return self.file
        return encode_png(self.pixels)


def decode(name: str, file: bytes) -> Photograph:
    """Returns a picture's pixels.

    Raises:
        Refused: If it cannot be decoded, has more than 8 bits, is transparent, or is enormous.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(file))
            if picture.width * picture.height > PIXELS:
                raise Refused(f"claims {picture.width} x {picture.height} pixels")
            picture.load()
            converted = _eight_bits(picture, file)
    except Refused:
        raise
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Refused(f"cannot be decoded ({reason})") from None
    pixels = np.asarray(converted)
    kind = picture.format or "unknown"
    return Photograph(name=name, file=file, format=kind, pixels=pixels, sha256=digest(pixels))


def _eight_bits(picture: Image.Image, file: bytes) -> Image.Image:
    """Returns the picture as mode RGB or L, if that loses nothing."""
    wide = picture.format == "PNG" and file[24] == 16  # Pillow would drop 8 of 16 bits
    if wide or picture.mode.startswith(("I", "F")):
        raise Refused("has more than 8 bits per channel")
    if picture.mode in ("RGB", "L") and "transparency" not in picture.info:
        return picture
    if picture.mode not in ("P", "PA", "1", "LA", "RGBA", "RGB", "L"):
        raise Refused(f"has mode {picture.mode}")
    full = picture.convert("RGBA")
    if full.getchannel("A").getextrema() != (255, 255):
        raise Refused("is transparent")
    return full.convert("L" if picture.mode in ("1", "L", "LA") else "RGB")


def digest(pixels: Bytes) -> str:
    """Returns the SHA-256 of an image's bytes, row by row, as the manifests list it."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
