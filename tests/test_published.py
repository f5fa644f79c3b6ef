"""The published numbers as they lie in git, and what their reader refuses."""

import shutil
from pathlib import Path

import pytest

from acutance import paths
from acutance.errors import Refused
from acutance.published import read, read_cells, read_claims

PUBLISHED = Path(__file__).resolve().parent.parent / paths.PUBLISHED


@pytest.fixture
def gv(tmp_path: Path) -> Path:
    """A copy of the GV folder that a test may damage."""
    return Path(shutil.copytree(PUBLISHED / "gv", tmp_path / "gv"))


@pytest.mark.parametrize(
    ("paper", "cells", "claims"), [("gv", 162, 19), ("fd", 156, 14), ("spsr", 537, 56)]
)
def test_every_printed_number_is_there(paper, cells, claims):
    assert len(read_cells(PUBLISHED / paper / "cells.csv")) == cells
    found = read_claims(PUBLISHED / paper / "claims.csv")
    assert [c.id for c in found] == [f"{paper}{i:02}" for i in range(1, claims + 1)]


def test_gv_reads_as_printed():
    paper = read(PUBLISHED / "gv")
    first, second = paper.tables["table1"], paper.tables["table2"]
    assert (len(first.cells), len(second.cells)) == (144, 18)
    assert first.order("dataset") == ("set14", "set5", "urban100", "div2k-val")
    assert first.order("system") == ("vdsr", "vdsr+gv", "edsr", "edsr+gv", "espcn", "espcn+gv")
    assert first.labels["system", "espcn+gv"] == "ESPCN + GV"
    assert first.labels["dataset", "urban100"] == "Urban"
    assert second.labels["system", "vdsr-ssim+tv"] == "SSIM loss + TV loss"
    assert [first.decimals("psnr"), first.decimals("ssim"), second.decimals("ssim")] == [2, 4, 6]
    odd = next(c for c in first.cells if c.value == "0.85456")
    assert (odd.decimals, odd.system, odd.scale, odd.dataset) == (5, "edsr+gv", 4, "div2k-val")
    assert first.cells[2].value == "28.00", "digits stay as printed"


def test_fd_reads_as_printed():
    paper = read(PUBLISHED / "fd")
    first, second = paper.tables["table1"], paper.tables["table2"]
    assert (len(first.cells), len(second.cells)) == (12, 144)
    assert first.order("system") == ("lapsrn", "lapsrn+cs", "lapsrn+fd")
    assert second.order("system") == ("bicubic", "srcnn", "vdsr", "lapsrn", "lapsrn+fd")
    assert [paper.label("system", "lapsrn", table) for table in ("table1", "table2", "")] == [
        "Baseline", "LapSRN", "LapSRN",
    ]  # fmt: skip
    assert second.labels["system", "lapsrn+fd"] == "Ours"
    assert second.labels["scale", "2"] == "2", "printed 2x"
    assert paper.label("dataset", "set5") == "Set5"


def test_sizes_stand_where_the_paper_prints_them():
    """The first row, Bicubic, has dashes there and no cells."""
    sheet = read(PUBLISHED / "fd").tables["table2"]
    columns = ("params", "madds", "set5", "set14", "bsd100", "urban100")
    assert sheet.across == tuple((each,) for each in columns)
    assert [sheet.labels["measure", each] for each in columns] == [
        "Params", "Mult-Adds", *(f"{s} PSNR/SSIM" for s in ("Set5", "Set14", "BSD100", "Urban100")),
    ]  # fmt: skip


def test_what_is_not_known_of_a_paper_stays_empty(gv):
    paper = read(PUBLISHED / "fd")
    assert (paper.authors, paper.venue, paper.url) == ("", "", "")
    path = gv / "layout.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("https://", "ftp://"), "utf-8")
    with pytest.raises(Refused, match="url: wants an http address"):
        read(gv)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "cells.csv",
            ",27.41,",
            ",27.4l,",
            r"cells.csv: line 2: value: wants a number, found '27.4l'",
        ),
        ("cells.csv", ",27.41,", ",nan,", r"line 2: value: wants a number, found 'nan'"),
        (
            "cells.csv",
            "VDSR,vdsr,,2,set14,psnr",
            "VDSR,vdsr,,two,set14,psnr",
            r"line 2: scale: wants a whole",
        ),
        ("cells.csv", "paper,table", "paper,tab", r"cells.csv: wants the columns paper,table,"),
        ("cells.csv", ",27.41,dB,,", ",27.41,dB", r"line 2: wants 13 fields, found 11"),
        (
            "cells.csv",
            "VDSR,vdsr,,2,set14,ssim",
            "VDSR,vdsr,,2,set14,psnr",
            r"repeats the cell of line 2",
        ),
        (
            "cells.csv",
            "VDSR,vdsr,,2,set14,psnr",
            "VDSR,,,2,set14,psnr",
            r"line 2: system: is empty",
        ),
        (
            "claims.csv",
            "gv02,",
            "gv01,",
            r"claims.csv: line 3: id: 'gv01' stands there a second time",
        ),
        (
            "layout.yaml",
            "best: row",
            "best: rows",
            r"tables.table1.best: found 'rows'; did you mean 'row'",
        ),
        (
            "layout.yaml",
            "Set: dataset",
            "Set: datset",
            r"Set: no axis 'datset'; did you mean 'dataset'",
        ),
        ("layout.yaml", "  table2:", "  table3:", r"tables.table3: cells.csv has no cell of it"),
        (
            "layout.yaml",
            "    title: VDSR",
            "    titel: VDSR",
            r"no field 'titel'; did you mean 'title'",
        ),
        ("layout.yaml", "short: GV", "short: 3", r"gv/layout.yaml: short: wants text, found 3"),
        ("layout.yaml", "short: GV\n", "", r"gv/layout.yaml: short is missing"),
        (
            "layout.yaml",
            "{Loss: system}",
            "{Loss: system, Scale: scale}",
            r"'L2 loss' of cells.csv does not part",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(gv, file, old, new, message):
    path = gv / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Refused, match=message) as error:
        read(gv)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(gv):
    (gv / "claims.csv").unlink()
    with pytest.raises(Refused, match=r"gv/claims.csv: no such file"):
        read(gv)


def test_a_file_that_is_not_text_is_refused(gv):
    (gv / "cells.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refused, match=r"gv/cells.csv: not CSV in UTF-8"):
        read(gv)
