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

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own params.yaml, studies, manifests and printed numbers, to be spoilt."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "workflow" / "studies", tmp_path / "workflow" / "studies")
    (tmp_path / "data").mkdir()
    for folder in ("manifests", "published"):
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


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "unknown section": (
        lambda p: p.update(recipies={}),
        ["params.yaml: recipies", "did you mean 'recipes'?"],
    ),
    "unknown study": (
        lambda p: p.update(study="demmo"),
        ["params.yaml: study", "'demmo'", "'demo'"],
    ),
    "unknown base": (
        lambda p: p["systems"]["vdsr+gv"].update(base="vsdr"),
        ["systems.vdsr+gv.base", "no entry 'vsdr'", "did you mean 'vdsr'?"],
    ),
    "cycle": (
        lambda p: p["systems"]["vdsr"].update(base="vdsr+gv"),
        ["a cycle", "vdsr+gv -> vdsr"],
    ),
    "unknown recipe": (
        lambda p: p["systems"]["edsr"].update(recipe="edsr_papr"),
        ["systems.edsr.recipe", "'edsr_papr'", "did you mean 'edsr'?"],
    ),
    "unknown model": (
        lambda p: p["systems"]["edsr"]["model"].update(function="edrs"),
        ["systems.edsr.model.function", "no model 'edrs'", "did you mean 'edsr'?"],
    ),
    "unknown argument": (
        lambda p: p["systems"]["edsr"]["model"].update(widht=64),
        ["systems.edsr.model.widht", "did you mean 'width'?"],
    ),
    "wrong type": (
        lambda p: p["systems"]["edsr"]["model"].update(blocks="many"),
        ["systems.edsr.model.blocks", "wants a whole number", "'many'"],
    ),
    "truth value for a number": (
        lambda p: p["recipes"]["edsr"].update(steps=True),
        ["recipes.edsr.steps", "wants a whole number", "True"],
    ),
    "missing field": (
        lambda p: p["recipes"]["edsr"].pop("patch"),
        ["recipes.edsr", "needs 'patch'"],
    ),
    "unknown field": (
        lambda p: p["recipes"]["edsr"].update(lr=1e-4),
        ["recipes.edsr.lr", "a recipe has no 'lr'"],
    ),
    "unknown loss": (
        lambda p: p["systems"]["espcn"].update(losses={"gradient_varience": 1}),
        ["systems.espcn.losses.gradient_varience", "did you mean 'gradient_variance'?"],
    ),
    "negative weight": (
        lambda p: p["systems"]["espcn"].update(losses={"l2": -1}),
        ["systems.espcn.losses.l2.weight", "not below 0", "-1"],
    ),
    "nothing to minimise": (
        lambda p: p["systems"]["espcn"].update(losses={"l2": 0}),
        ["systems.espcn.losses", "nothing to minimise"],
    ),
    "a scale the model cannot do": (
        lambda p: p["systems"]["espcn"].update(scales=[2, 3, 7]),
        ["systems.espcn.model", "asked for 7"],
    ),
    "a scale that has no value": (
        lambda p: p["recipes"]["vdsr"]["patch"].pop("x3"),
        ["recipes.vdsr.patch", "no value for scale 3"],
    ),
    "duplicate scale": (
        lambda p: p["systems"]["espcn"].update(scales=[2, 2]),
        ["systems.espcn.scales", "'2' stands in it twice"],
    ),
    "unknown data set": (
        lambda p: p["tracks"]["gv-stated"]["test"].update(datasets=["set55"]),
        ["tracks.gv-stated.test.datasets", "'set55'", "did you mean 'set5'?"],
    ),
    "trained and tested on one set": (
        lambda p: p["tracks"]["gv-stated"]["train"].update(datasets=["set5"]),
        ["tracks.gv-stated", "'set5' is trained on and tested on"],
    ),
    "unknown degradation": (
        lambda p: p["tracks"]["gv-stated"]["test"].update(degradation="bicubik"),
        ["tracks.gv-stated.test.degradation", "did you mean 'bicubic'?"],
    ),
    "unknown metric": (
        lambda p: p["tracks"]["gv-stated"]["metrics"].update(psnr="psnr_flaot"),
        ["tracks.gv-stated.metrics.psnr", "did you mean 'psnr_float'?"],
    ),
    "metric of no column": (
        lambda p: p["tracks"]["gv-stated"]["metrics"].update(lpips="psnr_float"),
        ["tracks.gv-stated.metrics.lpips", "print no such metric"],
    ),
    "column without a metric": (
        lambda p: p["tracks"]["gv-stated"]["metrics"].pop("ssim"),
        ["tracks.gv-stated.metrics", "'ssim'"],
    ),
    "unquantised metric on 8-bit files": (
        lambda p: p["tracks"]["gv-released"]["test"].update(output="png"),
        ["tracks.gv-released.metrics.psnr", "unquantised", "output: float"],
    ),
    "unknown paper": (
        lambda p: p["tracks"]["gv-stated"].update(paper="vg"),
        ["tracks.gv-stated.paper", "no paper 'vg'"],
    ),
    "unknown table": (
        lambda p: p["tracks"]["gv-stated"].update(tables=["table9"]),
        ["tracks.gv-stated.tables", "no table 'table9'"],
    ),
    "unknown system in a delta": (
        lambda p: p["tracks"]["gv-released"]["deltas"].update(edrs={}),
        ["tracks.gv-released.deltas", "did you mean 'edsr'?"],
    ),
    "both ways to clip": (
        lambda p: p["recipes"]["vdsr"].update(clip_norm=0.4),
        ["recipes.vdsr", "clip_norm and clip_adjustable exclude each other"],
    ),
    "milestone beyond the end": (
        lambda p: p["recipes"]["edsr"].update(milestones=[400000]),
        ["recipes.edsr.milestones", "400000", "300000 steps"],
    ),
    "patch larger than the crop": (
        lambda p: p["recipes"]["gv-released"].update(patch=65),
        ["HR patch 130 is larger than the centre crop 128"],
    ),
    "best of nothing": (
        lambda p: p["tracks"]["gv-released"].pop("validate"),
        ["tracks.gv-released", "nothing is validated"],
    ),
    "no number": (
        lambda p: p["recipes"]["edsr"].update(learning_rate=float("nan")),
        ["recipes.edsr.learning_rate", "nan"],
    ),
    "count that the manifest denies": (
        lambda p: p["datasets"]["set5"].update(images=6),
        ["datasets.set5.images", "its manifest lists 5"],
    ),
    "name that is no path": (
        lambda p: p["systems"].update({"../x": {"base": "vdsr"}}),
        ["systems", "'../x' cannot be a name"],
    ),
    "a list for a mapping": (
        lambda p: p.update(systems=["vdsr"]),
        ["systems", "wants named entries"],
    ),
    "a network without layers": (
        lambda p: p["systems"]["edsr"]["model"].update(blocks=0),
        ["systems.edsr.model.blocks", "must not be below 1", "0"],
    ),
    "variances over more than the crop": (
        lambda p: p["systems"]["espcn+gv"]["losses"]["gradient_variance"].update(patch=35),
        ["systems.espcn+gv.losses.gradient_variance.patch", "35", "HR patch 34"],
    ),
    "unknown word of a choice": (
        lambda p: p["recipes"]["edsr"].update(precision="fp16"),
        ["recipes.edsr.precision", "'fp16'"],
    ),
}


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
