"""The experiment as frozen dataclasses; what they are made from is checked in `study.py`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from acutance import paths
from acutance.identity import digest, source_digest
from acutance.resolve import Value, noun


@dataclass(frozen=True, kw_only=True)
class Call:
    """A noun with its arguments: a model, loss, metric or degradation as params.yaml declares it.

    Attributes:
        name: What params.yaml calls it.
        kind: The folder of the noun: `metrics`.
        function: The file in it.
        arguments: Name and value, sorted by name; those not given keep the signature's default.
    """

    name: str
    kind: str
    function: str
    arguments: tuple[tuple[str, Value], ...] = ()

    @property
    def kwargs(self) -> dict[str, Value]:
        """The arguments as keywords."""
        return dict(self.arguments)

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """What can change the bytes this call makes: file, arguments, source. Not its name."""
        public = noun(self.kind, self.function).public
        source = source_digest(f"{self.kind}.{self.function}", public)
        return (self.kind, self.function, self.arguments, source)


@dataclass(frozen=True, kw_only=True)
class Loss(Call):
    """A term of the objective: what it is, and its weight."""

    weight: float

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """As for `Call`, and the weight."""
        return (*super().identity, self.weight)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One place a data set can be had from.

    Attributes:
        url: Address of an archive (zip, tar, tar.gz) or None.
        package: An installed Python package that ships the images, or None.
        members: Which files in it are the images: a glob.
        bytes: Size of the archive, where known.
        sha256: Checksum of the archive, where known.
        md5: The same, for archives whose publisher gives no better one.
    """

    url: str | None = None
    package: str | None = None
    members: str = "*"
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One image of a manifest: its size, mode, and the SHA-256 of its decoded uint8 array."""

    name: str
    width: int
    height: int
    mode: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A set of original images.

    Attributes:
        name: As in params.yaml and in the published tables.
        role: `train` or `test`; a set is never both in one track.
        images: How many there are.
        licence: What may be done with them.
        cite: Whom to cite.
        sources: Where to get them, best first.
        pictures: What each must decode to; empty where the archive's checksum stands for all.
    """

    name: str
    role: str
    images: int
    licence: str
    cite: str
    sources: tuple[Source, ...]
    pictures: tuple[Picture, ...]

    @cached_property
    def id(self) -> str:
        """Name and digest; the digest covers the decoded images."""
        if self.pictures:
            return f"{self.name}@{digest([asdict(p) for p in self.pictures])}"
        sums = sorted(s.sha256 or s.md5 or s.url or "" for s in self.sources)
        return f"{self.name}@{digest(self.images, sums)}"

    @property
    def hr(self) -> str:
        """The folder of its verified images."""
        return paths.HR.format(dataset=self.id)


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """HR images with their LR counterparts: to train on (packed) or to test on (PNG)."""

    datasets: tuple[Dataset, ...]
    degradation: Call
    scale: int
    centre: int | None = None

    @cached_property
    def id(self) -> str:
        """Names and digest; the digest covers the HR images and how the LR are made of them."""
        names = "+".join(d.name for d in self.datasets)
        found = digest(
            [d.id for d in self.datasets], self.degradation.identity, self.scale, self.centre
        )
        return f"{names}_{self.degradation.name}_x{self.scale}@{found}"

    @property
    def hr(self) -> tuple[str, ...]:
        """The folders of the HR images."""
        return tuple(d.hr for d in self.datasets)

    @property
    def lr(self) -> str:
        """The folder of the LR images as PNG."""
        return paths.LR.format(pairs=self.id)

    @property
    def packed(self) -> str:
        """The folder of the packed pairs."""
        return paths.PACKED.format(pairs=self.id)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How weights are fitted.

    Attributes:
        name: As in params.yaml; a shortened recipe has its own name.
        patch: Side of the LR crop; the HR crop is `patch * scale`.
        batch: Crops in a step.
        steps: Updates of the weights.
        sampling: `uniform` (image, place and flip drawn anew each step) or `epoch` (every image
            once in each epoch, the last batch as short as it comes).
        augment: Which flips of a crop are drawn.
        learning_rate: At the start.
        milestones: Steps after which the learning rate is multiplied by `factor`.
        clip_norm: Greatest norm of the gradient, or None.
        clip_adjustable: VDSR's theta: entries are clipped to ±theta / learning rate, or None.
        loss_scale: Multiplies the objective before its gradient is taken: for authors who sum over
            pixels where our losses average.
        keep: `last` weights, or the `best` in validation PSNR.
        validate_every: Steps between validations; 0 for none.
    """

    name: str
    patch: int
    batch: int
    steps: int
    learning_rate: float
    optimiser: Literal["adam", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.0
    weight_decay: float = 0.0
    milestones: tuple[int, ...] = ()
    factor: float = 1.0
    clip_norm: float | None = None
    clip_adjustable: float | None = None
    sampling: Literal["uniform", "epoch"] = "uniform"
    augment: tuple[Literal["flip_h", "flip_v", "transpose"], ...] = ()
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    compile: bool = False
    channels_last: bool = False
    loss_scale: float = 1.0
    keep: Literal["last", "best"] = "last"
    validate_every: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """A system at one scale from one seed: what is trained, once, whichever tables want it."""

    system: str
    scale: int
    seed: int
    model: Call
    losses: tuple[Loss, ...] = ()
    recipe: Recipe | None = None
    train: Pairs | None = None
    validate: Pairs | None = None
    loop: str = "restore"
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Computes the digest of all that can change the run's weights."""
        object.__setattr__(self, "digest", digest(self._identity()))

    def _identity(self) -> list[object]:
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
            self.scale,
            self.seed,
        ]

    @property
    def trained(self) -> bool:
        """Whether there are weights to fit."""
        return self.recipe is not None

    @cached_property
    def id(self) -> str:
        """System, scale, seed and digest: the name of the run's folder."""
        return f"{self.system}_x{self.scale}_s{self.seed}@{self.digest}"

    @property
    def channels(self) -> int:
        """1 for a network that works on luma, else 3."""
        return 1 if self.model.kwargs.get("channels") == 1 else 3

    def shown(self) -> dict[str, Any]:
        """Returns the resolved run as plain values, for `show` and run.json."""
        plain: dict[str, Any] = {"run": self.id, "system": self.system, "scale": self.scale}
        plain |= {"seed": self.seed, "model": {"function": self.model.function}}
        plain["model"] |= self.model.kwargs
        if self.recipe is not None and self.train is not None:
            plain["losses"] = {
                loss.name: {"weight": loss.weight, "function": loss.function, **loss.kwargs}
                for loss in self.losses
            }
            plain["recipe"] = asdict(self.recipe)
            plain["train"] = self.train.id
            plain["validate"] = self.validate.id if self.validate else None
        return plain


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A run tested on one data set: SR images, and their scores by each metric."""

    run: Run
    pairs: Pairs
    output: str
    metrics: tuple[Call, ...]

    @property
    def dataset(self) -> Dataset:
        """The test set."""
        return self.pairs.datasets[0]

    @cached_property
    def test(self) -> str:
        """Identity of the SR images beside the run's own: LR images, file format, `predict`."""
        found = digest(self.pairs.id, self.output, source_digest("predict", "predict_folder"))
        return f"{self.dataset.name}_{self.pairs.degradation.name}@{found}"

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
    """

    name: str
    paper: str
    about: str
    compare: bool
    tables: tuple[str, ...]
    datasets: tuple[Dataset, ...]
    systems: tuple[str, ...]
    metrics: tuple[tuple[str, Call], ...]
    also: tuple[Call, ...]
    seeds: tuple[int, ...]
    degradation: Call
    output: str
    train: tuple[Dataset, ...]
    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that one rebuild wants."""

    name: str
    title: str
    about: str
    tracks: tuple[Track, ...]

    @cached_property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """All evaluations, each once."""
        return tuple({e.scores: e for t in self.tracks for e in t.evaluations}.values())

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """All runs, each once, in the order of the tracks."""
        return tuple({e.run.id: e.run for e in self.evaluations}.values())
