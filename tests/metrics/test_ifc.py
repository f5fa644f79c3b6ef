"""IFC: golden numbers of its authors' script, a slow twin without batches, and its laws."""

import math

import numpy as np
import pytest
from declared import declared, names
from scipy import signal
from shrunk import pair, rows
from skimage import data

from acutance.errors import Refused
from acutance.image import luma, quantise
from acutance.metrics.ifc import ACROSS, FIRST, HALVING, ifc

HR = data.astronaut()[100:200, 180:286]
GREY = data.camera()[100:200, 180:286]
NAMES = names("ifc")


def noisy(hr: np.ndarray, sigma: float) -> np.ndarray:
    return quantise(hr + np.random.default_rng(0).normal(0, sigma, hr.shape))


def unfolded(quarter: tuple[tuple[float, ...], ...], sign: int = 1) -> np.ndarray:
    """The whole filter, entry by entry."""
    last = len(quarter) - 1
    size = 2 * last + 1
    taps = np.zeros((size, size))
    for row, column in np.ndindex(size, size):
        value = quarter[min(row, 2 * last - row)][min(column, 2 * last - column)]
        taps[row, column] = value * (sign if column > last else 1)
    return taps


def correlated(plane: np.ndarray, taps: np.ndarray) -> np.ndarray:
    return signal.correlate2d(np.pad(plane, len(taps) // 2, "reflect"), taps, "valid")


def twin(sr: np.ndarray, hr: np.ndarray) -> float:
    """IFC one block after another, every moment by `np.cov`."""
    bits = 0.0
    low = [correlated(plane, unfolded(FIRST)) for plane in (sr, hr)]
    for reach in (8, 4, 2, 1):
        across = unfolded(ACROSS, sign=-1)
        for band in (across, -across.T):  # the table has the second with the other sign
            a, b = (correlated(plane, band) for plane in low)
            height, width = (side // 3 * 3 for side in a.shape)
            a, b = a[:height, :width], b[:height, :width]
            vectors = [
                b[i : i + 3, j : j + 3].ravel(order="F")
                for i, j in np.ndindex(height - 2, width - 2)
            ]
            covariance = np.cov(np.array(vectors).T, bias=True)
            lambdas = np.linalg.eigvals(covariance).real
            padded = [np.pad(x, reach, "reflect") for x in (a, b)]
            edge = math.ceil(reach / 3)
            for i in range(edge, height // 3 - edge):
                for j in range(edge, width // 3 - edge):
                    at = slice(3 * i + 1, 3 * i + 2 + 2 * reach)
                    to = slice(3 * j + 1, 3 * j + 2 + 2 * reach)
                    (ss, sh), (_, hh) = np.cov([x[at, to].ravel() for x in padded], bias=True)
                    gain = max(0.0, sh / hh)
                    left = ss - gain * sh
                    if gain == 0:  # the script's variance is then a sum, not a mean
                        left *= (2 * reach + 1) ** 2
                    vector = b[3 * i : 3 * i + 3, 3 * j : 3 * j + 3].ravel(order="F")
                    s = vector @ np.linalg.solve(covariance, vector) / 9
                    bits += sum(math.log2(1 + gain**2 * s * x / (left + 1e-10)) for x in lambdas)
        low = [correlated(plane, unfolded(HALVING))[::2, ::2] for plane in low]
    return bits / hr.size


def test_it_is_declared() -> None:
    assert NAMES


@pytest.mark.parametrize("row", rows("ifc_float"), ids=lambda r: f"{r['picture']}-{r['width']}")
def test_it_is_what_its_authors_script_says(row) -> None:
    value = declared("ifc_float", int(row["scale"]))(*pair(row))
    assert value == pytest.approx(float(row["value"]), rel=1e-9)


@pytest.mark.parametrize("size", [(72, 72), (77, 90)])
def test_it_is_what_one_block_after_another_says(size: tuple[int, int]) -> None:
    hr = GREY[: size[0], : size[1]]
    sr = noisy(hr, 15)
    expected = twin(sr.astype(float), hr.astype(float))
    assert ifc(sr, hr, grey="keep") == pytest.approx(expected, rel=1e-8)
    assert 0.2 < expected < 10


def test_the_pyramid_passes_brightness_down_and_none_of_it_into_a_band() -> None:
    assert unfolded(ACROSS, sign=-1).sum() == pytest.approx(0, abs=1e-12)
    assert unfolded(FIRST).sum() == pytest.approx(1, abs=0.01)
    assert unfolded(HALVING).sum() == pytest.approx(2, abs=0.01)  # bands double in strength


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hr", [HR, GREY], ids=["colour", "grey"])
def test_best_at_identity_and_worse_under_noise(name: str, hr: np.ndarray) -> None:
    values = [declared(name, 3)(noisy(hr, sigma), hr) for sigma in (0, 2, 8, 32)]
    assert values[0] > 40
    assert values == sorted(values, reverse=True)
    assert values[0] > 5 * values[1]
    assert len(set(values)) == 4


def test_transposing_both_images_changes_nothing() -> None:
    sr = noisy(HR, 10)
    turned = [np.swapaxes(image, 0, 1) for image in (sr, HR)]
    assert ifc(*turned) == pytest.approx(ifc(sr, HR), rel=1e-9)


@pytest.mark.parametrize("axis", [0, 1])
def test_mirroring_both_images_changes_little(axis: int) -> None:
    """Blocks of 3 start at one side, and every second pixel of a scale does."""
    sr = noisy(HR, 10)
    assert ifc(np.flip(sr, axis), np.flip(HR, axis)) == pytest.approx(ifc(sr, HR), rel=0.03)


def test_brightness_and_contrast_of_sr_carry_no_information() -> None:
    sr = noisy(GREY, 10).astype(float)
    plain = ifc(sr, GREY, quantise="none", grey="keep")
    assert ifc(sr + 11, GREY, quantise="none", grey="keep") == pytest.approx(plain, rel=1e-6)
    assert ifc(0.7 * sr, GREY, quantise="none", grey="keep") == pytest.approx(plain, rel=1e-6)


def test_a_flat_sr_shares_nothing_and_one_turned_over_neither() -> None:
    assert ifc(np.full_like(GREY, 99), GREY) == 0.0
    assert ifc(255 - GREY, GREY) == 0.0


def test_the_protocol_is_applied() -> None:
    sr = noisy(HR, 10)
    planes = [luma(image) for image in (sr, HR)]
    assert ifc(sr, HR) == ifc(*planes, quantise="none", grey="keep")
    rounded = [quantise(plane) for plane in planes]
    assert ifc(sr, HR, quantise="both") == ifc(*rounded, quantise="none", grey="keep")
    inner = (slice(8, -8), slice(8, -8))
    assert ifc(sr, HR, shave=8) == ifc(sr[inner], HR[inner])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(Refused, match="SR is 106 x 99, HR is 106 x 100"):
        ifc(HR[:99], HR)
    with pytest.raises(Refused, match="71 x 72 pixels to compare; IFC needs 72 x 72 or more"):
        ifc(HR[:72, :71], HR[:72, :71])
    stripes = np.tile(np.arange(80, dtype=np.uint8) * 3, (80, 1))
    for hr in (stripes, stripes.T, np.full((80, 80), 99, np.uint8)):
        with pytest.raises(Refused, match="the HR image has no detail in some direction"):
            ifc(noisy(hr, 5), hr)
