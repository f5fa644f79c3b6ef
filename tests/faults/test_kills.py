"""kill -9 at any touch of the file system: the same command then makes the bytes of a calm run."""

import random
import signal
from pathlib import Path

import forks
import pytest
from disturbed import EACH, VERBS, content, made_by, remove, sound

from acutance import sums
from project import Project

pytestmark = pytest.mark.workflow

LONGEST = 0.02  # seconds between a touch and the death that follows it: inside of a write


@pytest.mark.parametrize("name", VERBS)
def test_a_killed_verb_makes_the_same_bytes_when_it_is_run_again(
    project: Project, tmp_path: Path, name: str
) -> None:
    words, made = VERBS[name][1:], made_by(project.folder, name)
    wanted = content(made)
    told = tmp_path / "told"
    remove(made)
    most = forks.touches(project.folder, told, *words)
    assert content(made) == wanted
    draw = random.Random(name)  # noqa: S311 (no secret)
    for number in range(EACH):
        if number % 2 or name == "train":  # else it is made again over the old one
            remove(made)
        last, delay = draw.randint(1, most), draw.uniform(0, LONGEST) * (number % 3 == 2)
        code = forks.run(forks.verb(project.folder, told, *words, last=last, delay=delay))
        assert code == -signal.SIGKILL or (delay and code == 0), told.read_text()
        assert sound(name, content(made), wanted), last
        assert forks.run(forks.verb(project.folder, told, *words)) == 0, told.read_text()
        assert content(made) == wanted, last
        sums.check(made, "it is not what the last one wrote")
        left_over = [*project.folder.rglob(".*.partial"), *project.folder.glob("results/state/*")]
        assert left_over == [], last
