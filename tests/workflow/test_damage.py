"""A bit that flips in a file is noticed before a training, a score or a table uses the file."""

from pathlib import Path

import pytest

from acutance.cli import main
from project import Project

pytestmark = pytest.mark.workflow

RUN, BICUBIC = "espcn_x2_s0", "bicubic_x2_s0"
USES = {  # what is damaged: which verbs would use it
    "results/runs/espcn_x2_s0@*/weights.safetensors": [f"predict {RUN} photographs"],
    "results/runs/espcn_x2_s0@*/log.csv": ["tabulate", "report"],
    "results/runs/espcn_x2_s0@*/run.json": ["tabulate", "report"],
    "data/packed/photographs-train_*/hr.bin": [f"train {RUN}"],
    "data/packed/photographs-train_*/lr.bin": [f"train {RUN}"],
    "data/packed/photographs-train_*/index.json": [f"train {RUN}"],
    "data/hr/photographs@*/chelsea.png": [
        "degrade photographs_bicubic_x2",
        "pack photographs_bicubic_x2",
        f"score {BICUBIC} photographs",
    ],
    "data/lr/photographs_*/chelsea.png": [f"predict {BICUBIC} photographs"],
    "results/sr/bicubic_*/photographs_*/chelsea.png": [f"score {BICUBIC} photographs"],
    "results/scores/espcn_x2_s0@*/photographs_*.csv": ["tabulate", "report"],
}


def flip(path: Path) -> None:
    """Changes one bit of a file, and neither its size nor its time stamp."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(scope="module")
def spoilt(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished study whose damages are undone one by one."""
    return finished.copy(tmp_path_factory.mktemp("spoilt") / "project").folder


@pytest.mark.parametrize("pattern", USES)
def test_one_flipped_bit_stops_each_verb_that_would_use_the_file(
    spoilt: Path, pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = spoilt.glob(pattern)
    whole = file.read_bytes()
    made = next(spoilt.glob("results/runs/espcn_x2_s0@*/run.json")).parent
    aside = made.with_name("aside")
    flip(file)
    for words in USES[pattern]:
        if words.startswith("train"):
            made.rename(aside)  # else it is done already
        assert main(["--root", str(spoilt), *words.split()]) == 2
        said = capsys.readouterr().err
        assert str(file.parent) in said
        assert ": damaged" in said or "fails its checksum" in said
        assert "remove the fol" in said or "remove the file" in said
        if aside.exists():
            aside.rename(made)
    file.write_bytes(whole)


def test_the_remedy_that_is_named_mends_it(project: Project) -> None:
    (picture,) = project.folder.glob("results/sr/espcn_x2_s0@*/photographs_*/chelsea.png")
    (scores,) = project.folder.glob("results/scores/espcn_x2_s0@*/photographs_*.csv")
    before = scores.read_bytes()
    flip(picture)
    scores.unlink()
    failed = project.run("snakemake", "--profile", "workflow/profiles/cpu", "score", ok=False)
    assert f"{picture}: damaged" in failed
    assert not scores.exists()
    project.run("rm", "-r", str(picture.parent))
    project.snakemake("score")
    assert scores.read_bytes() == before
    assert project.jobs() == {}
