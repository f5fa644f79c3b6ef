"""A figure in every format of a report: SVG, pages, LaTeX; and what stands where none is drawn."""

import json
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from test_escape import LATEX, Outline

from acutance import paths, report, study, tabulate
from acutance.points import HEAD
from acutance.rows import read_rows
from synthetic import HOSTILE, make, read
from twin import lay_twin, likely, write

SVG = "{http://www.w3.org/2000/svg}"
FILES = [
    "twin-fig1-1-picture.tex", "twin-fig1-1.svg", "twin-fig1-2-picture.tex", "twin-fig1-2.svg",
    "twin-fig1.tex",
]  # fmt: skip


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """The twin with a hostile name for its LapSRN, on two sets, one of them not computed."""
    root = tmp_path_factory.mktemp("odd")
    lay_twin(root)
    overlay = root / paths.STUDIES / "twin.yaml"
    text = overlay.read_text(encoding="utf-8")
    overlay.write_text(text.replace("set5, set14, bsd100, urban100", "set5, set14"), "utf-8")
    layout = root / paths.PUBLISHED / "twin" / "layout.yaml"
    text = layout.read_text(encoding="utf-8")
    layout.write_text(text.replace("espcn: LapSRN", f"espcn: {json.dumps(HOSTILE)}"), "utf-8")
    each = study.load(root, "twin")
    write(root, each, *likely(), lambda e: e.dataset.name == "set5")
    make(root, "twin")
    return root


def folder(root):
    return root / paths.REPORT.format(study="twin")


def test_a_figure_has_its_files_and_the_same_bytes(twin):
    before = {path.name: path.read_bytes() for path in folder(twin).iterdir()}
    assert [name for name in sorted(before) if "fig1" in name] == FILES
    report.report(study.load(twin, "twin"), twin)
    assert {path.name: path.read_bytes() for path in folder(twin).iterdir()} == before


@pytest.mark.parametrize("which", ["twin", "odd"])
def test_an_svg_stands_alone(which, request):
    root = request.getfixturevalue(which)
    csv = root / paths.FIGURES.format(study="twin", paper="twin")
    rows = [row for _, row in read_rows(csv, HEAD) if row["image"]]
    for panel in ("1", "2"):
        text = (folder(root) / f"twin-fig1-{panel}.svg").read_text(encoding="utf-8")
        drawing = ET.fromstring(text)  # noqa: S314 - our own file
        assert drawing.find(f"{SVG}title").text
        assert "correlation" in drawing.find(f"{SVG}desc").text
        marks = drawing.findall(f".//{SVG}g/{SVG}path")
        assert len(marks) == sum(row["panel"] == panel for row in rows)
        assert {element.tag for element in drawing.iter()} <= {
            SVG + tag for tag in ("svg", "title", "desc", "style", "rect", "path", "text", "g")
        }
        assert "prefers-color-scheme: dark" in text
        assert re.findall(r"(?:href|src)=|url\(", text) == []


@pytest.mark.parametrize("which", ["twin", "odd"])
def test_pages_with_a_figure_are_well_formed(which, request):
    root = request.getfixturevalue(which)
    page, text = read(root, "twin", "index.html"), read(root, "twin", "index.md")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert {one for each in outline.references for one in each.split()} <= set(outline.ids)
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    images = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', html)
    assert [name for name, _ in images] == ["twin-fig1-1.svg", "twin-fig1-2.svg"]
    for name, words in images:
        assert (folder(root) / name).is_file()
        assert "Spearman’s rank correlation is" in words
    for chart in report.gather(study.load(root, "twin"), root, "x").chapters[0].charts:
        for each in [each for plot in chart.drawn for each in plot.correlations]:
            assert f"<td>{each.spearman}</td><td>{each.pearson}</td>" in page
            assert f"| {each.label} | {each.images} | {each.spearman} | {each.pearson} |" in text


def test_what_is_missing_is_said_beside_what_is_drawn(odd):
    page, text = read(odd, "twin", "index.html"), read(odd, "twin", "index.md")
    assert "BSD100, Urban100: not in this study" in page
    assert text.count("Not all of it is drawn: ") == 2
    assert "at scale 4 on Set14: not computed yet" in text


def test_a_figure_without_scores_says_so_and_has_no_file(tmp_path):
    each = lay_twin(tmp_path)
    tabulate.tabulate(each, tmp_path)
    report.report(each, tmp_path)
    assert [path.name for path in folder(tmp_path).iterdir() if "fig1" in path.name] == []
    page, text = read(tmp_path, "twin", "index.html"), read(tmp_path, "twin", "index.md")
    reason = "Not drawn: LapSRN at scale 4 on Set5, LapSRN at scale 4 on Set14"
    assert reason in page
    assert reason in text
    assert "<svg" not in page
    assert "](twin-fig1" not in text


def test_what_is_ours_has_rows_at_its_own_scales_alone(twin):
    chapter = report.gather(study.load(twin, "twin"), twin, "x").chapters[0]
    rows = [group.name for block in chapter.grids[1].blocks for group in block.groups]
    printed = ("Bicubic", "SRCNN", "VDSR", "LapSRN", "Ours")
    assert rows == ["×2 vdsr-l1", *(f"×{s} {name}" for s in (2, 3, 4) for name in printed)]
    assert chapter.grids[1].footnotes == (), "nothing is empty for being run at another scale"


@LATEX
@pytest.mark.parametrize("which", ["twin", "odd"])
@pytest.mark.parametrize("document", ["twin-fig1", "twin-table1", "twin-table2"])
def test_latex_compiles(which, document, request, tmp_path):
    root = request.getfixturevalue(which)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [*command, f"-output-directory={tmp_path}", f"{document}.tex"],
        cwd=folder(root), capture_output=True, check=False,
    )  # fmt: skip
    log = (tmp_path / f"{document}.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log
    assert "Warning" not in log
