"""Checkpoints of torch before 1.6, which torch itself reads no longer where they hold modules.

Such a file is five pickles (a magic number, a version, the machine, the object, the names of its
storages) and then the storages. The object is read with nothing but the names below and stand-ins;
tensors are put together once their storages have been read, so no claimed size is believed.
"""

import pickle
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from acutance.errors import Refused
from acutance.inert import stand_in

__all__ = ["MAGIC", "read_legacy"]

MAGIC = 0x1950A86A20F9469CFC6C  # torch's own
_DTYPES: Mapping[str, torch.dtype] = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def read_legacy(path: Path) -> Any:
    """Returns the object of an old checkpoint; modules are `Inert`, tensors are tensors.

    Raises:
        Refused: If it names or calls what weights have no use for.
        Exception: Whatever pickle and torch raise where the file is damaged.
    """
    with path.open("rb") as file:
        if _plain(file) != MAGIC:
            raise Refused("it is no checkpoint of torch")
        _plain(file)  # the version, 1001 throughout
        machine = _plain(file)
        if not isinstance(machine, dict) or not machine.get("little_endian", True):
            raise Refused("it was written on a big-endian machine")
        reader = _Reader(file, encoding="latin1")
        found = reader.load()
        for key in _plain(file):
            storage = reader.storages.get(str(key))
            if storage is None:
                raise Refused("it holds a storage that nothing uses")
            storage.read(file)
    return _filled(found, set())


class _Storage:
    """Numbers that come later in the file; a tensor is a view of one."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.values = torch.empty(0)

    def read(self, file: IO[bytes]) -> None:
        """Reads the count and the numbers."""
        count = int.from_bytes(file.read(8), "little", signed=True)
        data = file.read(count * self.dtype.itemsize) if count > 0 else b""
        if count < 0 or len(data) != count * self.dtype.itemsize:
            raise Refused("it broke off within its numbers")
        if count:
            self.values = torch.frombuffer(bytearray(data), dtype=self.dtype)


@dataclass(frozen=True)
class _View:
    """A tensor to be: its storage, where it begins, its size and strides."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def tensor(self) -> torch.Tensor:
        """Returns the tensor; torch refuses what reaches beyond the storage."""
        return self.storage.values.as_strided(self.size, self.stride, self.offset).clone()


class _Maker(ABC):
    """What a pickle may call: one of the functions below, which nothing can be set on."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, *given: Any) -> Any:
        """Makes what the pickle asks for."""


class _Tensor(_Maker):
    """Stands for torch's `_rebuild_tensor` and `_rebuild_tensor_v2`."""

    __slots__ = ()

    def __call__(self, *given: Any) -> _View:
        storage, offset, size, stride = given[:4]
        if not isinstance(storage, _Storage):
            raise Refused("it makes a tensor of something else")
        return _View(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


class _Parameter(_Maker):
    """Stands for torch's Parameter and `_rebuild_parameter`."""

    __slots__ = ()

    def __call__(self, *given: Any) -> "_Held":
        return _Held(given[0])


class _Held:
    """A parameter, whose state says only whether it is trained."""

    __slots__ = ("view",)

    def __init__(self, view: Any) -> None:
        self.view = view

    def __setstate__(self, state: object) -> None:
        """Takes no notice: neither gradients nor hooks are weights."""


class _Size(_Maker):
    """Stands for torch.Size."""

    __slots__ = ()

    def __call__(self, *given: Any) -> tuple[int, ...]:
        return tuple(given[0]) if given else ()


_KNOWN: Mapping[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor": _Tensor(),
    "torch._utils._rebuild_tensor_v2": _Tensor(),
    "torch._utils._rebuild_parameter": _Parameter(),
    "torch.nn.parameter.Parameter": _Parameter(),
    "torch.Size": _Size(),
    "builtins.set": set,
    "__builtin__.set": set,  # as Python 2 and protocol 2 call it
}


class _Reader(pickle.Unpickler):
    """An unpickler to which nothing foreign exists.

    Attributes:
        storages: Those that the object's tensors are views of, by name.
    """

    def __init__(self, file: IO[bytes], *, encoding: str) -> None:
        super().__init__(file, encoding=encoding)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str, /) -> Any:
        """Returns what takes the place of a name."""
        path = f"{module}.{name}"
        if module in ("torch", "torch.cuda") and name in _DTYPES:
            return _DTYPES[name]
        return _KNOWN[path] if path in _KNOWN else stand_in(path)

    def persistent_load(self, pid: Any, /) -> Any:
        """Returns the class of a module, whose source comes with it unread, or a storage."""
        kind, *rest = pid
        if kind == "module":
            return rest[0]
        if kind != "storage" or len(rest) != 5:
            raise Refused(f"it holds {kind!r}, which is neither module nor storage")
        dtype, key, _, _, view = rest
        if view is not None or not isinstance(dtype, torch.dtype):
            raise Refused("its storages are views of others, or of an unknown kind")
        return self.storages.setdefault(str(key), _Storage(dtype))


class _Plain(pickle.Unpickler):
    """An unpickler of numbers, words and lists."""

    def find_class(self, module: str, name: str, /) -> Any:
        """Refuses every name."""
        raise Refused(f"it names '{module}.{name}' where only numbers and words belong")


def _plain(file: IO[bytes]) -> Any:
    return _Plain(file, encoding="latin1").load()


def _filled(found: Any, seen: set[int]) -> Any:
    """Puts tensors where views of storages stand, in place and in what is inside."""
    if isinstance(found, _Held):
        found = found.view
    if isinstance(found, _View):
        return found.tensor()
    inner = found if isinstance(found, dict) else getattr(found, "__dict__", None)
    if isinstance(inner, dict) and id(inner) not in seen:
        seen.add(id(inner))
        for key, value in list(inner.items()):
            inner[key] = _filled(value, seen)
    return found
