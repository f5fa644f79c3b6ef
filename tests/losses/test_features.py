"""Perceptual and texture loss: against torch's own layers, on made-up weights; refusals."""

import itertools

import pytest
import torch
from torch import nn

import made_up
from acutance.errors import Refused
from acutance.losses.perceptual import perceptual
from acutance.losses.texture import texture
from acutance.vgg import normalised

POOLED = (2, 7, 16, 25, 34)  # convolutions before a pool


@pytest.fixture(scope="module")
def network():
    """VGG19's `features` as one writes them down: convolution, ReLU, a pool after five of them."""
    layers = []
    for layer, (inputs, outputs) in made_up.VGG19.items():
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2, 2)] if layer in POOLED else []
    whole = nn.Sequential(*layers)
    state = {key.removeprefix("features."): v for key, v in made_up.vgg19_weights().items()}
    whole.load_state_dict(state)
    return whole.double().eval()


@pytest.fixture
def images():
    draw = torch.Generator().manual_seed(3)
    sr = torch.rand(2, 3, 16, 16, generator=draw, dtype=torch.float64, requires_grad=True)
    return sr, torch.rand(2, 3, 16, 16, generator=draw, dtype=torch.float64)


def as_imagenet(image):
    red, green, blue = image.unbind(1)
    scaled = ((red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225)
    return torch.stack(scaled, 1)


@pytest.mark.parametrize("layer", [1, 7, 34])
def test_perceptual_is_the_distance_of_features_of_the_network(network, images, layer):
    sr, hr = (network[: layer + 1](as_imagenet(image)) for image in images)
    found = perceptual(*images, made_up.vgg19(), layer=layer)
    torch.testing.assert_close(found, (sr - hr).abs().mean())
    squared = perceptual(*images, made_up.vgg19(), layer=layer, distance="l2")
    torch.testing.assert_close(squared, (sr - hr).square().mean())


def test_by_default_it_is_conv5_4_before_its_activation_in_l1(images):
    found = perceptual(*images, made_up.vgg19())
    assert torch.equal(found, perceptual(*images, made_up.vgg19(), layer=34, distance="l1"))
    assert perceptual(*images, made_up.vgg19(), layer=35) != found


def test_its_gradient_is_that_of_the_network_and_hr_has_none(network, images):
    sr, hr = images
    hr.requires_grad_()
    wanted = network[:35](as_imagenet(hr.detach()))
    direct = (network[:35](as_imagenet(sr)) - wanted).abs().mean()
    (slope,) = torch.autograd.grad(direct, sr)
    perceptual(sr, hr, made_up.vgg19()).backward()
    torch.testing.assert_close(sr.grad, slope)
    assert hr.grad is None


def test_a_luma_image_counts_as_three_equal_channels(images):
    sr, hr = (image[:, :1] for image in images)
    three = [image.expand(-1, 3, -1, -1) for image in (sr, hr)]
    found = perceptual(sr, hr, made_up.vgg19())
    torch.testing.assert_close(found, perceptual(*three, made_up.vgg19()))


def test_normalised_white_and_black_by_hand():
    ends = normalised(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1))
    torch.testing.assert_close(ends[0].flatten(), -torch.tensor([2.117904, 2.035714, 1.804444]))
    torch.testing.assert_close(ends[1].flatten(), torch.tensor([2.248908, 2.428571, 2.64]))


def test_texture_is_the_sums_written_out(network, images):
    total = 0
    for layer in (1, 6, 11, 20, 29):
        sr, hr = (network[: layer + 1](as_imagenet(image)) for image in images)
        channels = sr.shape[1]
        for one, other in zip(sr, hr, strict=True):
            grams = [torch.einsum("ihw,jhw->ij", f, f) for f in (one, other)]
            total += (grams[0] - grams[1]).square().sum().sqrt() / channels**2 / len(sr)
    torch.testing.assert_close(texture(*images, made_up.vgg19()), total)


@pytest.mark.parametrize("layer", [-1, 37])
def test_a_layer_that_vgg19_lacks_is_refused(images, layer):
    with pytest.raises(Refused, match=f"VGG19 has 0 to 36, found {layer}"):
        perceptual(*images, made_up.vgg19(), layer=layer)


def test_images_too_small_for_a_layer_are_refused():
    small = torch.zeros(1, 3, 16, 15)
    with pytest.raises(Refused, match=r"15 x 16 pixels; layer 34 of VGG19 halves it 4x"):
        perceptual(small, small, made_up.vgg19())


def test_a_file_of_another_network_is_refused(tmp_path, images):
    path = tmp_path / "other.pth"
    held = dict(itertools.islice(made_up.vgg19_weights().items(), 8))
    torch.save(held, path)
    with pytest.raises(Refused, match=r"has no 'features.10.weight' of VGG19; is it another"):
        perceptual(*images, path)


def test_the_files_own_numbers_decide(tmp_path, images):
    path = tmp_path / "others.pth"
    torch.save(made_up.vgg19_weights(seed=1), path)
    assert perceptual(*images, path) != perceptual(*images, made_up.vgg19())
