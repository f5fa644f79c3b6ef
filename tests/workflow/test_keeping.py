"""Results kept under a new name after a refactoring, and dropped when no study wants them."""

import fcntl
import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from acutance import prune
from acutance.cli import main
from project import Project

pytestmark = pytest.mark.workflow

SOURCE = "src/acutance/models/espcn.py"


def acutance(project: Project, *words: str) -> int:
    return main(["--root", str(project.folder), *words])


def refactored(project: Project) -> None:
    """Renames a variable in a network: other source, the same numbers."""
    path = project.folder / SOURCE
    text = path.read_text()
    path.write_text(re.sub(r"\bpixels\b", "shuffled", text))
    assert path.read_text() != text


def runs(project: Project) -> dict[str, Path]:
    """Folders of runs by name."""
    return {p.name: p for p in project.folder.glob("results/runs/*@*") if p.is_dir()}


def everything(project: Project) -> dict[str, bytes]:
    """All files of results and data."""
    found = [p for top in ("results", "data") for p in (project.folder / top).rglob("*")]
    return {str(p.relative_to(project.folder)): p.read_bytes() for p in found if p.is_file()}


def test_a_refactoring_keeps_its_results_by_adopting_and_then_the_old_go(project: Project) -> None:
    old = runs(project)
    scores = {p.read_bytes() for p in project.folder.glob("results/scores/*/*.csv")}
    refactored(project)
    assert project.jobs()["fit"] == 2
    assert "could be adopted, so it stays" in project.run("acutance", "prune")
    assert runs(project) == old

    listed = project.run("acutance", "adopt", "--yes")
    assert all(f"{name} as " in listed for name in old)
    fresh = {name: path for name, path in runs(project).items() if name not in old}
    assert len(fresh) == 2
    assert set(project.jobs()) <= {"draw", "pages", "count"}, "nothing trains or scores again"
    for name, path in fresh.items():
        (was,) = (p for p in old.values() if p.name.split("@")[0] == name.split("@")[0])
        same = ("weights.safetensors", "log.csv")
        assert all((path / file).read_bytes() == (was / file).read_bytes() for file in same)
        record = json.loads((path / "run.json").read_text())
        assert record["digest"] == name.partition("@")[2]
        assert [(a["from"], a["differing"]) for a in record["adopted"]] == [(was.name, [])]
        assert "adopted" not in json.loads((was / "run.json").read_text())
    assert {p.read_bytes() for p in project.folder.glob("results/scores/*/*.csv")} == scores

    project.snakemake()
    page = (project.folder / "reports/tiny/index.html").read_text()
    assert all(f"{name} on 20" in page for name in old)

    gone = project.run("acutance", "prune", "--yes")
    assert all(f"results/runs/{name}\n" in gone for name in old)
    assert set(runs(project)) == set(fresh)
    assert project.jobs() == {}


