"""Steps of image arithmetic that are one for NumPy and for PyTorch, on a CPU or a GPU.

What is computed with them is written once, in the names of the Python array API standard. Arrays of
PyTorch are float64 here, too: the digits agree, and only the order of sums differs.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device, is_numpy_array, to_device
from scipy import ndimage

from acutance.resize import resize, weights

Array = Any  # a NumPy array, or a tensor of PyTorch
Float = npt.NDArray[np.float64]
Border = Literal["constant", "nearest", "reflect"]

_PADDING: dict[Border, Any] = {"nearest": "edge", "reflect": "symmetric"}  # in NumPy's words


def there(image: npt.NDArray[Any], place: str) -> Array:
    """Returns an image in float64 where it is to be computed with: NumPy's on "cpu".

    Anywhere else it is a tensor of PyTorch, which starts only then.
    """
    plane = np.asarray(image, np.float64)
    if place == "cpu":
        return plane
    import torch  # noqa: PLC0415  (seconds, which arithmetic of NumPy's shall not wait for)

    return torch.from_numpy(np.ascontiguousarray(plane)).to(place)


def home(values: Array) -> npt.NDArray[Any]:
    """Returns an array as NumPy's."""
    return np.asarray(values if is_numpy_array(values) else to_device(values, "cpu"))


def beside(values: npt.NDArray[Any], image: Array) -> Array:
    """Returns an array of NumPy's as one of the kind of `image`, at its place."""
    if is_numpy_array(image):
        return values
    return array_namespace(image).asarray(values, device=device(image))


def correlated(image: Array, taps: Float, border: Border) -> Array:
    """Returns the sum of neighbours with weights, along the rows and along the columns.

    Args:
        image: float64 (H, W).
        taps: As many on either side of the middle.
        border: What lies beyond: darkness, the edge pixel, or the mirrored image with the edge
            pixel repeated; scipy's words.
    """
    if is_numpy_array(image):
        rows = ndimage.correlate1d(image, taps, axis=0, mode=border)
        return ndimage.correlate1d(rows, taps, axis=1, mode=border)
    xp, reach = array_namespace(image), len(taps) // 2
    for axis, side in enumerate(image.shape):
        if border == "constant":
            wide = padded(image, *((reach, reach) if n == axis else (0, 0) for n in range(2)))
        else:
            beyond = np.pad(np.arange(side), reach, mode=_PADDING[border])
            wide = xp.take(image, beside(beyond, image), axis=axis)
        parts = (
            wide[n : n + side] if axis == 0 else wide[:, n : n + side] for n in range(len(taps))
        )
        image = sum(tap * part for tap, part in zip(taps.tolist(), parts, strict=True))
    return image


def padded(image: Array, rows: tuple[int, int], columns: tuple[int, int]) -> Array:
    """Returns an image with zeros around it, so many before and after."""
    xp = array_namespace(image)
    height, width = image.shape
    shape = (rows[0] + height + rows[1], columns[0] + width + columns[1])
    made = xp.zeros(shape, dtype=image.dtype, device=device(image))
    made[rows[0] : rows[0] + height, columns[0] : columns[0] + width] = image
    return made


def resized(image: Array, height: int, width: int) -> Array:
    """Returns `image`, float64 (H, W), at another size, as `resize` does by default."""
    if is_numpy_array(image):
        return resize(image, height, width)
    xp = array_namespace(image)
    for side in (height, width):  # rows first; the image is turned over after each pass
        indices, taps = weights(
            image.shape[0], side, "bicubic", antialias=True, padding="symmetric"
        )
        parts = (
            beside(taps[:, n, None], image) * xp.take(image, beside(indices[:, n], image), axis=0)
            for n in range(taps.shape[1])
        )
        image = xp.permute_dims(sum(parts), (1, 0))
    return image
