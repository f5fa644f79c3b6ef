"""The terms of the fine-grained dynamic loss: by hand, by torch, by ClassSR's code, and by law."""

import math
from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from acutance.errors import Refused
from acutance.losses._fd import bin_of
from acutance.losses.fd_areas import fd_areas
from acutance.losses.fd_balance import fd_balance
from acutance.losses.fd_bins import fd_bins
from acutance.losses.fd_cover import fd_cover
from acutance.losses.fd_regression import fd_regression

DOUBLE = torch.float64
EVERY = torch.arange(256).view(1, 1, 16, 16)  # all values of 8 bits


def rand(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def shares(*shape, seed=0):
    """Softmaxed areas, (N, 3, rows, columns)."""
    return (6 * rand(*shape, seed=seed)).softmax(1)


def each(*rows):
    """Areas of one sub-image per row."""
    return torch.tensor(rows, dtype=DOUBLE).view(-1, 3, 1, 1)


def certain(bins, classes=32, height=20.0):
    """Logits of a head that is certain of `bins`, (N, 1, H, W)."""
    return height * functional.one_hot(bins[:, 0], classes).movedim(3, 1).to(DOUBLE)


# bins and anchors


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
@pytest.mark.parametrize("bins", [1, 2, 8, 32, 64, 256])
def test_every_value_of_8_bits_lies_in_its_bin(dtype, bins):
    """t^i <= z < t^(i+1), t^i = 256 i / K, though z / 255 * 255 may lie below z."""
    found = bin_of(EVERY.to(dtype) / 255, bins)
    assert torch.equal(found, EVERY // (256 // bins))


def test_what_bicubic_shrinking_overshoots_lies_in_the_first_or_last_bin():
    found = bin_of(torch.tensor([-0.5, -1e-9, 0, 1, 1.0001, 3]), 32)
    assert found.tolist() == [0, 0, 0, 31, 31, 31]


def test_values_between_those_of_8_bits_go_by_the_threshold():
    """Luma is not whole: 7.9 is in the first bin, 8.1 in the second."""
    assert bin_of(torch.tensor([7.9, 8.1, 15.9, 247.9, 248.1]) / 255, 32).tolist() == [
        0,
        1,
        1,
        30,
        31,
    ]


# L_r


def test_regression_by_hand():
    """HR 0, 100, 200, 255 lie in bins 0, 12, 25, 31, whose anchors are 4, 100, 204, 252.

    From 10, 100, 190, 255: |6| + |0| + |14| + |3| = 23 to the anchors,
    |10| + |0| + |10| + |0| = 20 to the pixels.
    """
    hr = torch.tensor([0, 100, 200, 255], dtype=DOUBLE).view(1, 1, 2, 2) / 255
    regressed = torch.tensor([10, 100, 190, 255], dtype=DOUBLE).view(1, 1, 2, 2) / 255
    assert fd_regression(regressed, hr).item() == pytest.approx(20 / 4 / 255, rel=1e-14)
    anchored = fd_regression(regressed, hr, target="anchor")
    assert anchored.item() == pytest.approx(23 / 4 / 255, rel=1e-14)
    # two bins: anchors 64 and 192; |54| + |36| + |2| + |63|
    two = fd_regression(regressed, hr, target="anchor", bins=2)
    assert two.item() == pytest.approx(155 / 4 / 255, rel=1e-14)


@pytest.mark.parametrize("bins", [2, 32, 256])
def test_the_anchor_of_a_pixel_is_within_half_a_bin(bins):
    for value in EVERY.flatten():
        hr = value.to(DOUBLE).view(1, 1, 1, 1) / 255
        away = 255 * fd_regression(hr, hr, target="anchor", bins=bins)
        assert away <= 128 / bins + 1e-9


def test_anchors_are_a_ceiling():
    """Errors -4 to 3 within a bin: mean square (16+9+4+1+0+1+4+9) / 8 = 5.5, or 40.73 dB.

    Of values spread evenly and not whole it is 8^2 / 12, or 40.86 dB.
    """
    hr = torch.linspace(0, 256, 2**18, dtype=DOUBLE)[:-1] / 255
    for values, decibel in [(EVERY / 255, 40.73), (hr, 40.86)]:
        anchors = (bin_of(values, 32) * 8 + 4) / 255
        error = (values - anchors).double().square().mean()
        assert -10 * error.log10() == pytest.approx(decibel, abs=0.005)


def test_values_are_drawn_to_their_anchor():
    hr = EVERY.to(DOUBLE) / 255
    regressed = hr.clone().requires_grad_()
    fd_regression(regressed, hr, target="anchor").backward()
    apart = EVERY % 8 != 4
    assert torch.equal(regressed.grad.sign()[apart], (EVERY % 8 - 4).sign()[apart].to(DOUBLE))


@pytest.mark.parametrize("bins", [0, -1, 257])
def test_bins_that_8_bits_cannot_have_are_refused(bins):
    hr = rand(1, 1, 2, 2)
    with pytest.raises(Refused, match=f"fd_regression: bins: found {bins}; must be between 1 and"):
        fd_regression(hr, hr, target="anchor", bins=bins)


# L_c1


def test_bins_by_hand():
    """Two bins, logits (log 3, 0): q = (3/4, 1/4). 127 lies in the first bin, 128 in the second."""
    hr = torch.tensor([127, 128], dtype=DOUBLE).view(1, 1, 1, 2) / 255
    logits = torch.tensor([math.log(3), 0], dtype=DOUBLE).view(1, 2, 1, 1).expand(1, 2, 1, 2)
    wanted = (-math.log(3 / 4) - math.log(1 / 4)) / 2
    assert fd_bins(logits, hr).item() == pytest.approx(wanted, rel=1e-14)


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(1, 3),
    classes=st.sampled_from([2, 32, 256]),
    seed=st.integers(0, 99),
    spread=st.sampled_from([0.1, 5, 500]),
)
def test_bins_are_torchs_cross_entropy(count, classes, seed, spread):
    values = (256 * rand(count, 1, 5, 7, seed=seed)).long()
    logits = spread * (rand(count, classes, 5, 7, seed=seed + 1) - 0.5)
    wanted = functional.cross_entropy(logits, values[:, 0] // (256 // classes))
    torch.testing.assert_close(
        fd_bins(logits, values.to(DOUBLE) / 255), wanted, rtol=1e-12, atol=1e-12
    )


def test_an_ideal_head_costs_nothing_and_an_ignorant_one_log_k():
    hr = EVERY.to(DOUBLE) / 255
    costs = [fd_bins(certain(EVERY // 8, height=h), hr).item() for h in (0, 1, 10, 100)]
    assert costs[0] == pytest.approx(math.log(32), rel=1e-14)
    assert costs == sorted(costs, reverse=True)
    assert 0 <= costs[-1] < 1e-12
    wrong = fd_bins(certain(31 - EVERY // 8, height=100), hr)
    assert wrong.item() == pytest.approx(100, rel=1e-12)


def test_a_head_that_is_certain_and_wrong_still_learns():
    logits = certain(31 - EVERY // 8, height=1e4).float().requires_grad_()
    fd_bins(logits, EVERY / 255).backward()
    assert logits.grad.isfinite().all()
    assert logits.grad.abs().max() > 0


# L_c2


def test_areas_by_hand():
    """(0.5, 0.3, 0.2): 0.2 + 0.3 + 0.1 = 0.6; (1, 0, 0): 1 + 1 + 0 = 2. Mean 1.3."""
    assert fd_areas(each((0.5, 0.3, 0.2), (1, 0, 0))).item() == pytest.approx(-1.3, rel=1e-14)


def test_areas_are_least_where_one_takes_all_and_0_where_all_are_alike():
    for one in permutations((1, 0, 0)):
        assert fd_areas(each(one)).item() == -2
    assert fd_areas(torch.full((2, 3, 4, 5), 1 / 3)).item() == 0


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999), rows=st.integers(1, 3), count=st.integers(1, 4))
def test_areas_lie_in_their_range_and_do_not_know_which_is_which(seed, rows, count):
    areas = shares(count, 3, rows, 2, seed=seed)
    value = fd_areas(areas)
    assert -2 <= value <= 0
    for order in permutations(range(3)):
        torch.testing.assert_close(fd_areas(areas[:, order]), value, rtol=1e-12, atol=0)
        torch.testing.assert_close(
            fd_balance(areas[:, order]), fd_balance(areas), rtol=1e-12, atol=1e-15
        )


def classsr(areas):
    """The two sums of ClassSR's loss.py, one sub-image after the other."""
    rows = areas.movedim(1, 3).reshape(-1, 3).tolist()
    n, m = len(rows), 3
    decided = sum((m - 1) - (abs(a - b) + abs(a - c) + abs(b - c)) for a, b, c in rows) / n
    balanced = sum(abs(sum(row[c] for row in rows) - n / m) for c in range(m)) / (n / m * 4)
    return decided, balanced


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (5, 3, 1, 1), (2, 3, 3, 4)])
def test_areas_and_balance_are_classsrs(shape):
    areas = shares(*shape)
    decided, balanced = classsr(areas)
    assert fd_areas(areas).item() + 2 == pytest.approx(decided, rel=1e-12)
    assert fd_balance(areas).item() == pytest.approx(balanced, rel=1e-12)


# balance


def test_balance_by_hand():
    """Sums over two sub-images: 1.5, 0.3, 0.2; less 2/3: 5/6 + 11/30 + 7/15 = 5/3; by 8/3: 5/8."""
    areas = each((0.5, 0.3, 0.2), (1, 0, 0))
    assert fd_balance(areas).item() == pytest.approx(0.625, rel=1e-14)


def test_balance_is_0_where_areas_are_used_alike_and_1_where_one_takes_all():
    assert fd_balance(each((1, 0, 0), (0, 1, 0), (0, 0, 1))).item() == pytest.approx(0, abs=1e-15)
    assert fd_balance(torch.full((2, 3, 4, 5), 1 / 3, dtype=DOUBLE)).item() == 0
    for one in permutations((1, 0, 0)):
        assert fd_balance(each(one, one)).item() == pytest.approx(1, rel=1e-14)


def test_balance_counts_sub_images_wherever_they_lie():
    areas = shares(4, 3, 1, 1)
    tall = areas.movedim(0, 2).reshape(1, 3, 4, 1)
    torch.testing.assert_close(fd_balance(tall), fd_balance(areas), rtol=1e-14, atol=0)


# cover


def cells(*away, side=10):
    """HR in bin 10, and a head that is `away` bins off, one row of cells of `side`^2 for each."""
    hr = torch.full((1, 1, side * len(away), side), 84, dtype=DOUBLE) / 255  # 8 * 10 + 4
    off = torch.tensor(away).repeat_interleave(side).view(1, 1, -1, 1).expand(1, 1, -1, side)
    return certain(10 + off), hr


def test_cover_by_hand():
    """Heads 0, -1, 2, 3, 4 bins off need areas 3, 3, 5, 7 and, where none does, 7."""
    areas = each((0.5, 0.3, 0.2)).expand(1, 3, 5, 1)
    wanted = -(2 * math.log(0.5) + math.log(0.3) + 2 * math.log(0.2)) / 5
    found = fd_cover(areas, *cells(0, -1, 2, 3, 4), cell=10)
    assert found.item() == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(("far", "chosen"), [(0, 0.5), (10, 0.5), (11, 0.3), (100, 0.3)])
def test_the_share_is_reached_or_not(far, chosen):
    """Of 100 pixels in a cell, `far` are two bins off: 90 % within one bin still suffice."""
    bins, hr = cells(0)
    off = torch.zeros(100, dtype=torch.int64)
    off[:far] = 2
    bins = certain(10 + off.view(1, 1, 10, 10))
    found = fd_cover(each((0.5, 0.3, 0.2)), bins, hr)
    assert found.item() == pytest.approx(-math.log(chosen), rel=1e-14)


def test_more_is_never_covered_by_less():
    """A larger share asks for areas at least as large: here, the larger the less likely."""
    bins, hr = 4 * rand(2, 32, 8, 8), 0.5 + 0.1 * rand(2, 1, 8, 8, seed=1)
    areas = each((0.5, 0.3, 0.2)).expand(2, 3, 1, 1)
    found = [fd_cover(areas, bins, hr, share=s).item() for s in (1e-3, 0.1, 0.2, 0.5, 1)]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_cells_are_counted_from_the_top_left():
    """A head that is wrong in one cell moves the target of that cell alone."""
    areas = shares(1, 3, 2, 3)
    hr = torch.full((1, 1, 8, 12), 84, dtype=DOUBLE) / 255
    for row in range(2):
        for column in range(3):
            off = torch.zeros(1, 1, 8, 12, dtype=torch.int64)
            off[..., 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 5
            right = areas[:, 0].clone()
            right[:, row, column] = areas[:, 2, row, column]
            found = fd_cover(areas, certain(10 + off), hr, cell=4)
            torch.testing.assert_close(found, -right.log().mean(), rtol=1e-12, atol=0)


def test_cover_teaches_the_module_and_not_the_head():
    raw = rand(2, 3, 2, 2).requires_grad_()
    bins, hr = rand(2, 32, 8, 8).requires_grad_(), rand(2, 1, 8, 8, seed=1)
    for _ in range(200):
        (gradient,) = torch.autograd.grad(fd_cover(raw.softmax(1), bins, hr, cell=4), raw)
        with torch.no_grad():
            raw -= 20 * gradient
    cover = fd_cover(raw.softmax(1), bins, hr, cell=4)
    assert cover < 0.01
    assert torch.autograd.grad(cover, bins, allow_unused=True) == (None,)


def test_an_area_deemed_impossible_costs_a_finite_lot():
    areas = each((0, 0, 1)).float().requires_grad_()
    value = fd_cover(areas, *cells(0))
    value.backward()
    assert 25 < value < 30
    assert areas.grad.isfinite().all()


@pytest.mark.parametrize(
    ("rows", "columns", "height", "width"),
    [(2, 2, 64, 96), (2, 2, 65, 64), (2, 1, 96, 32), (1, 2, 32, 80), (2, 2, 128, 192)],
)
def test_what_sub_images_do_not_cut_is_refused(rows, columns, height, width):
    areas, hr = shares(1, 3, rows, columns), rand(1, 1, height, width)
    bins = torch.zeros(1, 32, height, width)
    with pytest.raises(
        Refused, match=f"{columns} x {rows} .* {width} x {height} .* multiple of 32"
    ):
        fd_cover(areas, bins, hr)


@pytest.mark.parametrize("patch", range(1, 200))
def test_at_twice_the_size_of_lr_no_wrong_cut_goes_through(patch):
    """Crops of `patch` LR pixels, cells of 32, as the network lays them: the last one smaller."""
    count = math.ceil(patch / 32)
    areas, hr = torch.full((1, 3, count, count), 1 / 3), torch.zeros(1, 1, 2 * patch, 2 * patch)
    bins = torch.zeros(1, 1, 2 * patch, 2 * patch)
    if patch <= 32 or patch % 32 == 0:
        assert fd_cover(areas, bins, hr).item() == pytest.approx(math.log(3))
    else:
        with pytest.raises(Refused, match="make the recipe's patch a multiple of 32"):
            fd_cover(areas, bins, hr)


@pytest.mark.parametrize("share", [0, -0.1, 1.01, math.nan])
def test_a_share_of_nothing_is_refused(share):
    with pytest.raises(Refused, match=f"fd_cover: share: found {share}; must be above 0, at most"):
        fd_cover(each((1, 0, 0)), *cells(0), share=share)


def test_no_cell_is_refused():
    with pytest.raises(Refused, match="fd_cover: cell: found 0; must be at least 1"):
        fd_cover(each((1, 0, 0)), *cells(0), cell=0)


# gradients


def test_gradcheck_of_all():
    hr = rand(2, 1, 3, 4)
    regressed, bins = rand(2, 1, 3, 4, seed=1), rand(2, 8, 3, 4, seed=2)
    raw = rand(2, 3, 1, 1, seed=3)
    for values, loss in [
        (regressed, lambda x: fd_regression(x, hr)),
        (regressed, lambda x: fd_regression(x, hr, target="anchor")),
        (bins, lambda x: fd_bins(x, hr)),
        (raw, lambda x: fd_areas(x.softmax(1))),
        (raw, lambda x: fd_balance(x.softmax(1))),
        (raw, lambda x: fd_cover(x.softmax(1), bins, hr)),
    ]:
        assert torch.autograd.gradcheck(loss, values.requires_grad_())


def test_gradients_are_finite_where_nothing_differs():
    hr = rand(2, 1, 4, 4)
    equal = torch.full((2, 3, 1, 1), 1 / 3)
    for values, loss in [
        (hr.clone(), lambda x: fd_regression(x, hr)),
        (torch.zeros(2, 32, 4, 4), lambda x: fd_bins(x, hr)),
        (equal.clone(), fd_areas),
        (equal.clone(), fd_balance),
        (equal.clone(), lambda x: fd_cover(x, torch.zeros(2, 32, 4, 4), hr)),
    ]:
        values.requires_grad_()
        loss(values).backward()
        assert values.grad.isfinite().all()
