"""Weights as others wrote them, read without running anything of theirs.

Five kinds of file: torch's zip and its older pickle, each with a state dict or with a whole module,
MatConvNet's `.mat`, a zip of a TensorFlow checkpoint, and safetensors. Whatever else is refused.
"""

import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from acutance.errors import Refused
from acutance.inert import Inert, stand_in
from acutance.legacy import read_legacy
from acutance.matconvnet import read_mat
from acutance.tensorbundle import INDEX, read_bundle

__all__ = ["Foreign", "read"]

# Where a training script puts the weights among other things, the ones to use first.
WRAPS = (
    *("params_ema", "params", "state_dict", "model_state_dict", "model_state", "model"),
    *("net", "netG", "network", "generator", "weights"),
)
PARALLEL = "module."  # what torch's DataParallel puts before every name
DEEPEST = 20  # modules within modules

_DAMAGE: tuple[type[Exception], ...] = (  # what torch, pickle, zipfile raise on a damaged file
    *(pickle.UnpicklingError, zipfile.BadZipFile, SafetensorError, EOFError, OSError, struct.error),
    *(RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError),
    *(MemoryError, OverflowError, zlib.error),
)


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """What a foreign file holds.

    Attributes:
        weights: By the names they have there, in its order; on the CPU, as they lie.
        kind: What the file is, in words.
        inside: The key of the file under which they stood: `params_ema`; or nothing.
    """

    weights: Mapping[str, Tensor]
    kind: str
    inside: str = ""


def read(path: Path) -> Foreign:
    """Returns the weights of a foreign file.

    Raises:
        Refused: If there is no such file, it is damaged, of an unknown kind, or names or calls
            anything that weights have no use for.
    """
    if not path.is_file():
        raise Refused(f"{path}: no such file; give a checkpoint")
    try:
        found = _read(path)
    except Refused as refused:
        raise Refused(f"{path}: {refused}") from None
    except _DAMAGE as error:
        raise Refused(f"{path}: cannot be read ({_reason(error)}); is it whole?") from None
    if not found.weights:
        raise Refused(f"{path}: holds no weights")
    return found


def _read(path: Path) -> Foreign:
    with path.open("rb") as file:
        begin = file.read(512)
    if begin.startswith(b"MATLAB 5.0"):
        return Foreign(weights=read_mat(path), kind="MATLAB file")
    if begin.startswith(b"MATLAB 7.3"):
        raise Refused("a MATLAB 7.3 file (HDF5); save it anew with `save -v7`")
    if begin[257:262] == b"ustar":
        raise Refused("a tar archive, or a torch checkpoint of before 0.1.10; neither is read")
    if begin.startswith(b"PK"):
        if any(name.endswith(INDEX) for name in _names(path)):
            return Foreign(weights=read_bundle(path), kind="TensorFlow checkpoint")
        return _unwrapped(_read_zip(path), "torch checkpoint")
    if begin[:1] == b"\x80":
        return _unwrapped(read_legacy(path), "torch checkpoint of before 1.6")
    if begin[8:9] == b"{":
        return Foreign(weights=load_file(path), kind="safetensors file")
    what = "a web page" if b"<html" in begin.lower() else f"it begins with {begin[:8]!r}"
    raise Refused(f"neither a torch checkpoint nor MatConvNet's .mat nor safetensors ({what})")


def _names(path: Path) -> list[str]:
    if not zipfile.is_zipfile(path):
        raise Refused("a zip that lacks its end: it broke off")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def _read_zip(path: Path) -> Any:
    """Returns what a zip of torch holds, every class that torch does not know an inert one."""
    names = _names(path)
    if any(name.endswith("/constants.pkl") for name in names):
        raise Refused("a TorchScript program; weights alone are read, ask for a state dict")
    if not any(name.endswith("data.pkl") for name in names):
        raise Refused("a zip, but no torch checkpoint; take the checkpoint out of it")
    unknown = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    stand_ins: list[Any] = [(stand_in(name), name) for name in sorted(unknown)]
    with warnings.catch_warnings(), torch.serialization.safe_globals(stand_ins):
        warnings.simplefilter("ignore")  # of a newer pickle: what it cannot read, it refuses
        return torch.load(path, map_location="cpu", weights_only=True)


def _unwrapped(found: Any, kind: str) -> Foreign:
    """Returns the weights of what a checkpoint holds: a module, a state dict, or one within."""
    inside: list[str] = []
    while isinstance(found, Mapping) and not _is_state(found):
        key = next((k for k in WRAPS if _may_hold(found.get(k))), None)
        if key is None or len(inside) == DEEPEST:
            kinds = ", ".join(f"{str(k)[:40]} ({type(v).__name__})" for k, v in found.items())
            raise Refused(f"holds no state dict, only {kinds[:200] or 'nothing'}")
        inside.append(key)
        found = found[key]
    if isinstance(found, Inert):
        weights = dict(_of_module(found, "", DEEPEST))
        kind = f"{kind} with a whole module ({type(found).__qualname__}), read as its state"
    elif isinstance(found, Mapping):
        weights = dict(found)
    else:
        raise Refused(f"holds neither a state dict nor a module, but {type(found).__name__}")
    if weights and all(name.startswith(PARALLEL) for name in weights):
        weights = {name.removeprefix(PARALLEL): value for name, value in weights.items()}
    plain = {name: value.detach() for name, value in weights.items()}
    return Foreign(weights=plain, kind=kind, inside=".".join(inside))


def _is_state(found: Mapping[Any, Any]) -> bool:
    return bool(found) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in found.items()
    )


def _may_hold(value: object) -> bool:
    return isinstance(value, Inert) or (isinstance(value, Mapping) and bool(value))


def _of_module(module: Inert, prefix: str, room: int) -> Iterator[tuple[str, Tensor]]:
    """Yields the state of a module from its attributes, in torch's order."""
    if not room:
        raise Refused("modules within modules without end")
    passing = vars(module).get("_non_persistent_buffers_set", ())
    for held in ("_parameters", "_buffers"):
        for name, value in _mapping(module, held).items():
            if isinstance(value, Tensor) and name not in passing:
                yield f"{prefix}{name}", value
    for name, inner in _mapping(module, "_modules").items():
        if isinstance(inner, Inert):
            yield from _of_module(inner, f"{prefix}{name}.", room - 1)


def _mapping(module: Inert, name: str) -> Mapping[Any, Any]:
    found = vars(module).get(name)
    return found if isinstance(found, Mapping) else {}


def _reason(error: Exception) -> str:
    """Returns what an error says, in a few words of one line."""
    text = str(error).partition("WeightsUnpickler error:")[2] or str(error)  # torch says much more
    text = " ".join(text.split()).partition(" Please ")[0] or type(error).__name__
    return text if len(text) <= 160 else f"{text[:159]}…"
