"""NIQE: the authors' MATLAB code, a slow twin, hand-computed distances, laws, and its file.

The golden numbers are of made-up natural statistics: the authors' are not in this repository.
"""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from scipy import ndimage
from skimage import data

from acutance.errors import Refused
from acutance.image import as_rgb, luma, quantise, shave
from acutance.niqe import Natural, distance, features, niqe, read_natural
from acutance.resize import resize

GOLDEN = Path(__file__).resolve().parent / "golden" / "niqe.csv"
COUNT = np.arange(36)
MIXED = np.cos(np.outer(COUNT, COUNT) + COUNT)
MADE_UP = Natural(mean=1 / (1 + COUNT), covariance=MIXED @ MIXED.T / 36 + 0.1 * np.eye(36))
PLAIN = Natural(mean=np.zeros(36), covariance=2 * np.eye(36))


def rows() -> list[dict[str, str]]:
    with GOLDEN.open(newline="") as file:
        return list(csv.DictReader(file))


def grey(picture: np.ndarray) -> np.ndarray:
    """Luma as SPSR's toolbox takes it: 8 bits, 4 pixels shaved."""
    return shave(quantise(luma(as_rgb(picture))), 4)


def enlarged(row: dict[str, str]) -> np.ndarray:
    """The photograph of a golden row, shrunk and enlarged, 8 bits at each end."""
    height, width, scale = (int(row[key]) for key in ("height", "width", "scale"))
    hr = getattr(data, row["picture"])()[:height, :width]
    lr = quantise(resize(hr, -(-height // scale), -(-width // scale)))
    return quantise(resize(lr, height, width))


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['picture']}-{row['width']}")
def test_it_is_what_the_authors_code_says(row) -> None:
    assert niqe(grey(enlarged(row)), MADE_UP) == pytest.approx(float(row["value"]), rel=1e-10)


def test_first_features_as_the_authors_code_has_them() -> None:
    """computefeature.m of the top left block of 300 x 450 pixels of chelsea, x3, in Octave 7.3.0.

    Made there by the block alone, whose lower and right border MATLAB continues: so here too.
    """
    block = grey(enlarged(next(row for row in rows() if row["width"] == "450")))[:96, :96]
    wanted = (
        "1.55 0.312852151990511 0.51 0.0558804349035202 0.00226355553004053 0.012368396906067"
        " 0.537 0.0497801253350974 0.00371463378203626 0.0147270764532118 0.568"
        " 0.0444684648040165 0.00513086682570601 0.0171762631919002 0.579 0.0427981986265426"
        " 0.00562107127478162 0.017997594801144"
    )
    assert features(block)[0, :18] == pytest.approx([float(x) for x in wanted.split()], rel=1e-11)


def test_it_is_what_one_block_after_another_says() -> None:
    """A twin without batches: correlation for means, `np.mean` of each side for the fits."""
    image = grey(data.chelsea())[:200, :300]
    found = features(image)
    assert found.shape == (2 * 3, 36)
    cut = image[:192, :288].astype(float)
    half = resize(cut, 96, 144)
    at = np.arange(-3, 4)
    bell = np.exp(-(at**2) / (2 * (7 / 6) ** 2))
    bell /= bell.sum()
    for scale, plane in enumerate((cut, half)):
        means = [
            ndimage.correlate1d(
                ndimage.correlate1d(x, bell, 0, mode="nearest"), bell, 1, mode="nearest"
            )
            for x in (plane, plane**2)
        ]
        normal = (plane - means[0]) / (np.sqrt(np.abs(means[1] - means[0] ** 2)) + 1)
        side = 96 >> scale
        for n, (row, column) in enumerate(np.ndindex(2, 3)):
            block = normal[row * side : (row + 1) * side, column * side : (column + 1) * side]
            pairs = [block * np.roll(block, by, (0, 1)) for by in [(0, 1), (1, 0), (1, 1), (1, -1)]]
            spreads = [np.sqrt(np.mean(x[x < 0] ** 2) / np.mean(x[x > 0] ** 2)) for x in pairs]
            ours = found[n, 18 * scale :][2:18].reshape(4, 4)
            # scales stand in the ratio of the deviations; the mean follows from them and the shape
            assert ours[:, 2] / ours[:, 3] == pytest.approx(spreads, rel=1e-9)
            for shape, mean, left, right in ours:
                beta = math.gamma(2 / shape) / math.gamma(1 / shape)
                assert mean == pytest.approx((right - left) * beta)
            ratios = [np.mean(np.abs(x)) ** 2 / np.mean(x**2) for x in pairs]
            for (shape, *_), ratio, gamma_hat in zip(ours, ratios, spreads, strict=True):
                wanted = ratio * (gamma_hat**3 + 1) * (gamma_hat + 1) / (gamma_hat**2 + 1) ** 2
                near = [
                    abs(math.gamma(2 / s) ** 2 / math.gamma(1 / s) / math.gamma(3 / s) - wanted)
                    for s in (shape - 0.001, shape, shape + 0.001)
                ]
                assert near[1] <= min(near)


def test_distances_by_hand() -> None:
    same = np.tile(np.linspace(0, 1, 36), (3, 1))  # three equal blocks: no covariance of their own
    off = math.sqrt(sum((n / 35) ** 2 for n in range(36)))
    assert distance(same, PLAIN) == pytest.approx(off)  # (2 I + 0) / 2 = I
    # features a and b in two blocks that differ in the first alone: variance (1 - 0)^2 / 2 there
    two = np.zeros((2, 36))
    two[0, 0] = 1
    # mean 1/2; (2 + 1/2) / 2 = 5/4; 1/4 over 5/4
    assert distance(two, PLAIN) == pytest.approx(math.sqrt(0.25 / 1.25))


def test_one_block_has_the_variance_of_its_features_as_matlab_has_it() -> None:
    one = np.zeros((1, 36))
    one[0, :18] = 1  # variance 36 / 4 / 35 = 9/35, added to each of the 36 x 36
    middle = (2 * np.eye(36) + 9 / 35) / 2
    wanted = math.sqrt(one[0] @ np.linalg.inv(middle) @ one[0])
    assert distance(one, PLAIN) == pytest.approx(wanted)


def test_what_a_block_lacks_is_left_out_of_the_mean_and_its_rest_out_of_the_covariance() -> None:
    found = np.zeros((3, 36))
    found[:2, 0] = (1, 3)
    found[2] = 6
    found[2, 5] = np.nan
    # means: first (1 + 3 + 6) / 3, sixth 0 of two blocks, the others (0 + 0 + 6) / 3
    mean = np.full(36, 2.0)
    mean[0], mean[5] = 10 / 3, 0
    # covariance of the two whole blocks: 2 at the first, (2 + 2) / 2 = 2 there and 1 elsewhere
    wanted = math.sqrt((10 / 3) ** 2 / 2 + 34 * 2.0**2)
    assert distance(found, PLAIN) == pytest.approx(wanted)


@pytest.mark.parametrize("picture", [data.astronaut(), data.camera()], ids=["colour", "grey"])
def test_brightness_does_not_matter(picture: np.ndarray) -> None:
    """Not even where an image is flat and rounding alone would tell left from right."""
    image = np.clip(grey(picture)[:200, :300], 30, 120)  # flat wherever it is clipped
    values = [niqe(image + by, MADE_UP) for by in (0, 1, 7, 100)]
    assert values == pytest.approx([values[0]] * 4, rel=1e-9)


def test_turning_the_image_turns_its_features() -> None:
    image = grey(data.coffee())[:192, :192]
    upright, turned = features(image)[0], features(image[:96, :96].T)[0]
    upright = features(image[:96, :96])[0]
    for scale in (0, 18):
        ours, theirs = upright[scale : scale + 18], turned[scale : scale + 18]
        assert theirs[:2] == pytest.approx(ours[:2], rel=1e-9)
        assert theirs[2:6] == pytest.approx(ours[6:10], rel=1e-9)  # right is now down
        assert theirs[10:] == pytest.approx(ours[10:], rel=1e-9)


def test_mirrored_images_are_as_natural() -> None:
    """Left-right, the two diagonals change places, and these natural statistics hold both alike."""
    image = grey(data.coffee())[:192, :288]
    found, mirrored = features(image), features(image[:, ::-1])
    order = np.r_[0:10, 14:18, 10:14]
    order = np.r_[order, order + 18]
    assert mirrored.mean(axis=0) == pytest.approx(found.mean(axis=0)[order], rel=1e-9)
    assert distance(mirrored, PLAIN) == pytest.approx(distance(found, PLAIN), rel=1e-9)


def test_noise_and_blur_are_less_natural() -> None:
    photographs = [grey(picture) for picture in (data.astronaut(), data.coffee(), data.chelsea())]
    found = np.concatenate([features(picture) for picture in photographs])
    natural = Natural(mean=found.mean(axis=0), covariance=np.cov(found, rowvar=False))
    rng = np.random.default_rng(0)
    image = grey(data.camera())
    for spoilt in (
        [quantise(image + rng.normal(0, sigma, image.shape)) for sigma in (0, 8, 32)],
        [quantise(ndimage.gaussian_filter(image.astype(float), s)) for s in (0, 1.5, 4)],
    ):
        values = [niqe(picture, natural) for picture in spoilt]
        assert values == sorted(values)
        assert values[2] > values[0] + 1


def test_what_is_over_does_not_count() -> None:
    image = grey(data.coffee())
    assert niqe(image[:191, :300], MADE_UP) == niqe(image[:96, :288], MADE_UP)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(Refused, match="an image of 300 x 95 pixels; NIQE needs a block of 96 x 96"):
        niqe(np.zeros((95, 300), np.uint8), MADE_UP)
    with pytest.raises(Refused, match="no block of the image has texture"):
        niqe(np.full((100, 200), 77, np.uint8), MADE_UP)


@pytest.mark.parametrize("name", ["modelparameters.mat", "niqe_pris_params.npz"])
def test_both_files_are_read(tmp_path: Path, name: str) -> None:
    held = {"mean": MADE_UP.mean[None], "covariance": MADE_UP.covariance}
    if name.endswith(".npz"):
        names = {"mu_pris_param": held["mean"], "cov_pris_param": held["covariance"]}
        np.savez(tmp_path / name, **names, gaussian_window=np.ones((7, 7)) / 49)
    else:
        scipy.io.savemat(
            tmp_path / name, {"mu_prisparam": held["mean"], "cov_prisparam": held["covariance"]}
        )
    natural = read_natural(tmp_path / name)
    assert np.array_equal(natural.mean, MADE_UP.mean)
    assert np.array_equal(natural.covariance, MADE_UP.covariance)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"absent\.mat: no such file"):
        read_natural(tmp_path / "absent.mat")
    for name in ("a.mat", "a.npz"):
        (tmp_path / name).write_bytes(b"<html>Not found</html>" * 20)
        with pytest.raises(Refused, match=rf"{name}: no parameters of NIQE"):
            read_natural(tmp_path / name)
    scipy.io.savemat(tmp_path / "whole.mat", {"mu_prisparam": MADE_UP.mean}, do_compression=True)
    cut = (tmp_path / "whole.mat").read_bytes()[:-40]
    (tmp_path / "cut.mat").write_bytes(cut)
    with pytest.raises(Refused, match=r"cut\.mat: no parameters of NIQE"):
        read_natural(tmp_path / "cut.mat")
    np.savez(tmp_path / "b.npz", mu_pris_param=np.zeros(18), cov_pris_param=np.eye(18))
    with pytest.raises(Refused, match=r"b\.npz: not the mean and covariance of 36 features"):
        read_natural(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", other=np.zeros(36))
    with pytest.raises(Refused, match=r"c\.npz: no parameters of NIQE"):
        read_natural(tmp_path / "c.npz")
