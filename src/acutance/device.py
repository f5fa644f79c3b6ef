"""Where a network computes: the device and the CPU threads that a command line names."""

import os
import re
import sys

import torch

from acutance import ranks, slots
from acutance.errors import Refused

MOST_THREADS = 1024  # far beyond any machine; a slip of more would exhaust its memory


def device(name: str) -> torch.device:
    """Returns the device called `name`; "auto" is a GPU where there is one.

    Of several GPUs, "auto" is one that no other job has taken; while there is none, it waits. Those
    that CUDA_VISIBLE_DEVICES hides are left alone. Of several processes that train together each
    has the GPU of its own number.

    Raises:
        Refused: If this machine has no such device, or it is neither a CPU nor a GPU of CUDA.
    """
    if ranks.launched() and name == "auto" and torch.cuda.is_available():
        name = "cuda"
    auto = name == "auto"
    try:
        if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", name):
            raise RuntimeError  # torch knows more words, of which some compute nothing
        chosen = torch.device(_free() if auto else _numbered(name) if ranks.launched() else name)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError):  # unknown word; a torch without CUDA; no such GPU
        usable = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        raise Refused(f"--device: found '{name}'; usable here: {', '.join(usable)}") from None
    if chosen.type == "cuda" and (auto or ranks.launched()):
        torch.cuda.set_device(chosen)  # else every job would hold some memory of the first GPU
    return chosen


def _numbered(name: str) -> str:
    """Returns the name for a process that was started with others: the GPU of its own number."""
    if name.startswith("cuda:"):
        raise Refused(f"--device: found '{name}'; several processes cannot share it, use auto")
    return f"cuda:{os.environ['LOCAL_RANK']}" if name == "cuda" else name


def several(count: int) -> str | None:
    """Returns what CUDA_VISIBLE_DEVICES shall be for `count` processes; None without any GPU.

    The GPUs are held until this process ends.

    Raises:
        Refused: If there are fewer.
    """
    if not torch.cuda.is_available():
        return None
    gpus = _gpus()
    if len(gpus) < count:
        raise Refused(f"--processes: found {count}; GPUs usable here: {len(gpus)}")
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    names = names if len(names) == len(gpus) else [str(number) for number in range(len(gpus))]
    return ",".join(names[number] for number in slots.take_several(gpus, count, say=_say))


def _free() -> str:
    """Returns the name of a GPU that no other job has, held from now on; `cpu` if there is none."""
    return f"cuda:{slots.take(_gpus(), say=_say)}" if torch.cuda.is_available() else "cpu"


def _gpus() -> list[str]:
    """Returns the UUIDs of the GPUs that this process sees, in the order of their numbers.

    Numbers are no names: CUDA_VISIBLE_DEVICES gives each process its own.
    """
    found = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [str(each.uuid) for each in found]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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
