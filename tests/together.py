"""Functions called by several processes that compute together, as torchrun would start them."""

import io
import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from acutance import ranks

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["acutance.loops.restore", "acutance.ranks", "torch._dynamo"])


def together(world: int, function: Callable[..., object], *arguments: object) -> list[Any]:
    """Returns what a top-level function gives in each of `world` processes; tensors are fine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as place:
        started = [
            FORKS.Process(target=_one, args=((rank, world, port), place, function, arguments))
            for rank in range(world)
        ]
        for process in started:
            process.start()
        for process in started:
            process.join(120)
            process.kill()
        assert [process.exitcode for process in started] == [0] * world
        files = [Path(place) / str(rank) for rank in range(world)]
        return [torch.load(io.BytesIO(file.read_bytes()), weights_only=True) for file in files]


def _one(
    among: tuple[int, int, int],
    place: str,
    function: Callable[..., object],
    arguments: tuple[object, ...],
) -> None:
    rank, world, port = among
    told = {"RANK": rank, "WORLD_SIZE": world, "LOCAL_RANK": rank, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in told.items()})
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    torch.set_num_threads(1)
    with ranks.joined(torch.device("cpu")):
        torch.save(function(*arguments), Path(place) / str(rank))
