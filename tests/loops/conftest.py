"""Packed pairs for the tests of loops, which run on one thread."""

from collections.abc import Iterator

import pytest
import torch

from acutance.packed import Packed, open_packed
from waves import pack_waves


@pytest.fixture(scope="package")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    return open_packed(pack_waves(tmp_path_factory.mktemp("restore"), 5))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads wait for each other at every operation: where cores are busy, 20 times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
