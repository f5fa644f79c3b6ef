"""What holds for every degradation: sizes, constants, channels apart from one another."""

import inspect

import numpy as np
import pytest

from acutance import resolve
from acutance.errors import Refused

NAMES = resolve.names("degradations")
HR = np.random.default_rng(0).integers(0, 256, (27, 34, 3), dtype=np.uint8)


def variants(name: str) -> list[dict[str, object]]:
    """Defaults, and each other value of each argument."""
    function = resolve.load("degradations", name)
    found: list[dict[str, object]] = [{}]
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            values = getattr(parameter.annotation, "__args__", (True, False))
            found += [{parameter.name: v} for v in values if v != parameter.default]
    return found


CASES = [(name, arguments) for name in NAMES for arguments in variants(name)]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_sizes_constants_and_channels(name: str, arguments, scale: int) -> None:
    degrade = resolve.load("degradations", name)
    lr = degrade(HR, scale, **arguments)
    assert lr.shape == (27 // scale, 34 // scale, 3)
    assert lr.dtype == (np.float64 if arguments == {"rounding": "none"} else np.uint8)
    for channel in range(3):  # grey is treated as each channel of a colour image is
        np.testing.assert_array_equal(
            degrade(HR[..., channel], scale, **arguments), lr[..., channel]
        )
    for value in (0, 1, 127, 255):
        flat = degrade(np.full((27, 34), value, np.uint8), scale, **arguments)
        np.testing.assert_allclose(flat, value, atol=1e-12)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_the_input_is_left_as_it_was(name: str, arguments) -> None:
    before = HR.copy()
    resolve.load("degradations", name)(HR, 2, **arguments)
    np.testing.assert_array_equal(HR, before)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_smaller_than_the_scale_is_refused(name: str, arguments) -> None:
    with pytest.raises(Refused, match="an image of 34 x 2 is smaller than the scale 3"):
        resolve.load("degradations", name)(HR[:2], 3, **arguments)
