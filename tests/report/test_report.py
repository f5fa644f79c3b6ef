"""What reports say: every number with its origin, every gap with its reason, the same bytes."""

import pytest

from acutance import calibrate, paths, report, study, tabulate
from acutance.errors import Refused
from synthetic import fill, lay, make, read


def test_the_same_results_give_the_same_bytes(root):
    folder = root / paths.REPORT.format(study="papers")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == [
        "gv-table1-tabular.tex", "gv-table1.tex", "gv-table2-tabular.tex", "gv-table2.tex",
        "index.html", "index.md",
    ]  # fmt: skip
    report.report(study.load(root, "papers"), root)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_every_number_stands_on_the_page(root):
    page, text = read(root, "papers", "index.html"), read(root, "papers", "index.md")
    grids = report.gather(study.load(root, "papers"), root, "x").chapters[0].grids
    boxes = [box for grid in grids for box in grid.boxes]
    assert sum(box.filled for box in boxes) > 150
    for box in boxes:
        for number in box.numbers:
            assert number.text in page
            assert number.text in text
            assert number.difference in page
        if box.filled and box.rows:
            assert f'popovertarget="{box.id}"' in page
            assert f'id="{box.id}"' in page
            assert box.rows[0]["rebuilt"] in page, "in full, as its origin"


def test_the_best_of_each_row_is_marked(root):
    first, second = report.gather(study.load(root, "papers"), root, "x").chapters[0].grids
    lines = [line for group in first.blocks[0].groups for line in group.lines]
    assert len(lines) == 12 * 3
    for metric in (0, 1):
        for line in lines:
            numbers = [box.numbers[metric] for box in line.boxes if box.numbers[metric].text]
            values = [float(number.text) for number in numbers]
            assert {float(n.text) for n in numbers if n.best} == {max(values)}
    marked = [
        (group.heads[0][1], line.label)
        for group in second.blocks[0].groups
        for line in group.lines
        if line.boxes[0].numbers[0].best
    ]
    assert marked == [("SSIM loss + GV loss", who) for who in ("stated", "released", "print")]


def test_every_empty_cell_has_its_reason(root):
    for name in ("papers", "demo"):
        page = read(root, name, "index.html")
        for grid in report.gather(study.load(root, name), root, "x").chapters[0].grids:
            for box in grid.boxes:
                if box.rows and not box.filled:
                    assert box.reason
                    assert 1 <= box.note <= len(grid.footnotes)
                    assert f'id="{grid.id}-note-{box.note}"' in page
    assert "not computed yet: results/scores/edsr_x" in read(root, "papers", "index.html")


def test_the_summary_counts(root):
    stated, released = report.gather(study.load(root, "papers"), root, "x").chapters[0].parts
    for part in (stated, released):
        assert (part.summary.printed, part.summary.rebuilt) == (162, 162 - 48)
        assert part.summary.own == 24 + 2, "bicubic: 12 rows of two metrics, and one row of Table 2"
        assert part.summary.runs == (19, 25)
        assert sum(hours for _, hours in part.summary.hours) == pytest.approx(
            sum(321.5 * scale / 3600 for scale in [2] * 11 + [3] * 4 + [4] * 4)
        )
    page = read(root, "papers", "index.html")
    assert "114 <small>of 162 printed numbers rebuilt</small>" in page


def test_claims_have_two_verdicts(root):
    claims = report.gather(study.load(root, "papers"), root, "x").chapters[0].claims
    words = {one.claim.id: [v.word for v in one.verdicts] for one in claims}
    assert len(words) == 19
    assert words["gv01"][0] == words["gv16"][0] == "holds"
    assert words["gv03"] == ["fails", "not computed", "not computed"]
    assert words["gv17"] == ["not testable", "not computed", "not computed"]
    third = next(one for one in claims if one.claim.id == "gv03")
    assert third.verdicts[0].detail == "6 of 12 comparisons hold"


def test_calibration_is_shown_where_there_is_one(root):
    assert calibrate.HEAD == report.CALIBRATION
    page = read(root, "papers", "index.html")
    assert "1 <small>of 1 measured numbers agree" in page
    assert "<td>33.66</td><td>33.66</td>" in page
    assert "Not measured: 1 number (urban100 is not here; fetch it)." in page
    assert "Calibration" not in read(root, "demo", "index.html")


def test_a_report_without_tables_is_refused(tmp_path):
    root = lay(tmp_path)
    with pytest.raises(Refused, match=r"table1.csv: no such file; run `acutance tabulate` first"):
        report.report(study.load(root, "demo"), root)


def test_a_damaged_record_is_refused(tmp_path):
    root = lay(tmp_path)
    each = study.load(root, "demo")
    fill(each, root)
    tabulate.tabulate(each, root)
    run = next(run for run in each.runs if run.trained)
    path = root / paths.RUN_RECORD.format(run=run.id)
    for text, message in (("{", "not JSON"), ("[]", "does not say `seconds`")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(Refused, match=message):
            report.report(each, root)


def test_a_study_without_any_result_is_a_page_too(tmp_path):
    root = lay(tmp_path)
    folder = make(root, "demo")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "0 <small>of 18 numbers computed</small>" in page
    assert "0 of 6 runs trained" in page
