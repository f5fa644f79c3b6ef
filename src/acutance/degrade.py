"""From a folder of HR pictures to a folder of LR pictures, by one degradation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from acutance.errors import Refused, one_line
from acutance.files import check_replaceable, folder_atomically
from acutance.image import encode_png, list_images, read_image
from acutance.parallel import each

Degradation = Callable[[npt.NDArray[np.uint8], int], npt.NDArray[Any]]


def degrade_folder(
    hr: Path, out: Path, degradation: Degradation, scale: int, *, workers: int | None = None
) -> None:
    """Writes one LR picture per HR picture into `out`, which appears when all of them are there.

    Args:
        hr: Folder of 8-bit pictures, RGB or grey.
        out: Folder to make; LR pictures keep their names and are PNG. An old folder is replaced
            if it holds nothing but pictures of these names.
        degradation: `(hr, scale) -> lr`, uint8 in and out.
        scale: How many times smaller a side becomes.
        workers: Images worked on at a time; None for one per core.

    Raises:
        Refused: If there is no picture, one is damaged or smaller than `scale`, two have one name,
            the degradation gives no 8-bit pixels, or `out` holds something else.
    """
    pictures = list_images(hr)
    check_replaceable(out, hr, {f"{name}.png" for name in pictures})
    with folder_atomically(out) as folder:

        def degrade(name: str) -> None:
            path = pictures[name]
            try:
                lr = degradation(read_image(path), scale)
            except Refused as error:
                name = one_line(str(path))
                place = "" if str(error).startswith(name) else f"{name}: "
                raise Refused(f"{place}{error}") from None
            if lr.dtype != np.uint8:
                raise Refused(f"degradation: gives {lr.dtype}, a PNG holds uint8; have it rounded")
            (folder / f"{name}.png").write_bytes(encode_png(lr))

        for _ in each(degrade, list(pictures), workers=workers, title="degrade"):
            pass
