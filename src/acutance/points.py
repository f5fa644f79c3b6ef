"""The numbers of a paper's figures: scores image by image, as `tabulate` writes them."""

from collections.abc import Iterator

from acutance.calls import Call
from acutance.comparisons import Comparison
from acutance.correlations import images
from acutance.drawings import WHOLE, Drawing
from acutance.figures import HR, LR, Panel, Scatter
from acutance.measured import Measured
from acutance.published import Paper
from acutance.rows import mean

HEAD = "figure,track,panel,system,over,dataset,scale,image,x_metric,y_metric,x,y,seeds,reason"

SHOWN = "figure,track,dataset,image,system,seed,metric,protocol,value,reason"


def point_rows(paper: Paper, measured: Measured) -> Iterator[dict[str, str]]:
    """Yields a row for each image of each panel of a paper's figures, for one track.

    A data set without points gives one row, without an image, that says why.
    """
    tested = tuple(dataset.name for dataset in measured.track.datasets)
    for figure in (f for f in paper.figures.values() if isinstance(f, Scatter)):
        own = tuple(name for name in tested if name not in figure.datasets)
        shown = figure.datasets if set(figure.datasets) & set(tested) else own
        for number, panel in enumerate(figure.panels, start=1):
            for dataset in shown:
                for row in _rows(figure, panel, dataset, measured, paper):
                    yield row | {"panel": str(number)}


def _rows(
    figure: Scatter, panel: Panel, dataset: str, measured: Measured, paper: Paper
) -> Iterator[dict[str, str]]:
    each = Comparison(
        system=panel.system,
        baseline=panel.over,
        metric=figure.y,
        dataset=dataset,
        scale=figure.scale,
    )
    row = dict.fromkeys(HEAD.split(","), "") | {
        "figure": figure.name,
        "track": measured.track.name,
        "system": panel.system,
        "over": panel.over,
        "dataset": dataset,
        "scale": str(figure.scale),
        "x_metric": _name(measured, figure.x),
        "y_metric": _name(measured, figure.y),
    }
    found = images(each, figure.x, measured, paper)
    if isinstance(found, str):
        yield row | {"reason": found}
        return
    scores, others = found
    seeds = ";".join(str(seed) for seed in scores if seed is not None)
    for name in sorted(others):
        y = mean([by_image[name] for by_image in scores.values()])
        image = name.partition("/")[2]
        yield row | {"image": image, "x": repr(others[name]), "y": repr(y), "seeds": seeds}


def shown_rows(drawing: Drawing, measured: Measured) -> Iterator[dict[str, str]]:
    """Yields a row for each score of each image that a figure shows crops of."""
    tests = dict(drawing.tests)
    if drawing.figure.kind != "crops":
        return
    for row in drawing.rows(measured.root):
        each = tests.get((row["panel"], row["dataset"]))
        if each is None or row["panel"] in (WHOLE, HR, LR):
            continue
        for column, protocol in measured.track.metrics:
            found = measured.scores(each, protocol)
            score = found[row["image"]] if found else _lacking(measured, protocol)
            value, why = ("", score) if isinstance(score, str) else (repr(score), "")
            yield {
                "figure": drawing.figure.name,
                "track": drawing.track,
                "dataset": row["dataset"],
                "image": row["image"],
                "system": row["panel"],
                "seed": str(each.run.seed) if each.run.trained else "",
                "metric": column,
                "protocol": protocol.name,
                "value": value,
                "reason": why,
            }


def _lacking(measured: Measured, protocol: Call) -> str:
    lacking = measured.lacking(protocol)
    return f"not measured without {lacking}" if lacking else "not computed yet"


def _name(measured: Measured, metric: str) -> str:
    protocol = measured.protocol(metric)
    return protocol.name if protocol else ""
