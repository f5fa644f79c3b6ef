"""ESPCN: published sizes, and its layers spelled out in NumPy."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from acutance.errors import Refused
from acutance.models.espcn import ESPCN

# 5*5*c*64+64 + 3*3*64*32+32 + 3*3*32*c*r*r+c*r*r
PARAMETERS = {
    (1, 2): 21_284,
    (1, 3): 22_729,
    (1, 4): 24_752,
    (3, 2): 26_796,
    (3, 3): 31_131,
    (3, 4): 37_200,
}


@pytest.mark.parametrize(("case", "count"), PARAMETERS.items())
def test_parameter_count(case, count):
    channels, scale = case
    model = ESPCN(scale, channels=channels)
    assert sum(p.numel() for p in model.parameters()) == count


def test_two_channels_are_refused():
    with pytest.raises(Refused, match="model espcn: channels: found 2; choose one of 1, 3"):
        ESPCN(2, channels=2)


def test_equals_the_layers_written_out():
    torch.manual_seed(0)
    model = ESPCN(3, channels=1).double()
    image = torch.rand(1, 1, 5, 6, dtype=torch.float64)
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    features = image[0].numpy()
    for layer, act in (("conv1", np.tanh), ("conv2", np.tanh), ("conv3", lambda x: x)):
        weight, bias = state[f"{layer}.weight"], state[f"{layer}.bias"]
        reach = weight.shape[-1] // 2
        padded = np.pad(features, ((0, 0), (reach, reach), (reach, reach)))
        features = act(
            np.stack(
                [correlate(padded, w, "valid")[0] + b for w, b in zip(weight, bias, strict=True)]
            )
        )
    # channel 3 * i + j is row i, column j of the 3 x 3 pixels that one LR pixel becomes
    wanted = features.reshape(3, 3, 5, 6).transpose(2, 0, 3, 1).reshape(15, 18)
    with torch.inference_mode():
        np.testing.assert_allclose(model(image)["sr"][0, 0].numpy(), wanted, atol=1e-12)
