"""One training by several processes: which crops of a batch are whose, and what they tell another.

Every process builds the same networks from the same seed and takes every step with the others. It
sends its own crops through the networks (`mine`) and has the results of all (`whole`), so whatever
is computed of results, be it a loss, a game's mean logit or a random draw, is what one process
alone would have computed. The slopes of the weights are those of its own crops; added up over the
processes (`add_up`) they are those of the batch. Batch normalisation takes its means over all
crops (`as_one`). With one process each of these does nothing.

Processes are torchrun's: its environment says how many there are. They talk by gloo on CPUs and by
NCCL on GPUs. What a network draws at random itself, as dropout does, would differ from one process;
no network here does so.
"""

import ctypes
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.autograd import Function

from acutance.errors import Refused

TOLD = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")  # by torchrun
PR_SET_PDEATHSIG = 1  # of Linux's prctl
PATIENCE = timedelta(minutes=10)  # with a process that says nothing


class Lost(Refused):
    """The processes of a training are no longer all there."""


def launched() -> bool:
    """Says whether this process is one of several that torchrun started."""
    return all(name in os.environ for name in TOLD) and int(os.environ["WORLD_SIZE"]) > 1


def leads() -> bool:
    """Says whether this process is the one that writes and speaks."""
    return not launched() or os.environ["RANK"] == "0"


def part(threads: int | None) -> int | None:
    """Returns how many of a training's threads on this machine are those of this process."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if launched() else 1
    return threads and max(1, threads // here)


def world() -> int:
    """Returns how many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Returns which of them this is; 0 leads: it writes, and decides when to save and to leave."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Trains together with the processes that torchrun started, if it started any.

    Args:
        device: Of this process.
    """
    if not launched():
        yield
        return
    backend = "gloo" if device.type == "cpu" else f"cpu:gloo,{device.type}:nccl"
    _end_with_parent()
    together(lambda: dist.init_process_group(backend, timeout=PATIENCE))
    try:
        yield
    finally:
        dist.destroy_process_group()


def _end_with_parent() -> None:
    """Has the kernel ask this process to save and leave when the one that started it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def share(total: int) -> slice:
    """Returns which of `total` crops are this process's; the first ones may have one more each."""
    return _share(total, rank(), world())


def _share(total: int, rank: int, world: int) -> slice:
    """Returns the share of a process.

    >>> [_share(15, rank, 2) for rank in (0, 1)]
    [slice(0, 8, None), slice(8, 15, None)]
    """
    least, more = divmod(total, world)
    first = rank * least + min(rank, more)
    return slice(first, first + least + (rank < more))


def mine(batch: Tensor) -> Tensor:
    """Returns this process's crops of a batch that every process has: (n, ...) of (N, ...).

    Differentiable, as often as you like.
    """
    return batch if world() == 1 else _applied(_Mine, batch)


def whole(own: Tensor, total: int) -> Tensor:
    """Returns the (N, ...) of all processes from this one's (n, ...); the opposite of `mine`.

    Differentiable, as often as you like.

    Args:
        own: What came of its crops.
        total: N.
    """
    return own if world() == 1 else _applied(_Whole, own, total)


def mean(own: Tensor, count: int, total: int) -> Tensor:
    """Returns the mean over all crops from the mean over this process's; differentiable once.

    Args:
        own: Scalar.
        count: Its crops.
        total: All crops.
    """
    return own if world() == 1 else whole((own * (count / total)).reshape(1), world()).sum()


def add_up(tensors: Sequence[Tensor]) -> None:
    """Adds up tensors over processes, in place; every process has the same bits then."""
    if world() == 1 or not tensors:
        return
    flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
    together(lambda: dist.all_reduce(flat))
    for tensor, part in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
        tensor.detach().copy_(part.view_as(tensor))


def as_one(network: nn.Module) -> nn.Module:
    """Makes batch normalisation in a network take its means over all processes; returns it."""
    if world() > 1:
        for module in network.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = _BatchNorm  # weights and their names stay as they are
    return network


