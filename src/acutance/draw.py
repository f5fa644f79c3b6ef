"""`draw`: the panels of a paper's figures, cut out of stored images, and numbers measured in them.

Panels are plain PNG: what is written or marked upon them is the report's.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path

import numpy as np
import torch

from acutance import paths
from acutance.boxes import Box, spread, whole, widest
from acutance.drawings import HEAD, INDEX, NUMBERED, NUMBERS, WHOLE, Drawing
from acutance.errors import Refused
from acutance.figures import HR, LR
from acutance.files import folder_atomically
from acutance.gradient import gradient_map
from acutance.image import (
    Array,
    Bytes,
    encode_png,
    list_images,
    modcrop,
    quantise,
    read_image,
    read_sr,
)
from acutance.losses import gradient_variance
from acutance.resize import resize
from acutance.rows import written

SIDE = 256  # pixels that an enlarged panel has about
OVERVIEW = 384  # pixels of the longer side of the picture that shows where the panels lie
BRIGHT = 99.5  # per cent of the gradients that a map shows apart; the rest are white
Row = dict[str, str]


def draw(drawing: Drawing, root: Path) -> Path:
    """Draws a figure out of a study's stored images.

    Where not all SR images are there yet, the figure is drawn of those that are, into
    `results/state`, and is not taken for finished.

    Args:
        drawing: Whose images, and what is shown of them.
        root: The project's root.

    Returns:
        The folder: `panels.csv`, a PNG for each panel or, for variances, `variances.csv`.

    Raises:
        Refused: If nothing is there to draw, or an image is damaged or of another size.
    """
    shelf = _Shelf(drawing, root)
    if not drawing.begun(root):
        raise Refused(f"{drawing.id}: not one SR image of its networks is here; run predict first")
    sketch = root / paths.SKETCH.format(drawn=drawing.id)
    folder = sketch if shelf.lacking else root / drawing.folder
    with folder_atomically(folder) as fresh:
        rows, numbers = [], []
        for number, scene in enumerate(_scenes(drawing, shelf), start=1):
            if drawing.patch:
                rows += [scene.row(panel) for panel in scene.images]
                numbers += list(_variances(scene, drawing.patch))
            else:
                rows += list(_panels(scene, drawing, fresh, number))
            rows += [scene.row(panel, reason=why) for panel, why in shelf.lacking.items()]
        if drawing.patch:
            (fresh / NUMBERS).write_text(written(NUMBERED, numbers), encoding="utf-8")
        (fresh / INDEX).write_text(written(HEAD, rows), encoding="utf-8")
    if folder != sketch:
        shutil.rmtree(sketch, ignore_errors=True)
    return folder


class _Shelf:
    """The stored images of a drawing, as far as they are there."""

    def __init__(self, drawing: Drawing, root: Path) -> None:
        self._root, self._scale = root, drawing.scale
        self._hr = {dataset.name: root / dataset.hr for dataset in drawing.datasets}
        self._tests = dict(drawing.tests)
        self._listed: dict[Path, dict[str, Path]] = {}
        self.lacking = drawing.lacking(root)
        self.differ = tuple(s for s in drawing.differ if s not in self.lacking)
        self.panels = tuple(p for p in drawing.panels if p not in self.lacking)

    def names(self, dataset: str) -> list[str]:
        """Returns the images of a data set."""
        return list(self._list(self._hr[dataset]))

    def images(self, dataset: str, name: str, panels: Sequence[str]) -> dict[str, Array]:
        """Returns 8-bit images of one scene by panel, and HR in any case.

        All but LR are cut, right and below, to what the LR image covers.
        """
        found: dict[str, Array] = {}
        for panel in dict.fromkeys((*panels, HR)):
            path = self._path(panel, dataset, name)
            if path is None:
                continue
            image = quantise(read_image(path) if panel in (HR, LR) else read_sr(path))
            found[panel] = image if panel == LR else modcrop(image, self._scale)
        height, width = found[HR].shape[:2]
        for panel, image in found.items():
            if panel != LR and image.shape[:2] != (height, width):
                size = f"{image.shape[1]} x {image.shape[0]} pixels where HR has {width} x {height}"
                raise Refused(f"{self._path(panel, dataset, name)}: covers {size}")
        return found

    def _path(self, panel: str, dataset: str, name: str) -> Path | None:
        """Returns the file of a panel, or None where the panel has no images of this set."""
        if panel == HR:
            return self._file(self._hr[dataset], name)
        tests = [e for (s, d), e in self._tests.items() if d == dataset and panel in (s, LR)]
        if not tests:
            return None
        return self._file(self._root / (tests[0].pairs.lr if panel == LR else tests[0].sr), name)

    def _file(self, folder: Path, name: str) -> Path:
        listed = self._list(folder)
        if name not in listed:
            raise Refused(f"{folder}: no image '{name}'; remove the folder and make it again")
        return listed[name]

    def _list(self, folder: Path) -> dict[str, Path]:
        if folder not in self._listed:
            self._listed[folder] = list_images(folder)
        return self._listed[folder]


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """An image as every panel has it, and what is shown of it."""

    dataset: str
    name: str
    images: Mapping[str, Array]
    box: Box

    @cached_property
    def hr(self) -> Array:
        """The original, cut to what SR images cover."""
        return self.images[HR]

    def row(self, panel: str, **fields: object) -> Row:
        """Returns a line of the index."""
        height, width = self.hr.shape[:2]
        own = {"x": self.box.x, "y": self.box.y, "across": self.box.width, "down": self.box.height}
        found = {"dataset": self.dataset, "image": self.name, "panel": panel}
        every = {**found, "width": width, "height": height, **own, **fields}
        return dict.fromkeys(HEAD.split(","), "") | {k: str(v) for k, v in every.items()}


def _scenes(drawing: Drawing, shelf: _Shelf) -> Iterator[_Scene]:
    """Yields what is shown: the images that are named, or those that differ most."""
    named = [image.partition("/")[::2] for image in drawing.images]
    chosen = [(dataset, name, _box(drawing, shelf, dataset, name)) for dataset, name in named]
    if not named:
        every = [(d.name, name) for d in drawing.datasets for name in shelf.names(d.name)]
        boxes = [(*place, _box(drawing, shelf, *place)) for place in every]
        chosen = sorted(boxes, key=lambda found: -found[2].spread)[: drawing.most]
    for dataset, name, box in chosen:
        images = shelf.images(dataset, name, shelf.panels)
        yield _Scene(dataset=dataset, name=name, images=images, box=box)


def _box(drawing: Drawing, shelf: _Shelf, dataset: str, name: str) -> Box:
    """Returns where networks differ most; one network alone, from the original."""
    images = shelf.images(dataset, name, shelf.differ)
    several = len([panel for panel in shelf.differ if panel in images]) > 1
    asked = shelf.differ if several else (*shelf.differ, HR)
    field = spread([image for panel, image in images.items() if panel in asked])
    return widest(field, drawing.figure.box, drawing.scale) if drawing.figure.box else whole(field)


def _panels(scene: _Scene, drawing: Drawing, folder: Path, number: int) -> Iterator[Row]:
    """Writes the panels of a scene; yields their lines, that of the overview first."""
    file = f"{number}-{WHOLE}.png"
    (folder / file).write_bytes(encode_png(_overview(scene.hr)))
    yield scene.row(WHOLE, file=file)
    shown = {p: i for p, i in scene.images.items() if p in drawing.panels}
    cut = {panel: _cut(scene, panel, image, drawing) for panel, image in shown.items()}
    maps = drawing.figure.kind == "maps"
    top = _top(cut.values()) if maps else 255.0
    for panel, image in cut.items():
        times = max(1, SIDE // max(scene.box.width, scene.box.height))
        times *= drawing.scale if panel == LR else 1
        bright = quantise(image * (255 / top)) if maps else image
        file = f"{number}-{panel}.png"
        (folder / file).write_bytes(encode_png(bright.repeat(times, axis=0).repeat(times, axis=1)))
        told = {"top": f"{top:.2f}", "mean": f"{image.mean(dtype=np.float64):.6f}"} if maps else {}
        yield scene.row(panel, file=file, times=times, **told)


def _cut(scene: _Scene, panel: str, image: Array, drawing: Drawing) -> Array:
    """Returns what a panel shows: a part of the image, or of its gradient map."""
    box = scene.box
    if panel == LR:
        scale = drawing.scale
        sides = {"width": box.width // scale, "height": box.height // scale}
        box = Box(x=box.x // scale, y=box.y // scale, **sides, spread=0)
    if drawing.figure.kind == "maps":
        return box.of(gradients(image))
    return box.of(image)


def gradients(image: Bytes) -> Array:
    """Returns the gradient map of a picture, in shares of its range; each channel for itself.

    Args:
        image: uint8 (H, W, 3) or (H, W).

    Returns:
        float32, the same shape, 0 to about 1.42.
    """
    planes = torch.from_numpy(np.atleast_3d(image).transpose(2, 0, 1).astype(np.float32) / 255)
    found = gradient_map(planes[None])[0].numpy().transpose(1, 2, 0)
    return found[..., 0] if image.ndim == 2 else found


def _top(maps: Iterable[Array]) -> float:
    """Returns the gradient that all panels of a scene show as white, to two digits upwards."""
    every = np.concatenate([each.ravel() for each in maps])
    return max(1, ceil(float(np.percentile(every, BRIGHT)) * 100)) / 100


def _overview(image: Bytes) -> Bytes:
    """Returns an image with at most `OVERVIEW` pixels a side."""
    height, width = image.shape[:2]
    share = min(1.0, OVERVIEW / max(height, width))
    if share == 1:
        return image
    return quantise(resize(image, round(height * share), round(width * share)))


def _variances(scene: _Scene, patch: int) -> Iterator[Row]:
    """Yields, panel by panel and patch by patch, what the gradient variance loss compares."""
    if patch > min(scene.hr.shape[:2]):
        raise Refused(f"{scene.dataset}/{scene.name}: is smaller than a patch of {patch} pixels")
    for panel, image in scene.images.items():
        planes = np.atleast_3d(image).transpose(2, 0, 1).astype(np.float32) / 255
        # The loss's own numbers, not a copy's
        both = gradient_variance._variances(torch.from_numpy(planes)[None], patch)  # noqa: SLF001
        across, down = (each[0, 0].numpy() for each in both)
        for row, column in np.ndindex(across.shape):
            yield {
                "dataset": scene.dataset,
                "image": scene.name,
                "panel": panel,
                "row": str(row),
                "column": str(column),
                "across": f"{across[row, column]:.9g}",
                "down": f"{down[row, column]:.9g}",
            }
