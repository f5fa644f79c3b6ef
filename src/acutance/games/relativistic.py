"""Relativistic: the game of which kind looks more real on average (ESRGAN, SPSR).

Paper: Jolicoeur-Martineau, arXiv 1807.00734, section 4.2; ESRGAN, arXiv 1809.00219, (1) and (2).
Code:  Maclory/SPSR@881e781, models/SPSR_model.py; no licence given. Values were checked.
Here:  departs in nothing: both sides are halved, as the code halves them. `halved: false` is
       NatSR's (JWSoh/NatSR), which adds the two parts up.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Relativistic"]

Critic = Callable[[Tensor], Tensor]


class Relativistic:
    """Each kind's logits against the mean logit of the other kind in the batch.

    Args:
        halved: Whether a side is the mean of its two parts, or their sum.
    """

    def __init__(self, *, halved: bool = True) -> None:
        self.factor = 0.5 if halved else 1.0

    def learner(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the network: fake shall look the more real one.

        Args:
            critic: Gives a logit per image; its weights get no gradient where they are frozen.
            real: (N, C, H, W).
            fake: The same shape; carries the gradient.
        """
        faked = critic(fake)
        with torch.no_grad():
            genuine = critic(real)
        return self._sides(genuine, faked, wanted=0.0)

    def critic(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the critic: real shall look the more real one.

        Args:
            critic: Gives a logit per image.
            real: (N, C, H, W).
            fake: The same shape, without gradient.
        """
        genuine = critic(real)  # two passes: batch normalisation sees one kind at a time
        return self._sides(genuine, critic(fake), wanted=1.0)

    def _sides(self, genuine: Tensor, faked: Tensor, wanted: float) -> Tensor:
        first = _told(genuine - faked.mean(), wanted)
        return self.factor * (first + _told(faked - genuine.mean(), 1 - wanted))


def _told(logits: Tensor, wanted: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))
