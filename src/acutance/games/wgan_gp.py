"""WGAN-GP: the game of how far apart real and fake are, with a gradient penalty (DGGGAN).

Paper: Gulrajani et al., arXiv 1704.00028, algorithm 1 (the penalty's weight is 10 there).
Code:  none by DGGGAN's authors; Maclory/SPSR@881e781, models/modules/loss.py,
       `GradientPenaltyLoss` (no licence given). Values were checked.
Here:  departs in nothing; DGGGAN's printed equation has signs and the penalty's distribution
       scrambled, its text means this one.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from acutance.games._slope import slope_penalty

__all__ = ["WGANGP"]

Critic = Callable[[Tensor], Tensor]


class WGANGP:
    """Difference of mean scores; the critic's slope between the kinds is drawn towards 1.

    Args:
        penalty: Weight of the mean of (slope - 1)^2.
    """

    def __init__(self, *, penalty: float = 10.0) -> None:
        self.penalty = penalty

    def learner(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the network: fake shall score high.

        Args:
            critic: Gives a score per image.
            real: Not looked at.
            fake: (N, C, H, W); carries the gradient.
        """
        del real
        return -critic(fake).mean()

    def critic(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the critic: real shall score higher than fake, at a slope of 1.

        Args:
            critic: Gives a score per image; of each image alone, so without batch normalisation.
            real: (N, C, H, W).
            fake: The same shape, without gradient.
        """
        apart = critic(fake).mean() - critic(real).mean()
        share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
        return apart + self.penalty * slope_penalty(critic, torch.lerp(fake, real, share))
