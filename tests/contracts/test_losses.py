"""What every file in losses/ keeps: a new one is tested because it is there."""

import inspect
from functools import partial

import pytest
import torch

import made_up
from acutance import resolve

NAMES = resolve.names("losses")
IMAGES = [("sr", "hr"), ("regressed", "hr")]
PAIRS = [name for name in NAMES if resolve.noun("losses", name).asks in IMAGES]
FLOOR = {"charbonnier": 1e-3}  # at sr == hr, where it is not 0: eps
SIDE = 16
REQUIRED = {"int": 4, "float": 0.5}  # for arguments without a default


def made(name):
    """The loss with its required arguments given."""
    loss = resolve.load("losses", name)
    needs = [p for p in resolve.noun("losses", name).parameters if p.required]
    arguments = {p.name: REQUIRED[p.annotation.id] for p in needs}
    arguments |= {asset: made_up.FILES[asset]() for asset in resolve.noun("losses", name).assets}
    return loss(**arguments) if inspect.isclass(loss) else partial(loss, **arguments)


def tensor(name, shape, draw):
    """Something like the output `name` of a network for images of that shape, or `hr`."""
    count, _, height, width = shape
    if name == "bins":  # logits of 32 bins for every pixel
        return torch.randn((count, 32, height, width), generator=draw, dtype=torch.float64)
    if name == "areas":  # a probability of each of three areas for every sub-image; here one
        logits = torch.randn((count, 3, 1, 1), generator=draw, dtype=torch.float64)
        return logits.softmax(1)
    return torch.rand(shape, generator=draw, dtype=torch.float64)


def tensors(name, batch=2, channels=3, dtype=torch.float32):
    """A different one for each thing the loss asks for; the first one learns."""
    draw = torch.Generator().manual_seed(0)
    asks = resolve.noun("losses", name).asks
    shape = (batch, 1 if "bins" in asks else channels, SIDE, SIDE)  # bins are those of luma
    found = [tensor(asked, shape, draw).to(dtype) for asked in asks]
    found[0].requires_grad_()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_for_hr_or_for_what_some_model_gives(name):
    models = [resolve.noun("models", model) for model in resolve.names("models")]
    outputs = {output for model in models for output in model.constants["OUTPUTS"]}
    asks = resolve.noun("losses", name).asks
    assert asks
    assert set(asks) <= outputs | {"hr"}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("name", NAMES)
def test_any_batch_gives_one_finite_number(name, batch, channels):
    images = tensors(name, batch, channels)
    value = made(name)(*images)
    assert value.shape == ()
    assert value.isfinite()
    value.backward()
    assert images[0].grad.isfinite().all()
    assert images[0].grad.abs().max() > 0


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_least_where_sr_equals_hr(name):
    sr, hr = tensors(name, dtype=torch.float64)
    sr = sr.detach()
    loss = made(name)
    least = loss(hr, hr)
    assert least.item() == pytest.approx(FLOOR.get(name, 0), abs=1e-12)
    before = least
    for share in (0.01, 0.1, 0.5):
        further = loss(hr + share * (sr - hr), hr)
        assert further > before
        before = further


@pytest.mark.parametrize("name", PAIRS)
def test_it_does_not_fall_silent_at_sr_equals_hr(name):
    sr, hr = tensors(name)
    with torch.no_grad():
        sr.copy_(hr)
    made(name)(sr, hr).backward()
    assert sr.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_its_gradient_is_that_of_finite_differences(name):
    images = tensors(name, batch=1, dtype=torch.float64)
    loss, rest = made(name), images[1:]
    loss(*images).backward()
    draw = torch.Generator().manual_seed(1)
    for _ in range(5):
        direction = torch.randn(images[0].shape, generator=draw, dtype=torch.float64)
        step = 1e-6 * direction
        with torch.no_grad():
            rise = loss(images[0] + step, *rest) - loss(images[0] - step, *rest)
        slope = (images[0].grad * direction).sum()
        torch.testing.assert_close(rise / 2e-6, slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_autocast_and_short_floats_do_not_shorten_it(name):
    images = tensors(name)
    loss = made(name)
    whole = loss(*images)
    with torch.autocast("cpu", torch.bfloat16):
        inside = loss(*images)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, whole, rtol=1e-6, atol=0)
    short = [image.detach().bfloat16() for image in images]
    widened = loss(*(image.float() for image in short))
    assert loss(*short).dtype == torch.float32
    torch.testing.assert_close(loss(*short), widened, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_float32_agrees_with_float64(name):
    single = made(name)(*tensors(name))
    double = made(name)(*tensors(name, dtype=torch.float64))
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_memory_layout_does_not_matter(name):
    images = tensors(name)
    turned = [image.to(memory_format=torch.channels_last) for image in images]
    torch.testing.assert_close(made(name)(*turned), made(name)(*images), rtol=1e-5, atol=0)
