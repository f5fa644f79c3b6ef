"""Steps of image arithmetic: a tensor of PyTorch gives what NumPy gives, on a CPU and on a GPU."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from skimage import data

from acutance import ma as raters
from acutance import niqe as natural
from acutance.arrays import beside, correlated, home, padded, resized, there
from acutance.image import luma, quantise
from acutance.resize import resize
from test_ma import MADE_UP as RATERS
from test_niqe import MADE_UP as NATURAL

PLACES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]
IMAGE = quantise(luma(data.coffee()[:213, :299]))


def tensor(image: np.ndarray, place: str) -> torch.Tensor:
    return torch.from_numpy(image.astype(np.float64)).to(place)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("border", ["constant", "nearest", "reflect"])
@pytest.mark.parametrize("reach", [1, 5])
def test_correlation_is_scipys(place: str, border, reach: int) -> None:
    taps = np.random.default_rng(0).random(2 * reach + 1)
    wanted = correlated(IMAGE.astype(float), taps, border)
    found = correlated(tensor(IMAGE, place), taps, border)
    assert found.device.type == place
    assert home(found) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [(106, 149), (426, 598), (100, 400)])
def test_resizing_is_that_of_an_array(place: str, size) -> None:
    found = resized(tensor(IMAGE, place), *size)
    assert home(found) == pytest.approx(resize(IMAGE, *size), rel=1e-11)
    assert (resized(IMAGE.astype(float), *size) == resize(IMAGE, *size)).all()


@pytest.mark.parametrize("place", PLACES)
def test_padding_is_numpys(place: str) -> None:
    wanted = np.pad(IMAGE.astype(float), [(2, 3), (0, 4)])
    assert (home(padded(tensor(IMAGE, place), (2, 3), (0, 4))) == wanted).all()
    assert (padded(IMAGE, (2, 3), (0, 4)) == wanted).all()


@pytest.mark.parametrize("place", PLACES)
def test_features_of_niqe_are_those_of_an_array(place: str) -> None:
    wanted = natural.features(IMAGE)
    found = natural.features(tensor(IMAGE, place))
    assert isinstance(found, np.ndarray)
    assert found == pytest.approx(wanted, rel=1e-10)
    assert natural.niqe(tensor(IMAGE, place), NATURAL) == pytest.approx(
        natural.niqe(IMAGE, NATURAL), rel=1e-10
    )


@pytest.mark.parametrize("place", PLACES)
def test_flat_surroundings_have_no_side_of_a_distribution_there_either(place: str) -> None:
    """A mean subtracted in floating point leaves 1e-14 of them, on a side that chance decides."""
    image = IMAGE.copy()
    image[20:60, 30:120] = 77
    found = natural.features(tensor(image, place))
    assert found == pytest.approx(natural.features(image), rel=1e-10)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [(213, 299), (90, 105), (45, 164)])
def test_features_of_ma_are_those_of_an_array(place: str, size) -> None:
    image = IMAGE[: size[0], : size[1]]
    wanted = raters.features(image)
    found = raters.features(tensor(image, place))
    for ours, theirs in zip(found, wanted, strict=True):
        assert isinstance(ours, np.ndarray)
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)
    score = raters.ma(tensor(image, place), RATERS)
    assert score == pytest.approx(raters.ma(image, RATERS), rel=1e-9)


@pytest.mark.parametrize("place", PLACES)
def test_what_cannot_be_measured_is_refused_there_too(place: str) -> None:
    with pytest.raises(ValueError, match="an image of 44 x 90 pixels; Ma's metric needs 84 x 84"):
        raters.ma(tensor(IMAGE[:90, :44], place), RATERS)
    with pytest.raises(ValueError, match="the image is flat"):
        raters.ma(tensor(np.full((90, 90), 5), place), RATERS)
    with pytest.raises(ValueError, match="no block of the image has texture"):
        natural.niqe(tensor(np.full((100, 100), 5), place), NATURAL)


@pytest.mark.parametrize("place", PLACES)
def test_arrays_go_there_and_come_home(place: str) -> None:
    image = IMAGE[:5, :7]
    moved = there(image, place)
    assert isinstance(moved, np.ndarray if place == "cpu" else torch.Tensor)
    assert (home(moved) == image).all()
    other = beside(np.arange(3), tensor(image, place))
    assert (other.device.type, other.tolist()) == (place, [0, 1, 2])
    assert isinstance(there(image, "cpu:0"), torch.Tensor)


def test_numpys_arithmetic_starts_no_torch() -> None:
    code = (
        "import sys, acutance.metrics.pi, acutance.metrics.ms_ssim; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
