"""An image that a metric cannot measure: the others keep their values, the set has no mean."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from acutance import niqe, origins, paths, study, tabulate
from acutance.cli import main
from acutance.comparisons import HEAD as CLAIMS_HEAD
from acutance.errors import Refused, Unmeasurable
from acutance.image import write_png
from acutance.measured import Measured
from acutance.rows import average, read_rows, read_scores
from acutance.score import score_folders
from acutance.sheet import HEAD
from acutance.watch import watch
from synthetic import fill, lay, make, read

ROOT = Path(__file__).resolve().parents[1]
WHY = "an image of 90 x 300 pixels; NIQE needs a block of 96 x 96"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """HR and SR of two images, the second too small for MS-SSIM."""
    draw = np.random.default_rng(0)
    for folder in ("hr", "sr"):
        for name, side in (("large", 180), ("small", 60)):
            picture = draw.integers(0, 256, (side, 180, 3), dtype=np.uint8)
            write_png(tmp_path / folder / f"{name}.png", picture)
    return tmp_path / "hr", tmp_path / "sr"


def test_the_command_keeps_every_value_and_says_why_one_is_missing(folders, capsys) -> None:
    hr, sr = map(str, folders)
    command = ["--root", str(ROOT), "score", "--hr", hr, "--sr", sr, "--scale", "2"]
    assert main([*command, "--metric", "ms_ssim_float", "--metric", "psnr_float"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    at = {(row["image"], row["metric"]): row for row in rows}
    assert float(at["large", "ms_ssim_float"]["value"]) < 1
    why = "176 x 56 pixels to compare; MS-SSIM needs 176 x 176 or more"
    blank = [r for r in rows if not r["value"]]
    assert [(r["image"], r["metric"], r["reason"]) for r in blank] == [
        ("small", "ms_ssim_float", why),
        ("mean", "ms_ssim_float", f"1 of 2 images (small: {why})"),
    ]
    values = [float(at[image, "psnr_float"]["value"]) for image in ("large", "small")]
    assert float(at["mean", "psnr_float"]["value"]) == pytest.approx(sum(values) / 2, rel=1e-15)


def test_what_is_wrong_with_a_pair_refuses_the_whole(folders) -> None:
    hr, sr = folders

    def picky(_sr, _hr) -> float:
        raise Unmeasurable("never")

    rows = score_folders(hr, sr, [("picky", picky)], 2)
    assert [row[2] for row in rows] == ["never"] * 2 + ["2 of 2 images (large: never; …)"]
    write_png(sr / "small.png", np.zeros((60, 178, 3), np.uint8))
    with pytest.raises(Refused, match=r"small\.png: is 178 x 60, HR is 180 x 60"):
        score_folders(hr, sr, [("picky", picky)], 4)


def test_a_mean_over_fewer_images_is_never_given() -> None:
    assert average({"a": 1.0, "b": 4.0}) == 2.5
    assert average({"a": 1.0, "b": "flat"}) == "1 of 2 images (b: flat)"


def test_no_image_of_the_papers_sets_is_too_small_for_what_is_printed() -> None:
    """NIQE wants the most of what is: 96 pixels, after 4 are shaved at x4."""
    for name in ("set5", "set14", "bsd100", "general100", "urban100"):
        with (ROOT / "data" / "manifests" / f"{name}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                side = min(int(row["width"]), int(row["height"]))
                assert side // 4 * 4 - 2 * 4 >= niqe.BLOCK, row


def blanked(path: Path) -> None:
    """Takes the SSIM of the first image out of a score file, and its mean; leaves a reason."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for name in (None, "mean"):
        begin = f"{name},ssim_float," if name else ",ssim_float,"
        at = next(i for i, line in enumerate(lines) if begin in line)
        lines[at] = f"{lines[at].partition(',')[0]},ssim_float,,{WHY}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def blank(tmp_path_factory) -> tuple[Path, study.Study]:
    """The demo with all scores but ESPCN's SSIM of one image, which has a reason."""
    root = lay(tmp_path_factory.mktemp("blank"))
    each = study.load(root, "demo")
    fill(each, root)
    for evaluation in each.evaluations:
        if evaluation.run.system == "espcn":
            blanked(root / evaluation.scores)
    tabulate.tabulate(each, root)
    return root, each


