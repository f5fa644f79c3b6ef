"""From a folder of LR images to a folder of SR images, by one network."""

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import nn

from acutance import image
from acutance.errors import Refused
from acutance.files import check_replaceable, folder_atomically
from acutance.memory import peak
from acutance.optim import settle
from acutance.resize import resize
from acutance.tiles import Tile, tiles

Output = Literal["png", "float"]
Precision = Literal["fp32", "tf32", "bf16"]

WRITERS = min(4, os.cpu_count() or 1)  # PNG encoding goes on while the network works

# Not what this machine has: the pixels of a tile must not depend on where it was computed.
BUDGET = 4 * 2**30  # bytes for the tensors of one pass; the rest of 8 GB is for the images
PROBE = 128  # side of the image whose pass is counted; passes grow with the pixels
EXACT = 160  # LR pixels: a longer reach would make tiles of which little is kept
ENOUGH = 64  # context for those: what lies further away moves no digit that is written


def predict_folder(
    model: nn.Module,
    lr: Path,
    out: Path,
    *,
    scale: int,
    channels: int | None = 3,
    output: Output = "png",
    device: torch.device | str = "cpu",
    precision: Precision = "fp32",
    channels_last: bool = False,
) -> None:
    """Writes one SR image per LR image into `out`, which appears when all of them are there.

    A colour image goes through a 3-channel network as RGB and through a 1-channel network as luma,
    its Cb and Cr enlarged by bicubic in double. A grey image (mode L) goes as it is through a
    1-channel network and stays grey; a 3-channel network gets it three times over and its RGB is
    written as it comes, because three learned channels need not agree.

    An image whose pass would need more than `BUDGET` bytes goes through the network in tiles that
    overlap by its `reach`, which changes nothing but the last digits, where the kernels of a
    convolution differ by size. Where the reach exceeds `EXACT`, or is None, stderr says so once.

    Args:
        model: Called with (1, channels, H, W) in [0, 1], returns `sr` among named tensors. Without
            attributes `reach` and `grid` these are None and 1.
        lr: Folder of 8-bit LR images, RGB or grey.
        out: Folder to make; an old one is replaced if it holds nothing but PNG and TIFF of the
            LR images' names.
        scale: Enlargement that `model` was made for.
        channels: 3 for RGB, 1 for luma, None for a model that takes any number (grey stays grey).
        output: "png": 8 bit, rounded half up; "float": float32 TIFF, 0-255 scale, unclipped.
        device: One that this machine has; see device.py.
        precision: "fp32" keeps every product whole; "tf32" and "bf16" do not.
        channels_last: Memory layout; moves the last digits and the seconds.

    Raises:
        Refused: If there is no image, one is damaged, the network's output for one is not a number,
            the memory does not suffice, or `out` is `lr` or holds something else.
    """
    pictures = image.list_images(lr)
    check_replaceable(out, lr, {f"{name}{end}" for name in pictures for end in (".png", ".tif")})
    where = torch.device(device)
    settle(0, precision)
    model = model.to(where).eval()
    if channels_last:  # the images need not be: convolutions follow their weights
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    console = Console(stderr=True)
    cutter = Cutter(model, console)
    with folder_atomically(out) as folder, ThreadPoolExecutor(WRITERS) as pool:
        writing: deque[Future[None]] = deque()
        shown = track(pictures.items(), "predict", console=console, disable=not console.is_terminal)
        for name, path in shown:
            picture = image.read_image(path)
            planes = image.to_chw(picture, channels or (1 if picture.ndim == 2 else 3))
            cut = cutter(planes, path)
            sr = _enlarged(model, planes, cut, path, scale=scale, device=where, precision=precision)
            if len(writing) == WRITERS:  # hold few images in memory
                writing.popleft().result()
            writing.append(pool.submit(_write, folder / name, sr, picture, output))
        for written in writing:
            written.result()


class Cutter:
    """Decides what of an image goes through a network at once, and says where that shows."""

    def __init__(self, model: nn.Module, console: Console) -> None:
        self._model, self._console, self._said = model, console, False
        self._reach: int | None = getattr(model, "reach", None)
        self._grid: int = getattr(model, "grid", 1)
        self._most: dict[int, int] = {}  # LR pixels that a pass can take, by channels

    def __call__(self, planes: image.Single, path: Path) -> tuple[Tile, ...]:
        """Returns the tiles of LR planes (C, H, W); `path` is for what is said."""
        channels, height, width = planes.shape
        if channels not in self._most:
            probed = peak(self._model, channels, PROBE, PROBE)
            self._most[channels] = BUDGET * PROBE**2 // probed
        exact = self._reach is not None and self._reach <= EXACT
        context = self._reach if self._reach is not None and exact else ENOUGH
        cut = tiles(height, width, most=self._most[channels], context=context, grid=self._grid)
        if len(cut) > 1 and not exact and not self._said:
            self._said = True
            far = "over the whole image" if self._reach is None else f"{self._reach} pixels far"
            self._console.print(
                f"{path}: goes through the network in {len(cut)} tiles with {context} pixels "
                f"around each; it looks {far}, so the whole would come out a little different",
                markup=False,
                soft_wrap=True,
            )
        return cut


@torch.inference_mode()
def _enlarged(
    model: nn.Module,
    planes: image.Single,
    cut: tuple[Tile, ...],
    path: Path,
    *,
    scale: int,
    device: torch.device,
    precision: Precision,
) -> image.Single:
    """Returns the network's SR planes (C, s*H, s*W) of one image; `path` is for errors."""
    channels, height, width = planes.shape
    result = np.empty((channels, scale * height, scale * width), np.float32)
    try:
        for tile in cut:
            part = planes[:, tile.rows.read, tile.columns.read]
            batch = torch.tensor(part, device=device)[None]
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                sr: torch.Tensor = model(batch)["sr"][0]
            if sr.shape != (channels, scale * part.shape[1], scale * part.shape[2]):
                made = tuple(sr.shape)
                raise ValueError(f"{path}: the model made {made} of {part.shape} at x{scale}")
            kept = sr[:, tile.rows.inside(scale), tile.columns.inside(scale)]
            result[:, tile.rows.kept(scale), tile.columns.kept(scale)] = kept.float().cpu().numpy()
    except RuntimeError as error:  # torch.OutOfMemoryError is one; the CPU's has no type of its own
        if not isinstance(error, torch.OutOfMemoryError) and "memory" not in str(error):
            raise
        size = f"{width} x {height}"
        raise Refused(
            f"{path}: {size} pixels do not fit the memory of {device} in this network; "
            "use a device with more memory, free this one, or cut the image into pieces"
        ) from None
    if not np.isfinite(result).all():
        raise Refused(
            f"{path}: the network gives NaN or infinity at {precision}; nothing was written; "
            "check its weights, or use fp32"
        )
    return result


def _write(stem: Path, planes: image.Single, lr: image.Bytes, output: Output) -> None:
    """Writes SR planes as an image beside `stem`, with the colours of `lr` if they are luma."""
    sr: image.Array = image.from_chw(planes)
    if sr.ndim < lr.ndim:
        height, width = sr.shape
        colours = resize(image.ycbcr(lr)[..., 1:], height, width)
        sr = image.rgb(np.dstack([sr, colours]))
    if output == "png":
        image.write_png(stem.with_name(f"{stem.name}.png"), image.quantise(sr))
    else:
        image.write_float_tif(stem.with_name(f"{stem.name}.tif"), sr)
