"""A computed edge: by hand, and against torch's own differences."""

import numpy as np
import torch

from acutance.edges import PIXELS, SIGNALS, edge, gradients, signals
from acutance.figures import Edge
from acutance.gradient import gradient_map


def test_gradients_are_those_of_gradient_maps():
    for width in SIGNALS.values():
        values = [edge(x, width) for x in PIXELS]
        image = torch.tensor(values, dtype=torch.float64).repeat(3, 1)[None, None]
        inner = gradient_map(image)[0, 0, 1, 1:-1].numpy()
        assert np.abs(np.sqrt(np.square(gradients(values)[1:-1]) + 1e-6) - inner).max() < 1e-9


def test_the_sharp_edge_is_nearer_to_the_original_in_gradients():
    values = {label: [edge(x, width) for x in PIXELS] for label, width in SIGNALS.items()}
    steep = {label: np.array(gradients(each)) for label, each in values.items()}
    assert steep["original"].tolist() == [0.0] * 11 + [1.0, 1.0] + [0.0] * 12
    near, far = (np.abs(steep[name] - steep["original"]).sum() for name in ("sharp", "smooth"))
    assert near < far / 2
    for each in values.values():
        assert each == sorted(each)
        assert np.allclose(np.add(each[:-1], each[:-1][::-1]), 1), "about half a pixel before 0"


def test_two_panels_of_three_lines():
    """At pixel 0: Phi(1.5 / 3) - Phi(-0.5 / 3) = 0.69 - 0.43; Phi(1.875) - Phi(-0.625) = 0.70."""
    figure = Edge(name="fig4", label="Fig. 4", title="An edge", notes=())
    first, second = signals("spsr", figure)
    assert [line.label for line in first.series] == ["original", "smooth", "sharp"]
    assert {len(line.line) for line in (*first.series, *second.series)} == {25}
    assert "at most: original 1.00, smooth 0.26, sharp 0.70" in second.words
