"""Every network is as large as published: parameters to the unit, multiply-adds as far as printed.

Multiply-adds are torch's own count (two operations each), for an image of 1280 x 720, at x3 of
1278 x 720; a transposed convolution counts at the size of its input.
"""

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from acutance import resolve

BASELINE = {"blocks": 16, "width": 64, "residual_scale": 1.0}
LUMA = {"channels": 1}

PARAMETERS = [
    ("srcnn", {}, 4, 57_281),
    ("srcnn", {"middle": 1}, 4, 8_129),
    ("srcnn", {"middle": 3}, 4, 24_513),
    ("espcn", LUMA, 2, 21_284),
    ("espcn", LUMA, 3, 22_729),
    ("espcn", LUMA, 4, 24_752),
    ("espcn", {}, 2, 26_796),
    ("espcn", {}, 3, 31_131),
    ("espcn", {}, 4, 37_200),
    ("vdsr", LUMA, 2, 664_704),
    ("vdsr", LUMA | {"bias": True}, 4, 665_921),
    ("vdsr", {}, 3, 665_856),
    ("edsr", BASELINE, 2, 1_369_859),
    ("edsr", BASELINE, 3, 1_554_499),
    ("edsr", BASELINE, 4, 1_517_571),
    ("edsr", {}, 2, 40_729_603),
    ("edsr", {}, 3, 43_680_003),
    ("edsr", {}, 4, 43_089_923),
    ("rdn", {}, 2, 22_123_395),
    ("rdn", {}, 3, 22_308_035),
    ("rdn", {}, 4, 22_271_107),
    ("rdn", {"blocks": 20, "convs": 6, "growth": 32}, 4, 5_764_227),
    ("rcan", {}, 2, 15_444_643),
    ("rcan", {}, 3, 15_629_283),
    ("rcan", {}, 4, 15_592_355),
    ("dbpn", {}, 2, 5_953_526),
    ("dbpn", {}, 4, 10_426_358),
    ("dbpn", {}, 8, 23_205_878),
    ("dbpn", {"stages": 10}, 2, 8_811_086),
    ("dbpn", {"stages": 10}, 4, 15_348_302),
    ("dbpn", {"stages": 10}, 8, 34_026_062),
    ("msrresnet", {}, 4, 1_517_571),
    ("msrresnet", {"variant": "early"}, 4, 1_554_499),
    ("srresnet", {}, 4, 1_549_462),
    ("srresnet", {"variant": "tensorlayer"}, 4, 1_518_147),
    ("srresnet", {"variant": "leftthomas", "blocks": 5}, 4, 734_219),
    ("rrdbnet", {}, 4, 16_697_987),
    ("natsr", {}, 4, 4_959_235),
    ("sftgan", {}, 4, 1_833_763),
    ("sftgan", {"version": "torch"}, 4, 1_612_195),
]

# In units of 10^9; the last place is that of the number given.
MULTIPLY_ADDS = [
    ("srcnn", {}, 4, "52.70"),
    ("espcn", LUMA, 2, "4.88"),
    ("espcn", LUMA, 3, "2.31"),
    ("espcn", LUMA, 4, "1.42"),
    ("vdsr", LUMA, 4, "612.59"),
    ("edsr", BASELINE, 2, "316.2"),
    ("edsr", BASELINE, 3, "160.1"),
    ("edsr", BASELINE, 4, "114.2"),
    ("edsr", {}, 2, "9385"),
    ("edsr", {}, 3, "4470"),
    ("edsr", {}, 4, "2895"),
    ("rdn", {}, 2, "5096"),
    ("rdn", {}, 3, "2281"),
    ("rdn", {}, 4, "1309"),
    ("rcan", {}, 2, "3527"),
    ("rcan", {}, 3, "1585"),
    ("rcan", {}, 4, "917"),
    ("dbpn", {}, 4, "681.6"),
    ("msrresnet", {}, 4, "146.1"),
    ("msrresnet", {"variant": "early"}, 4, "148.2"),
    ("srresnet", {}, 4, "127.8"),
    ("rrdbnet", {}, 4, "1032.6"),
]
# The same for square LR images, as papers on GANs count.
OF_SQUARES = [
    ("srresnet", {"variant": "leftthomas", "blocks": 5}, 50, "3.518"),
    ("rrdbnet", {}, 32, "18.36"),
    ("rrdbnet", {}, 48, "41.30"),
    ("rrdbnet", {}, 50, "44.82"),
    ("rrdbnet", {}, 64, "73.43"),
    ("natsr", {}, 48, "12.496"),
    ("sftgan", {}, 48, "6.556"),
    ("sftgan", {"version": "torch"}, 48, "6.556"),
]


def made(name, arguments, scale):
    """A network without storage."""
    with torch.device("meta"):
        return resolve.load("models", name)(scale, **arguments)


@pytest.mark.parametrize(("name", "arguments", "scale", "count"), PARAMETERS)
def test_parameters(name, arguments, scale, count):
    assert sum(p.numel() for p in made(name, arguments, scale).parameters()) == count


def assert_multiply_adds(model, height, width, wanted):
    lr = torch.empty(1, model.channels, height, width, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(lr)
    rounding = 0.5001 * 10 ** -len(wanted.partition(".")[2])
    counted = counter.get_total_flops() / 2 / 1e9
    assert math.isclose(counted, float(wanted), rel_tol=0, abs_tol=rounding)


@pytest.mark.parametrize(("name", "arguments", "scale", "wanted"), MULTIPLY_ADDS)
def test_multiply_adds(name, arguments, scale, wanted):
    assert_multiply_adds(made(name, arguments, scale), 720 // scale, 1280 // scale, wanted)


@pytest.mark.parametrize(("name", "arguments", "side", "wanted"), OF_SQUARES)
def test_multiply_adds_of_squares(name, arguments, side, wanted):
    assert_multiply_adds(made(name, arguments, 4), side, side, wanted)
