"""The metrics niqe, ma and pi: one protocol around arithmetic that has tests of its own; laws."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from declared import book, declared
from skimage import data

from acutance import entries
from acutance.errors import Refused, Unmeasurable
from acutance.image import luma, quantise
from acutance.ma import ma as score
from acutance.ma import read_raters
from acutance.metrics.ma import ma
from acutance.metrics.niqe import niqe
from acutance.metrics.pi import pi
from acutance.niqe import niqe as distance
from acutance.niqe import read_natural
from acutance.rows import mean
from learnt import natural, raters

PICTURE = data.astronaut()[100:308, 180:388]  # 208 x 208
Files = dict[str, dict[str, Path]]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Files:
    folder = tmp_path_factory.mktemp("learnt")
    both = {"natural": natural(folder / "natural.npz"), "raters": raters(folder / "model.mat")}
    return {"niqe": {"natural": both["natural"]}, "ma": {"raters": both["raters"]}, "pi": both}


def of(name: str, files: Files) -> Callable[..., float]:
    """A metric with its made-up files."""
    return partial({"niqe": niqe, "ma": ma, "pi": pi}[name], **files[name])


def noisy(hr: np.ndarray, sigma: float) -> np.ndarray:
    return quantise(hr + np.random.default_rng(0).normal(0, sigma, hr.shape))


def test_they_are_the_arithmetic_on_rounded_luma_without_its_border(files) -> None:
    inner = quantise(luma(PICTURE[4:-4, 4:-4]))
    wanted = [
        distance(inner, read_natural(files["niqe"]["natural"])),
        score(inner, read_raters(files["ma"]["raters"])),
    ]
    wanted.append((10 - wanted[1] + wanted[0]) / 2)
    for name, value in zip(("niqe", "ma", "pi"), wanted, strict=True):
        call = entries.call(book(), "metrics", f"{name}_spsr", scale=4)
        assert set(files[name]) == {parameter for parameter, _ in call.assets}
        assert declared(f"{name}_spsr", 4)(PICTURE, PICTURE, **files[name]) == value
        assert of(name, files)(PICTURE, PICTURE, quantise="none", shave=4) != value


@pytest.mark.parametrize("name", ["niqe", "ma", "pi"])
def test_the_original_is_not_looked_at_but_for_its_size(name: str, files) -> None:
    metric = of(name, files)
    assert metric(PICTURE, np.zeros_like(PICTURE)) == metric(PICTURE, PICTURE)
    with pytest.raises(Refused, match="SR is 208 x 208, HR is 208 x 207"):
        metric(PICTURE, PICTURE[:207])


@pytest.mark.parametrize(("name", "sign"), [("niqe", 1), ("ma", -1), ("pi", 1)])
def test_more_noise_is_worse(name: str, sign: int, files) -> None:
    metric = of(name, files)
    values = [sign * metric(noisy(PICTURE, sigma), PICTURE) for sigma in (0, 6, 14, 30)]
    assert values == sorted(values)
    assert len(set(values)) == 4


@pytest.mark.parametrize("name", ["niqe", "ma", "pi"])
def test_a_grey_picture_counts_as_three_equal_channels(name: str, files) -> None:
    grey = PICTURE[..., 1]
    metric = of(name, files)
    assert metric(grey, grey) == metric(np.stack([grey] * 3, 2), grey)
    assert metric(grey, grey, grey="keep") != metric(grey, grey)


@pytest.mark.parametrize("name", ["niqe", "ma", "pi"])
def test_what_is_beyond_the_border_does_not_count(name: str, files) -> None:
    other = PICTURE.copy()
    other[:4] = other[:, -4:] = 255
    metric = of(name, files)
    assert metric(other, PICTURE, shave=4) == metric(PICTURE, PICTURE, shave=4)
    assert metric(other, PICTURE) != metric(PICTURE, PICTURE)


def test_the_index_of_a_set_is_that_of_its_means(files) -> None:
    """SPSR's toolbox takes the means of both over a set, and then the index."""
    pictures = [noisy(PICTURE, sigma)[:, :200] for sigma in (0, 9, 20)]
    values = {
        name: mean([of(name, files)(picture, picture) for picture in pictures])
        for name in ("niqe", "ma", "pi")
    }
    assert values["pi"] == pytest.approx((10 - values["ma"] + values["niqe"]) / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "side", "message"),
    [
        ("niqe", 103, "95 pixels; NIQE needs a block of 96 x 96"),
        ("pi", 103, "95 pixels; NIQE needs a block of 96 x 96"),
        ("ma", 91, "an image of 83 x 83 pixels; Ma's metric needs 84 x 84"),
    ],
)
def test_too_small_after_the_shave_cannot_be_measured(name, side, message, files) -> None:
    small = PICTURE[:side, :side]
    with pytest.raises(Unmeasurable, match=message):
        of(name, files)(small, small, shave=4)
    of("ma", files)(PICTURE[:92, :92], PICTURE[:92, :92], shave=4)


@pytest.mark.parametrize("name", ["niqe", "ma", "pi"])
def test_a_flat_image_cannot_be_measured(name: str, files) -> None:
    with pytest.raises(Unmeasurable, match="nothing to measure"):
        of(name, files)(np.full_like(PICTURE, 90), PICTURE)


def test_files_that_are_no_models_are_refused(files, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(Refused, match="no parameters of NIQE") as refused:
        niqe(PICTURE, PICTURE, tmp_path / "other.npz")
    assert not isinstance(refused.value, Unmeasurable)
    (tmp_path / "page.mat").write_bytes(b"<html>")
    with pytest.raises(Refused, match="no model of Ma's metric"):
        pi(PICTURE, PICTURE, files["niqe"]["natural"], tmp_path / "page.mat")
