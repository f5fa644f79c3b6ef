"""Printed sizes beside counted ones: cells, notes, and what a track may say of them."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from acutance import count, counted, paths, plan, published, report, study, tabulate
from acutance.book import open_book
from acutance.counted import CUT, MATCHES, MEETS, MISSES, meets
from acutance.errors import Refused
from acutance.rows import read_rows
from acutance.sheet import HEAD
from acutance.tracks import track
from synthetic import lay

# Conventions of so many LR pixels that are not needed here: each is a pass of every network
WITHOUT = "{}-36: null, {}-48: null, {}-64: null".format
LESS = ", ".join(WITHOUT(*[unit] * 3) for unit in ("macs", "flops"))
FD = """
title: Sizes
build: [sizes]
counts: {%s}
tracks:
  sizes:
    paper: fd
    compare: true
    tables: [table2]
    sizes: {params: parameters, madds: macs-720p}
    deltas: {vdsr: {model: {channels: 1, bias: true}}}
"""
FD %= f"{LESS}, macs-50: null, flops-50: null"


DGGGAN = f"""
title: Table 5
build: [dgggan-sizes]
counts: {{{LESS}}}
systems:
  natsr: null
tracks:
  dgggan-sizes:
    paper: dgggan
    compare: true
    tables: [table5]
    sizes: {{params: parameters, flops: flops-50-biases}}
    counted: {{srgan: srgan-small}}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the sizes of FD's Table 2, and those of DGGGAN's Table 5."""
    root = lay(tmp_path_factory.mktemp("project"))
    (root / paths.STUDIES / "sizes.yaml").write_text(FD, encoding="utf-8")
    (root / paths.STUDIES / "table5.yaml").write_text(DGGGAN, encoding="utf-8")
    for name in ("sizes", "table5"):
        each = study.load(root, name)
        count.write_counts(each, root)
        tabulate.tabulate(each, root)
    return root


def rows(root: Path, name: str, paper: str, table: str, head: str = HEAD) -> list[dict[str, str]]:
    path = root / paths.TABLE.format(study=name, paper=paper, table=table)
    return [row for _, row in read_rows(path, head)]


def cell(root: Path, system: str, scale: int, metric: str) -> dict[str, str]:
    place = (system, str(scale), metric)
    (found,) = (
        row
        for row in rows(root, "sizes", "fd", "table2")
        if (row["system"], row["scale"], row["metric"]) == place
    )
    return found


def test_a_size_stands_beside_the_printed_one(root):
    """57,281 parameters of SRCNN; 665,921 of VDSR with biases; FD prints 57 K and 665 K."""
    for scale in (2, 3, 4):
        found = cell(root, "srcnn", scale, "params")
        assert (found["printed"], found["rebuilt"], found["difference"]) == ("57", "57.281", "0")
        assert (found["protocol"], found["unit"], found["runs"]) == ("parameters", "K", "")
        found = cell(root, "vdsr", scale, "params")
        assert (found["rebuilt"], found["difference"]) == ("665.921", "1")
        found = cell(root, "vdsr", scale, "madds")
        assert (found["printed"], found["rebuilt"]) == ("612.6", "612.5912064")
        assert found["difference"] == "0.0"
    assert cell(root, "bicubic", 2, "params")["rebuilt"] == "0.0"


def test_a_table_of_sizes_alone_says_what_is_not_here(root):
    found = {(r["system"], r["metric"]): r for r in rows(root, "table5", "dgggan", "table5")}
    assert len(found) == 12
    assert found["esrgan", "params"]["rebuilt"] == "16.697987"
    assert found["esrgan", "flops"]["difference"] == "0.0"
    assert found["srgan", "params"]["rebuilt"] == "0.734219"
    assert found["dgggan", "params"]["rebuilt"] == "14.601814"
    assert found["sftgan", "params"]["difference"] == "0.0"
    assert found["natsr", "flops"]["reason"] == "NatSR is not modelled here yet"
    assert all(bool(row["rebuilt"]) != bool(row["reason"]) for row in found.values())


def notes(root: Path, name: str, paper: str, table: str) -> list[str]:
    each = study.load(root, name)
    matches = root / paths.SIZES.format(study=name, paper=paper)
    found = [row for _, row in read_rows(matches, MATCHES)]
    read = published.read(root / paths.PUBLISHED / paper)
    return counted.notes(read, table, found, {found[0]["track"]: "x"}, each.conventions)


def test_notes_say_which_conventions_meet_the_print(root):
    found = notes(root, "sizes", "fd", "table2")
    assert (
        "SRCNN ×2, ×3, ×4, Params 57 K: met by parameters, state (57.3 K) and weights (57.2 K)"
        in found
    )
    assert "SRCNN ×3, Mult-Adds 52.7 G: met by macs-720p, macs-720p-up (52.70 G)" in found
    assert "VDSR ×2, ×3, ×4, Params 665 K: met by weights (664.7 K)" in found
    every = len(study.load(root, "sizes").conventions) - 3
    lapsrn = f"LapSRN ×4, Mult-Adds 186.2 G: none of {every} conventions meets it; nearest: "
    assert f"{lapsrn}macs-720p-up (182.38 G)" in found
    assert found[-1].startswith("Conventions: parameters (learnable parameters); weights (")
    assert "macs-720p-cut" in found[-1]
    assert "flops-50-biases" not in found[-1], "says nothing of conventions that no note names"


def test_a_flop_count_that_fits_no_usual_image_is_met_by_the_one_it_fits(root):
    """SFTGAN's 0.8 G are those of 12 x 12 pixels; 23.7 G fit no count of so many parameters."""
    found = notes(root, "table5", "dgggan", "table5")
    assert "SFTGAN, FLOPs 0.8 G: met by flops-12 (0.82 G)" in found
    (dgggan,) = (note for note in found if note.startswith("DGGGAN, FLOPs"))
    assert "23.7 G: none of " in dgggan


