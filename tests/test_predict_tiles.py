"""Tiles in predict: the image is that of one pass, to the bit where arithmetic is exact."""

import numpy as np
import pytest
import torch
from skimage import data
from torch import nn

from acutance import image, predict, resolve
from acutance.memory import peak
from acutance.models.rcan import RCAN
from acutance.models.rrdbnet import RRDBNet
from acutance.models.vdsr import VDSR
from shallow import shallow

SCALE = {n: resolve.noun("models", n).constants["SCALES"][-1] for n in resolve.names("models")}
with torch.device("meta"):
    SHALLOW = {name: shallow(name, scale) for name, scale in SCALE.items()}
EXACT = [n for n, m in SHALLOW.items() if m.reach is not None and m.reach <= predict.EXACT]
LAST_DIGITS = 2**-18  # of the largest value; sums of another order have moved 2**-19
PICTURE = np.ascontiguousarray(data.astronaut()[:90, 120:310])


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Predicts a picture in one piece and in tiles, which need at most `share` of its memory."""

    def both(model, picture, scale, *, share=0.0):
        image.write_png(tmp_path / "lr" / "picture.png", picture)
        channels = model.channels or 3
        found = []
        for name, budget in (
            ("whole", 2**60),
            ("tiled", int(share * peak(model, channels, *picture.shape[:2]))),
        ):
            monkeypatch.setattr(predict, "BUDGET", budget)
            out = tmp_path / name
            predict.predict_folder(
                model, tmp_path / "lr", out, scale=scale, channels=channels, output="float"
            )
            found.append(image.read_sr(out / "picture.tif"))
        return found

    return both


class Counts(nn.Module):
    """A model that notes the sizes it is given."""

    def __init__(self, model):
        super().__init__()
        self.model, self.reach, self.channels = model, model.reach, model.channels
        self.sizes = []

    def forward(self, lr):
        if not lr.is_meta:  # its memory was counted
            self.sizes.append(tuple(lr.shape[2:]))
        return self.model(lr)


def strong(model):
    """The model with He's weights, which keep what comes from afar."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
    return model


def test_where_sums_are_exact_tiles_are_the_whole_to_the_bit(both):
    # Black and white, weights of -1, 0 and 1, a kernel of eighths: no sum is ever rounded.
    picture = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (90, 130, 3))
    model = VDSR(2, depth=5, width=4)
    torch.manual_seed(0)
    for weight in model.parameters():
        nn.init.trunc_normal_(weight, 0, 0.6, -1, 1)
        weight.data.round_()
    counted = Counts(model)
    whole, tiled = both(counted, picture, 2)
    assert len(counted.sizes) == 1 + 2 * 4
    assert np.ptp(whole) > 1000
    assert np.array_equal(whole, tiled)


@pytest.mark.parametrize("name", EXACT)
def test_a_network_that_is_seen_whole_gives_the_same_in_tiles(name, both, capsys):
    model = strong(shallow(name, SCALE[name]))
    whole, tiled = both(model, PICTURE, SCALE[name])
    assert capsys.readouterr().err == ""
    np.testing.assert_allclose(whole, tiled, rtol=0, atol=LAST_DIGITS * np.abs(whole).max())


def test_what_lies_beyond_the_context_moves_the_last_digits_alone(both, capsys):
    model = Counts(strong(RRDBNet(4, blocks=12, width=8, growth=4)))
    assert model.reach > predict.EXACT
    whole, tiled = both(model, PICTURE, 4, share=0.85)
    assert model.sizes == [(90, 190), (90, 95 + 64), (90, 95 + 64)]
    said = capsys.readouterr().err
    assert said.count("in 2 tiles with 64 pixels around each; it looks 184 pixels far") == 1
    np.testing.assert_allclose(whole, tiled, rtol=0, atol=LAST_DIGITS * np.abs(whole).max())


def test_statistics_of_tiles_leave_no_seam_that_is_seen(both, capsys):
    torch.manual_seed(0)
    model = Counts(RCAN(2, groups=2, blocks=3, width=16, reduction=4))
    whole, tiled = both(model, PICTURE, 2, share=0.85)
    assert len(model.sizes) == 1 + 2
    assert "it looks over the whole image" in capsys.readouterr().err
    assert np.ptp(whole) > 50
    assert np.abs(whole - tiled).max() < 0.5  # of 255
    steps = np.abs(np.diff(whole - tiled, axis=1)).max((0, 2))
    seam = PICTURE.shape[1]  # SR column 2 * 95
    assert steps[seam - 1] < 1.5 * np.median(steps)
