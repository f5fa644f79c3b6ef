"""Metrics and degradations in words: what they do with their arguments, for people who read."""

import ast
import re
from collections.abc import Mapping
from functools import cache

from acutance.calls import Call
from acutance.contests import Contest
from acutance.resolve import PACKAGE, noun
from acutance.values import Value

# What a value of an argument means; where it is empty, it goes without saying. `{}` is the value.
# Arguments are told in this order; one that is not here is told as it stands in params.yaml.
WORDS: Mapping[str, Mapping[Value, str]] = {
    "kernel": {"bilinear": "bilinear kernel", "bicubic": "bicubic kernel"},
    "net": {
        "alex": "weights v0.1 of AlexNet",
        "vgg": "weights v0.1 of VGG16",
        "squeeze": "weights v0.1 of SqueezeNet",
    },
    "channel": {
        "rgb": "all three colour channels",
        "y": "luma (BT.601, 16–235)",
        "y_edsr": "luma (BT.601, 0–219)",
    },
    "quantise": {
        "rgb": "SR image rounded to 8 bits",
        "luma": "luma rounded to 8 bits",
        "both": "SR image and its luma rounded to 8 bits",
        "none": "nothing rounded or clipped",
    },
    "shave": {0: "no border shaved", 1: "1 pixel shaved off each side"},
    "grey": {"keep": "grey pictures as one plane", "rgb": "grey pictures as three equal channels"},
    "border": {"valid": "", "symmetric": "mirrored at the border"},
    "shrink": {False: "", True: "shrunk first, as Wang's ssim.m does"},
    "rounding": {"uint8": "each pass rounded to 8 bits", "none": "not rounded"},
    "padding": {"symmetric": "mirrored at the border", "replicate": "border pixels repeated"},
    "crop": {True: "", False: "originals not cropped to a multiple of the scale"},
}
OTHERS: Mapping[str, str] = {"shave": "{} pixels shaved off each side"}


def spelled(call: Call) -> str:
    """Returns a noun with the arguments that params.yaml gives it, and the files that it reads.

    `espcn (channels 3)`, `perceptual (vgg19 from vgg19-dcbb9e9d.pth)`
    """
    words = [f"{name} {plain(value)}" for name, value in call.arguments]
    words += [f"{name} from {needed.file.name}" for name, needed in call.assets]
    return f"{call.function} ({'; '.join(words)})" if words else call.function


def told(contest: Contest) -> str:
    """Returns what a network plays: `relativistic against vgg (pairs 5) on gradient maps`."""
    view = "gradient maps" if contest.view == "gradient" else "images"
    return f"{spelled(contest.game)} against {spelled(contest.critic)} on {view}"


def worded(call: Call, by_scale: Mapping[int, Call] | None = None) -> str:
    """Returns what a call does, from its arguments and its signature's defaults.

    `luma (BT.601, 16–235), SR image rounded to 8 bits, 2, 3 pixels shaved off each side at ×2, ×3`

    Args:
        call: A metric or a degradation.
        by_scale: The same at each scale, where its arguments follow the scale.
    """
    calls = {scale: _complete(each) for scale, each in sorted((by_scale or {}).items())}
    complete = _complete(call)
    parts = []
    for name in sorted(complete, key=[*WORDS, *complete].index):
        values = {scale: each[name] for scale, each in calls.items()}
        if len(set(values.values())) > 1:
            listed = ", ".join(plain(value) for value in values.values())
            scales = ", ".join(f"×{scale}" for scale in values)
            parts.append(f"{OTHERS.get(name, name + ' {}').format(listed)} at {scales}")
        else:
            parts.append(_word(name, next(iter(values.values()), complete[name])))
    if call.assets:
        parts.append(f"from {' and '.join(needed.file.name for _, needed in call.assets)}")
    return ", ".join(filter(None, parts))


def headed(call: Call) -> str:
    """Returns what a degradation is, in the words of its file's head, and what it does."""
    return ", ".join(filter(None, (_head(call.kind, call.function), worded(call))))


def plain(value: object) -> str:
    """Returns an argument's value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _word(name: str, value: Value) -> str:
    known = WORDS.get(name, {})
    return known[value] if value in known else OTHERS.get(name, name + " {}").format(plain(value))


def _complete(call: Call) -> dict[str, Value]:
    """Returns a call's arguments, with the signature's defaults for those not given."""
    given = noun(call.kind, call.function).parameters
    return {**{p.name: p.default for p in given if not p.required}, **call.kwargs}


def _head(kind: str, function: str) -> str:
    """Returns what a noun file's first line says that it is, without where it comes from."""
    head = (ast.get_docstring(_parsed(kind, function)) or "").partition("\n")[0]
    return re.sub(r" \(.*\)$", "", head.partition(": ")[2].rstrip("."))


@cache
def _parsed(kind: str, function: str) -> ast.Module:
    return ast.parse((PACKAGE / kind / f"{function}.py").read_text(encoding="utf-8"))
