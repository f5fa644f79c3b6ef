"""Weights of a run's safetensors file, put into a network."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from acutance.errors import Refused


def load_weights(model: nn.Module, path: Path) -> None:
    """Puts the weights of a file into `model`, in place; every one must fit.

    Raises:
        Refused: If the file is absent or damaged, or a name or a shape does not fit the model.
    """
    found = _read(path)
    wanted = model.state_dict()
    if missing := [key for key in wanted if key not in found]:
        raise Refused(f"{path}: lacks {_some(missing)}, which the model has; are they of another?")
    _check(found, wanted, path)
    model.load_state_dict(found)


def begin_with(model: nn.Module, path: Path, *, without: tuple[str, ...] = ()) -> None:
    """Puts the weights of another run into `model`, in place; what they lack stays as it is.

    Args:
        model: With its initial weights.
        path: The other run's file.
        without: Names of weights that are left out: those that begin so.

    Raises:
        Refused: As `load_weights`; and if a word of `without` is the beginning of no name.
    """
    found = _read(path)
    for word in without:
        if not any(key.startswith(word) for key in found):
            raise Refused(f"{path}: has no weight whose name begins with '{word}' to leave out")
    kept = {key: value for key, value in found.items() if not key.startswith(without or "\0")}
    _check(kept, model.state_dict(), path)
    model.load_state_dict(kept, strict=False)


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise Refused(f"{path}: no such file; give the weights.safetensors of a run")
    try:
        found: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise Refused(f"{path}: not a safetensors file ({reason}); give a run's weights") from None
    return found


def _check(found: dict[str, Tensor], wanted: dict[str, Tensor], path: Path) -> None:
    """Refuses weights that the model has no place for, or that are no numbers."""
    if extra := [key for key in found if key not in wanted]:
        raise Refused(f"{path}: has {_some(extra)}, which the model lacks; are they of another?")
    for key, value in found.items():
        if value.shape != wanted[key].shape:
            shapes = f"found shape {tuple(value.shape)}, the model wants {tuple(wanted[key].shape)}"
            remedy = "were they trained at this scale, with these arguments?"
            raise Refused(f"{path}: {key}: {shapes}; {remedy}")
        if not value.isfinite().all():
            raise Refused(f"{path}: {key}: holds NaN or infinity; train again")


def _some(keys: list[str]) -> str:
    """Returns the first keys in words."""
    rest = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return f"{', '.join(keys[:3])}{rest}"
