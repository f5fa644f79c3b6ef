"""fetch: copies that are not the originals are named; the real sets come out whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import server as web
from acutance.datasets import _manifest
from acutance.fetch import fetch
from acutance.image import read_image, write_png
from acutance.sets import Source
from trio import GOOD, PICTURES, PIXELS, Kitchen, dataset, encoded, zipped

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def kitchen(tmp_path):
    with web.running() as server:
        yield Kitchen(tmp_path, server)


KNOWN_BAD = [
    (
        {"cat.jpg": encoded(PIXELS["cat"], "JPEG", quality=95)},
        "a JPEG copy (same size, other pixels): cat",
    ),
    (
        {"image_SRF_2/coffee_SRF_2_HR.png": encoded(PIXELS["coffee"][::2, ::2])},
        "half the size (SelfExSR's image_SRF_2; the full size is in image_SRF_4): coffee 100x60",
    ),
    (
        {"cat.png": encoded(PIXELS["cat"][:-1, :-1])},
        "cropped to even sizes: cat 160x160 instead of 161x161",
    ),
    (
        {"man.png": encoded(np.dstack([PIXELS["man"]] * 3))},
        "grey turned into RGB (three equal channels): man",
    ),
    (
        {"cat.png": encoded(PIXELS["cat"].repeat(2, axis=0).repeat(2, axis=1))},
        "enlarged 2 times: cat 322x322 instead of 161x161",
    ),
    ({"cat.png": b"\x89PNG\r\n\x1a\n"}, "cannot be decoded"),
    ({}, "not there: "),
]


@pytest.mark.parametrize(("files", "words"), KNOWN_BAD)
def test_known_bad_copies_are_named(kitchen, files, words):
    bad = {Path(name).name.split("_")[0].split(".")[0] for name in files} or {"cat"}
    rest = {n: c for n, c in GOOD.items() if not any(f"/{name}." in n for name in bad)}
    message = kitchen.refused(dataset(kitchen.source("a.zip", zipped(rest | files))))
    assert words in message
    assert message.startswith(f"fetch trio: 1 of 3 images cannot be had: {next(iter(bad))}\n")


def test_more_pictures_than_wanted_do_no_harm(kitchen):
    more = {f"set/LR/{n}.png": encoded(np.full((9, 9), n, np.uint8)) for n in range(50)}
    kitchen.fetch(dataset(kitchen.source("a.zip", zipped(more | GOOD))))
    kitchen.assert_whole()


def test_two_pictures_may_be_alike(kitchen):
    twins = (*PICTURES, replace(PICTURES[0], name="twin"))
    kitchen.fetch(dataset(kitchen.source("a.zip", zipped(GOOD)), pictures=twins, images=4))
    assert len(list(kitchen.out.iterdir())) == 4


def test_replaces_what_was_there_as_a_whole(kitchen):
    kitchen.out.mkdir(parents=True)
    (kitchen.out / "old.png").write_bytes(b"")
    kitchen.fetch(dataset(kitchen.source("a.zip", zipped(GOOD))))
    kitchen.assert_whole()


@pytest.mark.parametrize("name", ["photographs", "photographs-train"])
def test_photographs_that_ship_inside_a_package(kitchen, name):
    pictures = _manifest(ROOT / "data" / "manifests" / f"{name}.csv")
    source = Source(package="skimage", members="data/*")
    kitchen.fetch(dataset(source, pictures=pictures, images=len(pictures)))
    assert sorted(p.stem for p in kitchen.out.iterdir()) == sorted(p.name for p in pictures)


def test_a_package_that_is_not_installed_is_named(kitchen):
    message = kitchen.refused(dataset(Source(package="nosuchpackage")))
    assert "the package 'nosuchpackage' is not installed" in message


def test_no_picture_is_in_two_sets():
    sizes = {"set5": 5, "set14": 14, "bsd100": 100, "urban100": 100, "general100": 100}
    sizes |= {"t91": 91, "bsds200": 200, "photographs": 4, "photographs-train": 5}
    seen: dict[str, str] = {}
    twins = []
    for name, size in sizes.items():
        pictures = _manifest(ROOT / "data" / "manifests" / f"{name}.csv")
        assert len({picture.name for picture in pictures}) == size
        for picture in pictures:
            if picture.sha256 in seen:
                twins.append((seen[picture.sha256], f"{name}/{picture.name}"))
            seen[picture.sha256] = f"{name}/{picture.name}"
    assert twins == [("t91/t36", "t91/t65")]  # the 91 images are 90


@pytest.mark.parametrize("name", ["Set5", "Set14", "T91"])
def test_the_benchmarks_themselves(kitchen, photographs, name):
    pictures = _manifest(ROOT / "data" / "manifests" / f"{name.lower()}.csv")
    wanted = replace(dataset(pictures=pictures, images=len(pictures)), name=name.lower())
    fetch(wanted, kitchen.out, downloads=kitchen.downloads, mirror=photographs, say=print)
    assert len(list(kitchen.out.iterdir())) == len(pictures)


def test_an_even_cropped_set14_is_named(kitchen, photographs):
    for path in sorted((photographs / "Set14").glob("*.png")):
        pixels = read_image(path)
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        write_png(kitchen.mirror / "trio" / path.name, pixels[:height, :width])
    pictures = _manifest(ROOT / "data" / "manifests" / "set14.csv")
    message = kitchen.refused(dataset(pictures=pictures, images=14), mirror=True)
    assert "3 of 14 images cannot be had: comic, ppt3, zebra" in message
    assert "cropped to even sizes: comic 250x360 instead of 250x361, ppt3 528x656" in message
