"""data/released: entries read strictly, and what of them names a run."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from acutance import released, study
from acutance.book import open_book
from acutance.entries import run, scales
from acutance.errors import Refused
from acutance.released import Place
from acutance.spec import Run
from synthetic import lay

ROOT = Path(__file__).resolve().parent.parent
CONTENT = b"weights of others"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WEIGHTS: dict[str, Any] = {
    "about": "made here",
    "licence": "none",
    "cite": "nobody",
    "keys": "plain",
    "file": {
        "x2": {"name": "two.pth", "sha256": SHA256[:8], "sources": ["https://example.org/two.pth"]},
        "x4": {"name": "four.pth", "by_hand": "https://example.org/page"},
    },
    "known": {"x2": {"set5": {"psnr_float": 31.5}}},
}
IMAGES: dict[str, Any] = {
    "about": "made here",
    "licence": "none",
    "cite": "nobody",
    "pattern": "{name}_x",
    "datasets": {"set5": {"x2": {"name": "a.zip", "sources": ["https://example.org/a.zip"]}}},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What describes the studies, in a folder that may be spoilt."""
    return lay(tmp_path_factory.mktemp("project"))


def spoilt(entry: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The entry with another value at a dotted path; None takes it away."""
    copy: dict[str, Any] = yaml.safe_load(yaml.safe_dump(entry))
    *above, last = path.split(".")
    inner = copy
    for part in above:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copy


def write(project: Path, entry: dict[str, Any]) -> None:
    text = yaml.safe_dump(entry)
    (project / "data/released/mine.yaml").write_text(text)


def test_every_entry_of_the_project_is_of_a_system_at_all_its_scales() -> None:
    book, _ = open_book(ROOT)
    used = set()
    for system in book.section("systems"):
        for scale in scales(book, system):
            found = run(book, system, scale, 0, place="test")
            if found.released is not None:
                used.add(found.released.name)
                assert found.trained is False
                assert found.weighted is True
                assert found.released.file.sources or found.released.file.by_hand
    there = {p.stem for p in (ROOT / "data/released").glob("*.yaml")} - {"keys"}
    assert used == there


def test_an_entry_is_resolved_for_one_scale(project: Path) -> None:
    write(project, WEIGHTS)
    two = released.weights(project, "mine", 2, "test")
    four = released.weights(project, "mine", 4, "test")
    assert (two.file.name, two.file.sha256) == ("two.pth", SHA256[:8])
    assert two.file.sources == (Place(url="https://example.org/two.pth"),)
    assert [(k.dataset, k.metric, k.value) for k in two.known] == [("set5", "psnr_float", 31.5)]
    assert four.file.by_hand == "https://example.org/page"
    assert four.known == ()
    with pytest.raises(Refused, match="no value for scale 3"):
        released.weights(project, "mine", 3, "test")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("licence", None, "licence: wants a text"),
        ("licens", "MIT", "did you mean 'licence'"),
        ("keys", "plian", "did you mean 'plain'"),
        ("file", None, "says no file"),
        ("file.x2.name", "../two.pth", "wants a file's name"),
        ("file.x2.sha256", "12345", "8 to 64 digits"),
        ("file.x2.sources", [], "wants a list"),
        ("file.x2.sources", ["ftp://example.org"], "wants an address"),
        ("file.x2.sources", [{"url": "https://a.org/b", "membr": "c"}], "did you mean 'member'"),
        (
            "file.x2.sources",
            [{"url": "https://a.org/b", "member": "c", "members": "d*"}],
            "did you mean 'members'",
        ),
        ("file.x2.sources", None, "wants sources, or by_hand"),
        ("known.x2.set5.psnr_float", "31,5", "wants numbers"),
        ("known.x2", {"set6": {"psnr_float": 1}}, "did you mean 'set5'"),
        ("known.x2.set5", {"psnr_flota": 1}, "did you mean 'psnr_float'"),
    ],
)
def test_a_mistake_in_an_entry_is_named(project: Path, path: str, value: Any, words: str) -> None:
    write(project, spoilt(WEIGHTS, path, value))
    system = "systems: {mine: {model: {function: vdsr}, released: mine, scales: [2]}}"
    (project / "workflow/studies/mine.yaml").write_text(system)
    with pytest.raises(Refused) as refused:
        study.load(project, "mine")
    assert words in str(refused.value)
    assert "data/released/mine.yaml" in str(refused.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("pattern", "x", "one {name}"),
        ("pattern", "a/{name}", "one {name}"),
        ("datasets.set5.x2.members", 3, "wants a text"),
        ("datasets", {"set5": {"x4": IMAGES["datasets"]["set5"]["x2"]}}, "no data set has images"),
        ("datasets", {"set6": IMAGES["datasets"]["set5"]}, "did you mean 'set5'"),
    ],
)
def test_a_mistake_in_images_is_named(project: Path, path: str, value: Any, words: str) -> None:
    write(project, spoilt(IMAGES, path, value))
    system = "systems: {mine: {images: mine, scales: [2]}}"
    (project / "workflow/studies/mine.yaml").write_text(system)
    with pytest.raises(Refused) as refused:
        study.load(project, "mine")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("{model: {function: vdsr}, released: nobody, scales: [2]}", "no entry 'nobody'"),
        ("{model: {function: vdsr}, released: mine, recipe: vdsr, scales: [2]}", "recipe"),
        ("{model: {function: vdsr}, released: lapsrn-port, scales: [4]}", "are those of lapsrn"),
        ("{images: mine, model: vdsr, scales: [2]}", "model"),
        ("{released: mine, scales: [2]}", "says no model"),
    ],
)
def test_a_system_is_either_trained_or_released(project: Path, system: str, words: str) -> None:
    write(project, WEIGHTS)
    (project / "workflow/studies/mine.yaml").write_text(f"systems: {{mine: {system}}}")
    with pytest.raises(Refused, match=words):
        study.load(project, "mine")


def mine(project: Path, entry: dict[str, Any], model: str = "{function: vdsr}") -> Run:
    write(project, entry)
    system = f"systems: {{mine: {{model: {model}, released: mine, scales: [2]}}}}"
    (project / "workflow/studies/mine.yaml").write_text(system)
    book, _ = open_book(project, "mine")
    return run(book, "mine", 2, 0, place="test")


def test_a_run_is_named_by_its_checksum_and_mapping_and_not_by_words(project: Path) -> None:
    plain = mine(project, WEIGHTS)
    for path, value in (
        ("about", "other words"),
        ("known", {}),
        ("file.x2.sources", ["https://example.org/elsewhere"]),
        ("file.x4.name", "another.pth"),
    ):
        assert mine(project, spoilt(WEIGHTS, path, value)).id == plain.id, path
    for path, value in (("file.x2.sha256", SHA256[:9]), ("keys", "vdsr-authors")):
        assert mine(project, spoilt(WEIGHTS, path, value)).id != plain.id, path
    assert mine(project, WEIGHTS, "{function: vdsr, depth: 5}").id != plain.id
    unsure = spoilt(WEIGHTS, "file.x2.sha256", None)
    moved = spoilt(unsure, "file.x2.sources", ["https://example.org/elsewhere"])
    assert mine(project, unsure).id != mine(project, moved).id  # nothing else tells files apart
