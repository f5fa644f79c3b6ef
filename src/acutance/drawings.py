"""Figures made of images in a study: which images of which systems, under an identity.

What a figure asks for and a track does not have is fallen back from, so that a study on other
images shows the paper's figures on its own: see `drawing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from acutance import paths, published
from acutance.errors import Refused, nearest
from acutance.figures import HR, LR, Pictured
from acutance.identity import digest, source_digest
from acutance.published import Paper
from acutance.rows import read_rows
from acutance.sets import Dataset
from acutance.spec import Evaluation, Study, Track

INDEX = "panels.csv"  # in the folder of a drawing: a line for each panel
HEAD = "dataset,image,panel,file,width,height,x,y,across,down,times,top,mean,reason"
WHOLE = "whole"  # the panel that shows where the others lie
NUMBERS = "variances.csv"
NUMBERED = "dataset,image,panel,row,column,across,down"
INSTEAD = 2  # images at most that are chosen in place of named ones
LOSS = "gradient_variance"
Key = tuple[str, str]  # system, data set


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure made of a track's images.

    Attributes:
        figure: As the layout declares it.
        track: The track's name.
        scale: Of the images.
        panels: Systems and originals that are asked for, in the paper's order.
        images: As in the figure; those whose data set the track tests on.
        datasets: Whose images are shown, or chosen from.
        most: How many are chosen.
        tests: What has the SR images of a system and a data set.
        missing: Panel and why it is empty, of systems without any test.
        outside: Data sets of the figure that the track does not test on.
        patch: Side of the patches whose variance is taken, in HR pixels; 0 for other kinds.
    """

    figure: Pictured
    track: str
    scale: int
    panels: tuple[str, ...]
    images: tuple[str, ...]
    datasets: tuple[Dataset, ...]
    most: int
    tests: tuple[tuple[Key, Evaluation], ...]
    missing: tuple[tuple[str, str], ...]
    outside: tuple[str, ...]
    patch: int

    @cached_property
    def id(self) -> str:
        """Track, figure and digest; the digest covers all that can change a pixel."""
        asked = (self.figure.kind, self.figure.box, self.figure.differ, self.scale)
        found = digest(
            [*asked, self.panels, self.images, self.most, self.patch],
            [each.id for each in self.datasets],
            [[*key, each.sr] for key, each in self.tests],
            self.lr,
            source_digest("draw", "draw"),
        )
        return f"{self.track}_{self.figure.name}@{found}"

    @property
    def folder(self) -> str:
        """Where its panels lie when all its SR images were there."""
        return paths.PANELS.format(drawn=self.id)

    @property
    def lr(self) -> list[str]:
        """The folders of LR images, where it shows them."""
        if LR not in self.panels:
            return []
        return list(dict.fromkeys(each.pairs.lr for _, each in self.tests))

    @property
    def own(self) -> bool:
        """Whether it shows a track's own data sets in place of the figure's."""
        asked = self.figure.datasets or [i.partition("/")[0] for i in self.figure.images]
        return not {each.name for each in self.datasets} & set(asked)

    @property
    def inputs(self) -> list[str]:
        """The folders that it is made from."""
        sr = dict.fromkeys(each.sr for _, each in self.tests)
        return [*(each.hr for each in self.datasets), *sr, *self.lr]

    @property
    def differ(self) -> tuple[str, ...]:
        """The systems whose differences choose images and places: of those tested, the trained."""
        fitted = dict.fromkeys(key[0] for key, each in self.tests if _fitted(each))
        return tuple(s for s in self.figure.differ if s in fitted) or tuple(fitted)

    def lacking(self, root: Path) -> dict[str, str]:
        """Returns the systems whose SR images are not all there, and what is said of them."""
        gone = (key[0] for key, each in self.tests if not (root / each.sr).is_dir())
        return dict.fromkeys(gone, "its SR images are not here yet")

    def begun(self, root: Path) -> bool:
        """Returns whether the SR images of any of its networks are there."""
        return not set(self.differ) <= set(self.lacking(root))

    def held(self, root: Path) -> Path | None:
        """Returns the folder of its panels, or that of those there were images for, or None."""
        state = paths.SKETCH.format(drawn=self.id)
        folders = (root / self.folder, root / state)
        return next((folder for folder in folders if (folder / INDEX).is_file()), None)

    def rows(self, root: Path) -> list[dict[str, str]]:
        """Returns the lines of its index; none where it is not drawn yet."""
        folder = self.held(root)
        return [row for _, row in read_rows(folder / INDEX, HEAD)] if folder else []


def drawings(study: Study, root: Path) -> tuple[Drawing, ...]:
    """Returns every drawing of a study.

    Raises:
        Refused: If a figure names an image that its data set does not have.
    """
    papers = {name: published.read(root / paths.PUBLISHED / name) for name in _papers(study)}
    return tuple(
        each
        for track in study.tracks
        for each in of(papers[track.paper], track)
        if not isinstance(each, Undrawn)
    )


@dataclass(frozen=True, kw_only=True)
class Undrawn:
    """A figure of which a track has nothing, and why."""

    figure: Pictured
    track: str
    reason: str


