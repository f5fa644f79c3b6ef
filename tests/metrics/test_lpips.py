"""LPIPS: the equation written out on the same made-up weights, laws, and what is refused."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import made_up
from acutance.errors import Refused
from acutance.metrics.lpips import lpips

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


@pytest.fixture(scope="module")
def pair():
    draw = np.random.default_rng(5)
    hr = draw.integers(0, 256, (67, 80, 3), dtype=np.uint8)
    return np.clip(hr + draw.normal(0, 20, hr.shape), 0, 255).round().astype(np.uint8), hr


def of(sr, hr, **arguments):
    return lpips(sr, hr, made_up.alexnet(), made_up.lpips_alex(), **arguments)


def features(image, weights):
    """After each of AlexNet's five activations, each place a unit vector."""
    x = torch.from_numpy(image).double().permute(2, 0, 1) / 127.5 - 1
    x = torch.stack([(x[c] - SHIFT[c]) / SCALE[c] for c in range(3)])[None]
    found = []
    for layer, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
        if layer in (3, 6):
            x = functional.max_pool2d(x, 3, 2)
        kernel, bias = (weights[f"features.{layer}.{part}"].double() for part in ("weight", "bias"))
        x = functional.conv2d(x, kernel, bias, stride, padding).clamp(min=0)
        found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
    return found


def written_out(sr, hr):
    weights, heads = torch.load(made_up.alexnet()), torch.load(made_up.lpips_alex())
    total = 0.0
    for at, (a, b) in enumerate(zip(features(sr, weights), features(hr, weights), strict=True)):
        head = heads[f"lin{at}.model.1.weight"].double()
        total += ((a - b).square() * head).sum(1).mean().item()
    return total


def test_it_is_the_equation(pair):
    assert of(*pair) == pytest.approx(written_out(*pair), rel=1e-5)
    assert of(*pair) > 0.01


def test_the_border_shaved_is_not_seen(pair):
    sr, hr = pair
    inner = (slice(4, -4), slice(4, -4))
    assert of(sr, hr, shave=4) == of(sr[inner], hr[inner])
    assert of(sr, hr, shave=4) != of(sr, hr)


def test_identical_images_have_none_and_noise_has_more(pair):
    _, hr = pair
    draw = np.random.default_rng(6)
    values = [of(hr, hr)]
    for deviation in (2, 10, 50):
        noisy = np.clip(hr + draw.normal(0, deviation, hr.shape), 0, 255).round()
        values.append(of(noisy.astype(np.uint8), hr))
    assert values[0] == 0
    assert values == sorted(values)


def test_either_image_may_be_the_first(pair):
    assert of(*pair) == pytest.approx(of(*pair[::-1]), rel=1e-6)


def test_floats_are_rounded_or_not_as_asked(pair):
    sr, hr = pair
    between = sr + 0.3 * (sr < 255)
    assert of(between, hr) == of(sr, hr)
    assert of(between, hr, quantise="none") != of(sr, hr)


def test_a_grey_picture_is_three_equal_channels(pair):
    sr, hr = (image[..., 0] for image in pair)
    three = [np.stack([image] * 3, 2) for image in (sr, hr)]
    assert of(sr, hr) == of(*three)


def test_a_file_of_another_network_is_refused(pair):
    with pytest.raises(Refused, match=r"alexnet.pth: has no 'features.0.weight' as 'vgg' has it"):
        of(*pair, net="vgg")
    with pytest.raises(Refused, match=r"alexnet.pth: has no 'lin0.model.1.weight' as 'alex'"):
        lpips(*pair, made_up.alexnet(), made_up.alexnet())


def test_an_image_too_small_is_refused(pair):
    small = [image[:39, :39] for image in pair]
    with pytest.raises(Refused, match="31 x 31 pixels to compare; LPIPS needs 32 x 32"):
        of(*small, shave=4)


def test_the_package_is_filled_from_files_and_reads_nothing_else(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    before = of(*pair)
    other = torch.load(made_up.lpips_alex())
    torch.save({key: 2 * value for key, value in other.items()}, tmp_path / "twice.pth")
    twice = lpips(*pair, made_up.alexnet(), tmp_path / "twice.pth")
    assert twice == pytest.approx(2 * before, rel=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["twice.pth"]


@pytest.mark.parametrize("axis", [0, 1])
def test_turning_both_images_over_changes_nothing_for_kernels_of_no_direction(tmp_path, axis):
    """63 x 79 pixels are 15 x 19, 7 x 9 and 3 x 4 features, with no pixel left over at one side."""
    weights = torch.load(made_up.alexnet())
    for name, value in weights.items():
        if name.endswith("weight"):
            weights[name] = sum(value.flip(turn) for turn in ((), (2,), (3,), (2, 3))) / 4
    torch.save(weights, tmp_path / "even.pth")
    draw = np.random.default_rng(7)
    sr, hr = draw.integers(0, 256, (2, 63, 79, 3), dtype=np.uint8)
    values = [
        lpips(*pair, tmp_path / "even.pth", made_up.lpips_alex())
        for pair in ((sr, hr), (np.flip(sr, axis), np.flip(hr, axis)))
    ]
    assert values[0] > 0.01
    assert values[1] == pytest.approx(values[0], rel=1e-5)


@pytest.mark.cuda
def test_a_gpu_gives_what_the_cpu_gives(pair):
    assert of(*pair, device="cuda") == pytest.approx(of(*pair), rel=1e-4)
