"""CSV files with a fixed head: read strictly, written byte-stably. Scores are one of them."""

import csv
import io
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from acutance.errors import Refused, Unmeasurable

SCORES = "image,metric,value,reason"
MEAN = "mean"
Score = float | str  # a value, or why an image has none


def read_rows(
    path: Path, head: str, numbers: Collection[str] = (), counts: Collection[str] = ()
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields the place (`gv/cells.csv: line 3`) and the fields of each row of a CSV file.

    Args:
        path: The file, UTF-8.
        head: Its first line: the names of the columns, with commas between them.
        numbers: Columns that hold a number or nothing.
        counts: Columns that hold a whole number from 0 or nothing.

    Raises:
        Refused: If the file is missing, has other columns, a row has more or fewer fields, or a
            field should hold a number and holds something else.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            found = ",".join(next(reader, []))
            if found != head:
                raise Refused(f"{name}: wants the columns {head}; found {found}")
            names = head.split(",")
            for row in reader:
                place = f"{name}: line {reader.line_num}"
                if len(row) != len(names):
                    raise Refused(f"{place}: wants {len(names)} fields, found {len(row)}")
                fields = dict(zip(names, row, strict=True))
                _check_numbers(fields, numbers, counts, place)
                yield place, fields
    except FileNotFoundError:
        raise Refused(f"{name}: no such file in {path.parent}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{name}: not CSV in UTF-8: {error}") from None


def _check_numbers(
    fields: Mapping[str, str], numbers: Collection[str], counts: Collection[str], place: str
) -> None:
    wrong = [name for name in numbers if fields[name] and not _is_number(fields[name])]
    wrong += [name for name in counts if fields[name] and not re.fullmatch("[0-9]+", fields[name])]
    for name in wrong:
        raise Refused(f"{place}: {name}: wants a number, found '{fields[name]}'")


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text)) and "_" not in text
    except ValueError:
        return False


def written(head: str, rows: Iterable[Mapping[str, str]]) -> str:
    """Returns a CSV text: `head`, then one line per row; every line ends with a line feed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, head.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_scores(path: Path) -> dict[str, dict[str, Score]]:
    """Reads a score file: for each metric, the value of each image, or why it has none.

    The rows `mean` are left out: a mean is computed where it is needed, from the images. Here they
    tell a file that lost its end, or a digit that changed.

    Raises:
        Refused: If a value is no number, an image stands there twice for a metric, or a metric has
            no image at all, or not the mean of its images.
    """
    found: dict[str, dict[str, Score]] = {}
    means: dict[str, Score] = {}
    for place, row in read_rows(path, SCORES):
        values = found.setdefault(row["metric"], {})
        value = _score(row, place)
        if row["image"] == MEAN:
            means[row["metric"]] = value
        elif row["image"] in values:
            raise Refused(f"{place}: image '{row['image']}' stands there twice")
        else:
            values[row["image"]] = value
    for metric, values in found.items():
        if fault := _mean_fault(metric, values, means):
            raise Refused(f"{path.parent.name}/{path.name}: {fault}; remove the file, rerun score")
    return found


def scored(metric: Callable[..., float], sr: object, hr: object) -> Score:
    """Returns a metric of a pair of images, or why it cannot be measured.

    Raises:
        Refused: If the pair or a file that the metric reads is not what it should be.
    """
    try:
        return float(metric(sr, hr))
    except Unmeasurable as error:
        return str(error)


def average(scores: Mapping[str, Score]) -> Score:
    """Returns the mean over images; or which have no value, since that of fewer is another number.

    >>> average({"a": 1.0, "b": 2.0})
    1.5
    >>> average({"a": 1.0, "b": "an image of 9 x 9 pixels", "c": "…"})
    '2 of 3 images (b: an image of 9 x 9 pixels; …)'
    """
    lacking = [f"{image}: {score}" for image, score in scores.items() if isinstance(score, str)]
    if not lacking:
        return mean([score for score in scores.values() if not isinstance(score, str)])
    more = "; …" if len(lacking) > 1 else ""
    return f"{len(lacking)} of {len(scores)} images ({lacking[0]}{more})"


def mean(values: Sequence[float]) -> float:
    """Returns the arithmetic mean, rounded once; infinity if any value is infinite.

    >>> mean([1.0, 2.0])
    1.5
    """
    if any(math.isinf(value) for value in values):
        return math.inf
    return math.fsum(values) / len(values)


def _score(row: Mapping[str, str], place: str) -> Score:
    """Returns the value in a row of a score file, or the reason in its stead."""
    if not row["value"] and row["reason"]:
        return row["reason"]
    try:
        value = float(row["value"])
    except ValueError:
        raise Refused(f"{place}: value: wants a number, found '{row['value']}'") from None
    if math.isnan(value):
        raise Refused(f"{place}: value of '{row['image']}' is not a number (nan); score it again")
    return value


def _mean_fault(metric: str, values: Mapping[str, Score], means: Mapping[str, Score]) -> str:
    """Returns why these cannot be all values of a metric, or nothing."""
    if not values:
        return f"metric '{metric}' has no image"
    if metric not in means:
        return f"metric '{metric}' ends without its mean"
    own, told = average(values), means[metric]
    if isinstance(own, float) and isinstance(told, float):
        same = own == told or math.isclose(own, told, rel_tol=1e-9)
    else:
        same = isinstance(own, str) and isinstance(told, str)
    return "" if same else f"the mean of '{metric}' is {told}, its images give {own}"
