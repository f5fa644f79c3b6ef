"""A tiny network, objective and recipe, and the loop run on them."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from acutance.loops.restore import restore
from acutance.optim import Term, term
from acutance.packed import Packed
from acutance.pairs import FLIPS, Pairs
from acutance.recipes import Recipe
from acutance.rivals import Rival

CPU = torch.device("cpu")
RECIPE = Recipe(
    name="tiny",
    patch=6,
    batch=4,
    steps=40,
    learning_rate=1e-2,
    milestones=(15, 30),
    factor=0.3,
    augment=FLIPS,
    validate_every=10,
)
SGD = replace(
    RECIPE,
    optimiser="sgd",
    momentum=0.9,
    weight_decay=1e-4,
    sampling="epoch",
    batch=2,
    clip_norm=0.4,
    keep="best",
)


class Tiny(nn.Module):
    """Two convolutions with dropout between them, so that random state matters."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Conv2d(8, 12, 3, padding=1)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        features = self.drop(torch.relu(self.norm(self.first(lr))))
        base = nn.functional.interpolate(lr, scale_factor=2, mode="nearest")
        return {"sr": base + nn.functional.pixel_shuffle(self.last(features), 2)}


def l2(sr: Tensor, hr: Tensor) -> Tensor:
    return (sr - hr).square().mean()


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    return (sr - hr).abs().mean()


TERMS = (term("l2", 1.0, l2), term("l1", 0.1, l1))


@dataclass
class Told:
    """What the loop recorded, and the states it was asked for."""

    want: Callable[[int], bool] = lambda _: False
    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    states: dict[int, bytes] = field(default_factory=dict)

    def record(self, step: int, row: Mapping[str, float]) -> None:
        self.rows[step] = dict(row)

    def keep(self, step: int, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        if self.want(step):
            buffer = io.BytesIO()
            torch.save(dict(snapshot()), buffer)
            self.states[step] = buffer.getvalue()


def fit(
    packed: Packed,
    recipe: Recipe,
    told: Told,
    *,
    state: bytes | None = None,
    build: Callable[[], nn.Module] = Tiny,
    terms: tuple[Term, ...] = TERMS,
    device: torch.device = CPU,
    validation: bool = True,
    rivals: tuple[Rival, ...] = (),
) -> dict[str, Tensor]:
    pairs = Pairs(
        packed,
        patch=recipe.patch,
        batch=recipe.batch,
        seed=1,
        sampling=recipe.sampling,
        augment=recipe.augment,
        device=device,
    )
    return restore(
        build,
        terms,
        pairs,
        recipe,
        seed=1,
        device=device,
        validation=packed if validation else None,
        state=torch.load(io.BytesIO(state), weights_only=True) if state else None,
        record=told.record,
        keep=told.keep,
        rivals=rivals,
    )


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def plain() -> nn.Module:
    network = Tiny()
    network.drop = nn.Dropout(0.0)
    return network