def shared(state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Returns the state that the leading process gives; what the others give is not looked at."""
    if world() == 1:
        return state
    buffer = io.BytesIO()
    torch.save(state if rank() == 0 else None, buffer)
    size = torch.tensor(len(buffer.getvalue()))
    together(lambda: dist.broadcast(size, 0))
    told = torch.empty(int(size), dtype=torch.uint8)
    if rank() == 0:
        told = torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)
    together(lambda: dist.broadcast(told, 0))
    if rank() == 0:
        return state
    found: Mapping[str, Any] | None = torch.load(
        io.BytesIO(told.numpy().tobytes()), weights_only=True
    )
    return found


def check_same(weights: Mapping[str, Tensor], when: str) -> None:
    """Checks that all processes have the same bits.

    Args:
        weights: Of a network.
        when: For the message.

    Raises:
        Refused: If they have not: a machine computes wrongly, or not as the others do.
    """
    if world() == 1:
        return
    words = [w.view(torch.int32) if w.dtype is torch.float32 else w for w in weights.values()]
    own = torch.stack([word.sum(dtype=torch.int64) for word in words]).cpu()
    found = [torch.empty_like(own) for _ in range(world())]
    together(lambda: dist.all_gather(found, own))
    if apart := [number for number, other in enumerate(found) if not other.equal(found[0])]:
        raise Refused(
            f"{when}: processes {', '.join(map(str, apart))} have other weights than process 0;"
            " all must be on GPUs of one kind, and one of them may be broken"
        )


def _applied(function: type[Function], *arguments: object) -> Tensor:
    """Returns what a function gives; torch's `apply` has no types."""
    found: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]
    return found


class _Mine(Function):
    """A batch that every process has to the crops of each; slopes of all crops come back."""

    @staticmethod
    def forward(ctx: Any, batch: Tensor) -> Tensor:
        ctx.total = len(batch)
        return batch[share(len(batch))].clone()

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        return whole(slopes[0], ctx.total)


class _Whole(Function):
    """The crops of each process to a batch that every process has; each takes its slopes back."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, total: int) -> Tensor:
        del ctx
        batch = own.new_zeros((total, *own.shape[1:]))
        batch[share(total)] = own
        together(lambda: dist.all_reduce(batch))
        return batch

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        del ctx
        return mine(slopes[0]), None


class _Sum(Function):
    """The sum over processes of what each goes on to use for its own crops."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        del ctx
        total = own.clone()
        together(lambda: dist.all_reduce(total))
        return total

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        del ctx
        return _applied(_Sum, slopes[0])


class _BatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the crops of all processes; torch's own can do so on GPUs only."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns (n, C, H, W) normalised by what the (N, C, H, W) of all have."""
        if not self.training:
            return super().forward(x)
        values = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        own = torch.cat((values.sum((0, 2, 3)), values.new_tensor([values[:, 0].numel()])))
        *_, count = total = _applied(_Sum, own)
        middle = values - (total[:-1] / count)[:, None, None]
        variance = _applied(_Sum, middle.square().sum((0, 2, 3))) / count
        self._remember(total[:-1] / count, variance * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        found: Tensor = middle * scale[:, None, None] + self.bias[:, None, None]
        return found.to(x.dtype)

    @torch.no_grad()
    def _remember(self, middle: Tensor, variance: Tensor) -> None:
        kept = ((self.running_mean, middle), (self.running_var, variance))
        for old, new in kept:
            if old is not None and self.momentum is not None:
                old.lerp_(new, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def together(call: Callable[[], object]) -> None:
    """Does something that all processes must do.

    Raises:
        Lost: If one of them is gone.
    """
    try:
        call()
    except RuntimeError as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise Lost(
            f"another process of this training is gone, or out of reach ({said}); the same command"
            " goes on from the last state"
        ) from None
