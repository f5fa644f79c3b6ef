"""One entry of params.yaml at a time: checked, and made into a dataclass of spec.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from acutance import offers, params, published, resolve
from acutance.book import Book, known_keys
from acutance.calls import Call, Loss
from acutance.datasets import datasets
from acutance.errors import Refused, nearest
from acutance.resolve import Noun
from acutance.sets import Pairs
from acutance.spec import Recipe, Run

_SHAVE = 64  # pixels: more would leave nothing of the smallest test images
_SCALES = (2, 3, 4)
_LEARNING_RATE = 10.0


def call(book: Book, section: str, name: str, *, scale: int) -> Call:
    """Returns a declared degradation or metric, its arguments resolved for one scale."""
    place = f"{section}.{name}"
    entry = book.entry(section, name, section)
    return _call(section, name, entry, scale=scale, place=place)


def _call(kind: str, name: str, entry: Mapping[str, Any], *, scale: int, place: str) -> Call:
    function = entry.get("function", name)
    found = _noun(kind, function, f"{place}.function" if "function" in entry else place)
    given = {k: v for k, v in entry.items() if k != "function"}
    bound = resolve.bind(found, given, scale=scale, place=place)
    least = 1 if kind in ("models", "losses") else 0  # sides, depths, widths; pixels shaved
    for name_, value in bound.items():
        if isinstance(value, int) and not isinstance(value, bool) and value < least:
            raise Refused(f"{place}.{name_}: must not be below {least}, found {value}")
        if name_ == "shave" and isinstance(value, int) and value > _SHAVE:
            raise Refused(f"{place}.shave: must not be above {_SHAVE}, found {value}")
    return Call(name=name, kind=kind, function=function, arguments=tuple(sorted(bound.items())))


def _noun(kind: str, function: object, place: str) -> Noun:
    if not isinstance(function, str):
        raise Refused(f"{place}: wants the name of a file in {kind}/, found {function!r}")
    try:
        return resolve.noun(kind, function)
    except Refused as error:
        raise Refused(f"{place}: {error}") from None


def metric(book: Book, name: object, output: str, place: str, scale: int = 2) -> Call:
    """Returns a metric; refuses one that measures unquantised output where files have 8 bits."""
    book.check("metrics", name, place)
    found = call(book, "metrics", str(name), scale=scale)
    if output == "png" and found.kwargs.get("quantise") == "none":
        what = f"'{name}' measures unquantised output, and this track writes 8-bit PNG"
        raise Refused(f"{place}: {what}; write `output: float` under test")
    return found


def metrics_at(
    book: Book, track: Mapping[str, Any], output: str, scale: int, place: str
) -> tuple[Call, ...]:
    """Returns all metrics of a track, resolved for one scale, each once."""
    names = [*params.mapping(track.get("metrics"), f"{place}.metrics").values()]
    names += list(track.get("also", ()))
    return tuple(metric(book, n, output, place, scale) for n in dict.fromkeys(names))


def check_unit(metric: Call, cells: Iterable[published.Cell], place: str) -> None:
    """Refuses a metric whose unit is not that of the printed numbers it stands beside."""
    unit = resolve.noun("metrics", metric.function).constants.get("UNIT")
    for cell in cells:
        if cell.unit != unit:
            what = f"'{metric.name}' measures in {unit}, and the printed {cell.metric} is in"
            raise Refused(f"{place}.{cell.metric}: {what} {cell.unit}; name another metric")


def scales(book: Book, system: str) -> tuple[int, ...]:
    """Returns the scales that a system is declared for."""
    entry = params.entry(book.section("systems"), system, place="systems")
    place = f"systems.{system}.scales"
    listed: tuple[int, ...] = params.listing(entry.get("scales"), place, int)
    return listed


def run(
    book: Book,
    system: str,
    scale: int,
    seed: int,
    *,
    place: str,
    track: Mapping[str, Any] | None = None,
) -> Run:
    """Returns a system at one scale from one seed, as a track changes it.

    Args:
        book: All entries.
        system: An entry of `systems`.
        scale: One of the scales that the system is declared for.
        seed: Of its random numbers.
        place: Where the run is asked for.
        track: The entry of the track; None only checks the system.
    """
    inside = f"systems.{system}"
    deltas = params.mapping((track or {}).get("deltas"), f"{place}.deltas")
    entry = params.entry(book.section("systems"), system, place="systems", deltas=deltas)
    known_keys(
        entry,
        ("model", "losses", "recipe", "scales", "train", "size_only", "released", "images"),
        inside,
    )
    if scale not in scales(book, system):
        raise Refused(f"{place}: '{system}' is not declared at scale {scale} ({inside}.scales)")
    if "images" in entry:
        return offers.of_images(book, entry, system, scale)
    model = network(entry.get("model"), scale, f"{inside}.model")
    if "released" in entry:
        return offers.of_weights(book, entry, model, system, scale)
    if params.flag(entry, "size_only", inside) and ("recipe" in entry or "losses" in entry):
        raise Refused(f"{inside}: is only counted (size_only), and says how it is trained")
    if "recipe" not in entry:
        if "losses" in entry:
            raise Refused(f"{inside}: has losses and no recipe; say how it is trained")
        return Run(system=system, scale=scale, seed=0, model=model)
    losses = _losses(entry, model, scale, inside)
    recipe = _recipe(book, entry["recipe"], scale, f"{inside}.recipe")
    if track is None:
        plain = Run(system=system, scale=scale, seed=seed, model=model)
        return replace(plain, losses=losses, recipe=recipe)
    own = params.mapping(entry.get("train"), f"{inside}.train")
    fed = {**track, "train": {**params.mapping(track.get("train"), f"{place}.train"), **own}}
    train = _pairs(book, fed, "train", scale, place)
    validate = _pairs(book, fed, "validate", scale, place) if "validate" in track else None
    _check_fit(recipe, train, validate, scale, f"{place} ({inside})")
    for loss in losses:
        side = loss.kwargs.get("patch")
        if isinstance(side, int) and side > recipe.patch * scale:
            what = f"patch {side} is larger than the HR patch {recipe.patch * scale}"
            raise Refused(f"{inside}.losses.{loss.name}.patch: {what} of recipes.{recipe.name}")
    return Run(
        system=system,
        scale=scale,
        seed=seed,
        model=model,
        losses=losses,
        recipe=recipe,
        train=train,
        validate=validate,
    )


def network(value: object, scale: int, place: str) -> Call:
    """Returns the network that a system's key `model` names, at one scale."""
    entry = {"function": value} if isinstance(value, str) else params.mapping(value, place)
    if "function" not in entry:
        raise Refused(f"{place}: says no model{nearest('', resolve.names('models'))}")
    model = _call("models", str(entry["function"]), entry, scale=scale, place=place)
    if model.kwargs.get("channels") == 1 and model.kwargs.get("residual_channels", 1) != 1:
        raise Refused(f"{place}.residual_channels: more than `channels`, which is 1; give it as 1")
    offered = resolve.noun("models", model.function).constants.get("SCALES")
    if not isinstance(offered, tuple) or scale not in offered:
        raise Refused(f"{place}: '{model.function}' does scales {offered}, asked for {scale}")
    return model


