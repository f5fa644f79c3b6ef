"""DIV2K's mean, which networks of EDSR's family take off their input and put back at the end."""

import torch
from torch import Tensor

MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K's RGB training images, range [0, 1]


def mean() -> Tensor:
    """Returns the mean, (1, 3, 1, 1) RGB, range [0, 1]."""
    return torch.tensor(MEAN).view(1, 3, 1, 1)