def test_adopting_refuses_what_is_not_the_same_or_not_whole_or_not_wanted(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal(*words: str) -> str:
        assert acutance(project, "adopt", *words) == 2
        return capsys.readouterr().err

    plain = next(path for name, path in runs(project).items() if name.startswith("espcn_"))
    assert "is there already" in refusal(plain.name, plain.name)
    old = plain.rename(plain.with_name("espcn_x2_s0@0000000000"))
    before = everything(project)
    assert "no run 'espcn_x2_s9' in this study" in refusal(old.name, "espcn_x2_s9")
    assert "no whole run 'espcn_x2_s0@1111111111'" in refusal("espcn_x2_s0@1111111111", plain.name)
    (old / "log.csv").rename(old / "aside")
    assert "log.csv is missing" in refusal(old.name, plain.name)
    (old / "aside").rename(old / "log.csv")

    record = json.loads((old / "run.json").read_text())
    record["run"]["recipe"]["learning_rate"] = 0.5
    whole = (old / "run.json").read_text()
    (old / "run.json").write_text(json.dumps(record))
    said = refusal(old.name, plain.name)
    assert "recipe.learning_rate: 0.5, wanted 0.001; give --although" in said
    assert acutance(project, "adopt", "--yes") == 0
    assert not plain.exists()
    (old / "run.json").write_text(whole)
    assert everything(project) == before

    assert acutance(project, "adopt", old.name, plain.name) == 0
    assert acutance(project, "tabulate") == 0
    assert old.is_dir()


def test_another_parameter_is_adopted_only_on_request_and_the_report_says_so(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = next(path for name, path in runs(project).items() if name.startswith("espcn_"))
    old = plain.rename(plain.with_name("espcn_x2_s0@0000000000"))
    plain.with_name(f"{plain.name}.sha256").unlink()
    record = json.loads((old / "run.json").read_text())
    record["run"]["recipe"]["learning_rate"] = 0.5
    (old / "run.json").write_text(json.dumps(record))
    assert acutance(project, "adopt", old.name, plain.name, "--although") == 0
    assert acutance(project, "report") == 0
    capsys.readouterr()
    page = (project.folder / "reports/tiny/index.html").read_text()
    assert "although recipe.learning_rate: 0.5, wanted 0.001" in page


@pytest.fixture
def littered(project: Project) -> Project:
    """The study with everything that none wants, and links that lead elsewhere."""
    folder, old = project.folder, "espcn_x2_s0@0000000000"
    for name in (f"runs/{old}/run.json", f"state/{old}/000000000100.state"):
        _put(folder / "results" / name)
    for name in (f"sr/{old}/photographs_bicubic@1111111111/a.png", f"logs/train/{old}.log"):
        _put(folder / "results" / name)
    _put(folder / f"results/scores/{old}/photographs_bicubic@1111111111.csv")
    _put(folder / f"results/runs/{old}.sha256")
    _put(folder / "results/panels/gv-fig1_tiny@4444444444/index.csv")
    _put(folder / "results/state/panels/gv-fig1_tiny@4444444444/index.csv")
    _put(folder / "data/lr/set5_bicubic_x2@2222222222/a.png")
    _put(folder / "data/packed/set5_bicubic_x2@2222222222/hr.bin")
    _put(folder / "data/downloads/01234567/old.zip")
    _put(folder / f"results/runs/.{old}.abcdefgh.partial/half")
    return project


def _put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 1000)


def test_pruning_lists_first_and_removes_what_no_study_wants_and_nothing_else(
    finished: Project,
    littered: Project,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "elsewhere").mkdir()
    _put(tmp_path / "elsewhere/precious")
    link = littered.folder / "results/runs/linked_x2_s0@3333333333"
    link.symlink_to(tmp_path / "elsewhere")
    wanted = next(iter(runs(finished)))
    state = littered.folder / f"results/state/{wanted}/000000000100.state"
    _put(state)
    before = everything(littered)
    assert acutance(littered, "prune") == 0
    said = capsys.readouterr().out
    assert "11 files and folders, 0.0" in said
    assert "nothing was removed" in said
    assert "linked_x2_s0@3333333333  is a link, not followed" in said
    assert everything(littered) == before

    assert acutance(littered, "prune", "--yes") == 0
    assert "removed 11 files" in capsys.readouterr().out
    left = everything(littered)
    assert link.is_symlink()
    assert (tmp_path / "elsewhere/precious").is_file()
    assert left.pop(str(state.relative_to(littered.folder))) == b"x" * 1000, "unfinished, wanted"
    assert {k: v for k, v in left.items() if "linked" not in k} == everything(finished)


def test_pruning_refuses_while_something_runs(
    littered: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(littered)
    turn = littered.folder / ".snakemake/turns/tiny"
    (scores,) = littered.folder.glob("results/scores/bicubic_x2_s0@*/photographs_*.csv")
    scores.unlink()
    command = ["snakemake", "--profile", "workflow/profiles/cpu", "score"]
    with subprocess.Popen(
        command, cwd=littered.folder, env=littered.environment, stderr=subprocess.DEVNULL
    ) as rebuild:
        while prune._free(turn):
            assert rebuild.poll() is None
            time.sleep(0.01)
        rebuild.send_signal(signal.SIGSTOP)
        try:
            assert acutance(littered, "prune", "--yes") == 2
        finally:
            rebuild.send_signal(signal.SIGCONT)
    assert rebuild.returncode == 0
    assert "study 'tiny' is being rebuilt" in capsys.readouterr().err
    assert everything(littered).keys() == before.keys()

    state = littered.folder / "results/state/espcn_x2_s0@0000000000/lock"
    with state.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert acutance(littered, "prune", "--yes") == 2
    assert "a training is under way" in capsys.readouterr().err
    state.unlink()
    assert everything(littered).keys() == before.keys()


def test_a_folder_of_results_that_is_a_link_is_left_alone(
    littered: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (littered.folder / "results/runs").rename(tmp_path / "scratch")
    (littered.folder / "results/runs").symlink_to(tmp_path / "scratch")
    before = everything(littered)
    assert acutance(littered, "prune", "--yes") == 0
    assert "results/runs  is a link, not followed" in capsys.readouterr().out
    kept = {name for name in before if name.startswith("results/runs/")}
    assert kept <= set(everything(littered))
