"""A tiny run of the real kind, and what one looks at when it is done: for tests of training."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from acutance.calls import Call, Loss
from acutance.contests import Contest
from acutance.image import write_png
from acutance.pack import pack
from acutance.recipes import Recipe
from acutance.sets import Dataset, Pairs
from acutance.spec import Run
from acutance.train import train

SET = Dataset(name="waves", role="train", images=4, licence="", cite="", sources=(), pictures=())
PAIRS = Pairs(
    datasets=(SET,),
    degradation=Call(name="bicubic", kind="degradations", function="imresize"),
    scale=2,
    verb="pack",
)
RUN = Run(
    system="espcn+gv",
    scale=2,
    seed=0,
    model=Call(name="espcn", kind="models", function="espcn", arguments=(("channels", 1),)),
    losses=(
        Loss(name="l2", kind="losses", function="l2", weight=1.0),
        Loss(
            name="gradient_variance",
            kind="losses",
            function="gradient_variance",
            arguments=(("patch", 4),),
            weight=0.01,
        ),
    ),
    recipe=Recipe(
        name="tiny",
        patch=6,
        batch=2,
        steps=400,
        learning_rate=1e-3,
        milestones=(200,),
        factor=0.5,
        augment=("flip_h", "transpose"),
        keep="best",
        validate_every=100,
    ),
    train=PAIRS,
    validate=PAIRS,
)

STILL = replace(RUN.recipe, steps=150, learning_rate=1e-9, milestones=(), keep="last")
COLLAPSES = replace(  # a critic that learns, and a network that does not
    RUN,
    recipe=STILL,
    contests=(
        Contest(
            name="image",
            critic=Call(
                name="vgg",
                kind="critics",
                function="vgg",
                arguments=(("norm", False), ("pairs", 2), ("width", 4)),
            ),
            game=Call(name="vanilla", kind="games", function="vanilla"),
            view="image",
            weight=1e-3,
            recipe=replace(STILL, learning_rate=1e-2),
        ),
    ),
)


def pack_waves(place: Path, pictures: int) -> Path:
    """Packs some 28 x 24 pictures of waves, LR at half the size; returns the packed folder."""
    for number in range(pictures):
        rows, columns = np.mgrid[0:24, 0:28]
        waves = [np.sin((rows * (c + 1) + columns * (number + 1)) / 5) for c in range(3)]
        image = (127 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)
        write_png(place / "hr" / f"{number}.png", image)
    pack([place / "hr"], place / "packed", degradation=lambda h, s: h[::s, ::s], scale=2)
    return place / "packed"


def run(packed: Path, place: Path, it: Run = RUN, **settings: object) -> int:
    given = {"device": "cpu", "threads": 1, "checkpoint_seconds": 3600.0, **settings}
    validation = packed if it.validate else None
    out, state = place / "out", place / "state"
    return train(it, packed=packed, validation=validation, out=out, state=state, **given)


def changed(**recipe: object) -> Run:
    return replace(RUN, recipe=replace(RUN.recipe, **recipe))


def log_of(out: Path) -> list[dict[str, str]]:
    """The rows of a log without the times."""
    with (out / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def assert_same(out: Path, undisturbed: Path) -> None:
    assert sorted(path.name for path in out.iterdir()) == [
        "log.csv",
        "run.json",
        "weights.safetensors",
    ]
    found = (out / "weights.safetensors").read_bytes()
    assert found == (undisturbed / "weights.safetensors").read_bytes()
    assert log_of(out) == log_of(undisturbed)