def _losses(entry: Mapping[str, Any], model: Call, scale: int, inside: str) -> tuple[Loss, ...]:
    place = f"{inside}.losses"
    outputs = resolve.noun("models", model.function).constants.get("OUTPUTS")
    offered = ("hr", *(outputs if isinstance(outputs, tuple) else ()))
    found = [
        _loss(name, value, scale, offered, f"{place}.{name}")
        for name, value in params.mapping(entry.get("losses"), place).items()
    ]
    if not any(loss.weight > 0 for loss in found):
        raise Refused(f"{place}: no loss with a weight above 0: there is nothing to minimise")
    return tuple(sorted(found, key=lambda loss: loss.name))


def _loss(name: str, value: object, scale: int, offered: tuple[str, ...], place: str) -> Loss:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    entry = {"weight": value} if plain else params.mapping(value, place)
    if "weight" not in entry:
        raise Refused(f"{place}: says no weight")
    weight = resolve.by_scale(entry["weight"], scale, f"{place}.weight")
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight < 1e12:
        raise Refused(f"{place}.weight: wants a number not below 0, found {weight!r}")
    levels = params.flag(entry, "levels", place)
    rest = {k: v for k, v in entry.items() if k not in ("weight", "levels")}
    made = _call("losses", name, rest, scale=scale, place=place)
    for asked in resolve.noun("losses", made.function).asks:
        if asked not in offered:
            what = f"asks for '{asked}', and the model gives {', '.join(offered[1:])}"
            raise Refused(f"{place}: '{made.function}' {what}")
    return Loss(**vars(made), weight=float(weight), levels=levels)


