"""FD's Class-Module: its three terms by hand, by ClassSR's code, and by law."""

import math
from itertools import permutations

import pytest
import torch
from heads import DOUBLE, certain, each, rand, shares
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import Refused
from acutance.losses.fd_areas import fd_areas
from acutance.losses.fd_balance import fd_balance
from acutance.losses.fd_cover import fd_cover

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


def test_gradcheck():
    hr, bins = rand(2, 1, 3, 4), rand(2, 8, 3, 4, seed=2)
    raw = rand(2, 3, 1, 1, seed=3)
    for values, loss in [
        (raw, lambda x: fd_areas(x.softmax(1))),
        (raw, lambda x: fd_balance(x.softmax(1))),
        (raw, lambda x: fd_cover(x.softmax(1), bins, hr)),
    ]:
        assert torch.autograd.gradcheck(loss, values.requires_grad_())


def test_gradients_are_finite_where_all_areas_are_alike():
    hr = rand(2, 1, 4, 4)
    equal = torch.full((2, 3, 1, 1), 1 / 3)
    for values, loss in [
        (equal.clone(), fd_areas),
        (equal.clone(), fd_balance),
        (equal.clone(), lambda x: fd_cover(x, torch.zeros(2, 32, 4, 4), hr)),
    ]:
        values.requires_grad_()
        loss(values).backward()
        assert values.grad.isfinite().all()
