"""What every file in models/ keeps: a new one is tested because it is there."""

import copy
import importlib

import pytest
import torch
from torch import Tensor, nn

from acutance import resolve
from acutance.errors import Refused

NAMES = resolve.names("models")
CASES = [(name, s) for name in NAMES for s in resolve.noun("models", name).constants["SCALES"]]
WIDENED = 2**-5  # of the largest value: bfloat16's 8 bits after many layers


STARTS = 5  # of which a parameter must learn from one: a ReLU may be dead for all of an image


def made(name: str, seed: int = 0) -> nn.Module:
    """The network at the first of its scales; some are large."""
    torch.manual_seed(seed)
    return resolve.load("models", name)(resolve.noun("models", name).constants["SCALES"][0]).eval()


@pytest.fixture(scope="module", params=NAMES)
def name(request) -> str:
    """Each network's name in turn."""
    return request.param


@pytest.fixture(scope="module")
def model(name) -> nn.Module:
    """The network, built once for all tests, which leave it as it is."""
    return made(name)


def picture(model: nn.Module, height: int, width: int, batch: int = 1) -> Tensor:
    """8-bit LR pixels, as networks get them."""
    draw = torch.Generator().manual_seed(1)
    shape = (batch, model.channels or 3, height, width)
    return torch.randint(0, 256, shape, generator=draw) / 255


def steady(outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The images at all levels, or what is made images of where an argmax decides the last step.

    A value confined to the likeliest bins jumps where two are almost as likely; the value that was
    confined does not.
    """
    wanted = "regressed" if "regressed" in outputs else "sr"
    return {name: value for name, value in outputs.items() if name.partition("/")[0] == wanted}


def test_constants(name):
    constants = resolve.noun("models", name).constants
    assert constants["SCALES"]
    assert set(constants["SCALES"]) <= {2, 3, 4, 8}
    assert constants["OUTPUTS"][0] == "sr"
    assert not any("/" in output for output in constants["OUTPUTS"])
    module = importlib.import_module(f"acutance.models.{name}")
    with torch.device("meta"):
        built = resolve.load("models", name)(constants["SCALES"][0])
    assert module.__all__ == [type(built).__name__]
    assert built.channels in (1, 3, None)


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_odd_sides_grow_by_the_scale_and_coarser_outputs_are_whole_times_smaller(name, scale):
    with torch.device("meta"):
        model = resolve.load("models", name)(scale)
    for height, width in [(1, 1), (5, 16)]:
        outputs = model(torch.empty(2, model.channels or 3, height, width, device="meta"))
        wanted = (2, model.channels or 3, scale * height, scale * width)
        assert outputs["sr"].shape == wanted
        declared = resolve.noun("models", name).constants["OUTPUTS"]
        assert [output for output in outputs if "/" not in output] == list(declared)
        for output in outputs.keys() - set(declared):
            plain, _, factor = output.partition("/")
            assert int(factor) > 1
            assert scale % int(factor) == 0
            full = outputs[plain].shape
            smaller = (*full[:2], full[2] // int(factor), full[3] // int(factor))
            assert outputs[output].shape == smaller


def test_a_scale_it_cannot_do_is_refused(name):
    with pytest.raises(Refused, match=f"model {name}: scale: found 5; choose one of"):
        resolve.load("models", name)(5)


def test_an_image_is_enlarged_alike_alone_and_in_a_batch_and_in_any_layout(model):
    batch = picture(model, 6, 9, batch=3)
    with torch.inference_mode():
        together = steady(model(batch))
        turned = model(batch.to(memory_format=torch.channels_last))
        alone = [model(image[None]) for image in batch]
    for name, value in together.items():
        assert value.dtype == torch.float32
        single = torch.cat([each[name] for each in alone])
        close = 1e-5 * float(value.abs().max())
        torch.testing.assert_close(single, value, rtol=0, atol=close)
        torch.testing.assert_close(turned[name], value, rtol=0, atol=close)


def test_bfloat16_is_near_and_its_images_stay_float32(model):
    image = picture(model, 8, 11)
    with torch.inference_mode():
        whole = steady(model(image))
        with torch.autocast("cpu", torch.bfloat16):
            short = model(image)
    assert short["sr"].dtype == torch.float32
    for name, value in whole.items():
        assert short[name].dtype == torch.float32, name
        near = WIDENED * float(value.abs().max())
        torch.testing.assert_close(short[name], value, rtol=0, atol=near)


def test_every_parameter_learns(name, model):
    idle = {key for key, _ in model.named_parameters()}
    for seed in range(STARTS):
        if not idle:
            break
        learner = (made(name, seed) if seed else copy.deepcopy(model)).train()
        outputs = learner(picture(model, 5, 6, batch=2))
        torch.stack([output.square().mean() for output in outputs.values()]).sum().backward()
        for key, parameter in learner.named_parameters():
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
            if parameter.grad.any():
                idle.discard(key)
    assert not idle


def test_the_state_holds_what_is_learnt_and_the_seed_decides_it(name, model):
    state, again = model.state_dict(), made(name).state_dict()
    assert set(state) >= {key for key, _ in model.named_parameters()}
    for key, value in state.items():
        assert torch.equal(value, again[key]), key
