"""FD cover: teaches the Class-Module the smallest area that suffices (fine-grained dynamic loss).

Paper: Fine-Grained Dynamic Loss for Accurate Single-Image Super-Resolution, sections on the
       Class-Module; number: none known.
Code:  none released.
Here:  departs in being here. The paper trains the module by L_c2 alone (`fd_areas`), which gives no
       area a reason to be preferred: the area is chosen by an argmax, without gradient. Reading:
       right is the smallest one that holds most HR pixels of the sub-image.
"""

import torch
from torch import Tensor

from acutance.errors import Refused
from acutance.losses._fd import bin_of
from acutance.losses._float32 import widened

__all__ = ["fd_cover"]

SIDEWAYS = (1, 2, 3)  # bins either side of the predicted one: areas of 3, 5, 7
LEAST = 1e-12  # probability that is told apart from 0: log of it is finite


def fd_cover(
    areas: Tensor, bins: Tensor, hr: Tensor, *, share: float = 0.9, cell: int = 32
) -> Tensor:
    """Returns the mean over sub-images of -log P(area that suffices), in nats.

    An area of 3, 5 or 7 bins lies around the bin that the head predicts for a pixel. The smallest
    suffices with which `share` of the sub-image's HR pixels lie in theirs, or else the largest.

    Sub-images cut the image from its top left into equal pieces. A network makes them squares of
    `cell` LR pixels and the last ones smaller, so crops must be whole multiples of that (or fit
    into one).

    Args:
        areas: (N, 3, rows, columns), a probability of each area for every sub-image.
        bins: (N, K, H, W), logits of the head; they get no gradient.
        hr: (N, 1, H, W), range [0, 1].
        share: Of the pixels of a sub-image, above 0, at most 1.
        cell: Side of the network's sub-images in LR pixels.

    Returns:
        Scalar, at least 0.

    Raises:
        Refused: If `share` or `cell` is out of range, or the image is no multiple of sub-images.

    Source: none; see `Here:`.
    """
    if not 0 < share <= 1:
        raise Refused(f"loss fd_cover: share: found {share}; must be above 0, at most 1")
    if cell < 1:
        raise Refused(f"loss fd_cover: cell: found {cell}; must be at least 1")
    _check_cut(areas, hr, cell)
    away = (bins.detach().argmax(1, keepdim=True) - bin_of(hr, bins.shape[1])).abs()
    count, _, rows, columns = areas.shape
    pieces = away.reshape(count, rows, hr.shape[2] // rows, columns, hr.shape[3] // columns)
    held = torch.stack([(pieces <= n).sum((2, 4)) for n in SIDEWAYS[:-1]])  # (2, N, rows, columns)
    pixels = pieces.shape[2] * pieces.shape[4]
    right = (held < share * pixels).sum(0)  # areas too small: (N, rows, columns)
    chosen = widened(areas).gather(1, right[:, None])
    return -chosen.clamp_min(LEAST).log().mean()


def _check_cut(areas: Tensor, hr: Tensor, cell: int) -> None:
    """Refuses an image that its sub-images do not cut into equal pieces of whole cells.

    A piece is `cell` times as large as the image is larger than LR. How much that is, is not known
    here, so a multiple must do: at twice LR's size, the coarsest level, no wrong cut is one.
    """
    pieces = [length / count for length, count in zip(hr.shape[2:], areas.shape[2:], strict=True)]
    cut = [piece for piece, count in zip(pieces, areas.shape[2:], strict=True) if count > 1]
    if any(piece % cell for piece in cut) or len(set(cut)) > 1:
        height, width = hr.shape[2:]
        rows, columns = areas.shape[2:]
        raise Refused(
            f"loss fd_cover: {columns} x {rows} sub-images do not cut {width} x {height} pixels "
            f"into squares of a multiple of {cell}; make the recipe's patch a multiple of {cell}"
        )
