"""torchvision, imported also where its compiled library does not fit torch.

A build of torchvision for CUDA beside a torch for the CPU alone fails on import: it describes
operators of its compiled library, which then is not loaded. Declaring the two by name suffices for
its networks; what needs the operators themselves still fails, and says so. With a build that fits,
nothing happens here.
"""

import importlib
import importlib.util
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

__all__ = ["with_torchvision"]

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_DECLARED: list[torch.library.Library] = []  # an operator lives as long as what declared it


def with_torchvision(module: str) -> ModuleType:
    """Imports a module that imports torchvision, quietly; see above."""
    if not _DECLARED and not _fits():
        library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for name, schema in SCHEMAS.items():
            if not hasattr(torch.ops.torchvision, name):
                library.define(schema)
        _DECLARED.append(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an image reader that is not used
        return importlib.import_module(module)


def _fits() -> bool:
    """Loads torchvision's compiled library; returns whether it could be."""
    found = importlib.util.find_spec("torchvision")
    places = list(found.submodule_search_locations or ()) if found else []
    for library in (each for place in places for each in Path(place).glob("_C*.so")):
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except OSError:
            return False
        return True
    return False
