"""Imports point down only: read from the syntax tree of every module, without importing any."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "acutance"
NOUNS = {"degradations", "models", "critics", "games", "losses", "loops", "metrics"}
LAYERS: tuple[set[str], ...] = (
    {
        "errors", "files", "sums", "paths", "values", "resolve", "identity", "remembered",
        "params", "book", "recipes", "contests", "calls", "sets", "spec", "datasets", "entries",
        "calibrations",
        "tracks", "study", "sizes", "counts", "counted",
        "published", "figures", "drawings", "axes", "rows", "measured", "sheet", "grid", "layout",
        "blanks",
        "origins", "protocols", "colophon", "agreement", "summary",
        "transfer", "download", "escape", "keys", "released", "offers", "assets",
        "beats", "health", "slots", "schedule", "rates", "space", "lives",
        "claim", "pods", "signals", "turn",
    },
    {
        "image", "png", "tif", "resize", "arrays", "reduce", "gradient", "rivals", "weights",
        "parallel", "ranks", "archive", "verify", "diagnose", "tensorbundle",
        "packed", "pairs", "optim", "device", "state", "journal", "machine", "sitting",
        "memory", "tiles", "inert", "legacy", "matconvnet", "foreign", "convert", "obtain",
        "vgg", "vision", "similarity", "gaussians", "niqe", "steerable", "forest", "ma",
        "points", "charts", "boxes", "strips", "curves", "galleries", "edges",
        "intervals", "comparisons", "correlations", "gains", "verdicts",
        "size_verdicts", "claims", "watch", "flops", "work", "bill", "billed",
    },
    NOUNS,
    {
        "fetch", "degrade", "pack", "train", "launch", "predict", "score", "calibrate", "draw",
        "tabulate", "report", "plan", "count", "import_", "status", "probe",
        "adopt", "prune", "bundle",
    },
    {"commands", "cli_keeping", "cli_fitting"},
    {"cli"},
    {"__main__"},
)  # fmt: skip
HEAVY = {"torch", "numpy", "scipy", "pandas", "skimage", "matplotlib", "numba"}


def name_of(path: Path) -> str:
    """`acutance.models.espcn` for its file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def part_of(module: str) -> str:
    """What of the package a module belongs to: a file of it, or a folder of nouns."""
    return [*module.split("."), ""][1]


def layer_of(part: str) -> int:
    return next((n for n, parts in enumerate(LAYERS) if part in parts), -1)


@cache
def imports(module: str) -> frozenset[str]:
    """Full names of the modules that `module` imports anywhere, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            origin = str(node.module)
            submodules = {f"{origin}.{alias.name}" for alias in node.names} & set(MODULES)
            found |= submodules or {origin}
    return frozenset(found)


def own(module: str) -> set[str]:
    """Modules of Acutance that `module` imports; the package itself holds the version alone."""
    return {name for name in imports(module) if name in MODULES} - {"acutance"}


def reached(module: str) -> set[str]:
    """`module` and all of Acutance that it imports, over any number of steps."""
    seen, ahead = {module}, [module]
    while ahead:
        fresh = own(ahead.pop()) - seen
        seen |= fresh
        ahead += fresh
    return seen


def outside(module: str) -> set[str]:
    """Foreign packages that come in with `module`."""
    return {name.split(".")[0] for one in reached(module) for name in imports(one)} - {"acutance"}


def test_every_part_has_a_layer() -> None:
    parts = {part_of(module) for module in MODULES} - {""}
    assert sorted(parts - set.union(*LAYERS)) == [], "place it in LAYERS"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module: str) -> None:
    part = part_of(module)
    if not part:
        assert own(module) == set()
        return
    wrong = []
    for name in own(module):
        other = part_of(name)
        above = layer_of(other) > layer_of(part)
        # Verbs meet at files only, and so do folders of nouns; the low layers may share a layer.
        beside = other != part and layer_of(other) == layer_of(part) >= layer_of("models")
        if above or beside:
            wrong.append(name)
    assert sorted(wrong) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_circle(module: str) -> None:
    assert [name for name in own(module) if module in reached(name)] == []


LOWEST = sorted(m for m in MODULES if part_of(m) in LAYERS[0])


@pytest.mark.parametrize("module", LOWEST)
def test_the_spec_loads_without_arrays(module: str) -> None:
    assert sorted(outside(module) & HEAVY) == []


@pytest.mark.parametrize("verb", ["tabulate", "report"])
def test_reading_results_needs_no_torch(verb: str) -> None:
    module = f"acutance.{verb}"
    assert module in MODULES
    assert "torch" not in outside(module)
