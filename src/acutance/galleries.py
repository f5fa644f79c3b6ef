"""Figures that are not of scores as a report shows them, with their files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from acutance.charts import Chart
from acutance.curves import Curves, curves
from acutance.drawings import HEAD, INDEX, NUMBERED, NUMBERS, Drawing, Undrawn, drawing
from acutance.edges import signals
from acutance.figures import Edge, Pictured
from acutance.grid import short
from acutance.published import Paper
from acutance.rows import read_rows
from acutance.spec import Track
from acutance.strips import Framer, Strip

Row = Mapping[str, str]
WORDS = {
    "crops": "Cut here out of stored images, enlarged without smoothing.",
    "maps": "Gradient maps of stored images, computed here; all of an image with one range.",
    "variances": "Computed here from stored images: variance of both Sobel maps in each patch, "
    "patches in the order of the original’s, means over patches of like rank.",
    "edge": "Computed here: a step blurred by Gaussians, and the magnitude of [−1, 0, 1].",
}
WAITING = "Not drawn: its SR images are not here yet; `acutance draw` makes it of those that are"


def galleries(
    paper: Paper, tracks: Sequence[Track], scores: Sequence[Row], root: Path
) -> tuple[Chart, ...]:
    """Returns a paper's figures of images, and those that are computed.

    Args:
        paper: The paper.
        tracks: The study's tracks of this paper.
        scores: Of its panels.csv, as tabulated.
        root: The project's root; panels are read below it.

    Raises:
        Refused: If the index of a drawing is damaged.
    """
    found = []
    for figure in paper.figures.values():
        if isinstance(figure, Pictured):
            found.append(_Gallery(paper, tracks, figure).chart(scores, root))
        elif isinstance(figure, Edge):
            found.append(_computed(paper, figure))
    return tuple(found)


def _computed(paper: Paper, figure: Edge) -> Chart:
    return Chart(
        id=f"{paper.name}-{figure.name}",
        label=figure.label,
        title=figure.title,
        kind="edge",
        words=WORDS["edge"],
        plots=tuple(signals(paper.name, figure)),
        made=(),
        notes=figure.notes,
    )


class _Gallery:
    """Collects what all tracks have of one figure."""

    def __init__(self, paper: Paper, tracks: Sequence[Track], figure: Pictured) -> None:
        self._paper, self._tracks, self._figure = paper, tracks, figure
        self._strips: list[Strip] = []
        self._plots: list[Curves] = []
        self._made: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self._missing: list[tuple[str, str]] = []
        self._copies: list[tuple[str, Path]] = []

    def chart(self, scores: Sequence[Row], root: Path) -> Chart:
        """Returns the figure."""
        for track in self._tracks:
            found = drawing(self._paper, track, self._figure)
            label = short(track.name, self._paper)
            self._missing += [(label, why) for why in _reasons(self._paper, found, root)]
            if isinstance(found, Drawing) and found.held(root):
                key = (self._figure.name, track.name)
                own = [r for r in scores if (r["figure"], r["track"]) == key]
                many = len(self._tracks) > 1
                framer = Framer(paper=self._paper, track=track, drawing=found, many=many)
                self._add(framer, own, root)
        return Chart(
            id=f"{self._paper.name}-{self._figure.name}",
            label=self._figure.label,
            title=self._figure.title,
            kind=self._figure.kind,
            words=WORDS[self._figure.kind],
            plots=tuple(self._plots),
            strips=tuple(self._strips),
            made=tuple(self._made),
            missing=tuple(self._missing),
            notes=self._figure.notes,
            copies=tuple(self._copies),
        )

    def _add(self, framer: Framer, scores: Sequence[Row], root: Path) -> None:
        folder = framer.drawing.held(root)
        if folder is None:
            return
        rows = [row for _, row in read_rows(folder / INDEX, HEAD)]
        strips: list[Strip] = []
        if framer.drawing.patch:
            numbers = [row for _, row in read_rows(folder / NUMBERS, NUMBERED)]
            self._plots += curves(framer, numbers, rows)
            self._copies.append((f"{framer.id}-{NUMBERS}", folder / NUMBERS))
        else:
            strips = list(framer.strips(rows, scores))
            self._copies += framer.copies(rows, folder)
        self._strips += strips
        self._made.append((short(framer.track.name, self._paper), tuple(framer.facts(strips))))


def _reasons(paper: Paper, found: Drawing | Undrawn, root: Path) -> Iterator[str]:
    """Yields why a track has nothing of a figure, or not all of it, or other images."""
    if isinstance(found, Undrawn):
        yield f"Not drawn: {found.reason}"
        return
    if found.outside:
        some = ", ".join(found.outside)
        own = ", ".join(paper.label("dataset", each.name) for each in found.datasets)
        what = f"Shown on {own} instead" if found.own else "Not all of it is drawn"
        yield f"{what}: {some} {'is' if len(found.outside) == 1 else 'are'} not in this study"
    if found.held(root) is None:
        yield WAITING
