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
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from acutance import image
from acutance.errors import Refused
from acutance.files import check_replaceable, folder_atomically
from acutance.optim import settle
from acutance.resize import resize

Output = Literal["png", "float"]
Precision = Literal["fp32", "tf32", "bf16"]

WRITERS = min(4, os.cpu_count() or 1)  # PNG encoding goes on while the network works


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

    Args:
        model: Called with (1, channels, H, W) in [0, 1], returns `sr` among named tensors.
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
    with folder_atomically(out) as folder, ThreadPoolExecutor(WRITERS) as pool:
        writing: deque[Future[None]] = deque()
        shown = track(pictures.items(), "predict", console=console, disable=not console.is_terminal)
        for name, path in shown:
            picture = image.read_image(path)
            planes = image.to_chw(picture, channels or (1 if picture.ndim == 2 else 3))
            sr = _enlarged(model, planes, path, where, precision)
            if sr.shape[1:] != (picture.shape[0] * scale, picture.shape[1] * scale):
                raise ValueError(f"{path}: the model made {sr.shape} of {planes.shape} at x{scale}")
            if len(writing) == WRITERS:  # hold few images in memory
                writing.popleft().result()
            writing.append(pool.submit(_write, folder / name, sr, picture, output))
        for written in writing:
            written.result()


def load_weights(model: nn.Module, path: Path) -> None:
    """Puts the weights of a safetensors file into `model`, in place; every one must fit.

    Raises:
        Refused: If the file is absent or damaged, or a name or a shape does not fit the model.
    """
    if not path.is_file():
        raise Refused(f"{path}: no such file; give the weights.safetensors of a run")
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise Refused(f"{path}: not a safetensors file ({reason}); give a run's weights") from None
    wanted = model.state_dict()
    if missing := [key for key in wanted if key not in found]:
        raise Refused(f"{path}: lacks {_some(missing)}, which the model has; are they of another?")
    if extra := [key for key in found if key not in wanted]:
        raise Refused(f"{path}: has {_some(extra)}, which the model lacks; are they of another?")
    for key, value in wanted.items():
        if found[key].shape != value.shape:
            raise Refused(
                f"{path}: {key}: found shape {tuple(found[key].shape)}, the model wants "
                f"{tuple(value.shape)}; were they trained at this scale, with these arguments?"
            )
        if not found[key].isfinite().all():
            raise Refused(f"{path}: {key}: holds NaN or infinity; train again")
    model.load_state_dict(found)


@torch.inference_mode()
def _enlarged(
    model: nn.Module,
    planes: image.Single,
    path: Path,
    device: torch.device,
    precision: Precision,
) -> image.Single:
    """Returns the network's SR planes (C, s*H, s*W) of one image; `path` is for errors."""
    try:
        batch = torch.from_numpy(planes)[None].to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            sr: torch.Tensor = model(batch)["sr"][0]
        result: image.Single = sr.float().cpu().numpy()
    except RuntimeError as error:  # torch.OutOfMemoryError is one; the CPU's has no type of its own
        if not isinstance(error, torch.OutOfMemoryError) and "memory" not in str(error):
            raise
        size = f"{planes.shape[2]} x {planes.shape[1]}"
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


def _some(keys: list[str]) -> str:
    """Returns the first keys in words."""
    rest = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return f"{', '.join(keys[:3])}{rest}"
