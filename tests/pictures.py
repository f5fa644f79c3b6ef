"""A study of real photographs whose networks differ where a test says so."""

import re
from pathlib import Path

import numpy as np

from acutance import drawings, fetch, image, paths, study
from acutance.degradations.imresize import imresize
from acutance.degrade import degrade_folder
from acutance.drawings import Drawing
from acutance.resize import resize
from acutance.spec import Study
from synthetic import fill, lay

SPOT = (slice(144, 176), slice(208, 240))  # rows and columns in which the two networks differ
MARKED = ("chelsea", "coffee")  # in the first of these less than in the second


def lay_pictures(root: Path) -> Study:
    """Lays out the demo with SR images at scale 4, and made-up scores; returns the study.

    Everyone's SR image is the bicubic one; ESPCN + GV adds stripes in `SPOT` of `MARKED`.
    """
    lay(root)
    each = study.load(root, "demo")
    fill(each, root)
    tests = [e for e in each.evaluations if e.run.scale == 4]
    dataset = tests[0].dataset
    fetch.fetch(dataset, root / dataset.hr, downloads=root / paths.DOWNLOADS, mirror=None)
    degrade_folder(root / dataset.hr, root / tests[0].pairs.lr, imresize, 4, workers=1)
    for test in tests:
        for name, path in image.list_images(root / test.pairs.lr).items():
            lr = image.as_rgb(image.read_image(path))
            sr = resize(lr, 4 * lr.shape[0], 4 * lr.shape[1])
            if test.run.system == "espcn+gv" and name in MARKED:
                stripes = np.arange(32)[:, None] // 2 % 2  # two pixels wide
                sr[SPOT] += (20 + 20 * MARKED.index(name)) * (2 * stripes - 1)
            image.write_png(root / test.sr / f"{name}.png", image.quantise(sr))
    return each


def named(root: Path, figure: str) -> Drawing:
    """Returns a drawing of the demo by its figure's name."""
    found = drawings.drawings(study.load(root, "demo"), root)
    return next(each for each in found if each.figure.name == figure)


def relay(root: Path, old: str, new: str) -> None:
    """Edits GV's layout: the first match of a pattern."""
    path = root / paths.PUBLISHED / "gv" / "layout.yaml"
    text, count = re.subn(old, lambda _: new, path.read_text(encoding="utf-8"), count=1)
    assert count == 1
    path.write_text(text, encoding="utf-8")
