"""Figures of images in every format of a report: files, words, scores, and what is missing."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from base64 import b64decode

import pytest
from markdown_it import MarkdownIt
from test_escape import LATEX, Outline

from acutance import paths, report, study, tabulate
from acutance.errors import Refused
from acutance.points import SHOWN
from acutance.rows import read_rows, read_scores
from acutance.sheet import rounded
from pictures import lay_pictures, named
from synthetic import read

SVG = "{http://www.w3.org/2000/svg}"
PANELS = ("hr", "bicubic", "espcn", "espcn+gv")


def folder(root):
    return root / paths.REPORT.format(study="demo")


def charts(root):
    page = report.gather(study.load(root, "demo"), root, "x")
    return {chart.id: chart for chart in page.chapters[0].charts}


def test_a_figure_of_images_has_its_files_and_the_same_bytes(pictured):
    before = {path.name: path.read_bytes() for path in folder(pictured).iterdir()}
    crops = [f"gv-crops-{n}-{panel}.png" for n in (1, 2) for panel in (*PANELS, "whole")]
    assert sorted(n for n in before if "crops" in n) == sorted(
        [*crops, "gv-crops-1-whole.svg", "gv-crops-2-whole.svg", "gv-crops.tex"]
    )
    held = named(pictured, "crops").held(pictured)
    for name in crops:
        assert before[name] == (held / name.removeprefix("gv-crops-")).read_bytes()
    numbers = named(pictured, "fig2").held(pictured) / "variances.csv"
    assert before["gv-fig2-variances.csv"] == numbers.read_bytes()
    report.report(study.load(pictured, "demo"), pictured)
    assert {path.name: path.read_bytes() for path in folder(pictured).iterdir()} == before


def test_pages_name_files_that_are_there_and_say_what_they_show(pictured):
    page, text = read(pictured, "demo", "index.html"), read(pictured, "demo", "index.md")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    for source in (page, html):
        images = re.findall(r'<img [^>]*?src="([^"]+)" alt="([^"]+)"', source)
        named_here = {name for name, _ in images if name.endswith(".png")}
        assert {f"gv-fig1-1-{panel}.png" for panel in PANELS} < named_here
        for name, words in images:
            assert (folder(pictured) / name.replace("%2B", "+")).is_file()
            assert len(words) > 20
        assert "gv-fig2-variances.csv" in source


def test_scores_below_a_crop_are_those_of_the_image(pictured):
    csv = pictured / paths.SHOWN.format(study="demo", paper="gv")
    rows = [row for _, row in read_rows(csv, SHOWN)]
    assert len(rows) == 2 * 3 * 2, "images, systems, metrics"
    drawing, page = named(pictured, "crops"), read(pictured, "demo", "index.html")
    for row in rows:
        test = dict(drawing.tests)[row["system"], "photographs"]
        kept = read_scores(pictured / test.scores)[row["protocol"]][row["image"]]
        assert (float(row["value"]), row["reason"]) == (kept, "")
        unit, digits = (" dB", 2) if row["metric"] == "psnr" else ("", 4)
        assert f"{row['metric'].upper()} {rounded(kept, digits)}{unit}<" in page


def test_a_system_that_is_not_there_says_why_in_its_panel(pictured):
    strip = charts(pictured)["gv-crops"].strips[0]
    assert [(s.label, bool(s.file), s.reason) for s in strip.shots] == [
        ("HR", True, ""), ("Bicubic", True, ""),
        ("VDSR", False, "VDSR at scale 4 is not in this study".partition(" is ")[2]),
        ("ESPCN", True, ""), ("ESPCN + GV", True, ""),
    ]  # fmt: skip
    for name in ("index.html", "index.md", "gv-crops.tex"):
        assert "not in this study" in read(pictured, "demo", name)
    assert "instead: Set14, Urban are not in this study" in read(pictured, "demo", "index.md")


def test_the_box_is_drawn_upon_the_picture_not_into_it(pictured):
    strip = charts(pictured)["gv-crops"].strips[1]
    tree = ET.parse(folder(pictured) / f"{strip.id}-whole.svg").getroot()  # noqa: S314 - our own
    box = (strip.x, strip.y, strip.across, strip.down)
    for mark in tree.findall(f"{SVG}rect"):
        assert tuple(int(mark.get(k)) for k in ("x", "y", "width", "height")) == box
    kind, _, data = tree.find(f"{SVG}image").get("href").partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(data) == (folder(pictured) / f"{strip.id}-whole.png").read_bytes()
    assert f"{strip.x} from the left" in tree.find(f"{SVG}title").text


def test_one_range_and_the_rule_of_the_places_are_said(pictured):
    maps = charts(pictured)["gv-fig1"]
    assert re.fullmatch(r"black is 0, white 0\.\d\d of the image’s range.*", maps.strips[0].range)
    ((_, facts),) = maps.made
    assert "ESPCN and ESPCN + GV differ most: the square of 128 HR pixels" in dict(facts)["boxes"]
    assert [shot.lines[0][:7] for shot in maps.strips[0].shots if shot.file] == 4 * ["mean 0."]


def test_curves_say_their_means_and_the_loss(pictured):
    first, second = charts(pictured)["gv-fig2"].plots
    for plot in (first, second):
        hr, plain, with_loss = plot.series
        assert (hr.share, hr.loss) == ("100%", "–")
        assert float(plain.mean) < float(with_loss.mean)
        assert [len(each.line) for each in plot.series] == [60, 60, 60]
        heights = [float(y) for _, y in hr.line]
        assert heights == sorted(heights, reverse=True), "in the order of the original's"
        assert f"HR {hr.mean} (100%), ESPCN {plain.mean}" in plot.words


def test_without_panels_the_figure_says_so_and_has_no_file(tmp_path):
    each = lay_pictures(tmp_path)
    tabulate.tabulate(each, tmp_path)
    report.report(each, tmp_path)
    assert [p.name for p in folder(tmp_path).iterdir() if "crops" in p.name] == []
    for name in ("index.html", "index.md"):
        assert read(tmp_path, "demo", name).count("Not drawn: its SR images are not here yet") == 3


def test_a_panel_that_was_removed_is_refused(pictured, tmp_path):
    root = shutil.copytree(pictured, tmp_path / "root")
    gone = named(root, "crops").held(root) / "2-espcn.png"
    gone.unlink()
    with pytest.raises(
        Refused, match=r"2-espcn.png: no such file; remove its folder and run `acut"
    ):
        report.report(study.load(root, "demo"), root)


@LATEX
@pytest.mark.parametrize("document", ["gv-crops", "gv-fig1", "gv-fig2"])
def test_latex_compiles(document, pictured, tmp_path):
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [*command, f"-output-directory={tmp_path}", f"{document}.tex"],
        cwd=folder(pictured), capture_output=True, check=False,
    )  # fmt: skip
    log = (tmp_path / f"{document}.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log
    assert "Warning" not in log
