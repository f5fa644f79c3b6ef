"""One entry of params.yaml at a time: checked, and made into a dataclass of spec.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from acutance import contests, offers, params, published, recipes, resolve, values
from acutance.book import Book, known_keys
from acutance.calls import Call, Loss, declared
from acutance.datasets import datasets
from acutance.errors import Refused, nearest
from acutance.recipes import Recipe
from acutance.sets import Pairs
from acutance.spec import Run, Start

_TRAINED = ("losses", "recipe", "critics", "start", "train")
_SYSTEM_KEYS = ("model", "scales", "size_only", "released", "images", *_TRAINED)


def call(book: Book, section: str, name: str, *, scale: int) -> Call:
    """Returns a declared degradation or metric, its arguments resolved for one scale."""
    place = f"{section}.{name}"
    entry = book.entry(section, name, section)
    return declared(section, name, entry, scale=scale, place=place, book=book)


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
    """Returns all metrics of a track, resolved for one scale, each once.

    Those are left out whose files are not here and cannot be fetched.
    """
    names = [*params.mapping(track.get("metrics"), f"{place}.metrics").values()]
    names += list(track.get("also", ()))
    found = [metric(book, n, output, place, scale) for n in dict.fromkeys(names)]
    return tuple(m for m in found if not any(a.lacking(book.root) for _, a in m.assets))


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
    known_keys(entry, _SYSTEM_KEYS, inside)
    if scale not in scales(book, system):
        raise Refused(f"{place}: '{system}' is not declared at scale {scale} ({inside}.scales)")
    if "images" in entry:
        return offers.of_images(book, entry, system, scale)
    model = network(entry.get("model"), scale, f"{inside}.model")
    if "released" in entry:
        return offers.of_weights(book, entry, model, system, scale)
    if only_counted(entry, inside) is not None and ("recipe" in entry or "losses" in entry):
        raise Refused(f"{inside}: is only counted (size_only), and says how it is trained")
    if "recipe" in entry:
        plain = Run(system=system, scale=scale, seed=seed, model=model)
        return _trained(book, entry, plain, place=place, track=track)
    for key in _TRAINED:
        if key in entry:
            raise Refused(f"{inside}: has {key} and no recipe; say how it is trained")
    return Run(system=system, scale=scale, seed=0, model=model)


def only_counted(entry: Mapping[str, Any], place: str) -> str | None:
    """Returns why a system is counted and never run, as far as it says; None where it is run."""
    value = entry.get("size_only")
    if isinstance(value, str) and value:
        return value
    return "" if params.flag(entry, "size_only", place) else None


def _trained(
    book: Book,
    entry: Mapping[str, Any],
    plain: Run,
    *,
    place: str,
    track: Mapping[str, Any] | None,
) -> Run:
    """Returns a run with how it is trained; on what is said by a track alone."""
    scale, inside = plain.scale, f"systems.{plain.system}"
    losses = _losses(book, entry, plain.model, scale, inside)
    recipe = recipes.read(book, entry["recipe"], scale, f"{inside}.recipe")
    made = replace(
        plain,
        losses=losses,
        recipe=recipe,
        contests=contests.read(book, entry.get("critics"), recipe, scale, inside),
        start=_start(book, entry, plain, place=place, track=track),
    )
    if track is None:
        return made
    own = params.mapping(entry.get("train"), f"{inside}.train")
    fed = {**track, "train": {**params.mapping(track.get("train"), f"{place}.train"), **own}}
    train = _pairs(book, fed, "train", scale, place)
    validate = _pairs(book, fed, "validate", scale, place) if "validate" in track else None
    _check_fit(recipe, train, validate, scale, f"{place} ({inside})")
    _check_patches(losses, recipe, scale, inside)
    return replace(made, train=train, validate=validate)


def _check_patches(losses: tuple[Loss, ...], recipe: Recipe, scale: int, inside: str) -> None:
    for loss in losses:
        side = loss.kwargs.get("patch")
        if isinstance(side, int) and side > recipe.patch * scale:
            what = f"patch {side} is larger than the HR patch {recipe.patch * scale}"
            raise Refused(f"{inside}.losses.{loss.name}.patch: {what} of recipes.{recipe.name}")


def _start(
    book: Book,
    entry: Mapping[str, Any],
    plain: Run,
    *,
    place: str,
    track: Mapping[str, Any] | None,
) -> Start | None:
    """Returns the run whose weights a training begins with, where its entry names one."""
    system, scale, seed = plain.system, plain.scale, plain.seed
    inside = f"systems.{system}.start"
    given = _begun(entry, scale, inside)
    if not given:
        return None
    known_keys(given, ("system", "scale", "without"), inside)
    other, at, without = given.get("system"), given.get("scale", scale), given.get("without")
    book.check("systems", other, f"{inside}.system")
    left = params.listing(without, f"{inside}.without", str) if without is not None else ()
    _check_chain(book, str(other), at, seen=[(system, scale)])
    begun = run(book, str(other), at, seed, place=inside if track is None else place, track=track)
    if not begun.weighted and track is not None:
        raise Refused(f"{inside}.system: '{other}' has no weights to begin with")
    return Start(run=begun, without=left)


def _begun(entry: Mapping[str, Any], scale: object, inside: str) -> dict[str, Any]:
    """Returns the key `start` of a system at one scale, empty where it has none there."""
    value = entry.get("start")
    if isinstance(value, Mapping) and values.scales(value) is not None:
        value = value.get(f"x{scale}")
    return {"system": value} if isinstance(value, str) else params.mapping(value, inside)


def _check_chain(book: Book, system: str, scale: object, seen: list[tuple[str, object]]) -> None:
    """Refuses a training that, over others or at once, begins with its own end."""
    if (system, scale) in seen:
        names = " <- ".join(f"{name} x{at}" for name, at in [*seen, (system, scale)])
        place = f"systems.{seen[0][0]}.start"
        raise Refused(f"{place}: a training cannot begin with its own end: {names}")
    inside = f"systems.{system}.start"
    given = _begun(book.entry("systems", system, "systems"), scale, inside)
    if given.get("system") in book.section("systems"):
        before = (given["system"], given.get("scale", scale))
        _check_chain(book, *before, [*seen, (system, scale)])


def network(value: object, scale: int, place: str) -> Call:
    """Returns the network that a system's key `model` names, at one scale."""
    entry = {"function": value} if isinstance(value, str) else params.mapping(value, place)
    if "function" not in entry:
        raise Refused(f"{place}: says no model{nearest('', resolve.names('models'))}")
    model = declared("models", str(entry["function"]), entry, scale=scale, place=place)
    if model.kwargs.get("channels") == 1 and model.kwargs.get("residual_channels", 1) != 1:
        raise Refused(f"{place}.residual_channels: more than `channels`, which is 1; give it as 1")
    offered = resolve.noun("models", model.function).constants.get("SCALES")
    if not isinstance(offered, tuple) or scale not in offered:
        raise Refused(f"{place}: '{model.function}' does scales {offered}, asked for {scale}")
    return model


