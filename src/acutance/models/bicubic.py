"""Bicubic: enlargement by Keys' cubic kernel, the row every table starts with (Keys, TASSP 1981).

Paper: doi:10.1109/TASSP.1981.1163711, equation (15), a = -1/2.
Code:  MATLAB `imresize(double(lr), scale, 'bicubic')`; closed source. Checked against the double
       reference of `acutance.resize`, to float32 rounding.
Here:  departs in nothing; float in and out, so a caller that wants uint8's rounding after each
       side (as `imresize` does to a uint8 image) must not use this.
"""

from torch import Tensor, nn

from acutance.models._arguments import one_of
from acutance.models._enlarge import enlarge, phases, reach

__all__ = ["Bicubic"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)


class Bicubic(nn.Module):
    """Enlarges each channel alone; has no parameters.

    Args:
        scale: Enlargement, one of `SCALES`.

    Raises:
        Refused: If `scale` is another.
    """

    channels: int | None = None  # any number: each channel by itself

    def __init__(self, scale: int) -> None:
        super().__init__()
        one_of("model bicubic: scale", scale, SCALES)
        self.phases = phases(scale, "bicubic")
        self.reach = reach(self.phases)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, on the range of `lr`, unclipped.

        Args:
            lr: (N, C, H, W), any range.
        """
        return {"sr": enlarge(lr, self.phases)}  # (N, C, s*H, s*W)
