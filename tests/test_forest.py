"""Random forests: by hand, one step after another, and what is wrong with a damaged one."""

import numpy as np
import pytest

from acutance.forest import Forest, predict


def grown(nodes: int, trees: int, features: int, seed: int) -> Forest:
    """Made-up trees in the layout of randomForest: daughters in pairs, after their node."""
    rng = np.random.default_rng(seed)
    left, right, feature = (np.zeros((nodes, trees), np.int32) for _ in range(3))
    for tree in range(trees):
        used = 1
        for node in range(nodes):
            if node < used and used + 2 <= nodes and (node == 0 or rng.random() < 0.8):
                left[node, tree], right[node, tree] = used + 1, used + 2
                feature[node, tree] = rng.integers(1, features + 1)
                used += 2
    threshold = np.where(left > 0, rng.random((nodes, trees)), 0)
    return Forest(
        left=left, right=right, feature=feature, threshold=threshold,
        value=rng.uniform(0, 10, (nodes, trees)),
    )  # fmt: skip


def walked(forest: Forest, features: np.ndarray) -> float:
    """Tree by tree, node by node."""
    total = 0.0
    for tree in range(forest.left.shape[1]):
        node = 0
        while forest.left[node, tree]:
            asked = features[forest.feature[node, tree] - 1]
            way = forest.left if asked <= forest.threshold[node, tree] else forest.right
            node = way[node, tree] - 1
        total += forest.value[node, tree]
    return total / forest.left.shape[1]


def stump(**changes: object) -> Forest:
    """Two trees: one asks whether the second feature is at most 1/2; the other is one leaf."""
    arrays: dict[str, object] = {
        "left": np.array([[2, 0], [0, 0], [0, 0]]),
        "right": np.array([[3, 0], [0, 0], [0, 0]]),
        "feature": np.array([[2, 0], [0, 0], [0, 0]]),
        "threshold": np.array([[0.5, 0], [0, 0], [0, 0]]),
        "value": np.array([[9.0, 4.0], [1.0, 9.0], [2.0, 9.0]]),
    }
    return Forest(**(arrays | changes))  # type: ignore[arg-type]


def test_by_hand() -> None:
    assert predict(stump(), np.array([7.0, 0.5])) == (1 + 4) / 2  # equal goes left
    assert predict(stump(), np.array([7.0, 0.6])) == (2 + 4) / 2
    assert predict(stump(bias=(1.0, 2.0)), np.array([7.0, 0.6])) == 1 + 2 * 3


@pytest.mark.parametrize(("nodes", "trees", "features"), [(1, 1, 1), (3, 5, 2), (101, 40, 18)])
def test_it_is_what_a_walk_through_each_tree_finds(nodes: int, trees: int, features: int) -> None:
    forest = grown(nodes, trees, features, seed=nodes)
    assert forest.fault(features) == ""
    for vector in np.random.default_rng(1).random((20, features)):
        assert predict(forest, vector) == pytest.approx(walked(forest, vector), rel=1e-14)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"left": np.array([[2, 0]])}, "its arrays differ in size"),
        ({"right": np.array([[1, 0], [0, 0], [0, 0]])}, "a branch leads back"),
        ({"right": np.array([[4, 0], [0, 0], [0, 0]])}, "a branch leads nowhere"),
        ({"feature": np.array([[3, 0], [0, 0], [0, 0]])}, "it asks for other than 2 features"),
        ({"feature": np.array([[0, 0], [0, 0], [0, 0]])}, "it asks for other than 2 features"),
        ({"value": np.full((3, 2), np.nan)}, "a leaf is not a number"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, np.ndarray], found: str) -> None:
    assert stump().fault(2) == ""
    assert stump(**changes).fault(2) == found
