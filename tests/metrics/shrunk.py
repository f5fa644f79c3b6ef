"""Pairs that golden numbers were computed on: photographs of scikit-image, shrunk and enlarged."""

import csv
from pathlib import Path

import numpy as np
from skimage import data

from acutance.image import quantise
from acutance.resize import resize

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def rows(metric: str) -> list[dict[str, str]]:
    """The golden rows of `metric`, a name of params.yaml."""
    with (GOLDEN / "fidelity.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["metric"] == metric]


def pair(row: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """SR and HR of a golden row: bicubic, rounded to 8 bits at each end."""
    height, width, scale = (int(row[key]) for key in ("height", "width", "scale"))
    hr = getattr(data, row["picture"])()[:height, :width]
    lr = quantise(resize(hr, -(-height // scale), -(-width // scale)))
    return quantise(resize(lr, height, width)), hr
