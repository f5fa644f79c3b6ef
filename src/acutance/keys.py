"""What others call our weights: the mappings of data/released/keys.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from acutance import params, paths, values
from acutance.book import known_keys, word
from acutance.errors import Refused, nearest

__all__ = ["Keys", "Rule", "keys", "names"]

_RULE_KEYS = ("from", "to", "as", "count", "times", "equals", "pixels")
_KINDS = ("plain", "kernel", "vector")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What becomes of the foreign names that are, whole, a match of `pattern`.

    Attributes:
        pattern: A regular expression.
        to: Our name with the groups' numbers in it; empty: the weight is left out.
        kind: `kernel` for MatConvNet's order of dimensions, `vector` for one dimension.
        count: (group, first, every): the group's number becomes (number - first) / every.
        times: What the values, or the constant, are multiplied by.
        equals: The constant that the weight must be; empty for weights.
        pixels: In so many blocks the channels that become pixels lie there, one block for each
            pixel; here the pixels of a channel lie together.
    """

    pattern: str
    to: str = ""
    kind: Literal["plain", "kernel", "vector"] = "plain"
    count: tuple[tuple[int, int, int], ...] = ()
    times: float = 1.0
    equals: str = ""
    pixels: int = 1

    def name(self, found: re.Match[str]) -> str:
        """Returns our name for a foreign one."""
        groups = {number: found[number] for number in range(1, len(found.groups()) + 1)}
        for group, first, every in self.count:
            if not found[group].isdecimal():
                raise Refused(f"{paths.KEYS}: '{self.pattern}' counts '{found[group]}': no number")
            groups[group] = str(Fraction(int(groups[group]) - first, every))
        return re.sub(r"\\(\d)", lambda number: groups[int(number[1])], self.to)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """A mapping from foreign names to ours, for one scale.

    Attributes:
        name: As in keys.yaml.
        about: Whose names they are.
        models: The networks that it fits.
        rules: The first that matches decides.
    """

    name: str
    about: str
    models: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def identity(self) -> list[object]:
        """What can change the weights that it makes: neither its name nor its words."""
        return [asdict(rule) for rule in self.rules]

    def ours(self, foreign: str) -> tuple[str, Rule] | None:
        """Returns our name for a foreign one, and the rule; None where no rule knows it."""
        for rule in self.rules:
            if found := re.fullmatch(rule.pattern, foreign):
                return rule.name(found), rule
        return None


def keys(root: Path, name: object, scale: int, place: str) -> Keys:
    """Returns a mapping as it is at one scale.

    Args:
        root: The project's root.
        name: An entry of keys.yaml.
        scale: Of the network.
        place: Where it is asked for, for error messages.

    Raises:
        Refused: If there is none of this name, or it makes no sense.
    """
    known = params.read_once(root / paths.KEYS)
    if not isinstance(name, str) or name not in known:
        raise Refused(f"{place}: no mapping '{name}' in {paths.KEYS}{nearest(name, known)}")
    inside = f"{paths.KEYS}: {name}"
    entry = params.mapping(known[name], inside)
    known_keys(entry, ("about", "models", "rules"), inside)
    listed = params.listing(entry.get("rules"), f"{inside}.rules", dict)
    return Keys(
        name=name,
        about=word(entry, "about", "", inside),
        models=params.listing(entry.get("models"), f"{inside}.models", str),
        rules=tuple(_rule(r, scale, f"{inside}.rules[{i}]") for i, r in enumerate(listed)),
    )


def names(root: Path) -> tuple[str, ...]:
    """Returns the names of all mappings, in the order of the file."""
    return tuple(params.read_once(root / paths.KEYS))


def _rule(entry: Mapping[str, Any], scale: int, place: str) -> Rule:
    known_keys(entry, _RULE_KEYS, place)
    pattern = word(entry, "from", None, place)
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise Refused(f"{place}.from: no regular expression: {error}") from None
    to, equals = word(entry, "to", "", place), word(entry, "equals", "", place)
    if ("to" in entry) == bool(equals):
        raise Refused(f"{place}: wants either `to` or `equals`")
    asked = [int(number) for number in re.findall(r"\\(\d)", to)]
    if max(asked, default=0) > groups:
        raise Refused(f"{place}.to: asks for group {max(asked)}, and `from` has {groups}")
    kind = entry.get("as", "plain")
    if kind not in _KINDS:
        raise Refused(f"{place}.as: found {kind!r}{nearest(kind, _KINDS)}")
    times = entry.get("times", 1.0)
    if not isinstance(times, int | float) or isinstance(times, bool):
        raise Refused(f"{place}.times: wants a number, found {times!r}")
    count = tuple(
        _count(number, value, groups, scale, f"{place}.count")
        for number, value in (entry.get("count") or {}).items()
    )
    pixels = values.by_scale(entry.get("pixels", 1), scale, f"{place}.pixels")
    if not isinstance(pixels, int) or isinstance(pixels, bool) or pixels < 1:
        raise Refused(f"{place}.pixels: wants a whole number from 1, found {pixels!r}")
    return Rule(
        pattern=pattern,
        to=to,
        kind=kind,
        count=count,
        times=float(times),
        equals=equals,
        pixels=pixels,
    )


def _count(
    number: object, value: object, groups: int, scale: int, place: str
) -> tuple[int, int, int]:
    """Returns how a group of digits is counted anew: group, first, every."""
    if not isinstance(number, int) or not 1 <= number <= groups:
        raise Refused(f"{place}: no group {number!r} in `from`, which has {groups}")
    inside = f"{place}.{number}"
    entry = params.mapping(value, inside)
    known_keys(entry, ("first", "every"), inside)
    found = {
        key: values.by_scale(entry.get(key, default), scale, f"{inside}.{key}")
        for key, default in (("first", 0), ("every", 1))
    }
    for key, each in found.items():
        if not isinstance(each, int) or isinstance(each, bool):
            raise Refused(f"{inside}.{key}: wants a whole number, found {each!r}")
    if found["every"] == 0:
        raise Refused(f"{inside}.every: must not be 0")
    return number, int(str(found["first"])), int(str(found["every"]))
