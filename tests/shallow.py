"""Every network as small as its signature allows, for what must hold at any depth."""

import inspect

import torch
from torch import nn

from acutance import resolve
from acutance.errors import Refused


def arguments(name: str, scale: int) -> dict[str, int]:
    """Whole-number arguments of a model at 2, those that may be."""
    build = resolve.load("models", name)
    given: dict[str, int] = {}
    for key, parameter in inspect.signature(build).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.annotation in (int, "int"):
            try:
                with torch.device("meta"):
                    build(scale, **given, **{key: 2})
            except Refused:
                continue
            given[key] = 2
    return given


def shallow(name: str, scale: int) -> nn.Module:
    """The model with those arguments, from seed 0."""
    torch.manual_seed(0)
    return resolve.load("models", name)(scale, **arguments(name, scale)).eval()
