"""Foreign weights under our names, in our order of dimensions, checked against a network."""

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from acutance.errors import Refused
from acutance.keys import Keys, Rule

__all__ = ["Misfit", "convert"]

NEAR = 1e-5  # of 1, or of the constant: what float32 leaves of it


class Misfit(Refused):
    """Foreign weights that do not fit; `faults` says how many names."""

    def __init__(self, message: str, faults: int) -> None:
        super().__init__(message)
        self.faults = faults


def convert(weights: Mapping[str, Tensor], keys: Keys, model: nn.Module) -> dict[str, Tensor]:
    """Returns the state of `model` that foreign weights give, in the model's order and types.

    Args:
        weights: By their foreign names.
        keys: What the names mean.
        model: Of the arguments that the weights were trained with; it is not changed.

    Raises:
        Misfit: If any name, shape, constant or value does not fit; all of them are named.
    """
    wanted = model.state_dict()
    made: dict[str, Tensor] = {}
    faults: dict[str, list[str]] = {}
    for foreign, value in weights.items():
        ours, rule = keys.ours(foreign) or ("", None)
        if ours and ours not in wanted:
            rule = None
        if fault := _fault(value, rule, model) or ("a second time" if ours in made else ""):
            faults.setdefault(fault, []).append(foreign)
        elif rule is not None and ours:
            made[ours] = _turned(value, rule)
    for name, value in wanted.items():
        if name not in made:
            faults.setdefault("missing", []).append(name)
        elif made[name].shape != value.shape:
            shapes = f"{tuple(made[name].shape)} for {tuple(value.shape)}"
            faults.setdefault("wrong shape", []).append(f"{name} {shapes}")
    if faults:
        count = sum(len(names) for names in faults.values())
        said = "; ".join(f"{kind}: {', '.join(_folded(names))}" for kind, names in faults.items())
        raise Misfit(f"does not fit by the mapping '{keys.name}': {said}", count)
    return {name: made[name].to(wanted[name].dtype).contiguous() for name in wanted}


def _fault(value: Tensor, rule: Rule | None, model: nn.Module) -> str:
    """Returns what is wrong with a foreign weight, or nothing."""
    if rule is None:
        return "left over"
    if rule.equals:
        return "" if _is_constant(value, rule, model) else f"not our {rule.equals}"
    return "" if value.isfinite().all() else "not finite"


def _turned(value: Tensor, rule: Rule) -> Tensor:
    """Returns a weight in torch's order of dimensions."""
    if rule.kind == "kernel":  # H x W x in x out, trailing ones dropped; transposed: x out x in
        full = value.reshape(*value.shape, *(1,) * (4 - value.ndim))
        value = full.permute(3, 2, 0, 1)
    elif rule.kind == "vector":
        value = value.reshape(-1)
    if rule.pixels > 1:
        blocks = value.reshape(rule.pixels, -1, *value.shape[1:])
        value = blocks.transpose(0, 1).reshape(value.shape)
    return value if rule.times == 1 else value * rule.times


def _is_constant(value: Tensor, rule: Rule, model: nn.Module) -> bool:
    if rule.equals == "identity":
        side = value.shape[0] if value.ndim else 0
        wanted = torch.eye(side).reshape(-1)
    else:
        wanted = dict(model.named_buffers())[rule.equals].reshape(-1)
    wanted = wanted.double() * rule.times
    found = value.detach().double().reshape(-1)
    if found.shape != wanted.shape:
        return False
    return bool(torch.allclose(found, wanted, rtol=NEAR, atol=NEAR))


def _folded(names: Iterable[str]) -> list[str]:
    """Returns names in short: those that differ by a number alone are one where none is lacking.

    >>> _folded(["a.0.w.0", "a.1.w.0", "a.2.w.0", "b", "c.1", "c.3"])
    ['a.{0..2}.w.0', 'b', 'c.1', 'c.3']
    """
    found = [tuple(re.split(r"(\d+)", name)) for name in names]
    for place in range(1, max(map(len, found), default=0), 2):
        alike: dict[tuple[str, ...], list[int]] = {}
        for parts in found:
            if len(parts) > place:
                rest = (*parts[:place], "", *parts[place + 1 :])
                alike.setdefault(rest, []).append(int(parts[place]))
            else:
                alike.setdefault(parts, [])
        found = [
            (*rest[:place], span, *rest[place + 1 :]) if numbers else rest
            for rest, numbers in alike.items()
            for span in _spans(numbers)
        ]
    return ["".join(parts) for parts in found]


def _spans(numbers: list[int]) -> list[str]:
    """Returns numbers as one span where they follow one another."""
    if len(numbers) > 1 and sorted(numbers) == list(range(min(numbers), max(numbers) + 1)):
        return [f"{{{min(numbers)}..{max(numbers)}}}"]
    return [str(number) for number in numbers] or [""]
