"""How steep a critic is between the two kinds, as a loss.

Paper: Gulrajani et al., arXiv 1704.00028, equation (3).
"""

from collections.abc import Callable

import torch
from torch import Tensor


def slope_penalty(critic: Callable[[Tensor], Tensor], between: Tensor) -> Tensor:
    """Returns the mean over images of (slope - 1)^2, differentiable twice.

    Args:
        critic: Gives a score per image.
        between: (N, C, H, W), somewhere between real and fake.

    Source: equation (3) of the paper; the norm is over all values of an image.
    """
    between = between.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    lengths: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (lengths - 1).square().mean()
