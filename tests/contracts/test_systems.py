"""What params.yaml declares can be trained: networks see the channels they are made for."""

from pathlib import Path
from typing import Any

import pytest
import torch

from acutance import resolve
from acutance.spec import Run
from acutance.study import load

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted(path.stem for path in (ROOT / "workflow/studies").glob("*.yaml"))
RUNS = {
    (run.model.identity, run.scale): run
    for study in STUDIES
    for run in load(ROOT, study).runs
    if run.images is None
}


@pytest.mark.parametrize("run", RUNS.values(), ids=lambda run: run.id.partition("@")[0])
def test_a_network_takes_what_its_run_feeds_and_gives_what_its_losses_ask_for(run: Run) -> None:
    made: Any = resolve.load("models", run.model.function)
    side = run.recipe.patch if run.recipe else 8
    with torch.device("meta"):
        outputs = made(run.scale, **run.model.kwargs)(torch.empty(2, run.channels, side, side))
    assert outputs["sr"].shape == (2, run.channels, run.scale * side, run.scale * side)
    for loss in run.losses:
        asked = set(resolve.noun("losses", loss.function).asks) - {"hr"}
        assert asked <= set(outputs)
