"""Random forests for regression as randomforest-matlab keeps them, in arrays of nodes by trees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Forest:
    """Trees side by side; node 0 of each is its root. All arrays are (nodes, trees).

    Attributes:
        left: Which node follows where the feature is at most the threshold; 0 at a leaf, else
            counted from 1, as in MATLAB.
        right: Which node follows otherwise.
        feature: Which feature a node asks for, counted from 1; 0 at a leaf.
        threshold: What it is compared with.
        value: What a leaf predicts.
        bias: Offset and factor of a linear correction of the trees' mean, or none.
    """

    left: Array
    right: Array
    feature: Array
    threshold: Float
    value: Float
    bias: tuple[float, float] | None = None

    def fault(self, features: int) -> str:
        """Returns what is wrong with the arrays for so many features, or nothing."""
        shapes = {x.shape for x in (self.left, self.right, self.feature, self.value)}
        shape = self.threshold.shape
        if shapes != {shape} or len(shape) != 2 or not self.left.size:
            return "its arrays differ in size"
        inner = self.left > 0
        below = np.arange(1, len(self.left) + 1)[:, None]  # a daughter comes after its node
        if (inner & ((self.left <= below) | (self.right <= below))).any():
            return "a branch leads back"
        if max(self.left.max(), self.right.max()) > len(self.left):
            return "a branch leads nowhere"
        asked = self.feature[inner]
        if asked.size and (asked.min() < 1 or asked.max() > features):
            return f"it asks for other than {features} features"
        return "" if np.isfinite(self.value).all() else "a leaf is not a number"


def predict(forest: Forest, features: Float) -> float:
    """Returns the mean of what the trees predict of one vector of features.

    Source: Liaw and Wiener's randomForest, regTree.c, predictRegTree; regRF_predict.m.
    """
    trees = np.arange(forest.left.shape[1])
    node = np.zeros(len(trees), np.int64)
    while (inner := forest.left[node, trees] > 0).any():
        asked = features[np.maximum(forest.feature[node, trees], 1) - 1]
        smaller = asked <= forest.threshold[node, trees]
        following = np.where(smaller, forest.left[node, trees], forest.right[node, trees])
        node = np.where(inner, following.astype(np.int64) - 1, node)
    mean = float(forest.value[node, trees].mean())
    return forest.bias[0] + forest.bias[1] * mean if forest.bias else mean