def test_the_notes_stand_below_the_table(root):
    each = study.load(root, "table5")
    report.report(each, root)
    page = (root / paths.REPORT.format(study="table5") / "index.md").read_text(encoding="utf-8")
    assert "\nParams and FLOPs:\n\n* SFTGAN, Params 1.8 M: met by parameters" in page
    assert "| Params, M | rebuilt |" in page
    assert "counted as: SRGAN: srgan-small" in page
    assert "runs trained" not in page.partition("DGGGAN, sizes")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("count", "printed", "expected"),
    [
        ("664.704", "665", MEETS),
        ("665.921", "665", CUT),
        ("665.921", "666", MEETS),
        ("870.112", "862", MISSES),
        ("89.634", "89.7", MISSES),
        ("7.04", "7.0", MEETS),
    ],
)
def test_to_meet_is_to_give_the_printed_digits(root, count, printed, expected):
    cells = published.read(root / paths.PUBLISHED / "fd").cells
    one = type(cells[0])(**{**cells[0].__dict__, "value": printed})
    assert meets(Decimal(count), one) == expected


def test_a_cut_number_is_said_to_be_cut():
    row = dict.fromkeys(MATCHES.split(","), "")
    row |= {"printed": "665", "unit": "K", "shown": "665.9", "convention": "a", "meets": CUT}
    other = row | {"shown": "700.0", "convention": "b", "meets": MISSES}
    said = counted._outcome([row, other])
    assert said == "none of 2 conventions meets it rounded; cut, not rounded, a (665.9 K) does"


def test_what_is_not_counted_yet_names_the_file(root):
    each = study.load(root, "table5")
    (root / each.counts).rename(root / "away")
    (only,) = each.tracks
    paper = published.read(root / paths.PUBLISHED / "dgggan")
    size = counted.Counts(each, root).size(
        only, paper, paper.tables["table5"], ("esrgan", 4, "params")
    )
    assert size.reason == f"not counted yet: {each.counts}"
    (root / "away").rename(root / each.counts)


def test_counts_are_part_of_what_dates_the_pages(root):
    each = study.load(root, "table5")
    before = (each.counts, plan.page_digest(each, root))
    path = root / paths.PARAMS
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("lr: [50, 50]", "lr: [51, 51]"), encoding="utf-8")
    changed = study.load(root, "table5")
    after = (changed.counts, plan.page_digest(changed, root))
    path.write_text(text, encoding="utf-8")
    assert before[0] != after[0]
    assert before[1] != after[1]
    sizes = paths.SIZES.format(study="table5", paper="dgggan")
    assert sizes in plan.pages(each, root)
    demo = study.load(root, "demo")
    assert not any(page.endswith("/sizes.csv") for page in plan.pages(demo, root))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": {"params": "parameters"}}, "the tables print 'madds'; say what counts it"),
        ({"sizes": {"params": "macs-720p"}}, "sizes.params: 'macs-720p' counts macs"),
        ({"sizes": {"psnr": "parameters"}}, "sizes.psnr: the tables print no such size"),
        ({"sizes": {"params": "parametres"}}, "no entry 'parametres' in counts; did you mean"),
        ({"sizes": "parameters"}, "tracks.sizes.sizes: wants named entries"),
        ({"counted": {"edsr": "rdn"}}, "counted.edsr: no such key"),
        ({"counted": {"srcnn": "srcn"}}, "no entry 'srcn' in systems; did you mean 'srcnn'?"),
        ({"seeds": [0]}, "tracks.sizes.seeds: the track tests nothing; add `test`"),
        ({"sizes": None}, "tracks.sizes.counted: the track counts nothing; add `sizes`"),
    ],
)
def test_a_mistake_in_a_track_is_refused(root, change, message):
    path = root / paths.STUDIES / "sizes.yaml"
    content = yaml.safe_load(FD)
    entry = {**content["tracks"]["sizes"], "counted": {"srcnn": "srcnn"}, **change}
    content["tracks"]["sizes"] = {k: v for k, v in entry.items() if v is not None}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    book, _ = open_book(root, "sizes")
    with pytest.raises(Refused) as refused:
        track(book, "sizes", "tracks.sizes")
    path.write_text(FD, encoding="utf-8")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
