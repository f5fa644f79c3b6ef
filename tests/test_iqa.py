"""NIQE and Ma's metric beside BasicSR and IQA-PyTorch, which ported the same MATLAB code.

Golden numbers are theirs, of made-up natural statistics and forests. "double" is their code with
its single-precision steps in double; "released" is met by ours with their steps in place of ours.
"""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import gamma
from skimage import data

from acutance import gaussians
from acutance import ma as arithmetic
from acutance import niqe as blind
from acutance.forest import predict
from acutance.image import as_rgb, luma, quantise, read_image, shave
from acutance.resize import resize, weights
from test_ma import MADE_UP as RATERS
from test_niqe import MADE_UP as NATURAL

GOLDEN = Path(__file__).resolve().parent / "golden" / "iqa.csv"
HERE = Path()  # pictures of scikit-image need no folder
SINGLE = 1e-6  # what steps in single precision leave of Ma's features
BASICSR = (
    4e-4  # as released, in single precision at every step: shapes jump by entries of the table
)
Row = dict[str, str]


def rows(what: str, *, photographs: bool) -> list[Row]:
    with GOLDEN.open(newline="") as file:
        found = [row for row in csv.DictReader(file) if row["what"] == what]
    return [row for row in found if ("/" in row["picture"]) == photographs]


def named(row: Row) -> str:
    return f"{row['picture']}-{row['program']}-{row['precision']}"


def of_skimage(what: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows(what, photographs=False), ids=named)


def of_photographs(what: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows(what, photographs=True), ids=named)


