# Loads the study, and says which files it wants; the rules hold no logic.
import gc
import re
import shlex
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

from acutance import lives, paths, plan, turn
from acutance.drawings import drawings
from acutance.errors import Refused
from acutance.study import load, wished

gc.disable()  # a study is many small objects, and all of them stay
try:
    STUDY = load(Path(workflow.basedir), wished(config))
    DRAWINGS = {each.id: each for each in drawings(STUDY, Path(workflow.basedir))}
    PAGES = plan.pages(STUDY, Path(workflow.basedir))
except Refused as error:
    raise WorkflowError(str(error)) from None
finally:
    gc.enable()
    gc.freeze()

# A cluster sends SIGTERM to every process of a job. `train` then saves and leaves; the shell waits
# for it, and tee takes its last words.
shell.prefix(
    "set -euo pipefail; trap : TERM; tee() {{ trap '' TERM; exec tee \"$@\"; }}; "
)

ACUTANCE = f"{shlex.quote(sys.executable)} -m acutance --study {STUDY.name}"

EVALUATIONS = STUDY.evaluations
RUNS = {run.id: run for run in STUDY.runs}
PAIRS = {
    pairs.id: pairs
    for run in STUDY.runs
    for pairs in (run.train, run.validate)
    if pairs
}
PAIRS |= {evaluation.pairs.id: evaluation.pairs for evaluation in EVALUATIONS}
SR = {(e.run.id, e.test): e for e in EVALUATIONS}
ASSETS = {
    asset.file.name: asset.name
    for made in (*STUDY.runs, *EVALUATIONS)
    for asset in made.assets
}
SCORED = {(e.run.id, e.measured): e for e in EVALUATIONS}

DATA = sorted(
    {e.pairs.lr for e in EVALUATIONS if not e.run.images}
    | {hr for p in PAIRS.values() for hr in p.hr}
)
WEIGHTS = [paths.WEIGHTS.format(run=run.id) for run in RUNS.values() if run.weighted]
TESTED = sorted({evaluation.dataset.hr for evaluation in EVALUATIONS})
SCORES = [evaluation.scores for evaluation in EVALUATIONS]
DRAWN = [drawing.folder for drawing in DRAWINGS.values()]
MADE = PAGES[-1].partition("@")[2]


def any_of(runs):
    """A pattern that matches the names of these runs alone."""
    return "|".join(re.escape(run.id) for run in runs) or "(?!)"


# Each run's files come of one kind of job. What others released is not trained here.
OURS = [run for run in RUNS.values() if run.trained]
# Small networks leave most of a GPU idle: a profile names them, and lets several share one job.
SMALL = any_of(run for run in OURS if run.model.function in config.get("small", []))
LARGE = any_of(run for run in OURS if run.model.function not in config.get("small", []))
RELEASED = any_of(run for run in RUNS.values() if run.released)
PICTURES = any_of(run for run in RUNS.values() if run.images)
PREDICTED = any_of(run for run in RUNS.values() if not run.images)


wildcard_constraints:
    file=r"[^/]+",
    counted=r"[^/]+@[0-9a-f]{10}",
    drawn=r"[^/]+@[0-9a-f]{10}",
    dataset=r"[^/]+@[0-9a-f]{10}",
    pairs=r"[^/]+@[0-9a-f]{10}",
    run=r"[^/]+@[0-9a-f]{10}",
    test=r"[^/]+@[0-9a-f]{10}",


def begin():
    """Waits for nobody, unlocks nothing: one rebuild of a study at a time, see acutance.turn."""
    try:
        turn.take(Path(workflow.basedir), STUDY.name, say=logger.info)
    except Refused as error:
        raise WorkflowError(str(error)) from None


def end():
    """Says last what a reader would look for among the engine's words."""
    view = lives.look(STUDY, Path(workflow.basedir), time.time())
    logger.error("\n" + "\n".join(lives.last_words(view)))


def hr_of_pairs(wildcards):
    """The HR images that LR images are made from."""
    return PAIRS[wildcards.pairs].hr


def packed_of_run(wildcards):
    """What a run trains on and is validated on, what its losses read, what it begins with."""
    run = RUNS[wildcards.run]
    begun = [paths.WEIGHTS.format(run=run.start.run.id)] if run.start else []
    read = [asset.path for asset in run.assets]
    return [pairs.packed for pairs in (run.train, run.validate) if pairs] + read + begun


def predicted_from(wildcards):
    """The LR images of a test, and the weights of its run where it has any."""
    evaluation = SR[wildcards.run, wildcards.test]
    weights = paths.WEIGHTS.format(run=wildcards.run)
    return [evaluation.pairs.lr] + ([weights] if evaluation.run.weighted else [])


def pictured(wildcards):
    """The HR images that others' SR images must align with."""
    return SR[wildcards.run, wildcards.test].dataset.hr


def scored_from(wildcards):
    """The SR images of a test, the HR images they are compared with, and what metrics read."""
    evaluation = SCORED[wildcards.run, wildcards.test]
    read = [asset.path for asset in evaluation.assets]
    return [evaluation.dataset.hr, evaluation.sr] + read


def drawn_from(wildcards):
    """The images that a figure is made of."""
    return DRAWINGS[wildcards.drawn].inputs
