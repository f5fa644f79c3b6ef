"""What the networks of the fine-grained dynamic loss share: bins, and areas around the likeliest.

Values are on the 8-bit range. Bin i of K holds those from the threshold t^i = 256 i / K up to the
next; its anchor is its middle. An area of n = 2 h + 1 bins lies around the bin that the head
predicts for a pixel.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from acutance.errors import Refused
from acutance.models import _lapsrn as pyramid
from acutance.models._float32 import in_float32
from acutance.reduce import shrink

RANGE = 256  # values of 8 bits, of which every bin holds the same number
WHITE = 255  # the 8-bit value that is 1.0

Rise = tuple[Tensor, Tensor, Tensor]


def check_bins(model: str, bins: int, area: int) -> None:
    """Refuses numbers of bins that 8 bits do not have, or that the largest area exceeds.

    Raises:
        Refused: If `bins` is below `area` or above 256.
    """
    if not area <= bins <= RANGE:
        raise Refused(f"model {model}: bins: found {bins}; must be between {area} and {RANGE}")


def heads(count: int, width: int, bins: int) -> nn.ModuleList:
    """Returns a head for each level: features to logits of bins."""
    return nn.ModuleList(pyramid.conv(width, bins, 1, bias=True) for _ in range(count))


def rise(
    first: nn.Module, levels: nn.ModuleList, scores: nn.ModuleList, lr: Tensor, *, shrinks: bool
) -> list[Rise]:
    """Returns what each level regresses, its logits and the detail it adds, the coarsest first.

    Args:
        first: The convolution on LR.
        levels: Of the pyramid.
        scores: The head of each.
        lr: (N, 1, H, W), range [0, 1].
        shrinks: Whether the last level is shrunk to three times LR's size, and is all there is.

    Returns:
        For each level (N, 1, h, w), (N, bins, h, w), (N, 1, h, w).
    """
    climbed = pyramid.climb(first, levels, lr)
    pairs = list(zip(climbed, scores, strict=True))[-1 if shrinks else 0 :]
    made = [(image, in_float32(head, features), add) for (image, features, add), head in pairs]
    if not shrinks:
        return made
    height, width = 3 * lr.shape[2], 3 * lr.shape[3]
    regressed, logits, add = (shrink(each, height, width) for each in made[-1])
    return [(regressed, logits, add)]


def outputs(risen: Sequence[Rise], halves: Sequence[Tensor | int], form: str) -> dict[str, Tensor]:
    """Returns `sr`, `regressed` and `bins` of all levels by their names.

    Args:
        risen: What `rise` returned.
        halves: The h of the pixels of each level, (N, 1, h, w) or the same for all.
        form: "clamp" or "tanh".
    """
    regressed = [value for value, _, _ in risen]
    logits = [scores for _, scores, _ in risen]
    if form == "clamp":
        sr = [clamped(r, b, h) for r, b, h in zip(regressed, logits, halves, strict=True)]
    else:
        added = [add for _, _, add in risen]
        sr = [offset(a, b, h) for a, b, h in zip(added, logits, halves, strict=True)]
        regressed[-1] = sr[-1]
    return {
        **pyramid.graded("sr", sr),
        **pyramid.graded("regressed", regressed),
        **pyramid.graded("bins", logits),
    }


def clamped(regressed: Tensor, logits: Tensor, half: Tensor | int) -> Tensor:
    """Returns values confined to their areas, [t^max(b-h, 0), t^min(b+h+1, K)].

    Args:
        regressed: (N, 1, H, W), range [0, 1].
        logits: (N, K, H, W); b is where they are largest, and gets no gradient.
        half: h, (N, 1, H, W) or one number.
    """
    bins, width = logits.shape[1], RANGE / logits.shape[1] / WHITE
    likeliest = logits.argmax(1, keepdim=True)
    low = (likeliest - half).clamp(min=0) * width
    high = (likeliest + half + 1).clamp(max=bins) * width
    return regressed.clamp(low, high)


def offset(residual: Tensor, logits: Tensor, half: Tensor | int) -> Tensor:
    """Returns anchors plus offsets of up to half an area, A^b + (n w / 2) tanh(residual).

    Args:
        residual: (N, 1, H, W).
        logits: (N, K, H, W); b is where they are largest, and gets no gradient.
        half: h, (N, 1, H, W) or one number.
    """
    width = RANGE / logits.shape[1] / WHITE
    likeliest = logits.argmax(1, keepdim=True)
    return (likeliest + 0.5) * width + (half + 0.5) * width * residual.tanh()