def rows_of(root: Path, which: str, head: str) -> list[dict[str, str]]:
    path = root / paths.TABLE.format(study="demo", paper="gv", table=which)
    return [row for _, row in read_rows(path, head)]


def test_the_table_has_no_mean_and_says_why(blank) -> None:
    root, _ = blank
    own = [r for r in rows_of(root, "table1", HEAD) if r["system"] == "espcn"]
    own = [r for r in own if r["dataset"] == "photographs"]
    assert own
    for row in own:
        if row["metric"] == "psnr":
            assert (bool(row["rebuilt"]), row["reason"]) == (True, "")
        else:
            assert (row["rebuilt"], row["runs"]) == ("", "")
            assert row["reason"].startswith("ssim is not measured on 1 of 4 images (")
            assert row["reason"].endswith(f"{WHY})")


def test_an_image_with_a_value_keeps_it_where_images_are_shown_one_by_one(blank) -> None:
    root, each = blank
    (track,) = each.tracks
    measured, protocol = Measured(track, root), dict(track.metrics)["ssim"]
    evaluation = next(e for e in track.evaluations if e.run.system == "espcn")
    scores = measured.scores(evaluation, protocol)
    assert scores is not None
    assert [*scores.values()].count(WHY) == 1
    assert sum(isinstance(score, float) for score in scores.values()) == 3
    assert str(measured.images(evaluation, protocol)).startswith("1 of 4 images (")


def test_the_seeds_that_have_a_mean_are_told_from_those_that_have_none(tmp_path: Path) -> None:
    root = lay(tmp_path)
    overlay = root / paths.STUDIES / "demo.yaml"
    text = overlay.read_text(encoding="utf-8").replace("seeds: [0]", "seeds: [0, 1]")
    overlay.write_text(text, encoding="utf-8")
    each = study.load(root, "demo")
    fill(each, root)
    for evaluation in each.evaluations:
        if (evaluation.run.system, evaluation.run.seed) == ("espcn", 1):
            blanked(root / evaluation.scores)
    tabulate.tabulate(each, root)
    own = [r for r in rows_of(root, "table1", HEAD) if r["system"] == "espcn" and r["seeds"]]
    for row in own:
        if row["metric"] == "ssim":
            assert (bool(row["rebuilt"]), row["seeds"]) == (True, "0")
            assert row["reason"].startswith("ssim of 1 of 2 seeds is not measured on 1 of 4 images")
        else:
            assert (row["seeds"], row["reason"]) == ("0;1", "")
    assert {row["metric"] for row in own} == {"psnr", "ssim"}


def test_claims_are_not_judged_on_fewer_images(blank) -> None:
    root, _ = blank
    rows = [r for r in rows_of(root, "claims", CLAIMS_HEAD) if r["dataset"] == "photographs"]
    asked = [r for r in rows if "espcn" in (r["system"], r["baseline"]) and r["metric"] == "ssim"]
    assert asked
    for row in asked:
        assert row["rebuilt"] == "not computed"
        assert "is not measured on 1 of 4 images" in row["reason"]
    others = [r for r in rows if r["metric"] == "psnr" and r["system"] == "espcn+gv"]
    assert all(r["rebuilt"] != "not computed" for r in others)


def test_what_dvc_shows_has_no_mean_either(blank) -> None:
    root, each = blank
    metrics, _ = watch(each, root)
    found = json.loads(metrics.read_text())
    (track,) = found.values()
    assert track
    for at in track.values():
        assert "espcn psnr_float" in at
        assert "espcn ssim_float" not in at
        assert "bicubic ssim_float" in at


def test_the_page_says_it_once_below_the_table(blank) -> None:
    root, _ = blank
    make(root, "demo")
    page = read(root, "demo", "index.md")
    assert page.count("not measured on 1 of 4 images") >= 1
    assert "not measured" in read(root, "demo", "index.html")


def test_what_is_known_of_others_weights_is_not_compared_with_fewer(blank) -> None:
    root, each = blank
    evaluation = next(e for e in each.evaluations if e.run.system == "espcn")
    scores = {("stated", "photographs"): evaluation.scores}
    ((track, found),) = origins._measured("photographs", "ssim_float", root, scores)
    assert track == "stated"
    assert found == average(read_scores(root / evaluation.scores)["ssim_float"])
    assert str(found).startswith("1 of 4 images")
