"""From two folders, HR and SR, to numbers: one per image and metric, and each metric's mean."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy.typing as npt

from acutance.errors import Refused, nearest
from acutance.files import write_atomically
from acutance.image import list_images, read_image, read_sr
from acutance.parallel import each
from acutance.rows import MEAN, SCORES, Score, average, scored, written

Array = npt.NDArray[Any]
Metric = Callable[[Array, Array], float]
Row = tuple[str, str, Score]


def score_folders(
    hr: Path,
    sr: Path,
    metrics: Sequence[tuple[str, Metric]],
    scale: int,
    *,
    workers: int | None = None,
) -> list[Row]:
    """Returns the value of every metric on every image, and last its mean over the images.

    An image that a metric cannot measure has the reason in place of a value, and so has the mean.

    Where HR is not a multiple of `scale`, SR may lack the rows and columns below and right that no
    LR pixel covers; HR is then cut to the size of SR.

    Args:
        hr: Folder of 8-bit pictures.
        sr: Folder of as many pictures of the same names (their endings aside), 8 bit or float TIFF.
        metrics: Names and functions `(sr, hr) -> value`, in the order of the rows.
        scale: Enlargement that made the SR images.
        workers: Images worked on at a time; None for one per core.

    Returns:
        Rows (image, metric, value or reason): metric by metric, in it image by image, last the row
        `mean`.

    Raises:
        Refused: If an image is missing, too many, damaged or of a size that does not fit.
    """
    originals, results = list_images(hr), list_images(sr)
    _check_names(originals, results, hr, sr)
    measure = partial(_measured, metrics=metrics, scale=scale)
    pairs = [(path, results[name]) for name, path in originals.items()]
    values = list(each(measure, pairs, workers=workers, title="score"))
    rows: list[Row] = []
    for column, (metric, _) in enumerate(metrics):
        found = {name: row[column] for name, row in zip(originals, values, strict=True)}
        rows += [(name, metric, score) for name, score in found.items()]
        rows.append((MEAN, metric, average(found)))
    return rows


def write_scores(rows: Iterable[Row], out: Path | TextIO) -> None:
    """Writes rows as CSV, each value with as many digits as bring the same double back.

    Args:
        rows: As `score_folders` returns them.
        out: A file, which is whole or absent, or an open stream.
    """
    fields = []
    for image, metric, score in rows:
        value, reason = ("", score) if isinstance(score, str) else (repr(score), "")
        fields.append({"image": image, "metric": metric, "value": value, "reason": reason})
    text = written(SCORES, fields)
    if isinstance(out, Path):
        write_atomically(out, text)
    else:
        out.write(text)


def _measured(
    pair: tuple[Path, Path], metrics: Sequence[tuple[str, Metric]], scale: int
) -> list[Score]:
    """Returns each metric of one image, or why it cannot be measured."""
    original, result = read_image(pair[0]), read_sr(pair[1])
    original = _covered(original, result, pair[1], scale)
    try:
        return [scored(metric, result, original) for _, metric in metrics]
    except Refused as error:
        raise Refused(f"{pair[1]}: {error}") from None


def _covered(hr: Array, sr: Array, path: Path, scale: int) -> Array:
    """Returns what of `hr` an SR image made at `scale` covers."""
    height, width = sr.shape[:2]
    whole = [side // scale * scale for side in hr.shape[:2]]
    fits = zip((height, width), hr.shape[:2], whole, strict=True)
    if all(side > 0 and side in (full, covered) for side, full, covered in fits):
        return hr[:height, :width]
    raise Refused(
        f"{path}: is {width} x {height}, HR is {hr.shape[1]} x {hr.shape[0]}; "
        f"at scale {scale} SR is {whole[1]} x {whole[0]}"
    )


def _check_names(hr: Iterable[str], sr: Iterable[str], hr_at: Path, sr_at: Path) -> None:
    """Refuses folders whose images do not pair up."""
    missing, extra = sorted(set(hr) - set(sr)), sorted(set(sr) - set(hr))
    if missing:
        more = f" ({len(missing)} are missing)" if len(missing) > 1 else ""
        end = nearest(missing[0], extra)
        if len(extra) > 3 and "did you mean" not in end:
            end = (
                f"; found '{extra[0]}' and {len(extra) - 1} more without HR image: names must agree"
            )
        raise Refused(f"{sr_at}: no SR image of '{missing[0]}'{more}{end}")
    if extra:
        raise Refused(
            f"{sr_at}: '{extra[0]}' has no HR image in {hr_at} ({len(extra)} have none);"
            " remove it, or add the original"
        )
    if MEAN in set(hr):
        raise Refused(f"{hr_at}: an image called '{MEAN}' cannot be told from the mean; rename it")
