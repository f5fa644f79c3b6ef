"""Contests: the critics that a system is trained against, as params.yaml declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from acutance import params, recipes, resolve
from acutance.book import Book, known_keys
from acutance.calls import Call, declared
from acutance.errors import Refused, nearest
from acutance.identity import source_digest
from acutance.recipes import Recipe

VIEWS = ("image", "gradient")
_KEYS = ("critic", "game", "view", "weight", "recipe")


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A critic, and what it and the network play.

    Attributes:
        name: As in params.yaml.
        critic: The critic's network.
        game: What each side is to make small.
        view: What the critic sees: images, or their gradient maps (two pixels larger).
        weight: Of the network's side in its objective.
        recipe: How the critic learns; its steps, batch and patch are the network's.
    """

    name: str
    critic: Call
    game: Call
    view: Literal["image", "gradient"]
    weight: float
    recipe: Recipe

    @property
    def identity(self) -> tuple[object, ...]:
        """What can change the bytes of a training: not the names."""
        recipe = {k: v for k, v in asdict(self.recipe).items() if k != "name" and v}
        source = source_digest("gradient", "gradient_map") if self.view == "gradient" else ""
        return (self.critic.identity, self.game.identity, self.view, source, self.weight, recipe)

    def shown(self) -> dict[str, Any]:
        """Returns it as plain values."""
        critic = {"function": self.critic.function, **self.critic.kwargs}
        game = {"function": self.game.function, **self.game.kwargs}
        plain: dict[str, Any] = {"weight": self.weight, "view": self.view}
        return plain | {"critic": critic, "game": game, "recipe": self.recipe.name}


def read(book: Book, value: object, recipe: Recipe, scale: int, inside: str) -> tuple[Contest, ...]:
    """Returns the contests of a system.

    Args:
        book: All entries.
        value: The system's key `critics`: contests by name.
        recipe: The network's; a critic's own, where it has one, gives it another optimiser.
        scale: The network's.
        inside: The system's place in params.yaml.

    Raises:
        Refused: If a key or a value is wrong, or the critic cannot see the crops.
    """
    given = params.mapping(value, f"{inside}.critics")
    found = []
    for name, each in given.items():
        params.check_name(name, f"{inside}.critics")
        found.append(_contest(book, name, each, (recipe, scale), f"{inside}.critics.{name}"))
    return tuple(sorted(found, key=lambda contest: contest.name))


def _contest(
    book: Book, name: str, value: object, network: tuple[Recipe, int], place: str
) -> Contest:
    recipe, scale = network
    entry = params.mapping(value, place)
    known_keys(entry, _KEYS, place)
    weight, view = entry.get("weight"), entry.get("view", "image")
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight < 1e12:
        raise Refused(f"{place}.weight: wants a number not below 0, found {weight!r}")
    if view not in VIEWS:
        raise Refused(f"{place}.view: found {view!r}{nearest(view, VIEWS)}")
    if "recipe" in entry:
        recipe = replace(
            recipes.read(book, entry["recipe"], scale, f"{place}.recipe"), steps=recipe.steps
        )
    critic = _noun("critics", entry, "critic", scale, place)
    game = _noun("games", entry, "game", scale, place)
    _check_pairs(critic, recipe.patch * scale, f"{place}.critic")
    penalised = resolve.noun("games", game.function).parameter("penalty") is not None
    if penalised and critic.kwargs.get("norm", True):
        what = "a penalty on the slope of each image's score forbids batch normalisation"
        raise Refused(f"{place}.critic.norm: {what}; write `norm: false`")
    return Contest(
        name=name, critic=critic, game=game, view=view, weight=float(weight), recipe=recipe
    )


def _noun(kind: str, entry: Mapping[str, Any], key: str, scale: int, place: str) -> Call:
    value = entry.get(key)
    place = f"{place}.{key}"
    inside = {"function": value} if isinstance(value, str) else params.mapping(value, place)
    if "function" not in inside:
        raise Refused(f"{place}: says none{nearest('', resolve.names(kind))}")
    return declared(kind, str(inside["function"]), inside, scale=scale, place=place)


def _check_pairs(critic: Call, side: int, place: str) -> None:
    """Refuses a critic whose strides leave nothing of the crops."""
    pairs = critic.kwargs.get("pairs")
    if isinstance(pairs, int) and side >> pairs < 1:
        what = f"{pairs} halvings leave nothing of crops of {side} pixels"
        raise Refused(f"{place}.pairs: {what}; at most {side.bit_length() - 1}")
