"""params.yaml: what it describes, and that every mistake in it is refused in one line."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from acutance import params
from acutance.errors import Refused
from acutance.study import find, load
from mistakes import MISTAKES

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own params.yaml, studies, manifests and printed numbers, to be spoilt."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "workflow" / "studies", tmp_path / "workflow" / "studies")
    (tmp_path / "data").mkdir()
    for folder in ("manifests", "published", "released"):
        (tmp_path / "data" / folder).symlink_to(ROOT / "data" / folder)
    return tmp_path


def spoil(project: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = params.read(project / "params.yaml")
    change(content)
    (project / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def test_the_gv_paper_is_described_whole() -> None:
    study = load(ROOT, "papers")
    stated, released = (t for t in study.tracks if t.paper == "gv")
    gv = {"vdsr", "vdsr+gv", "edsr", "edsr+gv", "espcn", "espcn+gv"}
    table2 = {f"vdsr{base}{extra}" for base in ("-l1", "-ssim") for extra in ("", "+tv", "+gv")}
    for track in (stated, released):
        assert set(track.systems) == gv | table2 | {"vdsr+tv", "bicubic"}
        asked = {(e.run.system, e.run.scale, e.dataset.name) for e in track.evaluations}
        sets = ("set5", "set14", "urban100", "div2k-val")
        assert asked >= {(s, x, d) for s in gv for x in (2, 3, 4) for d in sets}
        assert {(x, d) for s, x, d in asked if s in table2} == {(2, "div2k-val")}


def test_the_two_tracks_share_no_trained_run() -> None:
    stated, released = (t for t in load(ROOT, "papers").tracks if t.paper == "gv")
    runs = [{e.run.id for e in t.evaluations if e.run.trained} for t in (stated, released)]
    assert len(runs[0]) == len(runs[1]) == 25
    assert not runs[0] & runs[1]


def test_a_track_changes_a_baseline_and_with_it_the_variants() -> None:
    released = next(t for t in load(ROOT, "papers").tracks if t.name == "gv-released")
    run = next(e.run for e in released.evaluations if e.run.system == "vdsr-l1+gv")
    assert run.recipe is not None
    assert run.recipe.name == "gv-released"
    assert run.model.kwargs["upsample"] == "pil_bilinear"
    assert {loss.name: loss.weight for loss in run.losses} == {"l1": 1.0, "gradient_variance": 0.01}


def test_a_system_may_be_trained_on_sets_of_its_own(project: Path) -> None:
    own = {"train": {"datasets": ["t91", "bsds200"]}}
    spoil(project, lambda p: p["tracks"]["gv-stated"].update(deltas={"vdsr": own}))
    runs = {r.system: r for r in load(project, "papers").tracks[0].evaluations for r in [r.run]}
    sets = {name: [d.name for d in run.train.datasets] for name, run in runs.items() if run.train}
    assert sets["vdsr"] == sets["vdsr+gv"] == ["t91", "bsds200"]
    assert sets["edsr"] == ["div2k-train"]


def test_values_by_scale_are_resolved() -> None:
    stated = next(t for t in load(ROOT, "papers").tracks if t.name == "gv-stated")
    patches = {
        e.run.scale: dict(e.run.losses[0].arguments)["patch"]
        for e in stated.evaluations
        if e.run.system == "espcn+gv"
    }
    assert patches == {2: 8, 3: 16, 4: 16}


@pytest.mark.parametrize("name", ["papers", "demo", "classic"])
def test_every_study_loads_and_its_runs_have_ids_of_their_own(name: str) -> None:
    study = load(ROOT, name)
    assert len({run.id for run in study.runs}) == len(study.runs)
    assert len({e.scores for e in study.evaluations}) == len(study.evaluations)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_in_one_line(project: Path, mistake: str) -> None:
    change, words = MISTAKES[mistake]
    spoil(project, change)
    with pytest.raises(Refused) as refused:
        load(project)
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith("params.yaml: ")
    for word in words:
        assert word in message


def test_a_key_given_twice_is_refused_with_its_line(project: Path) -> None:
    with (project / "params.yaml").open("a") as file:
        file.write("\nsystems: {}\n")
    with pytest.raises(Refused, match=r"params.yaml: line \d+: 'systems' stands here a second"):
        load(project)


def test_broken_yaml_is_refused_with_its_line(project: Path) -> None:
    (project / "params.yaml").write_text("study: papers\nsystems: {vdsr: [\n")
    with pytest.raises(Refused, match=r"params.yaml: line \d+: not YAML"):
        load(project)


@pytest.mark.parametrize("key", ["? [a, b]\n: 1", "title: {[1, 2]: 3}"])
def test_a_list_for_a_name_is_refused_with_its_line(project: Path, key: str) -> None:
    with (project / "params.yaml").open("a") as file:
        file.write(f"\n{key}\n")
    with pytest.raises(Refused, match=r"params.yaml: line \d+: a name must be a word, found \["):
        load(project)


def test_a_folder_for_a_file_is_refused(project: Path) -> None:
    (project / "params.yaml").unlink()
    (project / "params.yaml").mkdir()
    with pytest.raises(Refused, match=r"params.yaml: cannot be read"):
        load(project)


@pytest.mark.parametrize("build", ["5", "true", "gv-stated", "{a: 1}", "[gv-statde]", "[]"])
def test_what_cannot_be_built_is_refused_in_its_file(project: Path, build: str) -> None:
    overlay = project / "workflow/studies/papers.yaml"
    overlay.write_text(f"title: T\nbuild: {build}\n")
    with pytest.raises(Refused, match=r"^workflow/studies/papers.yaml: build: ") as refused:
        load(project)
    assert "statde" not in build or "did you mean 'gv-stated'?" in str(refused.value)


def test_a_mistake_in_an_overlay_is_placed_there(project: Path) -> None:
    overlay = project / "workflow/studies/demo.yaml"
    overlay.write_text(overlay.read_text().replace("steps: 2000", "steps: none"))
    with pytest.raises(Refused, match=r"^workflow/studies/demo.yaml: recipes.espcn-demo.steps"):
        load(project, "demo")


def test_exponents_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1e-4\nb: 1.0E+3\nc: 12\nd: 1e-4x\n")
    found = params.read(tmp_path / "a.yaml")
    assert found == {"a": 1e-4, "b": 1000.0, "c": 12, "d": "1e-4x"}


def test_null_takes_away_and_the_rest_merges() -> None:
    merged = params.merge({"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"x": None, "z": 3}})
    assert merged == {"a": {"y": 2, "z": 3}, "b": 1}


def test_a_run_is_found_by_its_name_where_that_is_enough() -> None:
    runs = {run.id: run for run in load(ROOT, "demo").runs}
    assert find(runs, "espcn_x2_s0", "run").system == "espcn"
    with pytest.raises(Refused, match="did you mean 'espcn_x2_s0'"):
        find(runs, "espcn_x2_s9", "run")
    several = {run.id: run for run in load(ROOT, "papers").runs}
    with pytest.raises(Refused, match="several are called so"):
        find(several, "espcn_x2_s0", "run")


def test_a_system_of_ones_own_is_run_on_every_set_and_keeps_its_name(project: Path) -> None:
    overlay = project / "workflow/studies/demo.yaml"
    text = overlay.read_text()
    mine = "systems: {espcn+mine: {base: espcn, losses: {l1: 0.1}}}\n"
    overlay.write_text(
        mine + text.replace("    seeds:", "    ours: [bicubic, espcn+mine]\n    seeds:")
    )
    asked = {(e.run.system, e.run.scale) for e in load(project, "demo").evaluations}
    assert {scale for system, scale in asked if system == "espcn+mine"} == {2, 3, 4}
    overlay.write_text(mine + text.replace("[espcn, espcn+gv]", "[espcn, espcn+mine]"))
    with pytest.raises(
        Refused, match="'espcn\\+mine' stands in no table of the track; list it under"
    ):
        load(project, "demo")
