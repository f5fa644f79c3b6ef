"""Panels are the stored images' own pixels; maps and variances are computed a second time here."""

import shutil

import numpy as np
import pytest
import torch
from scipy import ndimage

from acutance import drawings, paths, study
from acutance.cli import main
from acutance.draw import draw
from acutance.drawings import HEAD, NUMBERED, WHOLE
from acutance.errors import Refused
from acutance.image import read_image
from acutance.losses.gradient_variance import gradient_variance
from acutance.rows import read_rows
from pictures import MARKED, SPOT, lay_pictures, named, relay


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    lay_pictures(root)
    for figure in ("crops", "fig1", "fig2"):
        draw(named(root, figure), root)
    return root


@pytest.fixture
def root(drawn, tmp_path):
    """A copy that may be spoilt."""
    return shutil.copytree(drawn, tmp_path / "root")


def stored(root, drawing, panel, name):
    """The image that a panel is cut out of."""
    if panel == "hr":
        return read_image(root / drawing.datasets[0].hr / f"{name}.png")
    return read_image(root / dict(drawing.tests)[panel, "photographs"].sr / f"{name}.png")


def test_the_images_and_places_are_those_that_differ_most(drawn):
    rows = named(drawn, "crops").rows(drawn)
    assert list(dict.fromkeys(row["image"] for row in rows)) == list(reversed(MARKED))
    for row in rows:
        x, y, side = int(row["x"]), int(row["y"]), int(row["across"])
        assert side == int(row["down"]) == 64
        assert x <= SPOT[1].start < SPOT[1].stop <= x + side
        assert y <= SPOT[0].start < SPOT[0].stop <= y + side
        assert x % 4 == y % 4 == 0


def test_a_panel_is_the_stored_image_enlarged_by_whole_pixels(drawn):
    drawing = named(drawn, "crops")
    rows = [row for row in drawing.rows(drawn) if row["panel"] != WHOLE]
    assert [row["panel"] for row in rows] == 2 * ["hr", "bicubic", "espcn", "espcn+gv"]
    for row in rows:
        whole = stored(drawn, drawing, row["panel"], row["image"])
        x, y, side, times = (int(row[name]) for name in ("x", "y", "across", "times"))
        part = whole[y : y + side, x : x + side]
        panel = read_image(drawing.held(drawn) / row["file"])
        assert times == 4
        assert np.array_equal(panel, np.kron(part, np.ones((times, times, 1), np.uint8)))


def test_maps_are_central_differences_on_one_range(drawn):
    drawing = named(drawn, "fig1")
    rows = [row for row in drawing.rows(drawn) if row["panel"] != WHOLE]
    (top,) = {float(row["top"]) for row in rows}
    every = []
    for row in rows:
        x, y, side, times = (int(row[name]) for name in ("x", "y", "across", "times"))
        image = stored(drawn, drawing, row["panel"], row["image"]) / 255
        part = image[y - 1 : y + side + 1, x - 1 : x + side + 1]
        v, h = part[2:, 1:-1] - part[:-2, 1:-1], part[1:-1, 2:] - part[1:-1, :-2]
        wanted = np.sqrt(v**2 + h**2 + 1e-6)
        every.append(wanted)
        assert float(row["mean"]) == pytest.approx(wanted.mean(), abs=2e-6)
        panel = read_image(drawing.held(drawn) / row["file"])[::times, ::times].astype(int)
        assert np.abs(panel - np.clip(wanted * 255 / top, 0, 255)).max() < 0.51
    assert 0 <= top - np.percentile(every, 99.5) < 0.01


def test_variances_are_the_loss_s_own(drawn):
    drawing = named(drawn, "fig2")
    rows = [r for _, r in read_rows(drawing.held(drawn) / "variances.csv", NUMBERED)]
    assert {row["panel"] for row in rows} == {"hr", "espcn", "espcn+gv"}
    found = {}
    for panel in ("hr", "espcn", "espcn+gv"):
        own = [r for r in rows if (r["panel"], r["image"]) == (panel, MARKED[0])]
        found[panel] = np.array([(float(r["across"]), float(r["down"])) for r in own])
        image = stored(drawn, drawing, panel, MARKED[0])[:300, :448] / 255
        grey = image @ [0.2989, 0.587, 0.114]
        maps = [ndimage.sobel(grey, axis=axis, mode="constant") for axis in (1, 0)]
        tiles = [m[:288].reshape(18, 16, 28, 16).swapaxes(1, 2).reshape(504, 256) for m in maps]
        wanted = np.stack([each.var(axis=1, ddof=1) for each in tiles], axis=1)
        assert found[panel] == pytest.approx(wanted, rel=1e-4, abs=1e-9)
    pair = [stored(drawn, drawing, p, MARKED[0])[:300, :448] for p in ("espcn+gv", "hr")]
    sr, hr = (torch.tensor(p.transpose(2, 0, 1)[None] / 255, dtype=torch.float32) for p in pair)
    loss = np.square(found["espcn+gv"] - found["hr"]).mean(axis=0).sum()
    assert loss == pytest.approx(float(gradient_variance(sr, hr, patch=16)), rel=1e-5)


