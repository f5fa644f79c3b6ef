"""Ma's metric: the authors' MATLAB features, a slow twin of some, laws, and the model's file.

The model here is made up: the authors' is not in this repository.
"""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from skimage import data

from acutance.errors import Refused
from acutance.forest import Forest, predict
from acutance.image import as_rgb, luma, quantise, shave
from acutance.ma import GROUPS, Raters, features, ma, perceptual_index, read_raters
from acutance.resize import resize
from test_forest import grown

GOLDEN = Path(__file__).resolve().parent / "golden" / "ma.csv"
MADE_UP = Raters(
    forests=tuple(grown(101, 30, count, seed=count) for count in GROUPS),
    weights=np.array([0.3, 0.2, 0.5, 0.35]),
)
# The fields that regRF_train gives its model, in its order; ours are filled in
FIELDS = (
    *("lDau", "rDau", "nodestatus", "nrnodes", "upper", "avnode", "mbest", "ndtree", "ntree"),
    *("Y_hat", "mse", "importance", "importanceSD", "localImp", "proximity", "coef", "oob_times"),
    *("inbag", "nPerm", "biasCorr", "rsq"),
)


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


def kept(forest: Forest, coefficients: list[float]) -> dict[str, object]:
    """A forest as MATLAB keeps it."""
    filled = {
        "lDau": forest.left, "rDau": forest.right, "mbest": forest.feature,
        "upper": forest.threshold, "avnode": forest.value, "coef": np.array([coefficients]).T,
        "nodestatus": "\x03\xff",
    }  # fmt: skip
    return {name: filled.get(name, 0.0) for name in FIELDS}


def saved(path: Path, forests: list[Forest], coefficients: list[float], row: bool = False) -> Path:
    cells = np.empty((1, len(forests)) if row else (len(forests), 1), object)
    for n, forest in enumerate(forests):
        cells.flat[n] = kept(forest, coefficients)
    model = {"rf": cells, "linear": MADE_UP.weights[:, None]}
    scipy.io.savemat(path, {"model": model})
    return path


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['picture']}-{row['group']}")
def test_features_are_what_the_authors_code_says(row) -> None:
    """Sides of 0, 1 and 2 more than a multiple of 3; even and odd ones."""
    found = features(grey(enlarged(row)))[int(row["group"]) - 1]
    wanted = [float(value) for value in row["values"].split()]
    assert len(wanted) == GROUPS[int(row["group"]) - 1]
    assert found == pytest.approx(wanted, rel=1e-8, abs=1e-8)


def test_block_statistics_are_what_one_block_after_another_says() -> None:
    image = grey(data.chelsea())[:85, :88] / 255
    found = features(grey(data.chelsea())[:85, :88])[0][:6]
    basis = np.array(
        [
            [
                math.sqrt((1 if k == 0 else 2) / 7) * math.cos(math.pi * (2 * n + 1) * k / 14)
                for n in range(7)
            ]
            for k in range(7)
        ]
    )
    padded = np.zeros((87 + 4, 90 + 4))  # to multiples of 3, then 2 more at each side
    padded[2:87, 2:90] = image
    variations, orientations = [], []
    for i, j in np.ndindex(29, 30):
        waves = np.abs(basis @ padded[3 * i : 3 * i + 7, 3 * j : 3 * j + 7] @ basis.T)
        every = waves.ravel()[1:]
        variations.append(every.std(ddof=1) / (every.mean() + 1e-7))
        across = [*waves[0, 1:], *waves[1, 2:], *waves[2, 4:], *waves[3, 5:]]
        down = [*waves[1:, 0], *waves[2:, 1], *waves[4:, 2], *waves[5:, 3]]
        rest = [waves[1, 1], *waves[2, 2:4], *waves[3, 2:5]]
        rest += [*waves[4, 3:], *waves[5, 4:], *waves[6, 4:]]
        turns = [np.std(x, ddof=1) / (np.mean(x) + 1e-8) for x in (across, rest, down)]
        orientations.append(np.var(turns, ddof=1))
    for values, place in ((variations, 2), (orientations, 4)):
        assert found[place + 1] == pytest.approx(np.mean(values), rel=1e-9)
        # the greatest tenth of 870: from the 783rd, fix(870 * 0.9), counted from 1
        assert found[place] == pytest.approx(np.mean(np.sort(values)[782:]), rel=1e-9)


