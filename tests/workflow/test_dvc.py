"""DVC beside Snakemake: repro, commit, a real remote, a fresh clone; on a small real study."""

import csv
import json
import re
from pathlib import Path

import pytest

from project import Project

pytestmark = pytest.mark.workflow

DELTA = "losses: {gradient_variance: {weight: 0.01, patch: {x2: 8, x3: 16, x4: 16}}}"


@pytest.fixture(scope="module")
def recorded(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished study as a git repository, its results recorded by DVC. Not to be changed."""
    project = finished.copy(tmp_path_factory.mktemp("recorded") / "project")
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("git", "config", "user.name", "A Reader")
    project.run("git", "config", "user.email", "reader@example.org")
    project.run("dvc", "commit", "--force", "--quiet")
    commit(project, "as published")
    return project


@pytest.fixture
def versioned(recorded: Project, tmp_path: Path) -> Project:
    return recorded.copy(tmp_path / "project")


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


def test_an_experiment_runs_what_it_touches_is_compared_and_undone_without_training(
    versioned: Project,
) -> None:
    before = weights(versioned)
    rate = "recipes.espcn.learning_rate"
    printed = versioned.run("dvc", "exp", "run", "--name", "fast", "-S", f"{rate}=0.01")
    assert len(re.findall("rule fit", printed)) == 2
    assert "rule fetch" not in printed
    assert "rule pack" not in printed
    fresh = weights(versioned) - before
    assert {name.partition("@")[0] for name in fresh} == {"espcn_x2_s0", "espcn+gv_x2_s0"}
    assert before < weights(versioned)

    compared = json.loads(versioned.run("dvc", "exp", "diff", "--json"))
    ((changed,),) = (params.items() for params in compared["params"].values())
    assert changed[0] == rate
    assert (changed[1]["old"], changed[1]["new"]) == (0.001, 0.01)
    (moved,) = json.loads(versioned.run("dvc", "metrics", "diff", "--json")).values()
    measured = {(system, metric) for system in ("espcn", "espcn+gv") for metric in ("psnr", "ssim")}
    assert {tuple(re.split("[ _]", name.split(".")[-1])[:2]) for name in moved} == measured
    shown = versioned.run("dvc", "exp", "show", "--csv", "--only-changed")
    assert "fast" in shown
    assert "psnr_float" in shown

    printed = versioned.run("dvc", "exp", "run", "--name", "back", "-S", f"{rate}=0.001")
    assert "rule fit" not in printed
    assert "rule predict" not in printed
    assert versioned.run("dvc", "metrics", "diff").strip() == ""
    versioned.run("git", "restore", ".")
    versioned.run("dvc", "checkout", "--quiet")
    assert weights(versioned) == before
    versioned.run("dvc", "exp", "apply", "fast")
    assert weights(versioned) == before | fresh
    assert versioned.jobs().keys() <= {"pages", "report"}


def test_a_queued_trial_of_another_study_runs_aside_and_is_taken_over_when_wanted(
    versioned: Project,
) -> None:
    studies = versioned.folder / "workflow/studies"
    study = (studies / "tiny.yaml").read_text().replace("tiny", "other")
    (studies / "other.yaml").write_text(study.replace("[espcn, espcn+gv]", "[espcn+gv]"))
    commit(versioned, "another study")
    before = weights(versioned)
    weight = "systems.espcn+gv.losses.gradient_variance.weight"
    refused = versioned.run("dvc", "exp", "run", "--queue", "-S", f"{weight}=0.5", ok=False)
    assert "mismatched input '+'" in refused, "a name with + cannot stand there: docs/keeping.md"
    versioned.edit("params.yaml", DELTA, DELTA.replace("0.01", "0.5"))
    versioned.run("dvc", "exp", "run", "--queue", "--name", "heavy", "-S", "study=other")
    versioned.run("git", "restore", ".")

    printed = versioned.run("dvc", "exp", "run", "--run-all")
    assert len(re.findall("rule fit", printed)) == 1
    assert "rule fetch" not in printed
    assert versioned.run("git", "status", "--porcelain") == ""
    assert weights(versioned) == before
    shown = csv.DictReader(versioned.run("dvc", "exp", "show", "--csv").splitlines())
    (trial,) = [row for row in shown if row["Experiment"] == "heavy"]
    assert (trial["study"], trial[weight]) == ("other", "0.5")
    assert float(trial["other.photographs x2.espcn+gv psnr_float"]) > 0

    versioned.run("dvc", "exp", "apply", "heavy")
    (fresh,) = weights(versioned) - before
    assert fresh.startswith("espcn+gv_x2_s0@")
    assert versioned.jobs().keys() <= {"pages"}


def flip(path: Path) -> None:
    """Changes one bit of a file that DVC has made read-only, and makes it read-only again."""
    content, mode = bytearray(path.read_bytes()), path.stat().st_mode
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(mode)


def test_damage_in_the_cache_and_in_a_remote_passes_dvc_and_stops_here(
    versioned: Project, tmp_path: Path
) -> None:
    remote = tmp_path / "remote"
    versioned.run("dvc", "remote", "add", "--default", "store", str(remote))
    versioned.run("dvc", "push", "--quiet")
    (file,) = versioned.folder.glob("results/runs/espcn_x2_s0@*/weights.safetensors")
    whole = file.read_bytes()
    name = versioned.run("md5sum", str(file))[:32]
    cached = versioned.folder / f".dvc/cache/files/md5/{name[:2]}/{name[2:]}"

    def gone() -> None:
        versioned.run("rm", "-rf", str(file.parent), *map(str, made))

    made = [
        *versioned.folder.glob("results/sr/espcn_x2_s0@*"),
        *versioned.folder.glob("results/scores/espcn_x2_s0@*"),
    ]
    flip(cached)
    gone()
    versioned.run("dvc", "checkout", "results/runs")
    assert file.read_bytes() != whole, "DVC trusts its cache: nothing for us to notice then?"
    failed = versioned.run("snakemake", "--profile", "workflow/profiles/cpu", "score", ok=False)
    assert f"{file}: damaged" in failed

    page = (versioned.folder / "docs/keeping.md").read_text()
    (remedy,) = (b for b in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "md5sum" in b)
    assert f"./{name[:2]}/{name[2:]}" in versioned.run("sh", "-c", remedy)
    assert not cached.exists()
    gone()
    flip(remote / f"files/md5/{name[:2]}/{name[2:]}")
    versioned.run("dvc", "remote", "modify", "store", "verify", "true")
    versioned.run("dvc", "pull", "results/runs", ok=False)
    assert not file.exists()
    versioned.snakemake("score")
    assert file.read_bytes() == whole
