"""What several test files need: the benchmark photographs, where they are present."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder that holds Set5/, Set14/, ... as plain files, or a skip that says what is missing."""
    places = [os.environ.get("ACUTANCE_MIRROR"), ROOT.parent / "shared" / "data"]
    for place in places:
        if place and (Path(place) / "Set5").is_dir():
            return Path(place)
    pytest.skip("no benchmark photographs: ACUTANCE_MIRROR names no folder that holds Set5/")
