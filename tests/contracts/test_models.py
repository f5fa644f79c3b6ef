"""What every file in models/ keeps: a new one is tested because it is there."""

import importlib

import pytest
import torch
from torch import Tensor, nn

from acutance import resolve
from acutance.errors import Refused

NAMES = resolve.names("models")
LEARNERS = [n for n in NAMES if list(resolve.load("models", n)(2).parameters())]
CASES = [(name, s) for name in NAMES for s in resolve.noun("models", name).constants["SCALES"]]
WIDENED = 2**-5  # of the largest value: bfloat16's 8 bits after many layers


def made(name: str, scale: int) -> nn.Module:
    torch.manual_seed(0)
    return resolve.load("models", name)(scale).eval()


def picture(model: nn.Module, height: int, width: int, batch: int = 1) -> Tensor:
    """8-bit LR pixels, as networks get them."""
    draw = torch.Generator().manual_seed(1)
    shape = (batch, model.channels or 3, height, width)
    return torch.randint(0, 256, shape, generator=draw) / 255


@pytest.mark.parametrize("name", NAMES)
def test_constants(name):
    constants = resolve.noun("models", name).constants
    assert set(constants["SCALES"]) <= {2, 3, 4, 8}
    assert constants["OUTPUTS"][0] == "sr"
    assert made(name, constants["SCALES"][0]).channels in (1, 3, None)


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_odd_sides_grow_by_the_scale(name, scale):
    with torch.device("meta"):
        model = resolve.load("models", name)(scale)
        for height, width in [(1, 1), (5, 7), (16, 9), (2, 31)]:
            outputs = model(torch.empty(2, model.channels or 3, height, width))
            sr = outputs["sr"]
            assert sr.shape == (2, model.channels or 3, scale * height, scale * width)
            assert tuple(outputs) == tuple(resolve.noun("models", name).constants["OUTPUTS"])


@pytest.mark.parametrize("name", NAMES)
def test_a_scale_it_cannot_do_is_refused(name):
    with pytest.raises(Refused, match=f"model {name}: scale: found 5; choose one of"):
        resolve.load("models", name)(5)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_enlarged_alike_alone_and_in_a_batch_and_in_any_layout(name):
    model = made(name, 2)
    batch = picture(model, 6, 9, batch=3)
    with torch.inference_mode():
        together = model(batch)["sr"]
        turned = model(batch.to(memory_format=torch.channels_last))["sr"]
        alone = torch.cat([model(image[None])["sr"] for image in batch])
    assert together.dtype == torch.float32
    size = float(together.abs().max())
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-5 * size)
    torch.testing.assert_close(turned, together, rtol=0, atol=1e-5 * size)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_is_near_and_its_image_stays_float32(name):
    model = made(name, 2)
    image = picture(model, 8, 11)
    with torch.inference_mode():
        whole = model(image)["sr"]
        with torch.autocast("cpu", torch.bfloat16):
            short = model(image)["sr"]
    assert short.dtype == torch.float32
    torch.testing.assert_close(short, whole, rtol=0, atol=WIDENED * float(whole.abs().max()))


@pytest.mark.parametrize("name", LEARNERS)
def test_every_parameter_learns(name):
    model = made(name, 2).train()
    image = picture(model, 5, 6, batch=2)
    sr = model(image)["sr"]
    sr.square().mean().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().max() > 0, key


@pytest.mark.parametrize("name", NAMES)
def test_the_state_holds_what_is_learnt_and_the_seed_decides_it(name):
    module = importlib.import_module(f"acutance.models.{name}")
    assert module.__all__ == [type(made(name, 2)).__name__]
    first, second = made(name, 2), made(name, 2)
    assert set(first.state_dict()) >= {key for key, _ in first.named_parameters()}
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key
