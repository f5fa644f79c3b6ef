"""Files of what no-reference metrics were taught, of the right form but taught otherwise.

Natural are three photographs of scikit-image; the raters are stumps that dislike fine noise.
"""

from pathlib import Path

import numpy as np
from skimage import data

from acutance.forest import Forest
from acutance.image import luma, quantise
from acutance.niqe import features
from test_ma import saved

LEAST_SPREAD = 25  # of group 3, counted from 1: the least singular value of the finest patches


def natural(path: Path) -> Path:
    """Writes mean and covariance of the features of three photographs."""
    pictures = (data.astronaut(), data.coffee(), data.chelsea())
    found = np.concatenate([features(quantise(luma(picture))) for picture in pictures])
    covariance = np.cov(found, rowvar=False)
    np.savez(path, mu_pris_param=found.mean(axis=0)[None], cov_pris_param=covariance)
    return path


def raters(path: Path) -> Path:
    """Writes forests of which the third says 10 for no noise, and less the more there is."""
    return saved(path, [_stumps(1), _stumps(1), _stumps(LEAST_SPREAD)], [0.0, 0.0])


def _stumps(feature: int) -> Forest:
    """Trees of one question each: whether the feature is at most 0.100, 0.102, ... 5."""
    thresholds = np.arange(0.1, 5.001, 0.002)
    root, leaf = np.ones(len(thresholds)), np.zeros(len(thresholds))
    return Forest(
        left=np.stack([2 * root, leaf, leaf]).astype(np.int32),
        right=np.stack([3 * root, leaf, leaf]).astype(np.int32),
        feature=np.stack([feature * root, leaf, leaf]).astype(np.int32),
        threshold=np.stack([thresholds, leaf, leaf]),
        value=np.stack([leaf, 10 * root, leaf]),
    )
