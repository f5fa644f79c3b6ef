"""Channel attention: squeeze and excitation.

Paper: Hu et al., arXiv 1709.01507, section 3; in super-resolution RCAN's, arXiv 1807.02758,
equations (11) to (13), whose names of weights these are.
"""

from torch import Tensor, nn


class Attention(nn.Module):
    """Multiplies each channel by a number in (0, 1) that the means of all channels decide.

    Args:
        width: Channels of the features, at least `reduction`.
        reduction: How many times fewer channels the numbers are computed from.
    """

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        few = width // reduction
        self.conv_du = nn.Sequential(
            nn.Conv2d(width, few, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(few, width, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Returns features of the shape given, (N, width, H, W)."""
        weights: Tensor = self.conv_du(features.mean((2, 3), keepdim=True))  # (N, width, 1, 1)
        return features * weights
