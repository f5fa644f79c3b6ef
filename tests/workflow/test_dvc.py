"""DVC beside Snakemake: repro, commit, a real remote, a fresh clone; on a small real study."""

import json
from pathlib import Path

import pytest

from project import Project

pytestmark = pytest.mark.workflow

DELTA = "losses: {gradient_variance: {weight: 0.01, patch: {x2: 8, x3: 16, x4: 16}}}"


@pytest.fixture
def versioned(project: Project) -> Project:
    """The finished study as a git repository, its results recorded by DVC."""
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("git", "config", "user.name", "A Reader")
    project.run("git", "config", "user.email", "reader@example.org")
    project.run("dvc", "commit", "--force", "--quiet")
    commit(project, "as published")
    return project


def commit(project: Project, message: str) -> None:
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", message)


def weights(project: Project) -> set[str]:
    return {path.parent.name for path in project.folder.glob("results/runs/*/weights.safetensors")}


def test_a_run_of_snakemake_is_recorded_and_repro_has_nothing_to_do(versioned: Project) -> None:
    assert "up to date" in versioned.run("dvc", "status")
    assert "Running stage" not in versioned.run("dvc", "repro")
    assert versioned.run("git", "status", "--porcelain") == ""


def test_one_changed_parameter_retrains_what_it_touches_and_metrics_show_it(
    versioned: Project,
) -> None:
    before = weights(versioned)
    versioned.edit("params.yaml", DELTA, DELTA.replace("0.01", "0.5"))
    assert "Running stage 'train'" in versioned.run("dvc", "repro")
    (fresh,) = weights(versioned) - before
    assert fresh.startswith("espcn+gv_x2_s0@")
    assert before < weights(versioned)

    shown = json.loads(versioned.run("dvc", "metrics", "diff", "--json"))
    (moved,) = shown.values()
    assert {name.split(".")[-1] for name in moved} == {
        "espcn+gv psnr_float",
        "espcn+gv ssim_float",
    }
    assert all(change["diff"] != 0 for change in moved.values())

    versioned.edit("params.yaml", DELTA.replace("0.01", "0.5"), DELTA)
    printed = versioned.run("dvc", "repro")
    assert "rule fit" not in printed
    assert "up to date" in versioned.run("dvc", "status")
    assert versioned.run("dvc", "metrics", "diff").strip() == ""


def test_metrics_and_plots_show_something_to_look_at(versioned: Project) -> None:
    table = versioned.run("dvc", "metrics", "show", "--md")
    assert "espcn+gv psnr_float" in table
    assert "bicubic ssim_float" in table
    versioned.run("dvc", "plots", "show", "--out", "plots")
    page = (versioned.folder / "plots" / "index.html").read_text()
    assert "Validation PSNR while training" in page
    assert "espcn+gv_x2_s0" in page


def test_a_fresh_clone_pulls_and_both_engines_have_nothing_to_do(
    versioned: Project, tmp_path: Path
) -> None:
    remote = tmp_path / "remote"
    versioned.run("dvc", "remote", "add", "--default", "store", str(remote))
    commit(versioned, "say where results are kept")
    versioned.run("dvc", "push", "--quiet")
    versioned.run("git", "clone", "--quiet", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("dvc", "pull", "--quiet")
    assert clone.jobs() == {}
    assert "Running stage" not in clone.run("dvc", "repro")
    assert "up to date" in clone.run("dvc", "status")
    assert weights(clone) == weights(versioned)
