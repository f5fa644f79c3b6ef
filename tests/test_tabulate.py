"""Tables from made-up scores: every cell filled or with its reason, every digit accounted for."""

import math
from decimal import Decimal
from pathlib import Path

import pytest

from acutance import paths, published, study, tabulate
from acutance.comparisons import HEAD as CLAIMS_HEAD
from acutance.errors import Refused
from acutance.measured import Measured
from acutance.rows import SCORES, mean, read_rows, read_scores, written
from acutance.sheet import HEAD, difference, outside, rounded
from synthetic import fill, lay, write_scores


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with all scores of `demo` and `classic`, and of `papers` all but those of EDSR."""
    root = lay(tmp_path_factory.mktemp("project"))
    for name in ("demo", "classic", "papers"):
        each = study.load(root, name)
        fill(each, root, lambda e: "edsr" not in e.run.system)
        tabulate.tabulate(each, root, full=study.load(root, "papers"))
    return root


def table(root: Path, name: str, which: str = "table1", head: str = HEAD) -> list[dict[str, str]]:
    path = root / paths.TABLE.format(study=name, paper="gv", table=which)
    return [row for _, row in read_rows(path, head)]


def test_every_printed_cell_stands_in_both_tracks(root):
    cells = published.read(root / paths.PUBLISHED / "gv").cells
    for which in ("table1", "table2"):
        wanted = [(c.row, c.column, c.system, c.metric, c.value) for c in cells if c.table == which]
        for track in ("gv-stated", "gv-released"):
            rows = [r for r in table(root, "papers", which) if r["track"] == track and r["printed"]]
            found = [(r["row"], r["column"], r["system"], r["metric"], r["printed"]) for r in rows]
            assert found == wanted, "all cells, in printed order, digits as printed"


def test_a_cell_is_filled_or_says_why(root):
    for name, which in (
        ("papers", "table1"),
        ("papers", "table2"),
        ("demo", "table1"),
        ("classic", "table1"),
    ):
        for row in table(root, name, which):
            assert bool(row["rebuilt"]) != bool(row["reason"]), row
            assert bool(row["rebuilt"]) == bool(row["runs"]), row
            assert bool(row["difference"]) == bool(row["rebuilt"] and row["printed"]), row


def test_rebuilt_is_the_mean_of_the_images(root):
    each = study.load(root, "papers")
    track = each.tracks[0]
    evaluation = next(e for e in track.evaluations if e.run.system == "vdsr+gv")
    metric = dict(track.metrics)["psnr"].name
    values = read_scores(root / evaluation.scores)[metric].values()
    row = next(
        r for r in table(root, "papers")
        if (r["track"], r["system"], r["metric"]) == (track.name, "vdsr+gv", "psnr")
        and (r["dataset"], r["scale"]) == (evaluation.dataset.name, str(evaluation.run.scale))
    )  # fmt: skip
    assert float(row["rebuilt"]) == pytest.approx(sum(values) / len(values), rel=1e-12)
    assert row["protocol"] == metric
    assert row["variant_of"] == "vdsr"
    assert row["unit"] == "dB"
    assert row["seeds"] == "0"
    assert row["runs"] == evaluation.run.id
    exact = Decimal(f"{float(row['rebuilt']):.2f}") - Decimal(row["printed"])
    assert Decimal(row["difference"]) == exact


def test_what_is_not_computed_names_the_file(root):
    rows = [r for r in table(root, "papers") if r["system"] == "edsr"]
    assert len(rows) == 2 * 4 * 3 * 2
    for row in rows:
        assert row["reason"].startswith("not computed yet: results/scores/edsr_x")
        assert not (root / row["reason"].partition(": ")[2]).exists()


def test_a_system_that_the_study_does_not_train_says_who_does(root):
    row = next(r for r in table(root, "demo") if r["system"] == "edsr+gv")
    assert row["reason"] == "EDSR + GV is not trained in this study, but in the study 'papers'"
    alone = study.load(root, "demo")
    paper = published.read(root / paths.PUBLISHED / "gv")
    rows = tabulate.table_rows(paper, "table1", Measured(alone.tracks[0], root))
    reasons = {r["reason"] for r in rows if r["system"] == "edsr"}
    assert reasons == {"EDSR is not trained in this study"}


def test_sets_of_our_own_follow_the_papers_layout(root):
    rows = table(root, "demo")
    assert [*dict.fromkeys(r["row"] for r in rows)] == [f"Photographs / {s}" for s in (2, 3, 4)]
    columns = ["Bicubic", "VDSR", "VDSR + GV", "EDSR", "EDSR + GV", "ESPCN", "ESPCN + GV"]
    assert [*dict.fromkeys(r["column"] for r in rows)] == columns
    assert not any(r["printed"] for r in rows)
    sets = [*dict.fromkeys(r["dataset"] for r in table(root, "classic"))]
    assert sets == ["set14", "set5", "bsd100"], "printed sets in printed order, then our own"


def test_print_that_cannot_be_compared_is_not_shown(root):
    assert not any(r["printed"] or r["difference"] for r in table(root, "classic"))


def test_print_outside_the_study_is_named(root):
    paper = published.read(root / paths.PUBLISHED / "gv")
    demo, papers = study.load(root, "demo"), study.load(root, "papers")
    named = outside(paper, paper.tables["table1"], demo.tracks)
    assert named == tuple(f"{n} ×2, ×3, ×4" for n in ("Set14", "Set5", "Urban", "DIV2K validation"))
    assert outside(paper, paper.tables["table2"], demo.tracks) == ("DIV2K validation ×2",)
    assert outside(paper, paper.tables["table1"], papers.tracks) == ()


def test_the_same_inputs_give_the_same_bytes(root):
    each = study.load(root, "demo")
    before = {p: p.read_bytes() for p in tabulate.tabulate(each, root)}
    assert {p: p.read_bytes() for p in tabulate.tabulate(each, root)} == before


def test_claims_on_rebuilt_scores(root):
    rows = table(root, "papers", "claims", CLAIMS_HEAD)
    first = [r for r in rows if (r["id"], r["track"]) == ("gv01", "gv-stated")]
    assert len(first) == 12
    for row in first:
        assert row["rebuilt"] in ("holds", "undecided"), "made to be 0.25 dB better"
        assert float(row["low"]) <= float(row["rebuilt_difference"]) <= float(row["high"])
        assert (row["level"], row["seeds"]) == ("0.95", "1")
    large = [r for r in first if r["dataset"] in ("urban100", "div2k-val")]
    assert all((r["rebuilt"], r["images"]) == ("holds", "100") for r in large)
    third = [r for r in rows if r["id"] == "gv03"]
    assert all(r["rebuilt"] == "not computed" and "not computed yet" in r["reason"] for r in third)


def test_claims_that_need_other_data_say_so(root):
    rows = {r["id"]: r for r in table(root, "papers", "claims", CLAIMS_HEAD)}
    for claim, metric in (
        ("gv17", "gradient-variance"),
        ("gv18", "gradient-variance"),
        ("gv19", "latency"),
    ):
        assert (rows[claim]["printed"], rows[claim]["rebuilt"]) == ("not testable", "not computed")
        assert metric in rows[claim]["reason"]
        assert "not measured" in rows[claim]["reason"]


def test_a_claim_is_tried_on_our_own_sets_where_its_own_are_missing(root):
    rows = [r for r in table(root, "demo", "claims", CLAIMS_HEAD) if r["id"] == "gv05"]
    own = [r for r in rows if r["claimed"] == "no"]
    assert [(r["dataset"], r["scale"]) for r in own] == [("photographs", s) for s in "234"]
    assert all(r["rebuilt"] != "not computed" for r in own)
    assert all(r["rebuilt"] == "not computed" for r in rows if r["claimed"] == "yes")


def test_seeds_that_are_missing_are_counted(tmp_path):
    root = lay(tmp_path)
    params = root / paths.STUDIES / "demo.yaml"
    params.write_text(
        params.read_text(encoding="utf-8").replace("seeds: [0]", "seeds: [0, 1, 2]"),
        encoding="utf-8",
    )
    each = study.load(root, "demo")
    fill(each, root, lambda e: e.run.seed < 2)
    tabulate.tabulate(each, root)
    row = next(r for r in table(root, "demo") if r["system"] == "espcn")
    assert row["seeds"] == "0;1"
    assert row["reason"].startswith("1 of 3 seeds not computed yet: results/scores/espcn_x2_s2@")
    done = [e for e in each.evaluations if e.run.id in row["runs"].split(";")]
    values = [mean([*read_scores(root / e.scores)["psnr_float"].values()]) for e in done]
    assert len(values) == 2
    assert float(row["rebuilt"]) == mean(values)
    bicubic = next(r for r in table(root, "demo") if r["system"] == "bicubic")
    assert (bicubic["seeds"], bicubic["reason"]) == ("", "")
    claims = table(root, "demo", "claims", CLAIMS_HEAD)
    own = next(r for r in claims if r["id"] == "gv05" and r["claimed"] == "no")
    assert own["seeds"] == "2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{SCORES}\na,psnr_float,30,\na,psnr_float,31,\n", "image 'a' stands there twice"),
        (f"{SCORES}\na,psnr_float,high,\n", "wants a number, found 'high'"),
        (f"{SCORES}\na,psnr_float,nan,\n", "is not a number"),
        ("image,metric\na,psnr_float\n", "wants the columns image,metric,value,reason"),
        (f"{SCORES}\nmean,psnr_float,30,\n", "metric 'psnr_float' has no image"),
        (f"{SCORES}\na,psnr_float,,\n", "wants a number, found ''"),
        (f"{SCORES}\na,psnr_other,30,\nmean,psnr_other,30,\n", "no metric 'psnr_float'"),
    ],
)
def test_a_damaged_score_file_is_refused(tmp_path, text, message):
    root = lay(tmp_path)
    each = study.load(root, "demo")
    path = root / each.evaluations[0].scores
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=message) as error:
        tabulate.tabulate(each, root)
    assert "\n" not in str(error.value)


def test_an_image_met_exactly_is_infinitely_good(tmp_path):
    root = lay(tmp_path)
    each = study.load(root, "demo")
    fill(each, root)
    evaluation = next(e for e in each.evaluations if e.run.system == "espcn")
    path = root / evaluation.scores
    write_scores(path, evaluation)
    text = path.read_text(encoding="utf-8")
    rows = text.splitlines()
    for row in (rows[1], next(r for r in rows if r.startswith("mean,psnr"))):
        text = text.replace(row.split(",")[2], "inf")
    path.write_text(text, encoding="utf-8")
    tabulate.tabulate(each, root)
    assert "inf" in {r["rebuilt"] for r in table(root, "demo")}
    claims = table(root, "demo", "claims", CLAIMS_HEAD)
    assert any("met exactly" in r["reason"] for r in claims)


@pytest.mark.parametrize(
    ("rebuilt", "printed", "expected"),
    [
        (28.004999, "28.00", "0.00"),
        (27.996, "28.00", "0.00"),
        (0.9036849, "0.9036", "0.0001"),
        (26.0, "26.48", "-0.48"),
    ],
)
def test_a_difference_is_taken_after_rounding(root, rebuilt, printed, expected):
    cells = published.read(root / paths.PUBLISHED / "gv").cells
    cell = type(cells[0])(**{**cells[0].__dict__, "value": printed})
    assert difference(rebuilt, cell) == expected
    assert difference(None, cell) == difference(rebuilt, None) == difference(math.inf, cell) == ""


def test_rounding_is_that_of_the_decimal_number():
    assert (rounded(0.125, 2), rounded(0.375, 2), rounded(2.675, 2)) == ("0.12", "0.38", "2.68")
    assert rounded(math.inf, 2) == "inf"


def test_rows_survive_what_csv_must_quote(tmp_path):
    rows = [{"a": 'x,"y"\nz', "b": ""}]
    path = tmp_path / "rows.csv"
    path.write_text(written("a,b", rows), encoding="utf-8", newline="")
    assert [row for _, row in read_rows(path, "a,b")] == rows
