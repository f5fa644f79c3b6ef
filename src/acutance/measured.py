"""What a track has measured so far: the scores of its evaluations, by place in a table."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from acutance.calls import Call
from acutance.errors import Refused
from acutance.rows import Score, average, read_scores
from acutance.spec import Evaluation, Track

Place = tuple[str, int, str]  # system, scale, data set


class Measured:
    """The scores of one track, as far as they are computed."""

    def __init__(self, track: Track, root: Path) -> None:
        self.track = track
        self.root = root
        self._files: dict[str, dict[str, dict[str, Score]]] = {}

    @cached_property
    def wanted(self) -> Mapping[Place, tuple[Evaluation, ...]]:
        """The evaluations of each system, scale and data set, by seed."""
        found: dict[Place, tuple[Evaluation, ...]] = {}
        for each in self.track.evaluations:
            place = (each.run.system, each.run.scale, each.dataset.name)
            found[place] = (*found.get(place, ()), each)
        return found

    def protocol(self, metric: str) -> Call | None:
        """Returns the metric that measures a column of the paper, or None: see `protocol`."""
        return protocol(self.track, metric)

    def lacking(self, protocol: Call) -> str:
        """Returns why a metric cannot be measured here, or nothing: see `Asset.lacking`."""
        missing = (asset.lacking(self.root) for _, asset in protocol.assets)
        return next(filter(None, missing), "")

    def images(self, evaluation: Evaluation, protocol: Call) -> Mapping[str, float] | str | None:
        """Returns the value of each image.

        None if the evaluation has not measured it; `1 of 5 images (woman: …)` where some have no
        value, because then there is no number of the whole set.

        Raises:
            Refused: If the score file is damaged or lacks the metric.
        """
        scores = self.scores(evaluation, protocol)
        if scores is None:
            return None
        if isinstance(whole := average(scores), str):
            return whole
        return {image: score for image, score in scores.items() if not isinstance(score, str)}

    def scores(self, evaluation: Evaluation, protocol: Call) -> Mapping[str, Score] | None:
        """Returns each image's value or why it has none; None if it is not measured.

        Raises:
            Refused: If the score file is damaged or lacks the metric.
        """
        name = evaluation.scores
        if self.lacking(protocol):
            return None
        if name not in self._files:
            if not (self.root / name).is_file():
                return None
            self._files[name] = read_scores(self.root / name)
        if protocol.name not in self._files[name]:
            raise Refused(
                f"{name}: no metric '{protocol.name}'; remove the file and run score again"
            )
        return self._files[name][protocol.name]


def protocol(track: Track, metric: str) -> Call | None:
    """Returns the metric that measures a column of a track's paper, or None if it has none.

    What is measured beside the columns (`also`) goes by its own name.
    """
    return ({call.name: call for call in track.also} | dict(track.metrics)).get(metric)
