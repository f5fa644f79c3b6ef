"""FD bins: cross-entropy of the classification head (fine-grained dynamic loss).

Paper: Fine-Grained Dynamic Loss for Accurate Single-Image Super-Resolution, L_c1 of equations (1)
       to (6); number: none known.
Code:  none released. Agrees with torch's `cross_entropy` by a test.
Here:  departs in nothing.
"""

from torch import Tensor

from acutance.losses._fd import bin_of
from acutance.losses._float32 import widened

__all__ = ["fd_bins"]


def fd_bins(bins: Tensor, hr: Tensor) -> Tensor:
    """Returns the mean over pixels, batch included, of -log q(bin of the HR pixel), in nats.

    Args:
        bins: (N, K, H, W), logits; q is their softmax over the K bins of the range 0-255.
        hr: (N, 1, H, W), range [0, 1].

    Returns:
        Scalar, at least 0; log K where the head knows nothing.

    Source: L_c1 = -sum_i p_i log q_i, p one-hot; bins are t^i <= pixel < t^(i+1).
    """
    logs = widened(bins).log_softmax(1)
    # torch's cross_entropy of images has no deterministic form on a GPU
    return -logs.gather(1, bin_of(hr, bins.shape[1])).mean()
