"""import: what others released, as runs of ours: their weights, or the SR images they made."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast

import safetensors.torch
import torch
from torch import Tensor, nn

from acutance import archive
from acutance.calls import Call
from acutance.convert import Misfit, convert
from acutance.errors import Refused, nearest
from acutance.files import folder_atomically
from acutance.foreign import Foreign, read
from acutance.image import list_images, read_image
from acutance.keys import Keys
from acutance.machine import commit, now, versions
from acutance.obtain import Found, obtain
from acutance.released import File
from acutance.resolve import load
from acutance.spec import Run
from acutance.verify import Photograph, decode

__all__ = ["import_file", "import_images", "import_weights"]

SHOWN = 5  # names of images in a line
LARGEST = 64 << 20  # bytes of a picture's file
OTHERS = 1000  # times as many pictures as wanted: of other methods, scales and sets


def import_weights(
    run: Run,
    out: Path,
    *,
    downloads: Path,
    mirror: Path | None,
    say: Callable[[str], None] | None = None,
) -> str:
    """Writes the weights and the origin of a run that others trained.

    Args:
        run: One with `released`.
        out: The folder to write: `weights.safetensors`, `run.json`.
        downloads: Keeps what is fetched.
        mirror: The user's own folder, looked in first: `weights/<file>`, then `<file>`.
        say: Takes lines for the user; None: standard error.

    Returns:
        What was imported, in a line.

    Raises:
        Refused: If the file cannot be had, cannot be read, or does not fit.
    """
    if run.released is None:
        raise Refused(f"run '{run.id}': its weights are not released; use train")
    began, released = time.monotonic(), run.released
    found = obtain(released.file, mirror=mirror, folder="weights", downloads=downloads, say=say)
    foreign = read(found.path)
    model = network(run.model, run.scale)
    try:
        weights = convert(foreign.weights, released.keys, model)
    except Misfit as misfit:
        raise Refused(f"{found.path}: {misfit}; data/released/{released.name}.yaml") from None
    parameters = sum(parameter.numel() for parameter in model.parameters())
    record = {
        "run": run.shown(),
        "digest": run.digest,
        **versions(),
        **commit(),
        "imported": _origin(found, foreign, released.keys.name),
        "finished": now(),
        "seconds": round(time.monotonic() - began, 1),
        "parameters": parameters,
    }
    with folder_atomically(out) as fresh:
        (fresh / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
        origin = json.dumps(record, indent=1) + "\n"
        (fresh / "run.json").write_text(origin, encoding="utf-8")
    unsure = "" if released.file.promised else f"; nobody gives its checksum, found {found.sha256}"
    return f"{out}: {parameters:,} parameters of {run.model.function} at x{run.scale}{unsure}"


def import_file(
    path: Path, model: nn.Module, mappings: Iterable[Keys]
) -> tuple[dict[str, Tensor], str]:
    """Returns the weights of a foreign file under our names, and how they were read.

    Args:
        path: The file.
        model: The network that it is of.
        mappings: What its names may mean; where several fit, all must give the same weights.

    Raises:
        Refused: If it cannot be read, nothing fits, or what fits disagrees.
    """
    foreign = read(path)
    fits: dict[str, dict[str, Tensor]] = {}
    misfits: list[Misfit] = []
    for keys in mappings:
        try:
            fits[keys.name] = convert(foreign.weights, keys, model)
        except Misfit as misfit:
            misfits.append(misfit)
    if not fits:
        best = min(misfits, key=lambda misfit: misfit.faults)
        tried = f" (the best of {len(misfits)})" if len(misfits) > 1 else ""
        raise Refused(f"{path}: {best}{tried}")
    name, weights = next(iter(fits.items()))
    for other, found in fits.items():
        if not all(torch.equal(value, found[key]) for key, value in weights.items()):
            raise Refused(f"{path}: '{name}' and '{other}' both fit, and differ; name one: --keys")
    inside = f" under '{foreign.inside}'" if foreign.inside else ""
    return weights, f"{foreign.kind}{inside}, names by '{name}'"


def import_images(
    file: File,
    out: Path,
    *,
    hr: Path,
    scale: int,
    members: str,
    pattern: str,
    downloads: Path,
    mirror: Path | None,
    say: Callable[[str], None] | None = None,
) -> str:
    """Writes SR images that others made, under the names of the test set's images.

    Args:
        file: The archive that holds them, or a folder of this name in a mirror.
        out: The folder to make.
        hr: The test set's images.
        scale: Enlargement that made them.
        members: Which files of the archive they are: a glob.
        pattern: File name without ending; `{name}` is the test set's name of an image.
        downloads: Keeps what is fetched.
        mirror: The user's own folder, looked in first: `images/<file>`, then `<file>`.
        say: Takes lines for the user; None: standard error.

    Returns:
        What was imported, in a line.

    Raises:
        Refused: If the archive cannot be had, or its images cannot be aligned with the test set's:
            missing, ambiguous, of no image of the set, or of another size; each by name.
    """
    originals = list_images(hr)
    found = obtain(file, mirror=mirror, folder="images", downloads=downloads, say=say)
    aligned = _Aligned(originals, pattern, scale)
    limits = archive.Limits(pictures=OTHERS * len(originals), bytes=LARGEST)
    with folder_atomically(out) as fresh:
        for name, content in archive.pictures(found.path, members, limits):
            if (photograph := aligned.take(name, content)) is not None:
                (fresh / f"{aligned.name(name)}.png").write_bytes(photograph.png())
        if fault := aligned.fault():
            raise Refused(f"{found.path}: {fault}")
    return f"{out}: {len(originals)} SR images at x{scale}, as released"


def network(call: Call, scale: int) -> nn.Module:
    """Returns a network as params.yaml declares it."""
    made = cast(Callable[..., nn.Module], load("models", call.function))
    return made(scale, **cast(Mapping[str, Any], call.kwargs))


class _Aligned:
    """Pictures of an archive beside the images of a test set."""

    def __init__(self, originals: Mapping[str, Path], pattern: str, scale: int) -> None:
        self._originals, self._scale = originals, scale
        before, after = pattern.split("{name}")
        self._named = re.compile(f"{re.escape(before)}(.+){re.escape(after)}")
        self._pattern = pattern
        self._taken: dict[str, str] = {}
        self._faults: dict[str, list[str]] = {}
        self._others: list[str] = []

    def name(self, member: str) -> str:
        """Returns what the test set calls a picture, or nothing where its name says none."""
        found = self._named.fullmatch(PurePosixPath(member).stem)
        return found[1] if found else ""

    def take(self, member: str, content: bytes) -> Photograph | None:
        """Returns a picture that belongs to an image of the set, None for any other."""
        name = self.name(member)
        if not name:
            self._others.append(PurePosixPath(member).stem)
            return None
        if name not in self._originals:
            self._fault("of no image of the test set", member)
        elif name in self._taken:
            self._fault("ambiguous", f"{self._taken[name]} and {member}")
        else:
            self._taken[name] = member
            return self._decoded(name, member, content)
        return None

    def _decoded(self, name: str, member: str, content: bytes) -> Photograph | None:
        try:
            photograph = decode(member, content)
        except Refused as refused:
            self._fault("damaged", f"{member} {refused}")
            return None
        height, width = photograph.pixels.shape[:2]
        whole = read_image(self._originals[name]).shape[:2]
        covered = tuple(side // self._scale * self._scale for side in whole)
        fits = zip((height, width), whole, covered, strict=True)
        if not all(side in (full, part) for side, full, part in fits):
            self._fault(
                "of another size", f"{member} {width} x {height} for {covered[1]} x {covered[0]}"
            )
            return None
        return photograph

    def _fault(self, kind: str, name: str) -> None:
        self._faults.setdefault(kind, []).append(name)

    def fault(self) -> str:
        """Returns all that does not align, by name; nothing where everything does."""
        missing = [name for name in self._originals if name not in self._taken]
        said = []
        if missing:
            wanted = self._pattern.format(name=missing[0])
            said.append(f"missing: {_some(missing)}{nearest(wanted, self._others)[:200]}")
        said += [f"{kind}: {_some(names)}" for kind, names in self._faults.items()]
        return "; ".join(said)


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{rest}"


def _origin(found: Found, foreign: Foreign, keys: str) -> dict[str, object]:
    return {
        "file": found.path.name,
        "from": found.origin,
        "sha256": found.sha256,
        "bytes": found.path.stat().st_size,
        "kind": foreign.kind,
        "inside": foreign.inside,
        "keys": keys,
    }
