"""Reports in a real browser: quiet, self-contained, legible on a phone and in the dark."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from acutance import paths

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def opened(browser: Browser, path: Path, *, width: int, scheme: str) -> tuple[Page, list[str]]:
    """Opens a page; returns it with what went wrong: console messages and outside requests."""
    context = browser.new_context(
        viewport={"width": width, "height": 812}, color_scheme=scheme, reduced_motion="reduce"
    )
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    mine = (f"{path.parent.as_uri()}/", "data:")
    page.on("request", lambda r: None if r.url.startswith(mine) else wrong.append(r.url))
    page.goto(path.as_uri())
    return page, wrong


# Texts whose contrast with what lies behind them is below WCAG's 4.5 : 1.
CONTRAST = r"""() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map(value => {
      value /= 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\)$/.test(colour) && colour !== "transparent") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!text || !element.checkVisibility() || element.closest(".sr, .skip")) continue;
    const pair = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) poor.push(element.className + ": " + element.textContent.slice(0, 30));
  }
  return poor;
}"""
WHICH = [
    ("root", "papers"),
    ("root", "demo"),
    ("hostile", "demo"),
    ("twin", "twin"),
    ("pictured", "demo"),
]
LOOKS = [(width, scheme) for width in (375, 1280) for scheme in ("light", "dark")]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("which", WHICH)
def test_the_page_in_a_browser(browser, request, which, look):
    (fixture, name), (width, scheme) = which, look
    path = request.getfixturevalue(fixture) / paths.REPORT.format(study=name) / "index.html"
    page, wrong = opened(browser, path, width=width, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width, "overflows sideways"
    assert page.evaluate(CONTRAST) == []
    assert wrong == []
    page.context.close()


def test_a_number_shows_its_origin_when_pressed(browser, root):
    path = root / paths.REPORT.format(study="papers") / "index.html"
    page, wrong = opened(browser, path, width=375, scheme="light")
    button = page.locator("#gv-table1 button.cell").nth(1)
    box = page.locator(f"#{button.get_attribute('popovertarget')}")
    assert not box.is_visible()
    button.press("Enter")
    assert box.is_visible()
    text = box.inner_text()
    for part in ("VDSR on Set14 ×2, stated", "commit 0123456789", "Test CPU <0>"):
        assert part in text
    assert re.search(r"results/scores/vdsr_x2_s0@[0-9a-f]{10}/set14_bicubic@[0-9a-f]{10}.csv", text)
    page.keyboard.press("Escape")
    assert not box.is_visible()
    assert wrong == []
    page.context.close()


def test_the_first_column_stays_in_sight(browser, root):
    path = root / paths.REPORT.format(study="papers") / "index.html"
    page, _ = opened(browser, path, width=375, scheme="light")
    head = page.locator("#gv-table1 tbody .head").first
    before = head.bounding_box()["x"]
    page.evaluate("document.querySelector('#gv-table1 .scroll').scrollLeft = 400")
    assert head.bounding_box()["x"] == before
    assert page.locator("#gv-table1 tbody td").first.bounding_box()["x"] < 0
    page.context.close()


# Sizes of a figure's letters on the screen, in CSS pixels; the axis upwards is turned.
LETTERS = """() => [...document.querySelectorAll("#twin-fig1 text")].map(text => {
  const turned = text.getScreenCTM();
  return Math.hypot(turned.a, turned.b) * parseFloat(getComputedStyle(text).fontSize);
})"""


def test_a_figure_is_drawn_in_the_colours_of_the_page(browser, twin):
    path = twin / paths.REPORT.format(study="twin") / "index.html"
    fills = {}
    for scheme in ("light", "dark"):
        page, wrong = opened(browser, path, width=375, scheme=scheme)
        drawings = page.locator("#twin-fig1 svg")
        assert drawings.count() == 2
        for n in range(2):
            box = drawings.nth(n).bounding_box()
            assert box["x"] >= 0
            assert 250 < box["width"] <= 375
            assert 0.7 < box["height"] / box["width"] < 0.8
        assert min(page.evaluate(LETTERS)) >= 9, "small on a phone, and still legible"
        fill = "getComputedStyle(document.querySelector('#twin-fig1 {} path')).fill"
        fills[scheme] = [page.evaluate(fill.format(f"g.s{n}")) for n in (1, 2, 3, 4)]
        assert len(set(fills[scheme])) == 4
        assert wrong == []
        page.context.close()
    assert not set(fills["light"]) & set(fills["dark"])


def test_a_drawing_has_a_name_and_words(browser, twin):
    path = twin / paths.REPORT.format(study="twin") / "index.html"
    page, _ = opened(browser, path, width=1280, scheme="light")
    drawing = page.get_by_role("img", name="Gain of LapSRN + FD over LapSRN, ×4")
    assert drawing.count() == 1
    assert "Spearman’s rank correlation is" in drawing.locator("desc").text_content()
    assert drawing.locator("g path title").first.text_content().startswith("Urban100, im_")
    page.context.close()


def test_panels_load_and_keep_their_pixels_apart(browser, pictured, tmp_path):
    folder = shutil.copytree(pictured / paths.REPORT.format(study="demo"), tmp_path / "a copy")
    page, wrong = opened(browser, folder / "index.html", width=375, scheme="dark")
    images = page.locator("#gv-crops img, #gv-fig1 img")
    assert images.count() == 3 * 5
    for n in range(images.count()):
        image = images.nth(n)
        image.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete", arg=image.element_handle())
        assert image.evaluate("image => image.naturalWidth") > 0
        assert len(image.get_attribute("alt")) > 20
        box = image.bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= 375
    pixels = page.locator("#gv-crops img.pixels").first
    assert pixels.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    assert page.locator("#gv-fig2 svg").count() == 2
    assert wrong == []
    page.context.close()
