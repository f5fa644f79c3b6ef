"""What a paper compares before it computes anything: channel, rounding, grey pictures, border."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.errors import Refused
from acutance.image import Dialect, as_grey, as_rgb, luma, quantise, shave

Array = npt.NDArray[Any]
Channel = Literal["rgb", "y", "y_edsr"]
Quantise = Literal["rgb", "luma", "both", "none"]
Grey = Literal["keep", "rgb"]

DIALECTS: dict[str, Dialect] = {"y": "bt601", "y_edsr": "edsr"}


def compared(
    sr: Array, hr: Array, *, channel: Channel, rounding: Quantise, grey: Grey, border: int
) -> tuple[Array, Array]:
    """Returns the two arrays that a protocol compares.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        channel: "rgb"; "y": BT.601 luma, 16-235; "y_edsr": EDSR's luma, 0-219.
        rounding: What becomes uint8: the `sr` image ("rgb"), the luma of both ("luma"), first
            the one and then the other ("both"), or nothing ("none").
        grey: A grey `hr` stays one full-range plane ("keep"; a coloured `sr` of it becomes grey
            too) or is three equal channels, of which luma is taken ("rgb").
        border: Pixels shaved off each side.

    Returns:
        `sr` and `hr`, float64 (H', W') or (H', W', 3), 0-255 scale.

    Raises:
        Refused: If the sizes differ, or `sr` lacks the colours of `hr`.
        Unmeasurable: If nothing is left to compare.
    """
    if sr.shape[:2] != hr.shape[:2]:
        sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (sr, hr)]
        raise Refused(f"SR is {sizes[0]}, HR is {sizes[1]}; they must cover the same pixels")
    if sr.ndim < hr.ndim:
        raise Refused("SR is grey, HR is in colour; give SR in RGB, with its Cb and Cr restored")
    if rounding in ("rgb", "both"):
        sr = quantise(sr)
    pair = [as_rgb(image) if grey == "rgb" else image for image in (sr, hr)]
    if hr.ndim == 2 and grey == "keep":
        pair[0] = as_grey(sr)
    pair = [shave(image, border) for image in pair]
    if channel != "rgb":
        pair = [luma(image, DIALECTS[channel]) for image in pair]
        if rounding in ("luma", "both"):
            pair = [quantise(image) for image in pair]
    return np.asarray(pair[0], np.float64), np.asarray(pair[1], np.float64)
