"""What reports say: every number with its origin, every gap with its reason, the same bytes."""

import html
import json

import pytest

from acutance import calibrate, entries, paths, report, study, tabulate
from acutance.agreement import calibrated
from acutance.book import open_book
from acutance.colophon import trained
from acutance.errors import Refused
from acutance.escape import markdown
from acutance.origins import origins
from acutance.protocols import WORDS, headed
from synthetic import fill, lay, make, read


def test_the_same_results_give_the_same_bytes(root):
    folder = root / paths.REPORT.format(study="papers")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == [
        *(f"dgggan-table{n}{end}.tex" for n in range(1, 6) for end in ("-tabular", "")),
        "fd-fig1-1-picture.tex", "fd-fig1-1.svg", "fd-fig1-2-picture.tex", "fd-fig1-2.svg",
        "fd-fig1.tex",
        "fd-table1-tabular.tex", "fd-table1.tex", "fd-table2-tabular.tex", "fd-table2.tex",
        "gv-table1-tabular.tex", "gv-table1.tex", "gv-table2-tabular.tex", "gv-table2.tex",
        "index.html", "index.md",
        "spsr-fig4-1-picture.tex", "spsr-fig4-1.svg", "spsr-fig4-2-picture.tex", "spsr-fig4-2.svg",
        "spsr-fig4.tex",
        *(f"spsr-table{n}{end}.tex" for n in range(1, 8) for end in ("-tabular", "")),
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


def test_what_a_paper_leaves_open_is_said(root):
    page, text = read(root, "papers", "index.html"), read(root, "papers", "index.md")
    tracks = study.load(root, "papers").tracks
    readings = [reading for track in tracks for reading in track.readings]
    assert len(readings) > 5
    for reading in readings:
        assert reading in html.unescape(page)
        assert f"* {markdown(reading)}" in text


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


def test_nothing_is_best_of_what_is_neither_good_nor_bad(root, monkeypatch):
    monkeypatch.setattr(report, "_better", {"psnr": "neither", "ssim": "higher"}.get)
    first = report.gather(study.load(root, "papers"), root, "x").chapters[0].grids[0]
    assert not any(box.numbers[0].best for box in first.boxes)
    assert any(box.numbers[1].best for box in first.boxes)


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
    assert "Can fill all of the paper’s 162 printed cells." in page
    assert "CPU hours on Test CPU &lt;0&gt;, 2 threads" in page
    other = "Can fill none of the paper’s 162 printed cells: the track is another experiment"
    assert other in read(root, "demo", "index.html")


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
    assert '<td class="theirs">33.66</td><td>33.66</td><td>0.00</td>' in page
    assert "Not measured: 1 of 2 numbers (urban100: not here; fetch it)." in page
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


def test_what_made_a_table_stands_below_it(root):
    for name, command in (
        ("demo", "make demo"),
        ("papers", "snakemake --profile workflow/profiles/workstation --config study=papers"),
    ):
        chapter = report.gather(study.load(root, name), root, "x").chapters[0]
        page, text = read(root, name, "index.html"), read(root, name, "index.md")
        for grid in chapter.grids:
            for each in chapter.made[grid.id]:
                facts = dict(each.facts)
                assert {"tested on", "recipes", "seeds", "trained", "cost", "commit"} <= set(facts)
                for what, how in each.facts:
                    assert f"<dt>{what}</dt><dd>{how}</dd>" in html.unescape(page)
                    assert f"* {what}: {markdown(how)}" in text
        assert f">{command}</code>" in page
        assert f"* rebuild: `{command}`" in text
        assert "<details>\n<summary>How" not in page


def test_what_made_a_table_is_that_of_its_own_runs(root):
    chapter = report.gather(study.load(root, "papers"), root, "x").chapters[0]
    stated, released = (dict(each.facts) for each in chapter.made["gv-table1"])
    assert stated["trained"] == "12 of 18 runs, the last finished 2026-10-14 08:30 UTC"
    assert stated["commit"] == "0123456789"
    assert stated["PSNR"] == (
        "psnr_float (luma (BT.601, 16–235), SR image rounded to 8 bits, 2, 3, 4 pixels shaved off "
        "each side at ×2, ×3, ×4, grey pictures as three equal channels), mean over images"
    )
    assert "bilinear kernel" in released["LR to train"]
    assert "originals not cropped to a multiple of the scale" in released["LR to test"]
    assert released["trained on"].endswith("of each the 128 × 128 pixels at the centre")
    second = dict(chapter.made["gv-table2"][0].facts)
    assert second["tested on"] == "DIV2K validation (100 images)"
    assert second["trained"] == "9 of 9 runs, the last finished 2026-10-12 08:30 UTC"


def test_a_record_tells_machine_date_and_commits(tmp_path):
    root = lay(tmp_path)
    each = study.load(root, "demo")
    fill(each, root)
    run = next(run for run in each.runs if run.trained)
    path = root / paths.RUN_RECORD.format(run=run.id)
    record = json.loads(path.read_text(encoding="utf-8"))
    first = {"device": "NVIDIA H200", "device_type": "cuda", "threads": 4, "commit": "a" * 40}
    record["sittings"] = [first]
    path.write_text(json.dumps(record | {**first, "dirty": True}), encoding="utf-8")
    origin = origins(each, root)[run.id]
    assert origin.where == "GPU hours on NVIDIA H200"
    assert origin.commit == "aaaaaaaaaa, aaaaaaaaaa with uncommitted changes"
    both = [first, {"device": "AMD EPYC", "threads": 1, "commit": "b" * 40}]
    old = {"seconds": 3600, "sittings": both}
    path.write_text(json.dumps(old), encoding="utf-8")
    origin = origins(each, root)[run.id]
    assert (origin.kind, origin.finished) == ("", "")
    assert origin.where == "hours on NVIDIA H200; AMD EPYC, 1 thread"
    assert trained([origin])[0] == ("trained", "1 of 1 runs, no date recorded")


def test_nothing_measured_is_one_short_line():
    row = dict.fromkeys(report.CALIBRATION.split(","), "")
    rows = [
        row | {"dataset": name, "reason": f"{name} is not here; fetch it"}
        for name in ("set5", "set5", "set14")
    ]
    found = calibrated(rows)
    assert found is not None
    assert (found.lines, found.missing) == ((), "3 numbers on 2 data sets: not here; fetch it")
    assert calibrated([]) is None


def test_every_declared_protocol_is_said_in_words(root):
    book, _ = open_book(root, None)
    for kind in ("metrics", "degradations"):
        for name in book.section(kind):
            text = headed(entries.call(book, kind, name, scale=3))
            for argument, words in WORDS.items():
                for value in words:
                    assert f"{argument} {value}" not in text
