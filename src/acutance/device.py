"""Where a network computes: the device and the CPU threads that a command line names."""

import torch

from acutance.errors import Refused


def device(name: str) -> torch.device:
    """Returns the device called `name`; "auto" is a GPU where there is one.

    Raises:
        Refused: If this machine has no such device.
    """
    best = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(best if name == "auto" else name)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError):  # unknown word; a torch without CUDA; no such GPU
        usable = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        raise Refused(f"--device: found '{name}'; usable here: {', '.join(usable)}") from None
    return chosen


def set_threads(threads: int | None) -> None:
    """Sets how many threads torch computes with on a CPU; None leaves its own choice.

    Raises:
        Refused: If there is to be none.
    """
    if threads is None:
        return
    if threads < 1:
        raise Refused(f"--threads: found {threads}; must be at least 1")
    torch.set_num_threads(threads)
