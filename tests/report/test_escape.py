"""Escaping: whatever a name holds, a report stays HTML, Markdown and LaTeX."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from acutance import paths, report, study
from acutance.escape import markdown, tex
from synthetic import HOSTILE, read


class Outline(HTMLParser):
    """Checks that tags match, and gathers identifiers, references and texts."""

    VOID = frozenset({"meta", "link", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name in ("popovertarget", "aria-labelledby"):
                self.references.append(value)
            elif name == "href" and value.startswith("#"):
                self.references.append(value[1:])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("which", ["root", "hostile"])
def test_html_is_well_formed(which, request):
    outline = Outline()
    outline.feed(read(request.getfixturevalue(which), "demo", "index.html"))
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.references) <= set(outline.ids)
    assert "script" not in outline.tags
    if which == "hostile":
        assert HOSTILE in outline.text
        assert "<b>&" not in read(request.getfixturevalue(which), "demo", "index.html")


@pytest.mark.parametrize(
    ("which", "name"), [("root", "demo"), ("root", "papers"), ("hostile", "demo")]
)
def test_markdown_tables_parse(which, name, request):
    root = request.getfixturevalue(which)
    text = read(root, name, "index.md")
    parser = MarkdownIt("gfm-like", {"linkify": False})
    opened = [token for token in parser.parse(text) if token.type == "table_open"]
    chapters = report.gather(study.load(root, name), root, "x").chapters
    shown = sum(len(grid.blocks) for chapter in chapters for grid in chapter.grids)
    for chart in (chart for chapter in chapters for chart in chapter.charts):
        shown += len(chart.strips) + (len(chart.drawn) if chart.kind != "edge" else 0)
    calibration = "## Calibration" in text
    assert len(opened) == shown + len(chapters) + 1 + calibration
    widths: set[int] = set()
    for line in text.splitlines():
        if not line.startswith("|"):
            assert len(widths) < 2, "rows of one table have one width"
            widths = set()
        else:
            widths.add(len(re.findall(r"(?<!\\)\|", line)))
    html = parser.render(text)
    if which == "hostile":
        assert "<b>" not in html
        assert "<a " not in html
        assert "&lt;b&gt;&amp;&quot;'|\\_{x}$%#~^* --`[a](b)" in html


def test_what_markdown_and_latex_escape():
    assert markdown("a\nb | *c* <d>") == "a b \\| \\*c\\* \\<d\\>"
    assert tex("50 % of a_b & {c} -- d") == r"50 \% of a\_b \& \{c\} -{}- d"
    assert tex("é 中") == "é [U+4E2D]"
    assert tex("\\") == r"\textbackslash{}"


LATEX = pytest.mark.skipif(
    not shutil.which("pdflatex"),
    reason="pdflatex is not installed: apt install texlive-latex-recommended",
)
DOCUMENTS = [
    ("root", "papers", "gv-table1"),
    ("root", "papers", "gv-table2"),
    ("root", "papers", "dgggan-table3"),
    ("root", "papers", "dgggan-table5"),
    ("root", "papers", "fd-table2"),
    ("root", "papers", "fd-fig1"),
    ("hostile", "demo", "gv-table1"),
]


@LATEX
@pytest.mark.parametrize(("which", "name", "table"), DOCUMENTS)
def test_latex_compiles(which, name, table, request, tmp_path):
    folder = request.getfixturevalue(which) / paths.REPORT.format(study=name)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [*command, f"-output-directory={tmp_path}", f"{table}.tex"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    log = (tmp_path / f"{table}.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log
    assert "Warning" not in log
    assert (tmp_path / f"{table}.pdf").read_bytes().startswith(b"%PDF")