def check_recipe(book: Book, name: str) -> None:
    """Checks a recipe, used or not, at every scale for which all of its values are given."""
    place = f"recipes.{name}"
    entry = book.entry("recipes", name, "recipes")
    given = [s for value in entry.values() if (s := resolve.scales(value)) is not None]
    possible = [scale for scale in _SCALES if all(scale in each for each in given)]
    if not possible:
        raise Refused(f"{place}: there is no scale of 2, 3 and 4 that has all of its values")
    for scale in possible:
        _recipe(book, name, scale, place)


def _recipe(book: Book, name: object, scale: int, place: str) -> Recipe:
    entry = book.entry("recipes", name, place)
    inside = f"recipes.{name}"
    fields = resolve.fields(Recipe, without=("name",))
    given = resolve.check(fields, entry, what="a recipe", scale=scale, place=inside)
    recipe = Recipe(name=str(name), **given)  # type: ignore[arg-type]  # checked: the very fields
    for key in ("patch", "batch", "steps", "learning_rate", "factor", "loss_scale", "eps"):
        if not 0 < getattr(recipe, key) < 1e12:
            raise Refused(f"{inside}.{key}: wants a number above 0, found {getattr(recipe, key)}")
    for key in ("momentum", "weight_decay", "validate_every"):
        if not 0 <= getattr(recipe, key) < 1e12:
            raise Refused(f"{inside}.{key}: must not be below 0, found {getattr(recipe, key)}")
    for key in ("clip_norm", "clip_adjustable"):
        if getattr(recipe, key) is not None and not getattr(recipe, key) > 0:
            raise Refused(f"{inside}.{key}: wants a number above 0, found {getattr(recipe, key)}")
    if recipe.clip_norm is not None and recipe.clip_adjustable is not None:
        raise Refused(f"{inside}: clip_norm and clip_adjustable exclude each other; keep one")
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


def _pairs(book: Book, track: Mapping[str, Any], key: str, scale: int, place: str) -> Pairs:
    """Returns the pairs that a track trains on, or validates on (then made as those)."""
    inside = f"{place}.{key}"
    train = params.mapping(track.get("train"), f"{place}.train")
    entry = {**train, **params.mapping(track.get(key), inside)}
    known_keys(entry, ("datasets", "degradation", "centre"), inside)
    book.check("degradations", entry.get("degradation"), f"{inside}.degradation")
    centre = entry.get("centre") if key == "train" else None
    if centre is not None and (type(centre) is not int or not scale <= centre < 10**6):
        raise Refused(f"{inside}.centre: wants the side of the centre crop, found {centre!r}")
    return Pairs(
        datasets=datasets(book, entry, inside),
        degradation=call(book, "degradations", entry["degradation"], scale=scale),
        scale=scale,
        verb="pack",
        centre=centre,
    )


def _check_fit(
    recipe: Recipe, train: Pairs, validate: Pairs | None, scale: int, place: str
) -> None:
    """Refuses what no training could do: patches larger than images, `best` of nothing."""
    hr_patch = recipe.patch * scale
    if train.centre is not None and hr_patch > train.centre:
        what = f"HR patch {hr_patch} is larger than the centre crop {train.centre}"
        raise Refused(f"{place}: {what}; mend recipes.{recipe.name}.patch")
    for dataset_ in train.datasets:
        for picture in dataset_.pictures:
            if min(picture.width, picture.height) // scale < recipe.patch:
                what = f"patch {recipe.patch} at x{scale} is larger than '{picture.name}'"
                raise Refused(f"{place}: {what} of '{dataset_.name}'; mend recipes.{recipe.name}")
    if recipe.keep == "best" and (validate is None or not recipe.validate_every):
        what = f"recipes.{recipe.name} keeps the best weights, and nothing is validated"
        raise Refused(f"{place}: {what}; add `validate` to the track and `validate_every`")