def _losses(
    book: Book, entry: Mapping[str, Any], model: Call, scale: int, inside: str
) -> tuple[Loss, ...]:
    place = f"{inside}.losses"
    outputs = resolve.noun("models", model.function).constants.get("OUTPUTS")
    offered = ("hr", *(outputs if isinstance(outputs, tuple) else ()))
    found = [
        _loss(book, name, value, (scale, offered), f"{place}.{name}")
        for name, value in params.mapping(entry.get("losses"), place).items()
    ]
    if not any(loss.weight > 0 for loss in found):
        raise Refused(f"{place}: no loss with a weight above 0: there is nothing to minimise")
    return tuple(sorted(found, key=lambda loss: loss.name))


def _loss(
    book: Book, name: str, value: object, network: tuple[int, tuple[str, ...]], place: str
) -> Loss:
    scale, offered = network
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    entry = {"weight": value} if plain else params.mapping(value, place)
    if "weight" not in entry:
        raise Refused(f"{place}: says no weight")
    weight = values.by_scale(entry["weight"], scale, f"{place}.weight")
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight < 1e12:
        raise Refused(f"{place}.weight: wants a number not below 0, found {weight!r}")
    levels = params.flag(entry, "levels", place)
    rest = {k: v for k, v in entry.items() if k not in ("weight", "levels")}
    made = declared("losses", name, rest, scale=scale, place=place, book=book)
    for asked in resolve.noun("losses", made.function).asks:
        if asked not in offered:
            what = f"asks for '{asked}', and the model gives {', '.join(offered[1:])}"
            raise Refused(f"{place}: '{made.function}' {what}")
    return Loss(**vars(made), weight=float(weight), levels=levels)


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
