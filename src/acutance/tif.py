"""TIFF, the format of SR images that are not rounded: one page, its size checked before it is read.

A TIFF's header names its own sizes; one flipped bit in it can ask for terabytes.
"""

import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

Array = npt.NDArray[Any]

_MOST_PACKED = 1100  # deflate makes at most 1,032 bytes of one

# What it logs about a damaged file, the caller says in one line.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


def read(path: Path) -> Array:
    """Returns the pixels of a TIFF file as they are stored.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it has several pages, a palette, or sizes its bytes cannot hold.
        Exception: Whatever else tifffile raises on a damaged file.
    """
    with tifffile.TiffFile(path) as file:
        if len(file.pages) != 1:
            raise ValueError(f"{len(file.pages)} pages instead of one")
        page = file.pages.first
        if page.photometric not in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB):
            raise ValueError(f"photometric {page.photometric!s} instead of grey or RGB")
        if page.nbytes > _MOST_PACKED * path.stat().st_size:
            raise ValueError(f"its header asks for {page.nbytes:,} bytes")
        return np.asarray(page.asarray())


def encode(image: Array) -> bytes:
    """Returns float32 (H, W, 3) or (H, W) as a TIFF file's bytes, the same ones each time."""
    buffer = io.BytesIO()
    kind = "rgb" if image.ndim == 3 else "minisblack"
    tifffile.imwrite(buffer, image, photometric=kind, metadata=None, software=False)
    return buffer.getvalue()
