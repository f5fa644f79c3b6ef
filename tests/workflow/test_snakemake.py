"""What runs again and what does not: by the real Snakemake, on a small real study."""

import csv
import os
import random
import shutil
import time

import pytest

from project import Project

pytestmark = pytest.mark.workflow

# One network anew, its images, scores and the three figures that show them, the pages
RETRAINED = {"fit": 1, "predict": 1, "measure": 1, "draw": 3, "pages": 1}


def test_a_finished_study_has_a_table_of_computed_numbers(finished: Project) -> None:
    with (finished.folder / "results/tables/tiny/gv/table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    filled = [row for row in rows if row["rebuilt"]]
    assert {row["system"] for row in filled} == {"bicubic", "espcn", "espcn+gv"}
    assert all(row["reason"] for row in rows if not row["rebuilt"])
    for row in filled:
        (scores,) = (finished.folder / "results/scores").glob(f"{row['runs']}/*.csv")
        with scores.open() as file:
            mean = [
                float(line["value"])
                for line in csv.DictReader(file)
                if line["image"] == "mean" and line["metric"] == row["protocol"]
            ]
        assert [float(row["rebuilt"])] == pytest.approx(mean)
    report = finished.folder / "reports/tiny"
    assert (report / "index.html").is_file()
    for figure in ("crops", "fig1"):
        for panel in ("hr", "bicubic", "espcn", "espcn+gv"):
            assert (report / f"gv-{figure}-1-{panel}.png").is_file()
    assert (report / "gv-fig2-variances.csv").is_file()


def test_a_second_run_does_nothing(project: Project) -> None:
    assert project.jobs() == {}


def test_a_changed_weight_trains_its_users_again_and_reverting_trains_nothing(
    project: Project,
) -> None:
    before = (project.folder / "results/tables/tiny/gv/table1.csv").read_bytes()
    old, new = "espcn+gv:\n    base: espcn\n    losses: {gradient_variance: {weight: 0.01", "0.5"
    project.edit("params.yaml", old, old.replace("0.01", new))
    assert project.jobs() == RETRAINED
    project.snakemake()
    assert (project.folder / "results/tables/tiny/gv/table1.csv").read_bytes() != before
    project.edit("params.yaml", old.replace("0.01", new), old)
    assert project.jobs() == {"pages": 1}
    project.snakemake()
    assert (project.folder / "results/tables/tiny/gv/table1.csv").read_bytes() == before
    assert project.jobs() == {}


def test_words_rerun_nothing_and_code_reruns_its_users(project: Project) -> None:
    model = "src/acutance/losses/gradient_variance.py"
    project.edit(model, '"""', '"""Said otherwise: ')
    project.edit(model, "__all__", "# a remark\n__all__")
    assert project.jobs() == {}
    project.edit(model, "return ", "return 1.5 * ")
    assert project.jobs() == RETRAINED


def test_a_metric_is_measured_again_and_nothing_is_trained(project: Project) -> None:
    project.edit("src/acutance/metrics/psnr.py", "return ", "return 0.0 + ")
    assert project.jobs() == {"measure": 3, "pages": 1}


def test_results_copied_into_a_fresh_clone_are_taken_as_they_are(
    project: Project,
) -> None:
    shutil.rmtree(project.folder / ".snakemake")
    assert project.jobs() == {}


def test_another_box_draws_its_figure_again_and_nothing_else(project: Project) -> None:
    layout = "data/published/gv/layout.yaml"
    page = project.folder / "reports/tiny/gv-crops-1-espcn.png"
    before = page.read_bytes()
    project.edit(layout, "box: 64", "box: 32")
    assert project.jobs() == {"draw": 1, "pages": 1}
    project.snakemake()
    assert page.read_bytes() != before
    project.edit(layout, "box: 32", "box: 64")
    assert project.jobs() == {"pages": 1}, "the panels of before are still there"


def test_sr_images_are_missed_only_by_what_is_drawn_anew(project: Project) -> None:
    shutil.rmtree(project.folder / "results/sr")  # as after `dvc pull`, which has none
    assert project.jobs() == {}
    project.edit("src/acutance/templates/style.css", "640", "650")
    assert project.jobs() == {"pages": 1}
    project.edit("data/published/gv/layout.yaml", "box: 64", "box: 32")
    # what is made of images that are made again is made again, too; nothing is trained
    assert project.jobs() == {"predict": 3, "measure": 3, "draw": 3, "pages": 1}


def test_touched_files_rerun_nothing(project: Project) -> None:
    chance = random.Random(0)  # noqa: S311 (no secret)
    now = time.time()
    for path in sorted(project.folder.rglob("*")):
        if ".snakemake" not in path.parts:
            moment = now - chance.uniform(0, 1e6)
            os.utime(path, (moment, moment), follow_symlinks=False)
    assert project.jobs() == {}


def test_a_missing_page_is_made_again_and_nothing_else(project: Project) -> None:
    shutil.rmtree(project.folder / "reports")
    assert project.jobs() == {"pages": 1}


@pytest.mark.parametrize(
    ("removed", "wanted"),
    [
        ("results/runs/espcn_x2_s0@*", {"fit": 1, "predict": 1}),
        ("results/scores/espcn_x2_s0@*", {"measure": 1, "pages": 1}),
        ("results/panels/tiny_crops@*", {"draw": 1, "pages": 1}),
        ("data/hr/photographs@*", {}),
    ],
)
def test_what_was_computed_and_removed_comes_again_and_nothing_else(
    project: Project, removed: str, wanted: dict[str, int]
) -> None:
    (folder,) = (path for path in project.folder.glob(removed) if path.is_dir())
    shutil.rmtree(folder)
    assert project.jobs() == wanted


@pytest.mark.parametrize("said", ["studdy=tiny", "study="])
def test_a_misspelt_setting_starts_no_other_study(project: Project, said: str) -> None:
    words = ("snakemake", "--profile", "workflow/profiles/cpu", "-n", "--config", said)
    printed = project.run(*words, ok=False)
    assert "--config: " in printed
    assert "Traceback" not in printed


def test_tables_made_by_hand_from_a_changed_study_are_not_taken_for_the_right_ones(
    project: Project,
) -> None:
    table = project.folder / "results/tables/tiny/gv/table1.csv"
    before = table.read_bytes()
    study = "workflow/studies/tiny.yaml"
    project.edit(study, "ssim: ssim_float", "ssim: ssim_spsr")
    project.run("acutance", "tabulate")
    assert table.read_bytes() != before
    project.edit(study, "ssim: ssim_spsr", "ssim: ssim_float")
    assert project.jobs() == {"pages": 1}
    project.snakemake()
    assert table.read_bytes() == before


def test_another_calibration_makes_the_pages_again(project: Project) -> None:
    project.edit("params.yaml", "clip: studio", "clip: none")
    assert project.jobs() == {"pages": 1}


def test_a_data_set_that_lost_an_image_is_not_measured_as_if_whole(project: Project) -> None:
    (lost,) = project.folder.glob("data/hr/photographs@*/coffee.png")
    lost.unlink()
    for made in ("scores", "tables"):
        shutil.rmtree(project.folder / "results" / made)
    printed = project.run("snakemake", "--profile", "workflow/profiles/cpu", ok=False)
    words, _, rest = printed.partition("What is finished stays. The same command goes on with")
    why = words.splitlines()[-1]
    assert "3 images, the set has 4" in why
    assert "acutance fetch photographs" in why
    assert len(rest.splitlines()) <= 6, "only a few lines of Snakemake follow"


def test_a_finished_run_is_not_trained_again_by_hand(project: Project) -> None:
    (weights,) = project.folder.glob("results/runs/espcn_x2_s0@*/weights.safetensors")
    before = weights.stat().st_mtime_ns
    assert "finished already" in project.run("acutance", "train", "espcn_x2_s0")
    assert weights.stat().st_mtime_ns == before


def test_a_mistake_stops_snakemake_before_any_job_in_plain_words(project: Project) -> None:
    project.edit("params.yaml", "recipe: espcn\n", "recipe: espnc\n")
    printed = project.run("snakemake", "--profile", "workflow/profiles/cpu", "-n", ok=False)
    assert "params.yaml: systems.espcn" in printed
    assert "did you mean 'espcn'?" in printed
    assert "Traceback" not in printed