def plane(row: Row, folder: Path = HERE) -> np.ndarray:
    """Luma of 8 bits, 4 pixels shaved, of a picture; shrunk and enlarged where a scale says so."""
    height, width, scale = (int(row[key]) for key in ("height", "width", "scale"))
    name = row["picture"]
    hr = read_image(folder / f"{name}.png") if "/" in name else getattr(data, name)()
    hr = hr[:height, :width]
    lr = quantise(resize(hr, -(-height // scale), -(-width // scale)))
    return shave(quantise(luma(as_rgb(quantise(resize(lr, height, width))))), 4)


def numbers(row: Row) -> np.ndarray:
    return np.array([float(value) for value in row["values"].split()])


def in_single(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """IQA-PyTorch's imresize: of values up to 1, in single precision, columns of taps in turn."""
    found = (image / 255).astype(np.float32)
    for side in (height, width):
        indices, taps = weights(
            found.shape[0], side, "bicubic", antialias=True, padding="symmetric"
        )
        single = taps.astype(np.float32)
        found = sum(single[:, n, None] * found[indices[:, n]] for n in range(taps.shape[1])).T
    return found.astype(np.float64) * 255


def like_iqa_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives NIQE that program's window, table of shapes and resizing, all in single precision.

    Those taps do not add up to 1, so that flat surroundings are all on one side, none on neither.
    """
    bell = np.exp(-np.square(np.arange(-3, 4)) / (2 * blind.SIGMA**2))
    bell /= bell.sum()
    taps = np.outer(bell, bell).astype(np.float32).astype(np.float64)
    count = np.arange(9801)  # torch.arange counts eight at a time from a number rounded to single
    eighth = (0.2 + 0.001 * (count - count % 8)).astype(np.float32)
    shapes = (eighth + np.float32(0.001) * (count % 8).astype(np.float32)).astype(np.float64)
    ratios = np.square(gamma(2 / shapes)) / (gamma(1 / shapes) * gamma(3 / shapes))
    monkeypatch.setattr(
        blind, "correlated", lambda image, *_: ndimage.correlate(image, taps, mode="nearest")
    )
    monkeypatch.setattr(blind, "resized", in_single)
    monkeypatch.setattr(gaussians, "_two_sided_table", lambda: (shapes, ratios))


def check_niqe(row: Row, image: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    within = 1e-11
    if row["precision"] == "released":
        if row["program"] == "iqa-pytorch":
            like_iqa_pytorch(monkeypatch)
        else:
            within = BASICSR
    assert blind.niqe(image, NATURAL) == pytest.approx(float(row["values"]), rel=within)


@of_skimage("niqe")
def test_niqe_is_what_others_say(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    check_niqe(row, plane(row), monkeypatch)


@of_photographs("niqe")
def test_niqe_of_photographs_is_what_others_say(
    row: Row, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_niqe(row, plane(row, photographs), monkeypatch)


def test_what_separates_niqe_from_iqa_pytorch_is_flat_surroundings() -> None:
    """With few of them 6 digits agree as released, with many 3 or 4."""
    off = {}
    for row in rows("niqe", photographs=False):
        if (row["program"], row["precision"]) == ("iqa-pytorch", "released"):
            value = blind.niqe(plane(row), NATURAL)
            off[row["picture"]] = abs(float(row["values"]) / value - 1)
    assert off.pop("chelsea") < 1e-6  # no flat surroundings
    assert all(1e-4 < each < 1e-3 for each in off.values())


def their_frequencies(image: np.ndarray) -> np.ndarray:
    """Blocks in the middle of what is added to a side of 3 k + 1; tenths of other lengths."""
    dark = [(int(side % 3 == 1), 0) for side in image.shape]
    waves = arithmetic._waves(np.pad(image, dark))
    kept = (arithmetic.FLAT, arithmetic.MIDDLE)
    flat, middle = (np.array([list(map(int, row)) for row in mask]) for mask in kept)
    turns = [
        arithmetic._variation(waves, np.flatnonzero(mask), 1e-8) for mask in (flat, middle, flat.T)
    ]
    shape = np.sort(gaussians.symmetric_shape(waves[:, 1:]))
    found = [shape[: math.ceil(0.1 * len(shape)) + 1].mean(), shape.mean()]
    for values in (arithmetic._variation(waves, np.arange(1, 49), 1e-7), np.var(turns, 0, ddof=1)):
        found += [np.sort(values)[math.floor(0.9 * len(values)) :].mean(), values.mean()]
    return np.array(found)


def conventions(whole: tuple[int, ...]) -> dict[str, object]:
    """IQA-PyTorch's steps of Ma's features in place of the authors', for an image of this size."""
    plain = arithmetic._normalised

    def sixth(bands: list[list[np.ndarray]], level: int, index: int) -> np.ndarray:
        """The last subband has a parent, too: here it is turned to the first place."""
        if index < arithmetic.ORIENTATIONS - 1:
            return plain(bands, level, index)
        return plain([[scale[-1], *scale[:-1]] for scale in bands], level, 0)

    def structure(x: arithmetic._Seen, y: arithmetic._Seen) -> float:
        """Negative values count as 0."""
        both = arithmetic.window(x.plane * y.plane, 5, 1.5) - x.mean * y.mean
        index = (2 * both + arithmetic.C2) / (x.variance + y.variance + arithmetic.C2)
        return float(np.maximum(index, 0)[5:-5, 5:-5].mean())

    return {
        "_frequencies": their_frequencies,
        "_normalised": sixth,
        "_structure": structure,
        "resized": lambda image, *_: resize(image, *whole),  # a parent to the side itself, odd too
    }


def check_ma(row: Row, image: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    group = int(row["what"][-1]) - 1
    wanted = numbers(row)
    assert len(wanted) == arithmetic.GROUPS[group]
    ours = arithmetic.features(image)[group]
    for name, step in conventions(image.shape).items():
        monkeypatch.setattr(arithmetic, name, step)
    assert arithmetic.features(image)[group] == pytest.approx(wanted, rel=SINGLE, abs=SINGLE)
    if group < 2:  # that they are other conventions shows, and where
        same = np.isclose(ours, wanted, rtol=SINGLE, atol=SINGLE)
        assert same.any()
        assert not same.all()
    else:
        assert ours == pytest.approx(wanted, rel=1e-7)


@pytest.mark.parametrize("group", [1, 2, 3])
@pytest.mark.parametrize("picture", ["chelsea", "astronaut"])
def test_features_of_ma_are_iqa_pytorchs_with_its_steps(
    group: int, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = rows(f"ma-{group}", photographs=False)
    row = next(row for row in found if row["picture"] == picture)
    check_ma(row, plane(row), monkeypatch)


@pytest.mark.parametrize("group", [1, 2, 3])
def test_features_of_a_photograph_are_iqa_pytorchs_with_its_steps(
    group: int, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = rows(f"ma-{group}", photographs=True)
    check_ma(row, plane(row, photographs), monkeypatch)


@pytest.mark.parametrize("picture", ["chelsea", "astronaut"])
def test_equal_features_give_iqa_pytorchs_score(picture: str) -> None:
    """Its forests and weights, of the features that it found itself."""
    found = {
        what: next(row for row in rows(what, photographs=False) if row["picture"] == picture)
        for what in ("ma", "ma-1", "ma-2", "ma-3")
    }
    trees = [
        predict(forest, numbers(found[f"ma-{n}"]))
        for n, forest in enumerate(RATERS.forests, start=1)
    ]
    score = RATERS.weights @ [1, *trees]
    assert score == pytest.approx(float(found["ma"]["values"]), rel=1e-12)
