"""Aligned (LR, HR): random patches to train on, whole images to test on.

The batch of a step is a pure function of (seed, step): counter-based random numbers (Philox) give
image, place and flips, so there is no generator state to save and no worker process. Only raw
64-bit words are drawn, which every version of NumPy gives alike.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acutance.errors import Refused
from acutance.packed import Packed, Side

FLIPS = ("transpose", "flip_v", "flip_h")  # applied in this order
CROPS, ORDER = 0, 1  # what random words are drawn for
Words = NDArray[np.uint64]
Choice = NDArray[np.int64]


class Pairs:
    """Random aligned crops of packed images.

    Attributes:
        channels: 3 for RGB, 1 for luma.
        per_epoch: Steps in which sampling by epoch visits every image once.
        least: Crops in the smallest batch.
        resident: Whether the pixels lie in the memory of the device.
    """

    def __init__(
        self,
        packed: Packed,
        *,
        patch: int,
        batch: int,
        seed: int,
        sampling: str = "uniform",
        augment: Sequence[str] = (),
        channels: int = 3,
        device: torch.device | str = "cpu",
        resident: bool | None = None,
    ) -> None:
        """Makes ready to draw.

        Args:
            packed: The images.
            patch: Side of the LR crop in pixels; the HR crop is `patch * scale`.
            batch: Crops in a step.
            seed: What the draws depend on, beside the step.
            sampling: `uniform` draws an image for each crop, all equally likely; `epoch` gives a
                new order of all images per epoch, and its last batch is as short as it comes.
            augment: Which of `FLIPS` are drawn, each with probability 1/2.
            channels: 3 for RGB, 1 for luma.
            device: Where batches are wanted.
            resident: Whether to hold all pixels on the device; None where they fit a GPU.

        Raises:
            Refused: If an image is smaller than the crop.
        """
        sizes = packed.lr.sizes
        small = [f"{packed.names[i]}" for i in np.flatnonzero((sizes < patch).any(axis=1))]
        if small:
            raise Refused(
                f"{packed.folder}: {len(small)} of {len(packed)} LR images are smaller than the"
                f" {patch}x{patch} patch ({', '.join(small[:5])}{', …' * (len(small) > 5)});"
                " use a smaller patch or leave them out"
            )
        self._packed, self._patch, self._batch, self._seed = packed, patch, batch, seed
        self._sampling, self.channels, self._device = sampling, channels, torch.device(device)
        self._drawn = np.array([flip in augment for flip in FLIPS])
        self._order: tuple[int, Choice] = (-1, np.empty(0, np.int64))
        self.per_epoch = -(-len(packed) // batch)
        self.least = (len(packed) % batch or batch) if sampling == "epoch" else batch
        self.resident = self._fits() if resident is None else resident
        if self.resident:
            self._on_device = [
                torch.from_numpy(s.pixels).to(self._device) for s in (packed.lr, packed.hr)
            ]

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Returns the (LR, HR) crops of a step, float32 in [0, 1].

        Args:
            step: Counted from 0.

        Returns:
            (N, C, patch, patch) and (N, C, patch * scale, patch * scale) on the device.
        """
        chosen = self.choose(step)
        scale = self._packed.scale
        if self.resident:
            lr = _gather(self._on_device[0], self._packed.lr, chosen, self._patch, 1)
            hr = _gather(self._on_device[1], self._packed.hr, chosen, self._patch, scale)
        else:
            lr = _copy(self._packed.lr, chosen, self._patch, 1).to(self._device)
            hr = _copy(self._packed.hr, chosen, self._patch, scale).to(self._device)
        return _unit(lr, self.channels), _unit(hr, self.channels)

    def choose(self, step: int) -> Choice:
        """Returns the draws of a step, int64 (N, 6): image, top, left (in LR), and `FLIPS`."""
        words = _words(self._seed, CROPS, step, 4 * self._batch).reshape(-1, 4)
        if self._sampling == "epoch":
            images = self._visited(step)
            words = words[: len(images)]
        else:
            images = _below(words[:, 0], np.int64(len(self._packed)))
        room = self._packed.lr.sizes[images] - self._patch + 1
        flips = (words[:, 3:] >> np.array([63, 62, 61], np.uint64) & np.uint64(1)).astype(np.int64)
        return np.column_stack((images, _below(words[:, 1:3], room), flips * self._drawn))

    def _visited(self, step: int) -> Choice:
        """Returns the images of a step when every epoch visits each once."""
        epoch, place = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            words = _words(self._seed, ORDER, epoch, len(self._packed))
            self._order = epoch, np.argsort(words, kind="stable")
        return self._order[1][place * self._batch : (place + 1) * self._batch]

    def _fits(self) -> bool:
        """Says whether the pixels take at most half of what is free on a GPU."""
        if self._device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self._device)
        return self._packed.lr.pixels.size + self._packed.hr.pixels.size <= free // 2


