"""pil_resize: Pillow's antialiased reduction (the released script of the GV loss, ICASSP 2022).

Paper: arXiv 2202.00997, section 4; the text says bicubic, the released script shrinks bilinearly.
Code:  lusinlu/gradient-variance-loss@69f80c44f593, datasets.py, ValidationDataset and
       TrainingDataset; no licence file. The call to Pillow is the same.
Here:  departs in nothing.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from acutance.image import modcrop

__all__ = ["pil_resize"]


def pil_resize(
    hr: npt.NDArray[np.uint8],
    scale: int,
    *,
    kernel: Literal["bilinear", "bicubic"] = "bilinear",
    crop: bool = True,
) -> npt.NDArray[np.uint8]:
    """Returns `hr` shrunk as Pillow's `Image.resize` does it.

    Args:
        hr: uint8 (H, W, 3) or (H, W), sides of at least `scale`.
        scale: Integer, at least 1.
        kernel: Triangle, or cubic with a = -1/2; both stretched by what they shrink.
        crop: Whether `hr` is first cut to multiples of `scale`. Without, as in the released
            validation, H is squeezed into H // scale rows: pixel k of the result then no longer
            lies over pixels k * scale onwards of `hr`, by up to scale - 1 pixels at the far side.

    Returns:
        uint8 (H // scale, W // scale[, 3]).

    Raises:
        Refused: If a side of `hr` is smaller than `scale`.

    Source: GV's `datasets.py`; Pillow's `Resample.c`.

    >>> pil_resize(np.arange(16, dtype=np.uint8).reshape(4, 4), 2).tolist()
    [[4, 5], [10, 11]]
    """
    whole = modcrop(hr, scale)  # also where it is not used: it refuses what is too small
    size = whole.shape[1] // scale, whole.shape[0] // scale
    picture = Image.fromarray(np.ascontiguousarray(whole if crop else hr))
    return np.asarray(picture.resize(size, Image.Resampling[kernel.upper()]))
