"""LapSRN CS: LapSRN with bins and a static area, the "+CS Loss" of the fine-grained dynamic loss.

Paper: Fine-Grained Dynamic Loss for Accurate Single-Image Super-Resolution, table 1; number: none
       known.
Code:  none released. Backbone: twtygqyy/pytorch-LapSRN@1b7737a, whose results are the baseline.
Here:  departs in nothing known; the paper gives no formula for a pixel and no head. Read: one
       1x1 convolution to bins after the features of each level; the value is confined to an area of
       5 bins around the likeliest (form="clamp"), or is that bin's anchor and an offset ("tanh").
       At scale 3 what is regressed and the logits are shrunk as LapSRN's image is, then confined.
"""

from typing import Literal

from torch import Tensor, nn

from acutance.errors import Refused
from acutance.models import _fd as fd
from acutance.models import _lapsrn as pyramid

__all__ = ["LapSRNCS"]

SCALES = (2, 3, 4, 8)
OUTPUTS = ("sr", "regressed", "bins")
CHANNELS = 1  # luma


class LapSRNCS(nn.Module):
    """A level for each doubling; luma alone, whose values are what bins divide.

    Weights are named as `acutance.models._lapsrn` says, with `heads.<i>` of level i.

    Args:
        scale: Enlargement, one of `SCALES`.
        bins: Of the 8-bit range, from `area` to 256.
        area: Bins of the area, odd.
        form: How a value comes to lie in its area, see above.
        depth: Convolutions of a level before features are enlarged, at least 1.
        width: Channels of the features, at least 1.
        weight_norm: Whether weights of convolutions are learnt as lengths and directions.
        thirds: How scale 3 is made, as for LapSRN.
        start: Initial weights, as for LapSRN; heads are drawn like convolutions.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = CHANNELS

    def __init__(
        self,
        scale: int,
        *,
        bins: int = 32,
        area: int = 5,
        form: Literal["clamp", "tanh"] = "clamp",
        depth: int = 10,
        width: int = 64,
        weight_norm: bool = True,
        thirds: Literal["shrink", "stride"] = "shrink",
        start: Literal["port", "authors"] = "port",
    ) -> None:
        super().__init__()
        pyramid.check("lapsrn_cs", scale, kernel=4, depth=depth, width=width)
        if area < 1 or area % 2 == 0:
            raise Refused(f"model lapsrn_cs: area: found {area}; must be odd and at least 1")
        fd.check_bins("lapsrn_cs", bins, area)
        steps = pyramid.steps(scale, thirds)
        self.beside, self.form = area // 2, form
        self.shrinks = scale == 3 and thirds == "shrink"
        self.reach = pyramid.reach(steps, depth, shrinks=self.shrinks)
        self.input = pyramid.conv(1, width, 3, bias=False)
        self.levels = nn.ModuleList(
            pyramid.Level(1, width, step=step, kernel=4, bias=False, depth=depth) for step in steps
        )
        self.heads = fd.heads(len(steps), width, bins)
        pyramid.start(self, start)
        if weight_norm:
            pyramid.normalise(self)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, `regressed` and `bins`, and of the levels below `sr/2`, `bins/4`, ....

        `sr` (N, 1, s*H, s*W) is confined, `regressed` is not: nominal range [0, 1], unclipped.
        `bins` (N, bins, s*H, s*W) are logits. Only what is regressed feeds the next level.

        Args:
            lr: (N, 1, H, W) luma, range [0, 1].
        """
        risen = fd.rise(self.input, self.levels, self.heads, lr, shrinks=self.shrinks)
        return fd.outputs(risen, [self.beside] * len(risen), self.form)