def whole(
    packed: Packed, channels: int, device: torch.device | str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields whole (LR, HR) pairs, float32 (1, C, H, W) in [0, 1], in the order of the index."""
    for number in range(len(packed)):
        lr, hr = (
            torch.from_numpy(side.image(number)[None]).to(device) for side in (packed.lr, packed.hr)
        )
        yield _unit(lr, channels), _unit(hr, channels)


def _words(seed: int, purpose: int, index: int, count: int) -> Words:
    """Returns random 64-bit words that depend on nothing but the arguments."""
    generator = np.random.Philox(key=[seed, 0], counter=[0, index, purpose, 0])
    return np.asarray(generator.random_raw(count), dtype=np.uint64)


def _below(words: Words, bound: Choice | np.int64) -> Choice:
    """Returns a whole number in [0, bound) for each word; `bound` is below 2**31."""
    scaled = (words >> np.uint64(32)) * np.asarray(bound).astype(np.uint64) >> np.uint64(32)
    return scaled.astype(np.int64)


def _copy(side: Side, chosen: Choice, patch: int, scale: int) -> Tensor:
    """Returns crops cut out on the CPU, uint8 (N, 3, P, P), P = patch * scale."""
    crop = patch * scale
    crops = np.empty((len(chosen), 3, crop, crop), np.uint8)
    for place, (number, y, x, transpose, flip_v, flip_h) in enumerate(chosen.tolist()):
        top, left = y * scale, x * scale
        cut = side.image(number)[:, top : top + crop, left : left + crop]
        cut = cut.swapaxes(1, 2) if transpose else cut
        crops[place] = cut[:, :: -1 if flip_v else 1, :: -1 if flip_h else 1]
    return torch.from_numpy(crops)


def _gather(pixels: Tensor, side: Side, chosen: Choice, patch: int, scale: int) -> Tensor:
    """Returns the crops of `_copy`, gathered by index where the pixels lie."""
    crop = patch * scale
    height, width = side.sizes[chosen[:, 0]].T
    first = side.offsets[chosen[:, 0]] + chosen[:, 1] * scale * width + chosen[:, 2] * scale
    told = np.column_stack((first, width, height * width, chosen[:, 3:]))
    start, stride, plane, transpose, flip_v, flip_h = (
        torch.from_numpy(told).to(pixels.device).T[:, :, None, None, None]
    )
    along = torch.arange(crop, device=pixels.device)
    down = torch.where(flip_v > 0, crop - 1 - along[:, None], along[:, None])
    right = torch.where(flip_h > 0, crop - 1 - along, along)
    y = torch.where(transpose > 0, right, down)
    x = torch.where(transpose > 0, down, right)
    colour = torch.arange(3, device=pixels.device)[:, None, None]
    return pixels[start + colour * plane + y * stride + x]  # (N, 3, P, P)


def _unit(pixels: Tensor, channels: int) -> Tensor:
    """Returns uint8 (N, 3, H, W) as float32 in [0, 1]: RGB, or BT.601 luma in [16, 235] / 255."""
    values = pixels.to(torch.float32)
    if channels == 3:
        return values.div_(255)
    red, green, blue = torch.split(values, 1, dim=1)
    # The weights are those of a picture in [0, 1]: 65.481 / 255 per step of red, and so on.
    luma = red * (65.481 / 255) + green * (128.553 / 255) + blue * (24.966 / 255) + 16
    return luma / 255
