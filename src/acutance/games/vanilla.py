"""Vanilla: the game of telling real from fake (SRGAN).

Paper: Goodfellow et al., arXiv 1406.2661, with the network's loss of its section 3 (the one that
       does not saturate); SRGAN, arXiv 1609.04802, equation (6).
Code:  none needed; xinntao/BasicSR@8d56e3a, losses/gan_loss.py (Apache-2.0) computes the same.
Here:  departs in nothing.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Vanilla"]

Critic = Callable[[Tensor], Tensor]


class Vanilla:
    """Cross-entropy of real against fake."""

    def learner(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the network: fake shall be taken for real.

        Args:
            critic: Gives a logit per image.
            real: Not looked at.
            fake: (N, C, H, W); carries the gradient.
        """
        del real
        return _told(critic(fake), 1.0)

    def critic(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the critic: both kinds shall be told apart.

        Args:
            critic: Gives a logit per image.
            real: (N, C, H, W).
            fake: The same shape, without gradient.
        """
        genuine = _told(critic(real), 1.0)
        return genuine + _told(critic(fake), 0.0)


def _told(logits: Tensor, wanted: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))
