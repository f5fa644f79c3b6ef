"""The metric niqe: the protocol of SPSR's toolbox around NIQE's arithmetic, which has own tests."""

import numpy as np
import pytest

from acutance.errors import Refused
from acutance.image import luma, quantise
from acutance.metrics.niqe import niqe
from acutance.niqe import niqe as arithmetic
from acutance.niqe import read_natural


@pytest.fixture(scope="module")
def natural(tmp_path_factory):
    """A made-up model of the right shape."""
    draw = np.random.default_rng(0)
    root = draw.normal(size=(36, 50))
    path = tmp_path_factory.mktemp("natural") / "made-up.npz"
    np.savez(path, mu_pris_param=draw.normal(size=(1, 36)), cov_pris_param=root @ root.T / 50)
    return path


@pytest.fixture(scope="module")
def picture():
    draw = np.random.default_rng(1)
    return draw.integers(0, 256, (108, 204, 3), dtype=np.uint8)


def test_it_is_niqe_of_the_rounded_luma_without_its_border(picture, natural):
    inner = quantise(luma(picture[4:-4, 4:-4].astype(float), "bt601"))
    wanted = arithmetic(inner, read_natural(natural))
    assert niqe(picture, picture, natural, quantise="both", shave=4) == wanted
    assert niqe(picture, picture, natural, quantise="none", shave=4) != wanted


def test_the_original_is_not_looked_at(picture, natural):
    other = np.zeros_like(picture)
    assert niqe(picture, other, natural) == niqe(picture, picture, natural)


def test_too_small_after_the_shave_is_refused(picture, natural):
    small = picture[:103]
    with pytest.raises(Refused, match="NIQE needs a block of 96 x 96"):
        niqe(small, small, natural, shave=4)


def test_a_file_that_is_no_model_is_refused(picture, tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, something=np.zeros(3))
    with pytest.raises(Refused, match="no parameters of NIQE"):
        niqe(picture, picture, path)
