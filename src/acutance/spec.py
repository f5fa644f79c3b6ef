"""The experiment as frozen dataclasses; what they are made from is checked in `study.py`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from acutance import paths, resolve
from acutance.assets import Asset
from acutance.calls import Call, Loss
from acutance.contests import Contest
from acutance.identity import digest, source_digest
from acutance.recipes import Recipe
from acutance.released import Images, Weights
from acutance.sets import Dataset, Pairs
from acutance.sizes import Convention, Sized


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a training begins with: another run's weights, but those whose names begin so."""

    run: Run
    without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    """A system at one scale from one seed: what is trained, once, whichever tables want it.

    Others' weights (`released`) are not trained, and others' SR images (`images`) have no weights:
    their `model` is a word.
    """

    system: str
    scale: int
    seed: int
    model: Call
    losses: tuple[Loss, ...] = ()
    contests: tuple[Contest, ...] = ()
    start: Start | None = None
    recipe: Recipe | None = None
    train: Pairs | None = None
    validate: Pairs | None = None
    loop: str = "restore"
    released: Weights | None = None
    images: Images | None = None
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Computes the digest of all that can change the run's weights."""
        object.__setattr__(self, "digest", digest(self._identity()))

    def _identity(self) -> list[object]:
        if self.images is not None:
            return [self.images.identity, self.scale]
        if self.released is not None:
            return [self.model.identity, self.scale, self.released.identity]
        if self.recipe is None or self.train is None:
            return [self.model.identity, self.scale]
        # What is off (None, 0, empty) is left out: a new kind of option renames no old result.
        recipe = {k: v for k, v in asdict(self.recipe).items() if k != "name" and v}
        chosen = self.validate.id if self.validate and self.recipe.keep == "best" else None
        if chosen is None:
            recipe.pop("validate_every", None)  # only looked at, so it moves no weight
        return [
            self.model.identity,
            [loss.identity for loss in self.losses],
            recipe,
            self.train.id,
            chosen,
            source_digest(f"loops.{self.loop}", self.loop),
            source_digest("packed", "open_packed"),
            [source_digest("train", name) for name in ("_network", "_pairs", "_term")],
            self.scale,
            self.seed,
            self.channels,
            *([contest.identity for contest in self.contests]),
            *([source_digest("rivals", "rivals_of")] if self.contests else []),
            *([source_digest("train", "_fed")] if self.assets else []),
            *([self.start.run.digest, self.start.without] if self.start else []),
        ]

    @property
    def trained(self) -> bool:
        """Whether there are weights to fit."""
        return self.recipe is not None

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The files that its losses need, each once."""
        needed = (each for loss in self.losses for _, each in loss.assets)
        return tuple({each.path: each for each in needed}.values())

    @property
    def chain(self) -> tuple[Run, ...]:
        """The runs that it begins with, the first of them first, and itself."""
        return (*(self.start.run.chain if self.start else ()), self)

    @property
    def weighted(self) -> bool:
        """Whether there are weights to load: fitted here, or released by others."""
        return self.trained or self.released is not None

    def covers(self, dataset: str) -> bool:
        """Returns whether there can be SR images of a test set: others' are of some sets only."""
        return self.images is None or dataset in self.images.files

    @cached_property
    def id(self) -> str:
        """System, scale, seed and digest: the name of the run's folder."""
        return f"{self.system}_x{self.scale}_s{self.seed}@{self.digest}"

    @property
    def channels(self) -> int:
        """1 for a network that works on luma, else 3."""
        if self.images is not None:
            return 3
        model = resolve.noun("models", self.model.function)
        asked = model.parameter("channels")
        default = asked.default if asked else model.constants.get("CHANNELS")
        return 1 if self.model.kwargs.get("channels", default) == 1 else 3

    def shown(self) -> dict[str, Any]:
        """Returns the resolved run as plain values, for `show` and run.json."""
        plain: dict[str, Any] = {"run": self.id, "system": self.system, "scale": self.scale}
        plain |= {"seed": self.seed, "model": {"function": self.model.function}}
        plain["model"] |= self.model.kwargs
        if self.released is not None:
            plain["released"] = self.released.shown()
        if self.images is not None:
            plain.pop("model")
            plain["images"] = self.images.shown()
        if self.recipe is not None and self.train is not None:
            plain["losses"] = {
                loss.name: {
                    "weight": loss.weight,
                    "function": loss.function,
                    **({"levels": True} if loss.levels else {}),
                    **{name: needed.file.name for name, needed in loss.assets},
                    **loss.kwargs,
                }
                for loss in self.losses
            }
            if self.contests:
                plain["critics"] = {contest.name: contest.shown() for contest in self.contests}
            if self.start:
                plain["start"] = {"run": self.start.run.id, "without": list(self.start.without)}
            plain["recipe"] = asdict(self.recipe)
            plain["train"] = self.train.id
            plain["validate"] = self.validate.id if self.validate else None
        return plain


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A run tested on one data set: SR images, and their scores by each metric."""

    run: Run
    pairs: Pairs
    output: Literal["png", "float"]
    metrics: tuple[Call, ...]

    @property
    def dataset(self) -> Dataset:
        """The test set."""
        return self.pairs.datasets[0]

    @cached_property
    def test(self) -> str:
        """Identity of the SR images beside the run's own: LR images, file format, `predict`."""
        if self.run.images is not None:
            found = digest(self.dataset.id, source_digest("import_", "import_images"))
            return f"{self.dataset.name}_{self.pairs.degradation.name}@{found}"
        found = digest(self.pairs.id, self.output, source_digest("predict", "predict_folder"))
        return f"{self.dataset.name}_{self.pairs.degradation.name}@{found}"

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The files that its metrics need, each once."""
        needed = (each for metric in self.metrics for _, each in metric.assets)
        return tuple({each.path: each for each in needed}.values())

    @property
    def sr(self) -> str:
        """The folder of the SR images."""
        return paths.SR.format(run=self.run.id, test=self.test)

    @cached_property
    def measured(self) -> str:
        """Identity of the scores: the SR images, the metrics and `score`."""
        metrics = sorted((m.name, m.identity) for m in self.metrics)
        found = digest(self.test, metrics, source_digest("score", "score_folders"))
        return f"{self.dataset.name}_{self.pairs.degradation.name}@{found}"

    @property
    def scores(self) -> str:
        """The CSV of the scores."""
        return paths.SCORES.format(run=self.run.id, test=self.measured)


@dataclass(frozen=True, kw_only=True)
class Track:
    """One way of reading a paper's experiment.

    Attributes:
        about: What it does, in a sentence for the report.
        readings: Choices that the paper leaves open, a sentence each.
        compare: Whether its numbers may stand beside the printed ones.
        tables: Which tables of the paper.
        datasets: Test sets, in the order of the tables.
        systems: Which systems of the tables are run.
        metrics: Metric of the paper's column to metric of params.yaml.
        also: Further metrics that are measured.
        seeds: Of every trained run.
        test: LR images are made by this degradation.
        output: `png` or `float`.
        train: Data sets that are trained on.
        evaluations: What the tables need.
        sizes: The paper's column to the convention that counts it.
        sized: The networks whose sizes are counted.
        unrun: Printed systems that are only counted, and why, where that is said.
    """

    name: str
    paper: str
    about: str
    compare: bool
    tables: tuple[str, ...]
    datasets: tuple[Dataset, ...] = ()
    systems: tuple[str, ...] = ()
    metrics: tuple[tuple[str, Call], ...] = ()
    also: tuple[Call, ...] = ()
    seeds: tuple[int, ...] = ()
    degradation: Call | None = None
    output: Literal["png", "float"] = "png"
    train: tuple[Dataset, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    readings: tuple[str, ...] = ()
    sizes: tuple[tuple[str, Convention], ...] = ()
    sized: tuple[Sized, ...] = ()
    unrun: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that one rebuild wants."""

    name: str
    title: str
    about: str
    tracks: tuple[Track, ...]
    conventions: tuple[Convention, ...] = ()

    @cached_property
    def counts(self) -> str:
        """The CSV of the sizes of networks that the tracks show."""
        asked = [
            (t.name, s.printed, s.scale, s.model.identity) for t in self.tracks for s in t.sized
        ]
        source = source_digest("count", "study_rows")
        found = digest(asked, [asdict(each) for each in self.conventions], source)
        return paths.COUNTS.format(counted=f"{self.name}@{found}")

    @cached_property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """All evaluations, each once."""
        return tuple({e.scores: e for t in self.tracks for e in t.evaluations}.values())

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """All runs, each once, in the order of the tracks; before each, what it begins with."""
        begun = (run for e in self.evaluations for run in e.run.chain)
        return tuple({run.id: run for run in begun}.values())