def test_the_spread_of_patches_holds_their_energy() -> None:
    """Squares of singular values add up to those of all pixels; 87 x 92 is padded with darkness."""
    image = grey(data.chelsea())[:87, :92]
    spread = features(image)[2]
    assert spread.shape == (75,)
    assert np.square(spread[:25]).sum() == pytest.approx(np.square(image / 255).sum(), rel=1e-12)
    for scale in (0, 25, 50):
        assert (np.diff(spread[scale : scale + 25]) <= 0).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_mirroring_changes_nothing_at_the_first_scale(axis: int) -> None:
    """Where blocks and patches fill the image; a coarser scale keeps pixels 2, 4, 6, ... only.

    The shape is not among it: mirroring turns signs over, and shapes are about the mean.
    """
    image = grey(data.coffee())[:90, :105]
    ours, theirs = features(image), features(np.flip(image, axis))
    assert theirs[0][2:6] == pytest.approx(ours[0][2:6], rel=1e-9)
    assert theirs[2][:25] == pytest.approx(ours[2][:25], rel=1e-9)


def test_transposing_changes_no_block_and_no_patch() -> None:
    image = grey(data.coffee())[:91, :104]
    ours, theirs = features(image), features(image.T)
    assert theirs[0] == pytest.approx(ours[0], rel=1e-9)
    assert theirs[2] == pytest.approx(ours[2], rel=1e-9)


def test_the_score_is_the_weighted_sum_of_three_forests() -> None:
    image = grey(data.coffee())[:90, :105]
    scores = [
        predict(forest, group)
        for forest, group in zip(MADE_UP.forests, features(image), strict=True)
    ]
    wanted = 0.3 + 0.2 * scores[0] + 0.5 * scores[1] + 0.35 * scores[2]
    assert ma(image, MADE_UP) == pytest.approx(wanted, rel=1e-12)


def test_the_perceptual_index_of_means_is_the_mean_of_indices() -> None:
    scores = [(6.0, 4.0), (8.5, 3.0), (2.0, 9.5)]
    means = np.mean(scores, axis=0)
    each = [perceptual_index(*pair) for pair in scores]
    assert each[0] == 4.0
    assert perceptual_index(*means) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("row", [True, False], ids=["1x3", "3x1"])
def test_the_authors_file_is_read(tmp_path: Path, row: bool) -> None:
    path = saved(tmp_path / "model.mat", list(MADE_UP.forests), [0.0, 0.0], row=row)
    raters = read_raters(path)
    image = grey(data.coffee())[:90, :105]
    assert ma(image, raters) == ma(image, MADE_UP)
    assert [forest.bias for forest in raters.forests] == [None] * 3


def test_a_correction_of_bias_is_applied(tmp_path: Path) -> None:
    raters = read_raters(saved(tmp_path / "model.mat", list(MADE_UP.forests), [1.0, 2.0]))
    vector = np.full(18, 0.4)
    plain = predict(MADE_UP.forests[0], vector)
    assert predict(raters.forests[0], vector) == pytest.approx(1 + 2 * plain)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"absent\.mat: no such file"):
        read_raters(tmp_path / "absent.mat")
    (tmp_path / "page.mat").write_bytes(b"<html>Not found</html>" * 20)
    scipy.io.savemat(tmp_path / "other.mat", {"mu_prisparam": np.zeros(36)})
    scipy.io.savemat(tmp_path / "plain.mat", {"model": np.zeros((2, 2))})
    whole = saved(tmp_path / "whole.mat", list(MADE_UP.forests), [0.0, 0.0])
    (tmp_path / "cut.mat").write_bytes(whole.read_bytes()[:5000])
    for name in ("page", "other", "plain", "cut"):
        with pytest.raises(Refused, match=rf"{name}\.mat: no model of Ma's metric"):
            read_raters(tmp_path / f"{name}.mat")
    two = saved(tmp_path / "two.mat", list(MADE_UP.forests[:2]), [0.0, 0.0])
    with pytest.raises(Refused, match=r"two\.mat: not three forests and four weights"):
        read_raters(two)
    swapped = saved(tmp_path / "swapped.mat", list(MADE_UP.forests[::-1]), [0.0, 0.0])
    with pytest.raises(Refused, match="forest 1: it asks for other than 18 features"):
        read_raters(swapped)


def test_what_cannot_be_measured_is_refused() -> None:
    image = grey(data.coffee())
    for height, width in ((44, 300), (83, 84), (45, 163)):
        with pytest.raises(Refused, match=f"an image of {width} x {height} pixels; Ma's metric"):
            ma(image[:height, :width], MADE_UP)
    for height, width in ((84, 84), (45, 164)):
        assert math.isfinite(ma(image[:height, :width], MADE_UP))
    with pytest.raises(Refused, match="the image is flat"):
        ma(np.full((90, 90), 77, np.uint8), MADE_UP)