def of(paper: Paper, track: Track) -> Iterator[Drawing | Undrawn]:
    """Yields the figures of images that a paper declares, as one track has them."""
    for figure in paper.figures.values():
        if isinstance(figure, Pictured):
            yield drawing(paper, track, figure)


def drawing(paper: Paper, track: Track, figure: Pictured) -> Drawing | Undrawn:
    """Returns a figure as a track has it, or why it has nothing of it.

    A track that does not run the figure's scale shows its largest, one that tests on none of the
    figure's data sets chooses from its own, and one that runs none of its networks shows its own.
    """
    tests = _first_seeds(track)
    scales = {scale for _, scale, _ in tests}
    if not scales:
        return Undrawn(figure=figure, track=track.name, reason="nothing is tested in this study")
    scale = figure.scale if figure.scale in scales else max(scales)
    here = {(s, d): e for (s, x, d), e in tests.items() if x == scale}
    shown = _images(paper, track, figure)
    asked = _systems(figure)
    names = [each.name for each in shown.datasets]
    if not any(_fitted(here[s, d]) for s in asked for d in names if (s, d) in here):
        asked = _own(track, here, names, asked)
    kept = {(s, d): here[s, d] for s in asked for d in names if (s, d) in here}
    if not any(_fitted(each) for each in kept.values()):
        reason = "none of its networks is in this study"
        return Undrawn(figure=figure, track=track.name, reason=reason)
    found, missing = {system for system, _ in kept}, []
    for system in (s for s in asked if s not in found):
        label = paper.label("system", system)
        missing.append((system, f"{label} at scale {scale} is not in this study"))
    patch = _patch(kept.values())
    if figure.kind == "variances" and not patch:
        reason = "no network here is trained with the loss, which says how large a patch is"
        return Undrawn(figure=figure, track=track.name, reason=reason)
    originals = (p for p in figure.panels if p in (HR, LR))
    return Drawing(
        figure=figure,
        track=track.name,
        scale=scale,
        panels=figure.panels if asked == _systems(figure) else (*originals, *asked),
        images=shown.images,
        datasets=shown.datasets,
        most=shown.most,
        tests=tuple(kept.items()),
        missing=tuple(missing),
        outside=shown.outside,
        patch=patch if figure.kind == "variances" else 0,
    )


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """Which images a track shows of a figure."""

    images: tuple[str, ...]
    datasets: tuple[Dataset, ...]
    most: int
    outside: tuple[str, ...]


def _images(paper: Paper, track: Track, figure: Pictured) -> _Shown:
    tested = {each.name: each for each in track.datasets}
    asked = figure.datasets or dict.fromkeys(i.partition("/")[0] for i in figure.images)
    sets = tuple(tested[name] for name in asked if name in tested)
    outside = tuple(paper.label("dataset", name) for name in asked if name not in tested)
    if not sets:
        most = min(figure.most, INSTEAD)
        return _Shown(images=(), datasets=track.datasets, most=most, outside=outside)
    images = []
    for image in figure.images:
        dataset, _, name = image.partition("/")
        pictures = [each.name for each in tested[dataset].pictures] if dataset in tested else []
        if pictures and name not in pictures:
            place = f"{paper.name}/layout.yaml: figures.{figure.name}.images"
            raise Refused(f"{place}: no image '{name}' in {dataset}{nearest(name, pictures)}")
        if dataset in tested:
            images.append(image)
    return _Shown(images=tuple(images), datasets=sets, most=figure.most, outside=outside)


def _own(
    track: Track, here: Mapping[Key, Evaluation], names: Sequence[str], asked: Sequence[str]
) -> list[str]:
    """Returns a track's own networks, after what of the panels has nothing to fit."""
    plain = [s for s in asked if any((s, d) in here for d in names)]
    return [*plain, *(s for s in track.systems if _any_fitted(s, here, names))]


def _any_fitted(system: str, here: Mapping[Key, Evaluation], names: Sequence[str]) -> bool:
    return any(_fitted(here[system, name]) for name in names if (system, name) in here)


def _first_seeds(track: Track) -> dict[tuple[str, int, str], Evaluation]:
    """Returns the evaluation of each system, scale and data set, of the first seed."""
    found: dict[tuple[str, int, str], Evaluation] = {}
    for each in track.evaluations:
        found.setdefault((each.run.system, each.run.scale, each.dataset.name), each)
    return found


def _fitted(each: Evaluation) -> bool:
    """Whether an image is a network's, and not an enlargement that anyone would make alike."""
    return each.run.weighted or each.run.images is not None


def _patch(tests: Iterable[Evaluation]) -> int:
    """Returns the patch of the first gradient variance loss, or 0."""
    losses = (loss for each in tests for loss in each.run.losses if loss.function == LOSS)
    return next((int(str(loss.kwargs["patch"])) for loss in losses), 0)


def _systems(figure: Pictured) -> list[str]:
    return [panel for panel in figure.panels if panel not in (HR, LR)]


def _papers(study: Study) -> list[str]:
    return list(dict.fromkeys(track.paper for track in study.tracks))
