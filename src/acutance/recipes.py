"""Recipes: how weights are fitted, as params.yaml says it, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acutance import resolve, values
from acutance.book import Book
from acutance.errors import Refused

_SCALES = (2, 3, 4)
_LEARNING_RATE = 10.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How weights are fitted.

    Attributes:
        name: As in params.yaml; a shortened recipe has its own name.
        patch: Side of the LR crop; the HR crop is `patch * scale`.
        batch: Crops in a step.
        steps: Updates of the weights.
        sampling: `uniform` (image, place and flip drawn anew each step) or `epoch` (every image
            once in each epoch, the last batch as short as it comes).
        augment: Which flips of a crop are drawn.
        learning_rate: At the start.
        milestones: Steps after which the learning rate is multiplied by `factor`.
        clip_norm: Greatest norm of the gradient, or None.
        clip_adjustable: VDSR's theta: entries are clipped to ±theta / learning rate, or None.
        loss_scale: Multiplies the objective before its gradient is taken: for authors who sum over
            pixels where our losses average.
        keep: `last` weights, or the `best` in validation PSNR.
        validate_every: Steps between validations; 0 for none.
        first_only: Which weights alone learn at first: those whose names begin so; None for all.
        first_steps: How long "at first" is.
    """

    name: str
    patch: int
    batch: int
    steps: int
    learning_rate: float
    optimiser: Literal["adam", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.0
    weight_decay: float = 0.0
    milestones: tuple[int, ...] = ()
    factor: float = 1.0
    clip_norm: float | None = None
    clip_adjustable: float | None = None
    sampling: Literal["uniform", "epoch"] = "uniform"
    augment: tuple[Literal["flip_h", "flip_v", "transpose"], ...] = ()
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    compile: bool = False
    channels_last: bool = False
    loss_scale: float = 1.0
    keep: Literal["last", "best"] = "last"
    validate_every: int = 0
    first_only: str | None = None
    first_steps: int = 0


def check(book: Book, name: str) -> None:
    """Checks a recipe, used or not, at every scale for which all of its values are given."""
    place = f"recipes.{name}"
    entry = book.entry("recipes", name, "recipes")
    given = [s for value in entry.values() if (s := values.scales(value)) is not None]
    possible = [scale for scale in _SCALES if all(scale in each for each in given)]
    if not possible:
        raise Refused(f"{place}: there is no scale of 2, 3 and 4 that has all of its values")
    for scale in possible:
        read(book, name, scale, place)


def read(book: Book, name: object, scale: int, place: str) -> Recipe:
    """Returns a recipe, its values resolved for one scale.

    Raises:
        Refused: If there is none of that name, or a value makes no sense.
    """
    entry = book.entry("recipes", name, place)
    inside = f"recipes.{name}"
    fields = resolve.fields(Recipe, without=("name",))
    given = resolve.check(fields, entry, what="a recipe", scale=scale, place=inside)
    recipe = Recipe(name=str(name), **given)  # type: ignore[arg-type]  # checked: the very fields
    for key in ("patch", "batch", "steps", "learning_rate", "factor", "loss_scale", "eps"):
        if not 0 < getattr(recipe, key) < 1e12:
            raise Refused(f"{inside}.{key}: wants a number above 0, found {getattr(recipe, key)}")
    for key in ("momentum", "weight_decay", "validate_every", "first_steps"):
        if not 0 <= getattr(recipe, key) < 1e12:
            raise Refused(f"{inside}.{key}: must not be below 0, found {getattr(recipe, key)}")
    for key in ("clip_norm", "clip_adjustable"):
        if getattr(recipe, key) is not None and not getattr(recipe, key) > 0:
            raise Refused(f"{inside}.{key}: wants a number above 0, found {getattr(recipe, key)}")
    if recipe.clip_norm is not None and recipe.clip_adjustable is not None:
        raise Refused(f"{inside}: clip_norm and clip_adjustable exclude each other; keep one")
    if (recipe.first_only is None) != (recipe.first_steps == 0):
        raise Refused(f"{inside}: first_only and first_steps go together; give both or neither")
    _check_optimiser(recipe, inside)
    return recipe


def _check_optimiser(recipe: Recipe, inside: str) -> None:
    """Refuses numbers with which no optimiser converges, and lists that contradict themselves."""
    for key, value in (("momentum", recipe.momentum), *(("betas", b) for b in recipe.betas)):
        if not 0 <= value < 1:
            raise Refused(f"{inside}.{key}: wants numbers from 0 to below 1, found {value}")
    if recipe.learning_rate > _LEARNING_RATE:
        what = f"must not be above {_LEARNING_RATE}, found {recipe.learning_rate}"
        raise Refused(f"{inside}.learning_rate: {what}")
    beyond = [m for m in recipe.milestones if not 0 < m < recipe.steps]
    if beyond:
        what = f"{beyond[0]} lies outside its {recipe.steps} steps"
        raise Refused(f"{inside}.milestones: {what}")
    if list(recipe.milestones) != sorted(set(recipe.milestones)):
        raise Refused(f"{inside}.milestones: each must be later than the one before it")
    twice = [flip for flip in recipe.augment if recipe.augment.count(flip) > 1]
    if twice:
        raise Refused(f"{inside}.augment: '{twice[0]}' stands in it twice; remove one of them")