def test_the_same_images_give_the_same_bytes_and_others_another_name(root):
    for figure in ("crops", "fig1", "fig2"):
        drawing = named(root, figure)
        folder = root / drawing.folder
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert draw(drawing, root) == folder
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    first = named(root, "crops").id
    relay(root, "box: 64", "box: 32")
    assert named(root, "crops").id != first
    relay(root, "box: 32", "box: 64")
    relay(root, "The paper has no such figure", "Words change no pixel")
    assert named(root, "crops").id == first


def test_what_is_not_there_yet_is_left_out_and_not_taken_for_finished(root):
    drawing = named(root, "crops")
    shutil.rmtree(root / drawing.folder)
    lost = root / dict(drawing.tests)["espcn+gv", "photographs"].sr
    lost.rename(lost.with_name("elsewhere"))
    words = ("--root", str(root), "--study", "demo", "draw", "demo_crops")
    assert main(words) == 0
    sketch = drawing.held(root)
    assert sketch == root / paths.SKETCH.format(drawn=drawing.id)
    assert not (root / drawing.folder).exists()
    rows = [r for _, r in read_rows(sketch / "panels.csv", HEAD)]
    empty = [row for row in rows if row["reason"]]
    assert {row["panel"] for row in empty} == {"espcn+gv"}
    assert {row["reason"] for row in empty} == {"its SR images are not here yet"}
    lost.with_name("elsewhere").rename(lost)
    assert main(words) == 0
    assert drawing.held(root) == root / drawing.folder
    assert list(sketch.parent.iterdir()) == [], "its checksums are gone, too"


def test_nothing_and_damage_are_refused_by_name(root, capsys):
    drawing = named(root, "crops")
    test = dict(drawing.tests)["espcn", "photographs"]
    (root / test.sr / "coffee.png").unlink()
    with pytest.raises(Refused, match="no image 'coffee'; remove the folder and make it again"):
        draw(drawing, root)
    shutil.copy(root / test.sr / "camera.png", root / test.sr / "coffee.png")
    with pytest.raises(
        Refused, match=r"coffee.png: covers 512 x 512 pixels where HR has 600 x 400"
    ):
        draw(drawing, root)
    shutil.rmtree(root / "results" / "sr")
    with pytest.raises(Refused, match="not one SR image of its networks is here; run predict"):
        draw(drawing, root)
    assert main(["--root", str(root), "--study", "demo", "draw", "demo_crop"]) == 2
    assert "no drawing 'demo_crop' in this study; did you mean" in capsys.readouterr().err
    assert main(["--root", str(root), "--study", "demo", "draw"]) == 0
    assert "demo_fig2@" in capsys.readouterr().err, "said of each that is left out"


def test_lr_is_shown_as_large_as_the_others(root):
    relay(root, r"panels: \[hr, bicubic", "panels: [lr, hr, bicubic")
    drawing = named(root, "crops")
    folder = draw(drawing, root)
    row = next(row for row in drawing.rows(root) if row["panel"] == "lr")
    lr = read_image(root / drawing.lr[0] / f"{row['image']}.png")
    x, y = int(row["x"]) // 4, int(row["y"]) // 4
    panel = read_image(folder / row["file"])
    assert panel.shape == (256, 256, 3)
    assert np.array_equal(panel[::16, ::16], lr[y : y + 16, x : x + 16])


def test_a_study_falls_back_on_its_own_and_says_what_is_missing(drawn):
    track = study.load(drawn, "demo").tracks[0]
    drawing = named(drawn, "crops")
    assert drawing.figure.panels == ("hr", "bicubic", "vdsr", "vdsr+gv")
    assert drawing.panels == ("hr", "bicubic", "espcn", "espcn+gv")
    assert ([d.name for d in drawing.datasets], drawing.own) == (["photographs"], True)
    classic = study.load(drawn, "classic")
    fd = next(each for each in drawings.drawings(classic, drawn) if each.track == "classic-fd")
    assert fd.panels == ("hr", "bicubic", "srcnn", "vdsr", "lapsrn", "lapsrn+fd")
    assert fd.missing == (("vdsr", "VDSR at scale 4 is not in this study"),)
    assert fd.outside == ("Urban100",)
    papers = study.load(drawn, "papers")
    spsr = {d.figure.name: d for d in drawings.drawings(papers, drawn) if d.track == "spsr"}
    assert spsr["fig7"].images == tuple(f"urban100/img_{n}" for n in ("027", "004", "009", "024"))
    assert dict(spsr["fig7"].missing)["spsr-p"] == "SPSR-P at scale 4 is not in this study"
    assert track.name == "demo"


def test_a_misspelt_image_is_refused_before_anything_runs(root):
    relay(root, r"datasets: \[set14, urban100\]\n    most: 2", "images: [photographs/cofee]")
    with pytest.raises(
        Refused, match=r"gv/layout.yaml: figures.crops.images: no image 'cofee' in "
    ):
        named(root, "crops")


def test_a_damaged_panel_is_named_before_a_page_shows_it(root, capsys):
    words = ("--root", str(root), "--study", "demo")
    assert main([*words, "draw"]) == 0
    assert main([*words, "tabulate"]) == main([*words, "report"]) == 0
    panel = named(root, "crops").held(root) / "1-espcn.png"
    panel.write_bytes(panel.read_bytes()[:-1] + b"x")
    capsys.readouterr()
    assert main([*words, "report"]) == 2
    assert "1-espcn.png: damaged, its SHA-256 is not the one in" in capsys.readouterr().err
