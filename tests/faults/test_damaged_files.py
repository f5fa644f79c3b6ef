"""Damaged files: noticed where they are read, in one line that names place and remedy.

Bits are flipped, bytes lost, doubled and replaced, lines moved, at random places that are the same
in every run. What is read all the same must be what was written, or be refused; never a traceback.
"""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from disturbed import made_by

from acutance import datasets, paths, published, report, study, tabulate, watch
from acutance.errors import Refused
from acutance.image import read_image, write_png
from acutance.packed import SIDES, open_packed
from acutance.rows import SCORES, read_scores
from project import Project

pytestmark = pytest.mark.workflow
ROOT = Path(__file__).resolve().parents[2]
TIMES = 100


def spoilt(whole: bytes, draw: random.Random) -> bytes:
    """Damages a file's bytes at one place."""
    at, kind = draw.randrange(len(whole)), draw.randrange(6)
    before, after = whole[:at], whole[at:]
    if kind == 0:
        return before
    if kind == 1:
        return before + after[draw.randrange(1, 9) :]
    if kind == 2:
        return before + after[: draw.randrange(1, 99)] + after
    if kind == 3:
        return before + bytes([draw.choice(b'\0"\n,;-\xff{}[]0')]) + after[1:]
    if kind == 4:
        lines = whole.split(b"\n")
        lines.insert(draw.randrange(len(lines)), lines.pop(draw.randrange(len(lines))))
        return b"\n".join(lines)
    return before + bytes([after[0] ^ 1 << draw.randrange(8)]) + after[1:]


def refusals(path: Path, read: Callable[[], object], times: int = TIMES) -> list[str]:
    """Damages a file again and again; returns how it was refused."""
    whole, draw, found = path.read_bytes(), random.Random(path.name), []  # noqa: S311 (no secret)
    for _ in range(times):
        path.write_bytes(spoilt(whole, draw))
        try:
            read()
        except Refused as refused:
            found.append(str(refused))
    path.write_bytes(whole)
    assert {message for message in found if "\n" in message} == set()
    return found


def test_a_damaged_png_is_refused_or_read_as_it_was_written(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:40, 0:48, 0:3][:2]
    pixels = (127 + 100 * np.sin((rows + columns) / 9)).astype(np.uint8)
    for image in (pixels, pixels[..., 0]):
        write_png(tmp_path / "a.png", image)

        def read() -> None:
            np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image)  # noqa: B023

        found = refusals(tmp_path / "a.png", read, 300)
        assert len(found) > 280
        assert all(
            f"{tmp_path}/a.png" in message and "make it again" in message for message in found
        )


def test_a_damaged_pack_is_refused(project: Project) -> None:
    folder = made_by(project.folder, "pack")
    whole = [open_packed(folder).hr.image(n).copy() for n in range(len(open_packed(folder)))]

    def read() -> None:
        found = open_packed(folder, verify=True)
        for number, image in enumerate(whole[: len(found)]):
            np.testing.assert_array_equal(found.hr.image(number), image)

    for side in SIDES:
        found = refusals(folder / f"{side}.bin", read, 20)
        assert all("pack again" in message and f"{side}.bin" in message for message in found)
        assert len(found) > 15
    found = refusals(folder / "index.json", lambda: open_packed(folder, verify=True))
    assert len(found) > TIMES / 2
    assert all(str(folder) in message for message in found)
    assert all("run `acutance pack`" in m or "pack again" in m for m in found)


def test_a_damaged_manifest_is_refused(tmp_path: Path) -> None:
    file = Path(shutil.copy(ROOT / paths.MANIFEST.format(dataset="set14"), tmp_path))
    found = refusals(file, lambda: datasets._manifest(file))
    assert all("set14.csv: damaged manifest" in message for message in found)
    assert len(found) > TIMES / 4


@pytest.mark.parametrize("paper", ["gv", "fd", "spsr", "dgggan"])
def test_damaged_numbers_of_a_paper_are_refused(tmp_path: Path, paper: str) -> None:
    folder = Path(shutil.copytree(ROOT / paths.PUBLISHED / paper, tmp_path / paper))
    for file in sorted(folder.iterdir()):
        if file.suffix in (".csv", ".yaml"):
            found = refusals(file, lambda: published.read(folder), 20)
            assert all(file.name in message for message in found)


def test_damaged_results_are_refused(project: Project) -> None:
    it = study.load(project.folder, "tiny")
    run = next(run for run in it.runs if run.trained)
    scores = project.folder / next(e.scores for e in it.evaluations if e.run.id == run.id)

    def tabulated() -> None:
        tabulate.tabulate(it, project.folder)
        watch.watch(it, project.folder)

    def reported() -> None:
        report.gather(it, project.folder, "snakemake")

    assert len(refusals(scores, tabulated, 40)) > 15
    log = refusals(
        project.folder / paths.LOG.format(run=run.id), lambda: watch.watch(it, project.folder)
    )
    assert all("log.csv: not the log of a training" in m and "train again" in m for m in log)
    assert log
    tabulated()
    record = refusals(project.folder / paths.RUN_RECORD.format(run=run.id), reported)
    assert all("run.json" in message and "train again" in message for message in record)
    assert len(record) > TIMES / 2
    for table in sorted((project.folder / "results/tables/tiny").rglob("*.csv")):
        if table.name != "curves.csv":  # which no verb reads
            found = refusals(table, reported, 50)
            assert len(found) > 10, table
            assert all(table.name in m or "run `acutance tabulate`" in m for m in found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sittings": 3},
        {"sittings": ["a"]},
        {"findings": 3},
        {"findings": [{"sign": "it"}]},
        {"findings": [{"sign": "it", "first": "a", "last": 2}]},
        {"seconds": "long"},
        {"parameters": "many"},
        {"peak_memory_bytes": []},
    ],
)
def test_a_record_of_other_things_is_refused(project: Project, wrong: dict[str, object]) -> None:
    it = study.load(project.folder, "tiny")
    run = next(run for run in it.runs if run.trained)
    file = project.folder / paths.RUN_RECORD.format(run=run.id)
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    with pytest.raises(Refused, match=r"run\.json: .*remove the folder and train again"):
        report.gather(it, project.folder, "snakemake")


def test_scores_that_lost_their_end_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_text(f"{SCORES}\na,psnr,30.5,\nb,psnr,31.5,\n")
    with pytest.raises(Refused, match=r"s\.csv: metric 'psnr' ends without its mean.*score"):
        read_scores(file)
    file.write_text(f"{SCORES}\na,psnr,30.5,\nb,psnr,31.5,\nmean,psnr,31.1,\n")
    with pytest.raises(Refused, match=r"s\.csv: .*mean of 'psnr' is 31\.1, its images give 31\.0"):
        read_scores(file)
