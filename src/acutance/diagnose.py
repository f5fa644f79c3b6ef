"""What is wrong with a copy of a picture whose original is known by its size and hash alone.

Some changes can be undone, and the hash then proves them: a grey picture in three equal channels,
exchanged channels, a turn, a border. The others are told from name, size and format.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from scipy.fft import dctn

from acutance.image import Bytes, Float
from acutance.sets import Picture
from acutance.verify import Photograph, digest

__all__ = ["Stray", "examine", "explain"]

CROP = 12  # copies are cropped to multiples of 2, 3, 4 or of all of them, so by at most 11 pixels
MULTIPLES = (2, 3, 4, 6, 8, 12)
SLACK = 2  # pixels by which a half-size copy of a cropped picture misses half its size
BLOCKS = 0.05  # see `_blocky`
SHOWN = 3  # examples given of each fault


@dataclass(frozen=True, kw_only=True)
class Stray:
    """A file that holds none of the originals.

    Attributes:
        name: Its path inside the archive or folder.
        width: In pixels; 0 where the file cannot be decoded.
        height: In pixels.
        mode: `L` or `RGB`.
        format: As Pillow names it.
        original: The picture that its pixels prove it was, or nothing.
        fault: What its pixels or its bytes prove to be wrong, or nothing.
        blocky: Whether it shows JPEG's blocks of 8 x 8.
    """

    name: str
    width: int = 0
    height: int = 0
    mode: str = ""
    format: str = ""
    original: str = ""
    fault: str = ""
    blocky: bool = False


def examine(photograph: Photograph, pictures: Sequence[Picture]) -> Stray:
    """Returns what the pixels say of a photograph that is none of `pictures`."""
    pixels = photograph.pixels
    height, width = pixels.shape[:2]
    known = {picture.sha256: picture.name for picture in pictures}
    sizes = {(picture.width, picture.height) for picture in pictures}
    undone = ((known.get(digest(image), ""), fault) for fault, image in _undone(pixels, sizes))
    original, fault = next((pair for pair in undone if pair[0]), ("", ""))
    return Stray(
        name=photograph.name,
        width=width,
        height=height,
        mode=photograph.mode,
        format=photograph.format,
        original=original,
        fault=fault,
        blocky=(width, height) in sizes and _blocky(pixels),
    )


def explain(missing: Sequence[Picture], strays: Sequence[Stray], images: int) -> str:
    """Returns in one line what became of the `missing` pictures, as far as the `strays` tell.

    Args:
        missing: The originals that were not found.
        strays: What was found besides.
        images: How many originals there are in all.
    """
    pairs = _paired(missing, strays)
    faults: dict[str, list[str]] = defaultdict(list)
    for picture in missing:
        found = pairs.get(picture.name)
        if found is not None:
            fault, detail = (found.fault, "") if found.fault else _fault(picture, found)
            faults[fault].append(f"{picture.name}{detail}")
    absent = [picture for picture in missing if picture.name not in pairs]
    paired = {found.name for found in pairs.values()}
    others = [s for s in strays if s.name not in paired]
    near = [s for s in others if any(_fits("size", picture, s) for picture in absent)]
    told = [f"{fault}: {_some(names)}" for fault, names in faults.items()]
    for what, names in (
        ("not there", [picture.name for picture in absent]),
        ("cropped or with loss, under other names", [_called(s) for s in near]),
        ("not belonging", [_called(s) for s in others if s not in near]),
    ):
        told += [f"{what}: {_some(names)}"] if names else []
    return f"{len(missing)} of {images} images lack the original; {'; '.join(told)}"


def _undone(pixels: Bytes, sizes: set[tuple[int, int]]) -> Iterator[tuple[str, Bytes]]:
    """Yields what may have happened to a picture, and the picture as it was before."""
    height, width = pixels.shape[:2]
    if (width, height) in sizes and pixels.ndim == 3:
        if not np.ptp(pixels, axis=2).any():
            yield "grey turned into RGB (three equal channels)", pixels[..., 0]
        yield "red and blue exchanged", pixels[..., ::-1]
    if (height, width) in sizes:
        for turns in (1, 3):
            yield "turned by 90 degrees", np.rot90(pixels, turns)
    for wide, high in sorted(sizes - {(width, height)}):
        if 0 <= width - wide < CROP and 0 <= height - high < CROP:
            yield f"with a border ({width}x{height} instead of {wide}x{high})", pixels[:high, :wide]


def _blocky(pixels: Bytes) -> bool:
    """Says whether the picture was a JPEG once: rounded away in blocks of 8 x 8, and only there.

    On Set5, Set14, T91 and BSD100 the difference of the two shares is below 0.01 for pictures that
    never were JPEG, and above 0.09 for their copies of quality 95.
    """
    plane = pixels.mean(axis=2) if pixels.ndim == 3 else pixels.astype(np.float64)
    return _rounded_away(plane) - _rounded_away(plane[4:, 4:]) > BLOCKS


def _rounded_away(plane: Float) -> float:
    """Returns the share of DCT coefficients below 1 in blocks of 8 x 8, in 0-1."""
    height, width = (side // 8 * 8 for side in plane.shape)
    if not (height and width):
        return 0.0
    blocks = plane[:height, :width].reshape(height // 8, 8, width // 8, 8)
    return float((np.abs(dctn(blocks, axes=(1, 3), norm="ortho")) < 1).mean())


def _paired(missing: Sequence[Picture], strays: Sequence[Stray]) -> dict[str, Stray]:
    """Returns which stray is meant for which picture: by proof, by name, by size."""
    pairs: dict[str, Stray] = {}
    left = list(strays)
    for step in ("original", "name", "size"):
        for picture in missing:
            if picture.name in pairs:
                continue
            fitting = [s for s in left if _fits(step, picture, s)]
            if fitting and (step != "size" or len(fitting) == 1):
                pairs[picture.name] = min(fitting, key=lambda s: _distance(picture, s))
                left.remove(pairs[picture.name])
    return pairs


def _fits(step: str, picture: Picture, found: Stray) -> bool:
    if step == "original":
        return found.original == picture.name
    if found.original:
        return False
    if step == "name":
        return _plain(found.name) == _plain(picture.name)
    return 0 <= picture.width - found.width < CROP and 0 <= picture.height - found.height < CROP


def _plain(name: str) -> str:
    """Returns the name without what collections add to it.

    >>> _plain("image_SRF_2/img_007_SRF_2_HR.png"), _plain("im_7"), _plain("Baby_GT.bmp")
    ('img_7', 'im_7', 'baby')
    """
    stem = PurePosixPath(name).stem if "." in name or "/" in name else name
    stem = re.sub(r"(_SRF_\d)?(_HR|_GT)?$", "", stem, flags=re.IGNORECASE)
    return re.sub(r"\d+", lambda digits: str(int(digits.group())), stem).lower()


def _distance(picture: Picture, found: Stray) -> int:
    return abs(picture.width - found.width) + abs(picture.height - found.height)


def _fault(picture: Picture, found: Stray) -> tuple[str, str]:
    """Returns what seems wrong with a copy, and the detail that differs from picture to picture."""
    if not _distance(picture, found):
        return _same_size(picture, found), ""
    sizes = f"{_size(found)} instead of {picture.width}x{picture.height}"
    for times in (2, 3, 4):
        if _about(picture.width, picture.height, found.width * times, found.height * times, times):
            half = "half the size" if times == 2 else f"1/{times} of the size"
            trap = " (SelfExSR's image_SRF_2; the full size is in image_SRF_4)"
            return half + (trap if "SRF_2" in found.name else ""), sizes
        if _about(found.width, found.height, picture.width * times, picture.height * times, times):
            return f"enlarged {times} times", sizes
    if _fits("size", picture, found):
        wide, high = picture.width, picture.height
        cut = [m for m in MULTIPLES if (wide - wide % m, high - high % m) == _of(found)]
        how = (
            "even sizes" if cut[:1] == [2] else f"multiples of {cut[0]}" if cut else "another size"
        )
        return f"cropped to {how}", sizes
    return "of another size", sizes


def _same_size(picture: Picture, found: Stray) -> str:
    if found.mode != picture.mode:
        return "in colour instead of grey" if picture.mode == "L" else "turned into grey"
    if found.format == "JPEG":
        return "a JPEG copy (same size, other pixels)"
    if found.blocky:
        return f"a JPEG copy saved again as {found.format} (same size, other pixels)"
    return "same size, other pixels"


def _about(wide: int, high: int, other_wide: int, other_high: int, times: int) -> bool:
    return max(abs(wide - other_wide), abs(high - other_high)) <= SLACK * times


def _called(found: Stray) -> str:
    return f"'{PurePosixPath(found.name).name}'{_size(found)}"


def _of(found: Stray) -> tuple[int, int]:
    return found.width, found.height


def _size(found: Stray) -> str:
    return f" {found.width}x{found.height}" if found.width else ""


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
