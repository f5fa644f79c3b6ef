"""How much memory a network's forward pass takes, counted without computing it.

The pass is run on torch's `meta` device, where tensors have shapes and no pixels, and the bytes of
all tensors alive at once are added up. Beside them a convolution is given room for what its kernel
copies. On x86 with oneDNN (float32) the copies measured were none, or the input, or the output in
the kernel's own layout; twice the output where transposed. The count assumes both at once.
"""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_CONVOLUTION = torch.ops.aten.convolution.default
_TRANSPOSED = 6  # place of the flag among its arguments


def peak(model: nn.Module, channels: int, height: int, width: int) -> int:
    """Returns the most bytes that a forward pass needs at once, beside the weights.

    Args:
        model: Its weights stay as they are; every operation must know the `meta` device.
        channels: Of the image it is given.
        height: Of that image.
        width: Of that image.
    """
    own = [*model.named_parameters(), *model.named_buffers()]
    weights = {name: torch.empty_like(value, device="meta") for name, value in own}
    with torch.no_grad(), torch.device("meta"), _Alive() as alive:
        image = torch.empty(1, channels, height, width)
        torch.func.functional_call(model, weights, (image,))
    most: int = alive.peak
    return most


class _Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's hook has no types
    """Adds up the bytes of the tensors that are made inside, until they are let go.

    Attributes:
        now: Bytes alive.
        peak: Most that were needed at once, with what convolutions copy.
    """

    now: int
    peak: int

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now, self.peak = 0, 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._hold(tensor.untyped_storage())
        copies = 0
        if func is _CONVOLUTION:
            copies = args[0].nbytes + made.nbytes * (2 if args[_TRANSPOSED] else 1)
        self.peak = max(self.peak, self.now + copies)
        return made

    def _hold(self, storage: torch.UntypedStorage) -> None:
        """Counts a storage once, however many tensors look at it."""
        key, size = id(storage), storage.nbytes()  # torch keeps one object per storage
        if key not in self._known:
            self._known.add(key)
            self.now += size
            weakref.finalize(storage, self._let_go, key, size)

    def _let_go(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size
