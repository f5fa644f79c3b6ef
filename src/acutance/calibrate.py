"""The verb `calibrate`: each paper's bicubic row, printed beside measured, per protocol.

A protocol whose bicubic row comes out as printed measures what the paper measured; one that misses
it would make every other comparison with that paper a guess.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from acutance import image, paths
from acutance.book import open_book
from acutance.calibrations import Calibration, Chain, Target, read
from acutance.calls import Call
from acutance.degradations.imresize import imresize
from acutance.files import write_atomically
from acutance.parallel import each
from acutance.resize import resize
from acutance.rows import Score, average, scored, written
from acutance.sheet import plural

Array = npt.NDArray[Any]
Metric = Callable[..., float]
Bind = Callable[[Sequence[Call]], Sequence[tuple[str, Metric]]]
HEAD = "calibration,paper,table,dataset,scale,metric,protocol,printed,measured,agrees,reason"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One printed cell and what was measured for it; None and a reason where nothing was."""

    calibration: str
    target: Target
    measured: float | None
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the measured value, rounded to the printed digits, is the printed one."""
        cell = self.target.cell
        return self.measured is not None and f"{self.measured:.{cell.decimals}f}" == cell.value

    @property
    def row(self) -> dict[str, str]:
        """The row of the CSV."""
        cell = self.target.cell
        return {
            "calibration": self.calibration,
            "paper": cell.paper,
            "table": cell.table,
            "dataset": cell.dataset,
            "scale": str(cell.scale),
            "metric": cell.metric,
            "protocol": self.target.metric.name,
            "printed": cell.value,
            "measured": "" if self.measured is None else repr(self.measured),
            "agrees": "" if self.measured is None else str(self.agrees).lower(),
            "reason": self.reason,
        }


def run(
    root: Path,
    study: str | None = None,
    out: Path | None = None,
    only: Collection[str] | None = None,
    bind: Bind | None = None,
) -> list[Agreement]:
    """Measures every calibration of params.yaml on the data sets that are here, and prints it.

    Args:
        root: The project's root, which holds params.yaml and data/hr.
        study: An overlay in workflow/studies; None for the one params.yaml names.
        out: A CSV to write as well.
        only: Data sets that are measured; None for all that are here.
        bind: See `calibrate`.

    Raises:
        Refused: If params.yaml has a mistake or an image is damaged.
    """
    book, _ = open_book(root, study)
    found: list[Agreement] = []
    for calibration in read(book):
        folders = {
            d.name: root / d.hr for d in calibration.datasets if only is None or d.name in only
        }
        for agreement in calibrate(calibration, folders, assets=root / paths.ASSETS, bind=bind):
            if agreement.measured is not None:
                print(_line(agreement), flush=True)
            found.append(agreement)
    for reason, count in Counter(a.reason for a in found if a.measured is None).items():
        print(f"{plural(count, 'number')} not measured: {reason}")
    if out is not None:
        write_atomically(out, written(HEAD, (agreement.row for agreement in found)))
    return found


def calibrate(
    calibration: Calibration,
    folders: Mapping[str, Path],
    *,
    assets: Path | None = None,
    bind: Bind | None = None,
    workers: int | None = None,
) -> Iterator[Agreement]:
    """Yields what is measured for each printed cell of one calibration.

    Args:
        calibration: The printed cells, their metrics, and how the paper made its images.
        folders: Data set to folder of HR pictures; cells of a set without a folder get a reason.
        assets: Folder of the files that metrics read; cells of a metric without its file get a
            reason. None if there is none.
        bind: Makes metrics ready to be called; None: with these files, on the CPU.
        workers: Images worked on at a time; None for one per core.

    Raises:
        Refused: If a picture is damaged or smaller than the scale.
    """
    for scale in calibration.scales:
        for dataset in dict.fromkeys(t.cell.dataset for t in calibration.targets):
            targets = calibration.at(dataset, scale)
            folder = folders.get(dataset)
            if folder is None or not folder.is_dir():
                found: dict[str, Score] = {}
                lacking = {t.metric.name: f"{dataset} is not here; fetch it" for t in targets}
            else:
                lacking = {t.metric.name: _lacking(t.metric, assets) for t in targets}
                ready = [t.metric for t in targets if not lacking[t.metric.name]]
                metrics = dict(bind(ready) if bind else [(m.name, m.bound(assets)) for m in ready])
                found = _means(folder, calibration.chain, metrics, scale, workers)
            for target in targets:
                name = target.metric.name
                score = found.get(name, lacking[name])
                measured, why = (None, score) if isinstance(score, str) else (score, "")
                yield Agreement(
                    calibration=calibration.name, target=target, measured=measured, reason=why
                )


def render(hr: Array, scale: int, chain: Chain) -> tuple[Array, Array]:
    """Returns an HR picture's bicubic image as a paper made it, and the HR that it compared.

    Args:
        hr: uint8 (H, W, 3) or (H, W).
        scale: Integer, at least 2.
        chain: Channel, rounding between, clipping, grey pictures.

    Returns:
        Both cut to multiples of `scale`, and both 8-bit luma (H, W) where the chain resizes luma.
        The bicubic image is float64 where the chain does not clip it to the studio range.

    Raises:
        Refused: If a side is smaller than `scale`.

    Source: the evaluation scripts of SRCNN, VDSR and LapSRN ("y"), of SPSR's toolbox ("rgb").
    """
    whole = image.modcrop(hr, scale)
    if chain.grey == "rgb":
        whole = image.as_rgb(whole)
    if chain.channel == "y":
        whole = image.quantise(image.luma(whole))
    lr = imresize(whole, scale, rounding="none")
    if chain.lr == "uint8":
        lr = image.quantise(lr)
    sr: Array = resize(lr, *whole.shape[:2])
    if chain.clip == "studio":
        sr = image.quantise(sr, 16, 235)
    return sr, whole


def _means(
    folder: Path,
    chain: Chain,
    metrics: Mapping[str, Metric],
    scale: int,
    workers: int | None,
) -> dict[str, Score]:
    """Returns each metric's mean over the pictures of a folder, or why there is none."""

    def measured(path: Path) -> list[Score]:
        sr, hr = render(image.read_image(path), scale, chain)
        return [scored(metric, sr, hr) for metric in metrics.values()]

    pictures = image.list_images(folder)
    title = f"{folder.name.partition('@')[0]} x{scale}"
    rows = list(each(measured, [*pictures.values()], workers=workers, title=title))
    return {
        name: average({picture: row[at] for picture, row in zip(pictures, rows, strict=True)})
        for at, name in enumerate(metrics)
    }


def _lacking(metric: Call, assets: Path | None) -> str:
    """Returns which files a metric lacks and how to get them, or nothing."""
    files = {asset.name: asset.file.name for _, asset in metric.assets}
    absent = [name for name, file in files.items() if not (assets and (assets / file).is_file())]
    verb = "is" if len(absent) == 1 else "are"
    how = f"run `acutance fetch {' '.join(absent)}`"
    return f"{' and '.join(absent)} {verb} not here; {how}" if absent else ""


def _line(agreement: Agreement) -> str:
    """Returns one line for the terminal."""
    cell, measured = agreement.target.cell, agreement.measured
    where = f"{cell.paper:5} {cell.dataset:11} x{cell.scale} {agreement.target.metric.name:13}"
    verdict = "as printed" if agreement.agrees else "DIFFERS"
    return f"{where} printed {cell.value:>7}  measured {measured:.6f}  {verdict}"
