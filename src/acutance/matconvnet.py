"""MatConvNet's networks as MATLAB files: arrays by name, in MATLAB's order of dimensions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import torch
from scipy.io.matlab import MatReadError

from acutance.errors import Refused

__all__ = ["read_mat"]


def read_mat(path: Path) -> dict[str, torch.Tensor]:
    """Returns the arrays of a MATLAB 5 file (MATLAB's `-v6`, `-v7`) by name.

    A DAG network's parameters have the names that it gives them: `level1_conv1_f`. Other variables
    have those of their fields, elements of cells counted from 0: `model.weight.0`. MATLAB drops
    trailing dimensions of 1: a filter for one output channel has three.

    Args:
        path: The file; nothing in it is executed.

    Raises:
        Refused: If it cannot be read.
    """
    try:
        variables = scipy.io.loadmat(path, mat_dtype=False, struct_as_record=True)
    except (MatReadError, NotImplementedError) as error:
        raise Refused(" ".join(str(error).split())) from None
    found: dict[str, torch.Tensor] = {}
    for name, value in variables.items():
        if not name.startswith("__"):
            for full, array in _arrays(name, value):
                if full in found:
                    raise Refused(f"two parameters are called '{full}'")
                found[full] = torch.from_numpy(np.ascontiguousarray(array))
    return found


def _arrays(name: str, value: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Yields the arrays of numbers in a variable, a struct or a cell."""
    if not isinstance(value, np.ndarray):
        return
    fields = value.dtype.names or ()
    if "params" in fields and value.size == 1:  # a DAG network: what is not its parameters is code
        yield from _parameters(value.flat[0]["params"])
    elif fields:
        for record in value.flat:
            for field in fields:
                yield from _arrays(f"{name}.{field}", record[field])
    elif value.dtype == object:
        for index, inner in enumerate(value.flat):
            yield from _arrays(f"{name}.{index}", inner)
    elif value.dtype.kind == "f":
        yield name, value


def _parameters(params: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    fields = getattr(getattr(params, "dtype", None), "names", None) or ()
    if not {"name", "value"} <= set(fields):
        raise Refused("its `params` have no names and values")
    for record in params.flat:
        name, value = record["name"], record["value"]
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            raise Refused(f"its parameter '{''.join(map(str, name))}' is no array of numbers")
        yield str(name.flat[0]), value
