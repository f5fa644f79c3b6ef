"""LapSRN: Laplacian pyramid super-resolution network (Lai et al., CVPR 2017).

Paper: doi:10.1109/CVPR.2017.618, arXiv 1704.03915, section 3 and figure 1.
Code:  twtygqyy/pytorch-LapSRN@1b7737a, lapsrn.py; MIT. Layers, outputs and initial weights of the
       defaults were checked against it; those of kernel=3, bias=True, start="authors" against
       phoenix104104/LapSRN@95154bb, init_LapSRN_model.m; no licence given.
Here:  departs in nothing at scales 2, 4 and 8 (where the authors' released x8 network has depth=5).
       At scale 3, for which there is no network, thirds="shrink" is what the authors do: that of
       scale 4, whose image is then shrunk bicubically; thirds="stride" is a reading, one level with
       5x5 transposed convolutions of stride 3. With three channels, which the authors never had,
       the image's transposed convolution begins with each channel by itself.
"""

from typing import Literal

from torch import Tensor, nn

from acutance.models import _lapsrn as pyramid
from acutance.models._arguments import one_of
from acutance.reduce import shrink

__all__ = ["LapSRN"]

SCALES = (2, 3, 4, 8)
OUTPUTS = ("sr",)


class LapSRN(nn.Module):
    """A level for each doubling: features give the detail that the enlarged image lacks.

    Weights are named as `acutance.models._lapsrn` says.

    Args:
        scale: Enlargement, one of `SCALES`.
        kernel: Side of the features' transposed convolutions: 4, the port's, or 3, the authors'.
        bias: Whether convolutions have one: the port's have none, the authors' do.
        channels: 1 for luma Y/255 (the paper's own), 3 for RGB.
        depth: Convolutions of a level before features are enlarged, at least 1.
        width: Channels of the features, at least 1.
        weight_norm: Whether weights are learnt as lengths and directions.
        thirds: How scale 3 is made, see above; at other scales it changes nothing.
        start: Initial weights. Those of the port are He's by fan-out, and every filter of both
            transposed convolutions is bilinear; those of the authors are He's by fan-in, but
            N(0, 0.001^2) on LR and bilinear for the image.

    Raises:
        Refused: If an argument is out of range.
    """

    def __init__(
        self,
        scale: int,
        *,
        kernel: Literal[3, 4] = 4,
        bias: bool = False,
        channels: Literal[1, 3] = 1,
        depth: int = 10,
        width: int = 64,
        weight_norm: bool = False,
        thirds: Literal["shrink", "stride"] = "shrink",
        start: Literal["port", "authors"] = "port",
    ) -> None:
        super().__init__()
        pyramid.check("lapsrn", scale, kernel=kernel, depth=depth, width=width)
        one_of("model lapsrn: channels", channels, (1, 3))
        steps = pyramid.steps(scale, thirds)
        self.channels = channels
        self.shrinks = scale == 3 and thirds == "shrink"
        self.reach = pyramid.reach(steps, depth, shrinks=self.shrinks)
        self.input = pyramid.conv(channels, width, 3, bias=bias)
        self.levels = nn.ModuleList(
            pyramid.Level(channels, width, step=step, kernel=kernel, bias=bias, depth=depth)
            for step in steps
        )
        pyramid.start(self, start)
        if weight_norm:
            pyramid.normalise(self)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, and `sr/2`, `sr/4` of the levels below: nominal range [0, 1], unclipped.

        Args:
            lr: (N, channels, H, W), range [0, 1].
        """
        images = [image for image, _, _ in pyramid.climb(self.input, self.levels, lr)]
        if self.shrinks:  # the level below is no whole number of times smaller
            return {"sr": shrink(images[-1], 3 * lr.shape[2], 3 * lr.shape[3])}
        return pyramid.graded("sr", images)  # (N, C, s*H, s*W), (N, C, s*H/2, s*W/2), ...
