"""LapSRN FD: LapSRN with bins and a dynamic area, for the fine-grained dynamic loss.

Paper: Fine-Grained Dynamic Loss for Accurate Single-Image Super-Resolution, section 2; number: none
       known. Its Class-Module is after ClassSR (Kong et al., CVPR 2021), arXiv 2103.04039.
Code:  XPixelGroup/ClassSR@6c253b0, codes/models/archs/classSR_fsrcnn_arch.py, `Classifier`; no
       licence given; the Class-Module was checked against it. Nothing of the paper's own is
       released. Backbone: twtygqyy/pytorch-LapSRN@1b7737a, whose results are its baseline.
Here:  departs in nothing known; the paper gives no formula for a pixel and no sizes of layers. Read
       as `lapsrn_cs`, but the area has 3, 5 or 7 bins, whichever the Class-Module finds likeliest
       for a sub-image: a square of 32 LR pixels from the top left of the image, smaller at its
       right and lower ends. ClassSR cuts images into overlapping pieces of that size.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from acutance.errors import Refused
from acutance.models import _fd as fd
from acutance.models import _lapsrn as pyramid
from acutance.models._arguments import one_of
from acutance.models._convolution import kaiming
from acutance.models._float32 import in_float32

__all__ = ["LapSRNFD"]

SCALES = (2, 3, 4, 8)
OUTPUTS = ("sr", "regressed", "bins", "areas")
CHANNELS = 1  # luma
AREAS = (3, 5, 7)  # bins
STRIDE = 4  # LR pixels, of the Class-Module's first convolution
SMALL = 0.1  # what ClassSR multiplies He's initial weights by


class LapSRNFD(nn.Module):
    """A level for each doubling; luma alone, whose values are what bins divide.

    Weights are named as `acutance.models._lapsrn` says, with `heads.<i>` of level i, and `classes`
    for the Class-Module.

    Args:
        scale: Enlargement, one of `SCALES`.
        bins: Of the 8-bit range, from 7 to 256.
        form: How a value comes to lie in its area, as for `lapsrn_cs`.
        cell: Side of a sub-image in LR pixels, a multiple of 4.
        module_channels: What the Class-Module sees: luma, or that three times over, as it was made
            for RGB.
        depth: Convolutions of a level before features are enlarged, at least 1.
        width: Channels of the features, at least 1.
        weight_norm: Whether weights of convolutions are learnt as lengths and directions.
        thirds: How scale 3 is made, as for LapSRN.
        start: Initial weights, as for LapSRN; heads are drawn like convolutions. The Class-Module's
            are ClassSR's.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = CHANNELS

    def __init__(
        self,
        scale: int,
        *,
        bins: int = 32,
        form: Literal["clamp", "tanh"] = "clamp",
        cell: int = 32,
        module_channels: Literal[1, 3] = 3,
        depth: int = 10,
        width: int = 64,
        weight_norm: bool = True,
        thirds: Literal["shrink", "stride"] = "shrink",
        start: Literal["port", "authors"] = "port",
    ) -> None:
        super().__init__()
        pyramid.check("lapsrn_fd", scale, kernel=4, depth=depth, width=width)
        fd.check_bins("lapsrn_fd", bins, AREAS[-1])
        one_of("model lapsrn_fd: module_channels", module_channels, (1, 3))
        if cell < STRIDE or cell % STRIDE:
            raise Refused(f"model lapsrn_fd: cell: found {cell}; must be a multiple of {STRIDE}")
        steps = pyramid.steps(scale, thirds)
        self.form, self.grid = form, cell
        self.shrinks = scale == 3 and thirds == "shrink"
        around = pyramid.reach(steps, depth, shrinks=self.shrinks)
        self.reach = max(around, cell - 1)  # an area depends on all of its cell
        classes = _Classes(module_channels, cell)  # first, to begin alike at all scales
        self.input = pyramid.conv(1, width, 3, bias=False)
        self.levels = nn.ModuleList(
            pyramid.Level(1, width, step=step, kernel=4, bias=False, depth=depth) for step in steps
        )
        self.heads = fd.heads(len(steps), width, bins)
        pyramid.start(self, start)
        self.classes = classes
        if weight_norm:
            pyramid.normalise(self)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, `regressed`, `bins`, `areas`, and of levels below `sr/2`, `bins/4`, ....

        `sr` (N, 1, s*H, s*W) is confined, `regressed` is not: nominal range [0, 1], unclipped.
        `bins` (N, bins, s*H, s*W) are logits, `areas` (N, 3, rows, columns) probabilities of 3, 5
        and 7 bins for each cell. Only what is regressed feeds the next level.

        Args:
            lr: (N, 1, H, W) luma, range [0, 1].
        """
        areas = self.classes(lr)
        halves = areas.argmax(1, keepdim=True) + AREAS[0] // 2  # (N, 1, rows, columns): 1, 2, 3
        risen = fd.rise(self.input, self.levels, self.heads, lr, shrinks=self.shrinks)
        spread = [_spread(halves, self.grid, lr, regressed) for regressed, _, _ in risen]
        return {**fd.outputs(risen, spread, self.form), "areas": areas}


class _Classes(nn.Module):
    """The Class-Module: which area suits each cell of LR.

    Args:
        channels: What it sees, 1 or 3.
        cell: Side of a cell in LR pixels; no convolution looks beyond its cell.
    """

    def __init__(self, channels: int, cell: int) -> None:
        super().__init__()
        self.channels, self.cell = channels, cell
        layers: list[nn.Module] = [nn.Conv2d(channels, 128, STRIDE, STRIDE)]
        for _ in range(3):
            layers += [nn.LeakyReLU(0.1, inplace=True), nn.Conv2d(128, 128, 1)]
        layers += [nn.LeakyReLU(0.1, inplace=True), nn.Conv2d(128, 32, 1)]
        self.convs = nn.Sequential(*layers)
        self.last = nn.Linear(32, len(AREAS))
        kaiming(self.convs, SMALL)

    def forward(self, lr: Tensor) -> Tensor:
        """Returns probabilities (N, 3, rows, columns) of the areas, for each cell.

        Args:
            lr: (N, 1, H, W); sides that are no multiples of 4 have their last pixels repeated.
        """
        below, beside = (-side % STRIDE for side in lr.shape[2:])
        whole = functional.pad(lr, (0, beside, 0, below), mode="replicate")
        features = self.convs(whole.expand(-1, self.channels, -1, -1))  # (N, 32, H/4, W/4)
        # The last cells may be smaller: their mean is over what there is of them.
        means = functional.avg_pool2d(features, self.cell // STRIDE, ceil_mode=True)
        scores = in_float32(self.last, means.movedim(1, 3))  # (N, rows, columns, 3)
        return scores.softmax(3).movedim(3, 1)


def _spread(halves: Tensor, cell: int, lr: Tensor, image: Tensor) -> Tensor:
    """Returns a number of each cell for all pixels of an enlarged image.

    Args:
        halves: (N, 1, rows, columns).
        cell: Side in LR pixels.
        lr: (N, 1, H, W).
        image: (N, 1, s*H, s*W).
    """
    height, width = image.shape[2:]
    side = cell * (height // lr.shape[2])
    tall = halves.repeat_interleave(side, 2).narrow(2, 0, height)
    return tall.repeat_interleave(side, 3).narrow(3, 0, width)
