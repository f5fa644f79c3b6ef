"""Critics and starts in params.yaml: what they describe, and every mistake in one line."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from acutance import params
from acutance.errors import Refused
from acutance.spec import Run
from acutance.study import load

ROOT = Path(__file__).resolve().parent.parent
CRITIC = {"critic": {"function": "vgg", "pairs": 3}, "game": "relativistic", "weight": 0.005}
PENALTY = {"critic": {"function": "vgg", "norm": False}, "game": "wgan_gp", "weight": 0.005}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's params.yaml with a system trained against two critics."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "workflow" / "studies", tmp_path / "workflow" / "studies")
    (tmp_path / "data").mkdir()
    for folder in ("manifests", "published", "released"):
        (tmp_path / "data" / folder).symlink_to(ROOT / "data" / folder)
    return tmp_path


def spoil(project: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    content = params.read(project / "params.yaml")
    content["systems"]["espcn+gv"] |= {
        "critics": deepcopy({"image": CRITIC, "gradient": {**CRITIC, "view": "gradient"}}),
        "start": {"system": "espcn"},
    }
    change(content)
    (project / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def run_of(project: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Run:
    spoil(project, change)
    runs = load(project, "demo").runs
    return next(run for run in runs if run.system == "espcn+gv" and run.scale == 4)


def contest(p: dict[str, Any], name: str = "image") -> dict[str, Any]:
    return p["systems"]["espcn+gv"]["critics"][name]


def test_a_system_with_critics_is_read_whole(project: Path) -> None:
    run = run_of(project)
    assert [c.name for c in run.contests] == ["gradient", "image"]
    assert run.contests[0].view == "gradient"
    assert run.contests[1].critic.kwargs == {"pairs": 3}
    assert run.contests[1].recipe == run.recipe
    assert run.start is not None
    assert run.start.run.system == "espcn"
    assert run.start.run.scale == 4
    shown = run.shown()
    assert shown["critics"]["image"]["critic"] == {"function": "vgg", "pairs": 3}
    assert shown["start"] == {"run": run.start.run.id, "without": []}


def test_what_a_run_begins_with_is_trained_first(project: Path) -> None:
    run = run_of(project)
    assert run.start is not None
    names = [each.id for each in load(project, "demo").runs]
    assert names.index(run.start.run.id) < names.index(run.id)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "weight": lambda p: contest(p).update(weight=0.01),
    "critic": lambda p: contest(p)["critic"].update(width=32),
    "game": lambda p: contest(p).update(game="vanilla"),
    "view": lambda p: contest(p).update(view="gradient"),
    "recipe": lambda p: contest(p).update(recipe="edsr"),
    "one less": lambda p: p["systems"]["espcn+gv"]["critics"].pop("image"),
    "start": lambda p: p["systems"]["espcn+gv"].pop("start"),
    "start's own training": lambda p: p["systems"]["espcn"]["losses"].update(l2=2),
    "left out": lambda p: p["systems"]["espcn+gv"]["start"].update(without=["conv3"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_part_counts_in_the_digest(project: Path, change: str) -> None:
    before = run_of(project).digest
    shutil.copy(ROOT / "params.yaml", project)
    assert run_of(project, CHANGES[change]).digest != before


def test_the_name_of_a_critic_does_not(project: Path) -> None:
    run = run_of(project)
    renamed = tuple(replace(each, name=f"z{each.name}") for each in run.contests)
    assert replace(run, contests=renamed).digest == run.digest


def test_a_critic_has_a_schedule_of_its_own_and_the_networks_length(project: Path) -> None:
    run = run_of(project, lambda p: contest(p).update(recipe="edsr"))
    own = run.contests[1].recipe
    assert run.recipe is not None
    assert (own.learning_rate, own.steps) == (1e-4, run.recipe.steps)


def test_a_start_may_be_of_another_scale_and_of_some_scales_only(project: Path) -> None:
    start = {"x4": {"system": "espcn", "scale": 2, "without": ["conv3"]}}
    spoil(project, lambda p: p["systems"]["espcn+gv"].update(start=start))
    runs = [run for run in load(project, "demo").runs if run.system == "espcn+gv"]
    begun = {run.scale: run.start.run.scale for run in runs if run.start}
    assert begun == {4: 2}


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "no critic": (lambda p: contest(p).pop("critic"), ["critics.image.critic: says none"]),
    "unknown critic": (
        lambda p: contest(p).update(critic="vg"),
        ["critics.image.critic", "no critic 'vg'", "did you mean 'vgg'?"],
    ),
    "unknown game": (
        lambda p: contest(p).update(game="relativist"),
        ["critics.image.game", "did you mean 'relativistic'?"],
    ),
    "unknown argument": (
        lambda p: contest(p)["critic"].update(pears=3),
        ["critics.image.critic.pears", "did you mean 'pairs'?"],
    ),
    "unknown view": (
        lambda p: contest(p).update(view="gradiant"),
        ["critics.image.view: found 'gradiant'", "did you mean 'gradient'?"],
    ),
    "unknown key": (lambda p: contest(p).update(wieght=1), ["wieght", "did you mean 'weight'?"]),
    "weight of no number": (
        lambda p: contest(p).update(weight="much"),
        ["critics.image.weight: wants a number not below 0, found 'much'"],
    ),
    "crops too small": (
        lambda p: contest(p)["critic"].update(pairs=9),
        ["critics.image.critic.pairs: 9 halvings leave nothing of crops of"],
    ),
    "a penalty with batch normalisation": (
        lambda p: contest(p).update(PENALTY, critic="vgg"),
        ["critics.image.critic.norm: a penalty", "write `norm: false`"],
    ),
    "critics of what is not trained": (
        lambda p: p["systems"]["bicubic"].update(critics={"image": CRITIC}),
        ["systems.bicubic: has critics and no recipe"],
    ),
    "start of an unknown system": (
        lambda p: p["systems"]["espcn+gv"].update(start="espnc"),
        ["systems.espcn+gv.start.system: no entry 'espnc'", "did you mean 'espcn'?"],
    ),
    "start of nothing": (
        lambda p: p["systems"]["espcn+gv"].update(start="bicubic"),
        ["systems.espcn+gv.start.system: 'bicubic' has no weights to begin with"],
    ),
    "start of itself": (
        lambda p: p["systems"]["espcn"].update(start="espcn+gv"),
        ["a training cannot begin with its own end: espcn"],
    ),
    "a system trained on what its track tests": (
        lambda p: p["tracks"]["gv-stated"].update(
            deltas={"vdsr": {"train": {"datasets": ["set5"]}}}
        ),
        ["tracks.gv-stated (systems.vdsr.train)", "'set5' is trained on and tested on"],
    ),
    "a system trained on a set to test on": (
        lambda p: p["tracks"]["gv-stated"].update(
            deltas={"vdsr": {"train": {"datasets": ["general100"]}}}
        ),
        ["systems.vdsr.train", "'general100' has the role 'test', wanted is 'train'"],
    ),
    "levels that are no switch": (
        lambda p: p["systems"]["edsr"]["losses"].update(l1={"weight": 1, "levels": 2}),
        ["systems.edsr.losses.l1.levels", "wants true or false, found 2"],
    ),
    "first weights and no steps": (
        lambda p: p["recipes"]["espcn"].update(first_only="conv1."),
        ["recipes.espcn: first_only and first_steps go together"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_in_one_line(project: Path, mistake: str) -> None:
    change, words = MISTAKES[mistake]
    spoil(project, change)
    with pytest.raises(Refused) as refused:
        load(project, "demo")
    assert "\n" not in str(refused.value)
    for word in words:
        assert word in str(refused.value)
