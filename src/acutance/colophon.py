"""What made a table, in words: data, protocol, recipes, machines, commits, dates, cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from acutance.origins import Origin
from acutance.protocols import headed, spelled, told, worded
from acutance.published import Paper
from acutance.sets import Dataset, Pairs
from acutance.sheet import plural
from acutance.sizes import titled
from acutance.spec import Evaluation, Run, Track

Row = Mapping[str, str]
Fact = tuple[str, str]
# How a study is rebuilt, where it is not by the call below
SPECIAL = {"demo": "make demo"}
COMMAND = "snakemake --profile workflow/profiles/workstation --config study={study}"


@dataclass(frozen=True, kw_only=True)
class Colophon:
    """What made one track's numbers in a table: (what, how), in words."""

    track: str
    facts: tuple[Fact, ...]


def command(study: str) -> str:
    """Returns the one command that rebuilds a study."""
    return SPECIAL.get(study, COMMAND.format(study=study))


def colophon(
    paper: Paper, track: Track, label: str, rows: Sequence[Row], made: Mapping[str, Origin]
) -> Colophon:
    """Returns what made a track's numbers in a table; all of it from the spec and the records.

    Args:
        paper: The track's paper.
        track: The track.
        label: What the track is called beside others.
        rows: Its rows of the table, as tabulated.
        made: Origin of each run.
    """
    places = {(row["system"], row["scale"], row["dataset"]) for row in rows}
    used = [
        e for e in track.evaluations if (e.run.system, str(e.run.scale), e.dataset.name) in places
    ]
    runs = list({e.run.id: e.run for e in used if e.run.trained}.values())
    facts = [
        *_data(paper, used, runs),
        *_protocol(track, used),
        *_sizes(paper, track),
        ("objectives", _objectives(runs)),
        ("recipes", _recipes(runs)),
        ("released", _released(used)),
        ("seeds", ", ".join(map(str, track.seeds)) if runs else ""),
        *trained([made[run.id] for run in runs]),
        ("collapsed", _collapsed([made[run.id] for run in runs])),
    ]
    return Colophon(track=label, facts=tuple(fact for fact in facts if fact[1]))


def _objectives(runs: Sequence[Run]) -> str:
    """Returns what each system minimises: `espcn+gv: gradient_variance (patch 8) × 0.01, …`."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        terms = [f"{spelled(loss)} × {loss.weight:g}" for loss in run.losses]
        terms += [f"{told(contest)} × {contest.weight:g}" for contest in run.contests]
        found.setdefault(run.system, {})[", ".join(terms)] = None
    return "; ".join(f"{system}: {' or '.join(terms)}" for system, terms in found.items())


def _released(used: Sequence[Evaluation]) -> str:
    """Returns which systems others made: `lapsrn-port: weights of …; …`."""
    found = {
        run.system: f"{run.system}: {'weights' if run.released else 'SR images'} of {made.about}"
        for run in (each.run for each in used)
        if (made := run.released or run.images) is not None
    }
    return "; ".join(found.values())


def _collapsed(origins: Sequence[Origin]) -> str:
    """Returns which trainings ended in collapse: their numbers stand in the table all the same."""
    return "; ".join(f"{o.run.id.partition('@')[0]}: {o.collapsed}" for o in origins if o.collapsed)


def trained(origins: Sequence[Origin]) -> list[Fact]:
    """Returns what the records of some runs say together: how many, when, where, by which code."""
    done = [origin for origin in origins if origin.state == "trained"]
    count = f"{len(done)} of {len(origins)} runs"
    if not done:
        return [("trained", f"{count} so far" if origins else "")]
    dates = [origin.finished for origin in done if origin.finished]
    last = f"the last finished {max(dates)}" if dates else "no date recorded"
    cost = "; ".join(f"{hours:.2f} {where}" for where, hours in costs(done))
    commits = dict.fromkeys(origin.commit or "not recorded" for origin in done)
    return [("trained", f"{count}, {last}"), ("cost", cost), ("commit", ", ".join(commits))]


def costs(origins: Iterable[Origin]) -> list[tuple[str, float]]:
    """Returns the hours of training on each kind of machine: ("CPU hours on ...", hours)."""
    found: dict[str, float] = {}
    for origin in origins:
        found[origin.where] = found.get(origin.where, 0.0) + origin.hours
    return list(found.items())


def _data(paper: Paper, used: Sequence[Evaluation], runs: Sequence[Run]) -> Iterable[Fact]:
    fitted = {_sets(paper, run.train.datasets): run.train for run in runs if run.train}
    yield "trained on", "; ".join(f"{sets}{_centre(pairs)}" for sets, pairs in fitted.items())
    yield "tested on", _sets(paper, {e.dataset.name: e.dataset for e in used}.values())
    trains = {p.degradation.name: p.degradation for p in fitted.values()}
    tests = {e.pairs.degradation.name: e.pairs.degradation for e in used}
    if not trains or trains == tests:
        yield "LR images", "; ".join(f"{name} ({headed(call)})" for name, call in tests.items())
        return
    for what, calls in (("LR to train", trains), ("LR to test", tests)):
        yield what, "; ".join(f"{name} ({headed(call)})" for name, call in calls.items())


def _sets(paper: Paper, datasets: Iterable[Dataset]) -> str:
    labels = ((paper.label("dataset", each.name), each.images) for each in datasets)
    return ", ".join(f"{label} ({plural(images, 'image')})" for label, images in labels)


def _centre(pairs: Pairs) -> str:
    return f", of each the {pairs.centre} × {pairs.centre} pixels at the centre" * bool(
        pairs.centre
    )


def _protocol(track: Track, used: Sequence[Evaluation]) -> Iterable[Fact]:
    """Yields how SR images are kept, and how each of the table's metrics measures them."""
    if not used:
        return
    floats = "32-bit floats, neither rounded nor clipped"
    yield "SR images", "8-bit PNG" if track.output == "png" else floats
    for column, metric in track.metrics:
        at = {e.run.scale: m for e in used for m in e.metrics if m.name == metric.name}
        yield column.upper(), f"{metric.name} ({worded(metric, at)}), mean over images"


def _sizes(paper: Paper, track: Track) -> Iterable[Fact]:
    """Yields how sizes of networks are counted, and of which network where it has another name."""
    for column, rule in track.sizes:
        yield titled(column), f"{rule.name} ({rule.words})"
    others = {s.printed: s.system for s in track.sized if s.printed != s.system}
    labels = [f"{paper.label('system', name)}: {other}" for name, other in others.items()]
    yield "counted as", "; ".join(labels)


def _recipes(runs: Sequence[Run]) -> str:
    found = {run.recipe.name: run.recipe for run in runs if run.recipe}
    return ", ".join(f"{name} ({each.steps:,} updates)" for name, each in found.items())
