"""What several test files need: the benchmark photographs, where they are present."""

import fcntl
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from project import Project, copy_of_the_project

ROOT = Path(__file__).resolve().parent.parent
LONG = ("cluster", "workflow", "faults")  # folders whose files take minutes each
# A process of tests takes a GPU until it ends, so that others would wait for it.
os.environ.setdefault("ACUTANCE_GPU_SHARES", "64")


def _photographs() -> Path | None:
    places = [os.environ.get("ACUTANCE_MIRROR"), ROOT.parent / "shared" / "data"]
    named = [Path(place) for place in places if place]
    return next((place for place in named if (place / "Set5").is_dir()), None)


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder that holds Set5/, Set14/, ... as plain files; a skip says that it is missing."""
    place = _photographs()
    if place is None:
        pytest.skip("no benchmark photographs: ACUTANCE_MIRROR names no folder that holds Set5/")
    return place


def _checkpoints() -> Path | None:
    mirror = os.environ.get("ACUTANCE_MIRROR")
    place = Path(mirror) / "weights" if mirror else None
    return place if place and place.is_dir() else None


@pytest.fixture(scope="session")
def checkpoints() -> Path:
    """The folder of others' weights in a mirror; a skip says that it is missing."""
    place = _checkpoints()
    if place is None:
        pytest.skip("no released weights: ACUTANCE_MIRROR names no folder that holds weights/")
    return place


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small study, run to its end by one `snakemake`. Not to be changed: see `project`.

    Processes that share the tests share it, too: the first makes it, the others wait.
    """
    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    folder, done = place / "finished", place / "finished.done"
    with (place / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            copy_of_the_project(folder).snakemake()
            done.touch()
    return Project(folder)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished study."""
    return finished.copy(tmp_path / "project")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has processes that share the tests begin with the longest files; what is short fills up."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        order = {name: place for place, name in enumerate(LONG)}
        items.sort(key=lambda item: order.get(item.path.parent.name, len(LONG)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what is marked `cuda` where there is no GPU."""
    if item.get_closest_marker("cuda"):
        import torch  # noqa: PLC0415  (seconds, and only where such a test was asked for)

        if not torch.cuda.is_available():
            pytest.skip("no CUDA GPU")


def _accepted(item: pytest.Item) -> bool:
    """Whether CI lets `item` skip: hardware and photographs cannot be installed there."""
    names = getattr(item, "fixturenames", ())
    absent = ("photographs" in names and not _photographs(), "checkpoints" in names)
    return any(map(item.get_closest_marker, ("cuda", "mounts"))) or any(absent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI turns a skip into a failure: what a test wants must be installed there."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if os.environ.get("CI") == "true" and skipped and not _accepted(item):
        report.outcome = "failed"
        report.longrepr = f"CI skips nothing, but here: {call.excinfo and call.excinfo.value}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if os.environ.get("CI") == "true" and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"CI skips nothing, but here: {report.longrepr}"
    return report
