"""What `import` does: what others released, as runs of ours."""

from __future__ import annotations

import argparse
from pathlib import Path

from acutance import keys, paths, sums
from acutance.commands.data import mirror_named
from acutance.commands.named import (
    check_whole,
    declared_system,
    evaluation_of,
    need,
    root_of,
    run_of,
    study_of,
)
from acutance.errors import Refused
from acutance.files import write_atomically
from acutance.spec import Evaluation, Run


def import_(options: argparse.Namespace) -> None:
    """Imports a released run of the study, or converts a plain file."""
    if options.run_id is None:
        _file(options)
        return
    root, study = study_of(options)
    run = run_of(study, options.run_id)
    if run.images is not None:
        tests = (
            [evaluation_of(study, options, "test")]
            if options.test
            else [each for each in study.evaluations if each.run.id == run.id]
        )
        for each in tests:
            _images(root, each)
    elif run.released is not None:
        _weights(root, run)
    else:
        raise Refused(f"run '{run.id}': nobody released it; use train, or predict")


def _weights(root: Path, run: Run) -> None:
    from acutance.import_ import import_weights

    out = root / paths.RUN.format(run=run.id)
    if all((root / made.format(run=run.id)).is_file() for made in paths.IMPORTED_RUN):
        print(f"{run.id}: imported already; remove {out.relative_to(root)} to import it anew")
        return
    sums.forget(out)
    said = import_weights(run, out, downloads=root / paths.DOWNLOADS, mirror=mirror_named())
    sums.write(out)
    print(said)


def _images(root: Path, test: Evaluation) -> None:
    from acutance.import_ import import_images

    found, dataset = test.run.images, test.dataset
    if found is None:
        raise Refused(f"run '{test.run.id}': its images are not released; use predict")
    check_whole(root / dataset.hr, dataset)
    said = import_images(
        found.files[dataset.name],
        root / test.sr,
        hr=root / dataset.hr,
        scale=test.run.scale,
        members=found.members[dataset.name],
        pattern=found.pattern,
        downloads=root / paths.DOWNLOADS,
        mirror=mirror_named(),
    )
    sums.write(root / test.sr)
    print(said)


def _file(options: argparse.Namespace) -> None:
    """Converts a checkpoint that no entry knows."""
    import safetensors.torch

    from acutance.import_ import import_file, network

    need(options, "system", "scale", "weights", "out")
    root, run = root_of(options), declared_system(options)
    if run.images is not None:
        raise Refused(f"--system: '{run.system}' has no weights, only images")
    fitting = []
    for name in [options.keys] if options.keys else keys.names(root):
        mapping = keys.keys(root, name, run.scale, "--keys")
        if run.model.function in mapping.models:
            fitting.append(mapping)
    if not fitting:
        what = f"'{options.keys}' is of other networks" if options.keys else "no mapping is of it"
        raise Refused(f"--keys: {what}; the system's network is '{run.model.function}'")
    weights, how = import_file(options.weights, network(run.model, run.scale), fitting)
    write_atomically(options.out, safetensors.torch.save(weights))
    count = sum(value.numel() for value in weights.values())
    print(f"{options.out}: {count:,} numbers of {run.model.function} at x{run.scale}; {how}")
