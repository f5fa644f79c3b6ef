"""pairs: batches are pure functions of (seed, step), aligned, and the same by either way."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from acutance.errors import Refused
from acutance.image import to_chw, write_png
from acutance.pack import pack
from acutance.packed import Packed, open_packed
from acutance.pairs import FLIPS, Pairs, whole

SIZES = ((12, 17), (20, 13), (15, 15), (12, 12), (30, 14))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise in blocks of 6 x 6 pixels: shrunk by 2 or 3, its LR is its HR with rows left out."""
    place = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for number, (height, width) in enumerate(SIZES):
        small = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        write_png(place / "hr" / f"{number}.png", small.repeat(6, axis=0).repeat(6, axis=1))
    for scale in (2, 3):
        pack([place / "hr"], place / f"x{scale}", degradation=lambda h, s: h[::s, ::s], scale=scale)
    return place


@pytest.fixture(scope="module")
def packed(folder: Path) -> Packed:
    return open_packed(folder / "x2")


def same(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@settings(deadline=None, max_examples=20)
@given(
    step=st.integers(0, 2**40),
    seed=st.integers(0, 2**32),
    sampling=st.sampled_from(["uniform", "epoch"]),
)
def test_a_batch_depends_on_seed_and_step_alone(
    packed: Packed, step: int, seed: int, sampling: str
) -> None:
    def make() -> Pairs:
        return Pairs(packed, patch=8, batch=3, seed=seed, sampling=sampling, augment=FLIPS)

    fresh, used = make(), make()
    for other in (step + 1, 0, step // 2):
        used.batch(other)
    assert same(fresh.batch(step), used.batch(step))


def test_steps_and_seeds_differ(packed: Packed) -> None:
    drawn = {
        Pairs(packed, patch=8, batch=4, seed=seed).choose(step).tobytes()
        for seed in range(5)
        for step in range(20)
    }
    assert len(drawn) == 100


def test_draws_are_those_of_every_other_day(packed: Packed) -> None:
    """Numbers written down once: another version of NumPy must draw the same."""
    pairs = Pairs(packed, patch=8, batch=3, seed=7, augment=FLIPS)
    epochs = Pairs(packed, patch=8, batch=3, seed=7, sampling="epoch", augment=FLIPS)
    assert pairs.choose(1000).tolist() == [
        [1, 16, 0, 1, 1, 0],
        [1, 44, 16, 1, 0, 0],
        [2, 2, 16, 0, 0, 1],
    ]
    assert epochs.choose(1001).tolist() == [[3, 12, 20, 1, 1, 0], [4, 48, 1, 0, 1, 1]]


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("resident", [False, True])
def test_lr_and_hr_are_aligned_under_every_flip(folder: Path, scale: int, resident: bool) -> None:
    packed = open_packed(folder / f"x{scale}")
    pairs = Pairs(packed, patch=9, batch=32, seed=1, augment=FLIPS, resident=resident)
    seen = set()
    for step in range(4):
        lr, hr = pairs.batch(step)
        assert lr.shape == (32, 3, 9, 9)
        assert hr.shape == (32, 3, 9 * scale, 9 * scale)
        assert lr.dtype == hr.dtype == torch.float32
        for place, (_, _, _, transpose, flip_v, flip_h) in enumerate(pairs.choose(step).tolist()):
            # The kept pixel of a square is its top left one; a flip moves it to another corner.
            down, right = (scale - 1) * flip_v, (scale - 1) * flip_h
            assert torch.equal(lr[place], hr[place, :, down::scale, right::scale])
            seen.add((transpose, flip_v, flip_h))
    assert len(seen) == 8


def test_crops_are_where_the_draws_say(packed: Packed) -> None:
    pairs = Pairs(packed, patch=7, batch=16, seed=2, augment=["transpose", "flip_h"])
    lr, hr = pairs.batch(3)
    for place, (image, y, x, transpose, flip_v, flip_h) in enumerate(pairs.choose(3).tolist()):
        assert flip_v == 0
        for batch, side, scale in ((lr, packed.lr, 1), (hr, packed.hr, 2)):
            end = 7 * scale
            cut = side.image(image)[:, y * scale :, x * scale :][:, :end, :end]
            cut = cut.transpose(0, 2, 1) if transpose else cut
            cut = cut[:, :, ::-1] if flip_h else cut
            np.testing.assert_array_equal(batch[place], cut.astype(np.float32) / 255)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sampling", ["uniform", "epoch"])
def test_gathered_on_the_device_or_copied_from_the_map(
    packed: Packed, channels: int, sampling: str
) -> None:
    def make(*, resident: bool) -> Pairs:
        return Pairs(
            packed,
            patch=8,
            batch=3,
            seed=3,
            sampling=sampling,
            augment=FLIPS,
            channels=channels,
            resident=resident,
        )

    copied, gathered = make(resident=False), make(resident=True)
    assert all(same(copied.batch(step), gathered.batch(step)) for step in range(10))


def test_uniform_draws_every_image_and_place_alike(packed: Packed) -> None:
    pairs = Pairs(packed, patch=21, batch=50, seed=4, augment=FLIPS)
    drawn = np.concatenate([pairs.choose(step) for step in range(200)])
    # 10,000 draws over 5 images: 2,000 each, deviation sqrt(10000 * 0.2 * 0.8) = 40.
    assert np.abs(np.bincount(drawn[:, 0], minlength=5) - 2000).max() < 200
    for number in range(len(packed)):
        room = packed.lr.sizes[number] - 21 + 1
        places = drawn[drawn[:, 0] == number, 1:3]
        assert places.min() == 0
        assert (places.max(axis=0) == room - 1).all()
    assert np.abs(drawn[:, 3:].mean(axis=0) - 0.5).max() < 0.03


def test_an_epoch_visits_every_image_once(packed: Packed) -> None:
    pairs = Pairs(packed, patch=8, batch=2, seed=5, sampling="epoch")
    assert pairs.per_epoch == 3
    orders = []
    for epoch in range(6):
        steps = [pairs.choose(3 * epoch + step)[:, 0].tolist() for step in range(3)]
        assert [len(step) for step in steps] == [2, 2, 1], "the last batch is short, as it comes"
        orders.append(tuple(image for step in steps for image in step))
        assert sorted(orders[-1]) == [0, 1, 2, 3, 4]
    assert len(set(orders)) > 1


def test_a_whole_image_as_crop_has_one_place(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    pack([tmp_path / "hr"], tmp_path / "out", degradation=lambda h, s: h[::s, ::s], scale=2)
    pairs = Pairs(open_packed(tmp_path / "out"), patch=2, batch=4, seed=0)
    assert (pairs.choose(9)[:, :3] == 0).all()


def test_luma_is_that_of_image(packed: Packed) -> None:
    rgb = list(whole(packed, 3, "cpu"))
    luma = list(whole(packed, 1, "cpu"))
    for number, (colour, grey) in enumerate(zip(rgb, luma, strict=True)):
        for side, (a, b) in zip(
            (packed.lr, packed.hr), zip(colour, grey, strict=True), strict=True
        ):
            picture = side.image(number).transpose(1, 2, 0)
            np.testing.assert_array_equal(a[0], to_chw(picture, 3))
            np.testing.assert_allclose(b[0], to_chw(picture, 1), rtol=0, atol=1e-6)
    assert luma[0][0].shape == (1, 1, 36, 51)


def test_small_images_are_named(packed: Packed) -> None:
    with pytest.raises(Refused, match=r"3 of 5 .*40x40 patch \(hr/0, hr/1, hr/3\)"):
        Pairs(packed, patch=40, batch=1, seed=0)  # LR sides are 36 to 90
    Pairs(packed, patch=36, batch=1, seed=0)


@pytest.mark.cuda
def test_a_gpu_gives_the_crops_of_the_cpu(packed: Packed) -> None:
    def make(device: str) -> Pairs:
        return Pairs(packed, patch=8, batch=3, seed=3, augment=FLIPS, device=device)

    there, here = make("cuda"), make("cpu")
    assert there.resident
    assert not here.resident
    for step in range(3):
        for a, b in zip(there.batch(step), here.batch(step), strict=True):
            torch.testing.assert_close(a.cpu(), b, rtol=0, atol=1e-7)
