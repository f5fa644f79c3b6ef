"""README: what its table says is what the commands beside it compute."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from acutance import bill, published
from acutance.book import open_book
from acutance.calibrate import calibrate
from acutance.calibrations import read
from acutance.count import Counter
from acutance.sizes import UNITS
from acutance.study import load

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def agreement() -> Iterator[tuple[str, list[str]]]:
    """Paper and fields of each row of the agreement table."""
    for line in README.splitlines():
        fields = [field.strip() for field in line.strip("|").split("|")]
        found = re.match(r"\[?(GV|FD|SPSR|DGGGAN)\b", fields[0])
        if found and len(fields) == 5:
            yield found[1].lower(), fields


def test_every_paper_whose_cells_are_here_has_a_row_with_their_count() -> None:
    rows = dict(agreement())
    papers = {p.parent.name for p in (ROOT / "data/published").glob("*/cells.csv")}
    assert set(rows) == papers
    for paper, fields in rows.items():
        cells = published.read_cells(ROOT / "data/published" / paper / "cells.csv")
        assert fields[1].endswith(f" of {len(cells)}")


def test_the_cost_of_the_gv_paper_is_what_plan_counts() -> None:
    tracks = (track for track in load(ROOT, "papers").tracks if track.paper == "gv")
    runs = {e.run.id: e.run for track in tracks for e in track.evaluations}.values()
    total = sum(bill.training_flops(run) for run in runs) / 1e15
    assert f"{total:,.0f} PFLOP" in dict(agreement())["gv"][3]


def test_the_bicubic_rows_agree_as_the_table_says(photographs: Path) -> None:
    book, _ = open_book(ROOT, None)
    rows = dict(agreement())
    for calibration in read(book):
        if calibration.name not in rows:
            continue  # of numbers that authors print elsewhere: no cells of a paper
        folders = {
            d.name: place
            for d in calibration.datasets
            if (place := photographs / {"bsd100": "BSD100"}.get(d.name, d.name.title())).is_dir()
            and any(place.glob("*.*g"))
        }
        found = [a for a in calibrate(calibration, folders) if a.measured is not None]
        assert rows[calibration.name][1].startswith(f"{sum(a.agrees for a in found)} of ")
        assert all(a.agrees for a in found)
        assert rows[calibration.name][2] == "0, 0"


def test_the_sizes_of_dgggan_agree_as_the_table_says() -> None:
    cells = published.read_cells(ROOT / "data/published/dgggan/cells.csv")
    track = next(track for track in load(ROOT, "papers").tracks if track.name == "dgggan")
    rules = dict(track.sizes)
    apart = {
        c: round(
            Decimal(Counter(each.model, each.scale).value(rules[c.metric])) / UNITS[c.unit],
            c.decimals,
        )
        - c.number
        for each in track.sized
        for c in cells
        if c.table in track.tables and not c.dataset and c.system == each.printed
    }
    fields = dict(agreement())["dgggan"]
    assert fields[1].startswith(f"{len(apart)} of ")
    assert sum(difference == 0 for difference in apart.values()) > len(apart) / 2
    worst = max(apart, key=lambda cell: abs(apart[cell]))
    sign = "\N{MINUS SIGN}" if apart[worst] < 0 else "+"
    assert fields[2] == f"0, {sign}{abs(apart[worst])} {worst.unit}"


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_what_it_links_to_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_its_tree_is_the_tree() -> None:
    tree = README.partition("## The tree")[2].partition("```\n")[2].partition("```")[0]
    for name in re.findall(r"[\w.]+(?:/|\.yaml)", tree):
        made = {"hr/", "lr/", "packed/", "results/", "reports/"}
        places = [ROOT, ROOT / "data", ROOT / "src/acutance", ROOT / "src"]
        assert name in made or any((place / name).exists() for place in places), name
