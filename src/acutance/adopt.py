"""adopt: an old result under the name that today's source gives it, and a record that it was.

A refactoring that moves no number still renames what used the source it touched. What a run was
trained with is in its run.json, so whether anything but source has changed since can be compared.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from acutance import paths, sums
from acutance.errors import Refused
from acutance.files import folder_atomically
from acutance.machine import commit, now
from acutance.spec import Evaluation, Run

__all__ = ["adopt", "candidates", "differing"]

# Words about a run, and names of what the rest says in full
_SAID = ("run", "recipe.name", "released.entry", "released.about", "released.licence")
_CITED = ("released.cite",)
_DIGEST = re.compile(r"@[0-9a-f]{10}")
REMEDY = "remove it, or bring it back by `dvc pull`"


def adopt(
    old: str,
    run: Run,
    tests: Iterable[Evaluation],
    root: Path,
    *,
    although: bool = False,
) -> tuple[Path, ...]:
    """Gives an old run, and what was made of it, the name of a run that the study wants.

    SR images and scores come along where nothing but the run's own name tells theirs from those
    that are wanted. Files are linked where the disk can do that, else copied; the old ones stay.

    Args:
        old: The name of a folder in results/runs.
        run: What the study wants.
        tests: What it is tested on.
        root: The project's root.
        although: Adopt it although it was trained with other parameters; that is recorded, too.

    Returns:
        What was made.

    Raises:
        Refused: If the old run is not whole, the new one is there, or parameters differ.
    """
    folder, made = root / paths.RUN.format(run=old), root / paths.RUN.format(run=run.id)
    if made.exists():
        raise Refused(f"NEW: {made.relative_to(root)} is there already; nothing to adopt")
    record = _whole(folder, run)
    faults = differing(record, run)
    if faults and not although:
        what = f"OLD: '{old}' was made with other parameters: {'; '.join(faults)}"
        raise Refused(f"{what}; give --although if none of this moves a number")
    told = {"from": old, "when": now(), **commit(), "differing": faults}
    record |= {"run": run.shown(), "digest": run.digest}
    record["adopted"] = [*record.get("adopted", []), told]
    with folder_atomically(made) as fresh:
        _take(folder, fresh)
        (fresh / "run.json").unlink()
        (fresh / "run.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sums.write(made)
    return (made, *_made_of_it(old, tests, root))


def candidates(runs: Iterable[Run], root: Path) -> dict[str, tuple[str, ...]]:
    """Returns old runs that differ from a wanted and missing one in nothing but source.

    Args:
        runs: What is wanted.
        root: The project's root.

    Returns:
        Wanted run to old runs of the same system, scale and seed, trained with the same parameters.
    """
    found = {}
    for run in runs:
        if not run.weighted or (root / paths.RUN.format(run=run.id)).exists():
            continue
        pattern = paths.RUN.format(run=f"{run.id.partition('@')[0]}@*")
        old = [p.name for p in sorted(root.glob(pattern)) if p.is_dir() and _fits(p, run)]
        if old:
            found[run.id] = tuple(old)
    return found


def differing(record: Mapping[str, Any], run: Run) -> list[str]:
    """Returns in which parameters a record differs from a run: `losses.l1.weight: 1, wanted 2`."""
    made, wanted = _flat(record["run"]), _flat(run.shown())
    return [
        f"{name}: {made.get(name, 'not set')}, wanted {wanted.get(name, 'not set')}"
        for name in dict.fromkeys([*made, *wanted])
        if made.get(name) != wanted.get(name)
    ]


def _fits(folder: Path, run: Run) -> bool:
    try:
        return not differing(_whole(folder, run), run)
    except Refused:
        return False


def _whole(folder: Path, run: Run) -> dict[str, Any]:
    """Returns the record of an old run all of whose files are there, and undamaged."""
    for pattern in paths.IMPORTED_RUN if run.released else paths.WHOLE_RUN:
        if not (folder / Path(pattern).name).is_file():
            what = f"OLD: no whole run '{folder.name}': {Path(pattern).name} is missing"
            raise Refused(f"{what}; see results/runs")
    sums.check(folder, REMEDY)
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refused(f"{folder}/run.json: not JSON ({error}); {REMEDY}") from None
    if not isinstance(record, dict) or not isinstance(record.get("run"), dict):
        raise Refused(f"{folder}/run.json: does not say what it was made with; it cannot be told")
    return record


def _flat(value: object, name: str = "") -> dict[str, str]:
    """Returns parameters by dotted name; what is off is left out, as a run's digest leaves it."""
    if name in (*_SAID, *_CITED):
        return {}
    if isinstance(value, Mapping):
        inner = [_flat(each, f"{name}.{key}".strip(".")) for key, each in value.items()]
        return {key: each for found in inner for key, each in found.items()}
    if isinstance(value, list | tuple):
        value = [_DIGEST.sub("", each) if isinstance(each, str) else each for each in value]
    if isinstance(value, str):
        value = _DIGEST.sub("", value)
    return {name: json.dumps(value)} if value or name in ("scale", "seed") else {}


def _made_of_it(old: str, tests: Iterable[Evaluation], root: Path) -> Iterator[Path]:
    """Links what was made of the old run where only the run's name has changed; yields each."""
    for test in tests:
        was = root / paths.SR.format(run=old, test=test.test)
        if was.is_dir() and not (root / test.sr).exists():
            sums.check(was, REMEDY)
            with folder_atomically(root / test.sr) as fresh:
                _take(was, fresh)
            sums.write(root / test.sr)
            yield root / test.sr
        scores = root / paths.SCORES.format(run=old, test=test.measured)
        if scores.is_file() and not (root / test.scores).exists():
            sums.check(scores, REMEDY)
            (root / test.scores).parent.mkdir(parents=True, exist_ok=True)
            _link(scores, root / test.scores)
            sums.write(root / test.scores)
            yield root / test.scores


def _take(old: Path, fresh: Path) -> None:
    for file in old.iterdir():
        if file.is_file() and not file.name.startswith("."):
            _link(file, fresh / file.name)


def _link(old: Path, new: Path) -> None:
    """Gives a file a second name; every file here is replaced as a whole, never written into."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)
