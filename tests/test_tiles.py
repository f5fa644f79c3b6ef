"""Tiles: what is kept covers the image once, what is read is enough, and there are few of them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.tiles import LEAST, Span, tiles

CUTS = st.fixed_dictionaries(
    {
        "height": st.integers(1, 400),
        "width": st.integers(1, 400),
        "most": st.integers(0, 100_000),
        "context": st.integers(0, 90),
        "grid": st.integers(1, 50),
    }
)


@given(CUTS)
@settings(deadline=None, max_examples=300)
def test_every_pixel_is_kept_once_and_sees_its_surroundings(cut):
    height, width, context, grid = (cut[name] for name in ("height", "width", "context", "grid"))
    kept = np.zeros((height, width), int)
    for tile in tiles(**cut):
        kept[tile.rows.kept(1), tile.columns.kept(1)] += 1
        for span, size in ((tile.rows, height), (tile.columns, width)):
            assert 0 <= span.start <= span.begin < span.end <= span.stop <= size
            assert span.start % grid == span.begin % grid == 0
            assert span.start <= max(0, span.begin - context)
            assert span.stop >= min(size, span.end + context)
            assert span.end - span.begin >= min(size, LEAST)
    assert (kept == 1).all()


def largest(made):
    return max((t.rows.stop - t.rows.start) * (t.columns.stop - t.columns.start) for t in made)


@given(CUTS)
@settings(deadline=None, max_examples=300)
def test_no_tile_reads_too_much_unless_tiles_cannot_be_smaller(cut):
    made, smallest = tiles(**cut), tiles(**cut | {"most": 0})
    assert largest(made) <= max(cut["most"], largest(smallest))
    whole = cut["height"] * cut["width"]
    assert (len(made) == 1) == (whole <= max(cut["most"], largest(smallest)))
    assert len(made) <= len(smallest)


def test_facts_by_hand():
    (whole,) = tiles(351, 510, most=351 * 510, context=68)
    assert whole.rows == Span(begin=0, end=351, start=0, stop=351)
    above, below = tiles(300, 100, most=20_000, context=10)
    assert above.rows == Span(begin=0, end=150, start=0, stop=160)
    assert below.rows == Span(begin=150, end=300, start=140, stop=300)
    assert above.columns == below.columns == Span(begin=0, end=100, start=0, stop=100)
    # Two halves would read 300 x (50 + 10); thirds of the width would be smaller than need be.
    assert len(tiles(300, 100, most=18_000, context=10)) == 2
    assert len(tiles(300, 100, most=15_999, context=10)) == 3


def test_slices_of_the_enlarged_image():
    span = Span(begin=150, end=300, start=140, stop=300)
    assert span.read == slice(140, 300)
    assert span.kept(4) == slice(600, 1200)
    assert span.inside(4) == slice(40, 640)  # of 4 * 160 rows


def test_a_far_too_small_budget_makes_small_tiles_not_endless_ones():
    made = tiles(400, 300, most=0, context=64)
    assert len(made) == (400 // LEAST) * (300 // LEAST)


def test_more_tiles_that_read_no_less_are_not_made():
    # Halves read 80 + 64 = 144 of 160 columns; quarters 40 + 128, so all of them.
    assert len(tiles(40, 160, most=0, context=64)) == 2


def test_a_huge_image_is_cut_at_once():
    assert len(tiles(20_000, 30_000, most=100_000, context=20)) > 6000
