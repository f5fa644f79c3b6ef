"""Tables whose every text is hostile: shown as text, by a real browser and a real LaTeX."""

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from acutance import paths, study
from synthetic import fill, lay, make

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
SCRIPT = (
    "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    "<svg onload=document.title='run'> javascript:alert(1) {{7*7}} {% raw %} <<7*7>>"
)
LATEX = r"\input{/etc/passwd}\end{tabular}\write18{touch hacked}\catcode`\%=12 %#&~^_${}"
HOSTILE = f"{SCRIPT} {LATEX}"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a demo: its title, labels of rows, columns and data sets, and claims spoilt."""
    root = lay(tmp_path_factory.mktemp("pages"))
    gv = root / paths.PUBLISHED / "gv"
    quoted = json.dumps(HOSTILE)
    layout = (gv / "layout.yaml").read_text(encoding="utf-8")
    layout = re.sub(
        r"^(title|authors|venue): .*$", lambda m: f"{m[1]}: {quoted}", layout, flags=re.M
    )
    layout = layout.replace("photographs: Photographs", f"photographs: {quoted}")
    (gv / "layout.yaml").write_text(layout, encoding="utf-8")
    for name, columns in (("cells.csv", ("row", "note")), ("claims.csv", ("claim", "source"))):
        with (gv / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row |= {column: f"{row[column]} {HOSTILE}" for column in columns}
        with (gv / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    demo = root / paths.STUDIES / "demo.yaml"
    text = demo.read_text(encoding="utf-8")
    demo.write_text(text.replace("title: Demonstration", f"title: {quoted}"), encoding="utf-8")
    fill(study.load(root, "demo"), root)
    make(root, "demo")
    return root / paths.REPORT.format(study="demo")


@pytest.fixture(scope="module")
def shown(pages: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Title and text of the page in a browser, and what it asked for or complained of."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page, odd = browser.new_page(), []
        page.on("console", lambda message: odd.append(message.text))
        page.on("dialog", lambda dialog: odd.append(dialog.message))
        address = (pages / "index.html").as_uri()
        allowed = (address, "data:")
        page.on("request", lambda r: None if r.url.startswith(allowed) else odd.append(r.url))
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        yield page.title(), page.locator("body").text_content() or "", odd
        browser.close()


def test_no_script_of_a_table_runs_in_a_browser(shown: tuple[str, str, list[str]]) -> None:
    title, text, odd = shown
    assert "<script>" in title, "the title is text, and was not changed by a script"
    assert text.count(SCRIPT) > 10
    assert odd == []


@pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="no pdflatex: apt install texlive-latex-recommended"
)
def test_no_command_of_a_table_runs_in_latex(pages: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-recorder", "-shell-escape",
         f"-output-directory={made}", "gv-table1.tex"],
        cwd=pages, capture_output=True, check=False,
    )  # fmt: skip
    log = (made / "gv-table1.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "/etc/passwd" not in (made / "gv-table1.fls").read_text()
    assert "runsystem" not in log, "not even where LaTeX may run commands"
    assert not [*pages.rglob("hacked"), *tmp_path.rglob("hacked")]
