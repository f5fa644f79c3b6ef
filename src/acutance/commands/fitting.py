"""What `train` and `predict` do: weights, and SR images by them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from acutance import paths, resolve, sums
from acutance.commands.named import (
    check_sound,
    declared_system,
    evaluation_of,
    need,
    run_of,
    study_of,
)
from acutance.errors import Refused


def train(options: argparse.Namespace) -> int:
    """Fits the weights of a run."""
    from acutance import ranks
    from acutance.launch import launch
    from acutance.packed import INDEX
    from acutance.train import TRY_AGAIN
    from acutance.train import train as verb

    root, study = study_of(options)
    run = run_of(study, options.run_id)
    if run.train is None:
        raise Refused(f"run '{run.id}': has nothing to train; use predict")
    out = root / paths.RUN.format(run=run.id)
    if all((root / made.format(run=run.id)).is_file() for made in paths.WHOLE_RUN):
        print(f"{run.id}: finished already; remove {out.relative_to(root)} to train it anew")
        return 0
    for pairs in filter(None, (run.train, run.validate)):
        check_sound(root / pairs.packed, INDEX)  # which has the checksums of the pixels
    if options.processes < 1:
        raise Refused(f"--processes: wants how many, from 1, found {options.processes}")
    if options.processes > 1 and not ranks.launched():
        status = launch(options.processes, options.arguments, device=options.device)
        return TRY_AGAIN if status is None else status
    start = root / paths.RUN.format(run=run.start.run.id) if run.start else None
    if start is not None:
        check_sound(start)
    sums.forget(out)
    code = verb(
        run,
        packed=root / run.train.packed,
        validation=root / run.validate.packed if run.validate else None,
        start=start / Path(paths.WEIGHTS).name if start else None,
        assets=root / paths.ASSETS,
        out=out,
        state=root / paths.STATE.format(run=run.id),
        device=options.device,
        threads=ranks.part(options.threads),
        checkpoint_seconds=options.checkpoint,
    )
    if code == 0 and ranks.leads():
        sums.write(out)
    return code


def predict(options: argparse.Namespace) -> None:
    """Makes SR images for a test of the study, or of a plain folder."""
    from acutance import predict as verb
    from acutance.device import device, set_threads
    from acutance.weights import load_weights

    if options.run_id is not None:
        root, study = study_of(options)
        found = evaluation_of(study, options, "test")
        run, lr, out, output = found.run, root / found.pairs.lr, root / found.sr, found.output
        if run.images is not None:
            raise Refused(f"run '{run.id}': others made its SR images; use import")
        weights = root / paths.WEIGHTS.format(run=run.id) if run.weighted else None
        if weights is not None:
            check_sound(weights.parent)
        check_sound(lr)
    else:
        need(options, "system", "lr", "scale", "out")
        run, weights = declared_system(options), options.weights
        if run.images is not None:
            raise Refused(f"--system: '{run.system}' is a set of SR images, and predicts nothing")
        lr, out, output = options.lr, options.out, options.output
    model: Any = resolve.load("models", run.model.function)
    model = model(run.scale, **run.model.kwargs)
    if weights is None and (run.weighted or any(True for _ in model.parameters())):
        raise Refused(f"--weights: '{run.system}' has weights to load; give its safetensors file")
    if weights is not None:
        load_weights(model, weights)
    set_threads(options.threads)
    verb.predict_folder(
        model,
        lr,
        out,
        scale=run.scale,
        channels=run.channels if run.weighted else None,
        output=output,
        device=device(options.device),
    )
    if options.run_id is not None:
        sums.write(out)
    print(f"{out}: SR images at x{run.scale} by {run.system}")
