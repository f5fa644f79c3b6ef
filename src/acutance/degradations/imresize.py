"""imresize: MATLAB's bicubic reduction (the degradation of nearly every SR paper).

Paper: Keys, doi 10.1109/TASSP.1981.1163711, section II (cubic convolution, a = -1/2).
Code:  MATLAB Image Processing Toolbox, `imresize(hr, 1 / scale, 'bicubic')`. Checked against the
       LR images MATLAB wrote for Set5 (Zheng222/IMDN@8f158e6a5ac9, Test_Datasets/Set5_LR), every
       pixel of x2, x3 and x4.
Here:  departs in nothing. The two passes are Pillow's, whose kernel is the same; its other border
       rule and its order of passes are kept out of reach by padding and by two calls.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from acutance.image import modcrop, quantise
from acutance.resize import resize

__all__ = ["imresize"]

# Pillow sums integers: each weight is a multiple of 2^-22, the sum is rounded half up. That equals
# exact arithmetic where the true weights are such multiples (scale 2: n/256, 4: n/4096, 8: n/2^16),
# and at scale 3, whose weights are n/81: no sum of those comes nearer to a half than 0.5/81 = 6e-3,
# while eleven weights, each off by at most 2^-23, move it by less than 11 * 255 * 2^-23 = 4e-4.
EXACT_SCALES = (2, 3, 4, 8)


def imresize(
    hr: npt.NDArray[np.uint8],
    scale: int,
    *,
    padding: Literal["symmetric", "replicate"] = "symmetric",
    rounding: Literal["uint8", "none"] = "uint8",
) -> npt.NDArray[Any]:
    """Returns `hr`, cut to multiples of `scale`, bicubically shrunk with antialiasing.

    Args:
        hr: uint8 (H, W, 3) or (H, W), sides of at least `scale`.
        scale: Integer, at least 1.
        padding: Beyond the border lies the mirrored image, as in MATLAB today, or the repeated
            edge pixel, as in MATLAB before 2016.
        rounding: "uint8": each of the two passes, rows first, is rounded half up and clipped;
            "none": double all through.

    Returns:
        (H // scale, W // scale[, 3]); uint8, or with "none" float64 on the 0-255 scale, unclipped.

    Raises:
        Refused: If a side of `hr` is smaller than `scale`.

    Source: MATLAB's `imresize`; see the head of this file.

    >>> imresize(np.full((5, 4), 7, np.uint8), 2).tolist()
    [[7, 7], [7, 7]]
    """
    whole = modcrop(hr, scale)
    height, width = whole.shape[0] // scale, whole.shape[1] // scale
    if rounding == "none":
        return resize(whole, height, width, padding=padding)
    if scale not in EXACT_SCALES:
        tall = quantise(resize(whole, height, whole.shape[1], padding=padding))
        return quantise(resize(tall, height, width, padding=padding))
    margin = 2 * scale  # the kernel's reach; in output pixels, 2
    mode: Literal["edge", "symmetric"] = "edge" if padding == "replicate" else "symmetric"
    around = [(margin, margin), (margin, margin), (0, 0)][: whole.ndim]
    picture = Image.fromarray(np.pad(whole, around, mode))
    picture = picture.resize((picture.width, height + 4), Image.Resampling.BICUBIC)
    picture = picture.resize((width + 4, height + 4), Image.Resampling.BICUBIC)
    return np.asarray(picture)[2:-2, 2:-2]
