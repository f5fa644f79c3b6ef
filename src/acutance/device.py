"""Where a network computes: the device and the CPU threads that a command line names."""

import re

import torch

from acutance.errors import Refused

MOST_THREADS = 1024  # far beyond any machine; a slip of more would exhaust its memory


def device(name: str) -> torch.device:
    """Returns the device called `name`; "auto" is a GPU where there is one.

    Raises:
        Refused: If this machine has no such device, or it is neither a CPU nor a GPU of CUDA.
    """
    best = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", name):
            raise RuntimeError  # torch knows more words, of which some compute nothing
        chosen = torch.device(best if name == "auto" else name)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError):  # unknown word; a torch without CUDA; no such GPU
        usable = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        raise Refused(f"--device: found '{name}'; usable here: {', '.join(usable)}") from None
    return chosen


def set_threads(threads: int | None) -> None:
    """Sets how many threads torch computes with on a CPU; None leaves its own choice.

    Raises:
        Refused: If there is to be none, or more than `MOST_THREADS`.
    """
    if threads is None:
        return
    if not 1 <= threads <= MOST_THREADS:
        raise Refused(f"--threads: found {threads}; must be from 1 to {MOST_THREADS}")
    torch.set_num_threads(threads)
