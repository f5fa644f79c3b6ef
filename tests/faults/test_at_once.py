"""One verb twice at once: the second is refused, or what comes out is whole all the same."""

from pathlib import Path

import forks
import pytest
from disturbed import VERBS, content, made_by, remove

from project import Project

pytestmark = pytest.mark.workflow
AT_ONCE = 4


@pytest.mark.parametrize("name", [name for name in VERBS if name != "fetch"])
def test_several_processes_that_make_one_thing_leave_it_whole(
    project: Project, tmp_path: Path, name: str
) -> None:
    made = made_by(project.folder, name)
    wanted = content(made)
    remove(made)
    told = [tmp_path / f"told{number}" for number in range(AT_ONCE)]
    processes = [forks.verb(project.folder, each, *VERBS[name][1:]) for each in told]
    for process in processes:
        process.start()
    codes = []
    for process in processes:
        process.join()
        codes.append(process.exitcode)
    assert 0 in codes
    for code, each in zip(codes, told, strict=True):
        assert code == 0 or (code == 2 and "another process" in each.read_text()), each.read_text()
    assert content(made) == wanted
    assert not [*project.folder.rglob(".*.partial"), *project.folder.glob("results/state/*")]
