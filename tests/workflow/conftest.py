"""A small real study in a folder of its own, run by the real engines."""

from pathlib import Path

import pytest

from project import Project, copy_of_the_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small study, run to its end by one `snakemake`. Not to be changed: see `project`."""
    made = copy_of_the_project(tmp_path_factory.mktemp("finished"))
    made.snakemake()
    return made


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished study."""
    return finished.copy(tmp_path / "project")
