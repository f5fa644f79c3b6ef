"""A training that ended in collapse: its numbers stand in the tables, and a reader is told."""

import json
from pathlib import Path

import pytest

from acutance import paths, study
from synthetic import fill, lay, make, read
from waves import COLLAPSES, pack_waves, run


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Of a real training."""
    place = tmp_path_factory.mktemp("collapse")
    assert run(pack_waves(place / "waves", 4), place, COLLAPSES) == 0
    found: dict[str, object] = json.loads((place / "out" / "run.json").read_text())
    return found


def test_below_the_table_and_in_the_runs_origin(record: dict[str, object], tmp_path: Path) -> None:
    root = lay(tmp_path)
    demo = study.load(root, "demo")
    fill(demo, root)
    run_id = next(each.id for each in demo.runs if each.trained)
    path = root / paths.RUN_RECORD.format(run=run_id)
    content = json.loads(path.read_text())
    told = {key: record[key] for key in ("findings", "collapsed")}
    path.write_text(json.dumps(content | told))
    make(root, "demo")
    pages = {n: read(root, "demo", n).replace("&#39;", "'") for n in ("index.html", "index.md")}
    told_below = f"{run_id.partition('@')[0]}: {record['collapsed']}"
    for text in pages.values():
        assert text.replace("\\", "").count(told_below) == 1
    for each in record["findings"]:  # what is known of each run stands on the page alone
        found = f"{each['sign']}, from step {each['first']:,} to {each['last']:,} at the latest"
        assert found in pages["index.html"]
    assert pages["index.html"].count(str(record["collapsed"])) == 2
