"""Reports that the tests of this folder read: an honest project and a hostile one."""

import json
import re
from pathlib import Path

import pytest

import twin as twins
from acutance import calibrate, paths, study
from acutance.draw import draw
from pictures import lay_pictures, named, relay
from synthetic import HOSTILE, fill, lay, make


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with reports of `papers` (EDSR not computed) and `demo`."""
    root = lay(tmp_path_factory.mktemp("project"))
    for name in ("demo", "papers"):
        fill(study.load(root, name), root, lambda e: "edsr" not in e.run.system)
    row = "classic,fd,table2,set5,2,psnr,psnr_classic,33.66,33.6604,true,\n"
    other = (
        "classic,fd,table2,urban100,2,psnr,psnr_classic,26.88,,,urban100 is not here; fetch it\n"
    )
    path = root / paths.CALIBRATION.format(study="papers")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{calibrate.HEAD}\n{row}{other}", encoding="utf-8")
    make(root, "demo")
    make(root, "papers")
    return root


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo whose every free text is made to break HTML, Markdown and LaTeX."""
    root = lay(tmp_path_factory.mktemp("hostile"))
    layout = root / paths.PUBLISHED / "gv" / "layout.yaml"
    text = layout.read_text(encoding="utf-8")
    quoted = json.dumps(HOSTILE)
    text = re.sub(r"^(title|authors|venue): .*$", lambda m: f"{m[1]}: {quoted}", text, flags=re.M)
    text = text.replace("photographs: Photographs", f"photographs: {quoted}")
    layout.write_text(text, encoding="utf-8")
    cells = root / paths.PUBLISHED / "gv" / "cells.csv"
    label = '"' + HOSTILE.replace('"', '""') + '"'
    cells.write_text(
        cells.read_text(encoding="utf-8").replace(",ESPCN,", f",{label},"), encoding="utf-8"
    )
    overlay = root / paths.STUDIES / "demo.yaml"
    text = overlay.read_text(encoding="utf-8")
    overlay.write_text(text.replace("title: Demonstration", f"title: {quoted}"), encoding="utf-8")
    each = study.load(root, "demo")
    fill(each, root)
    make(root, "demo")
    return root


@pytest.fixture(scope="session")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the demo with figures of real photographs; VDSR is asked for and not there."""
    root = tmp_path_factory.mktemp("pictured")
    lay_pictures(root)
    pair = "espcn, espcn+gv]"
    relay(root, r"vdsr\+gv\]\n( +differ: \[)vdsr, vdsr\+gv\]", f"{pair}\n    differ: [{pair}")
    relay(root, "photographs: Photographs", f"photographs: {json.dumps(HOSTILE)}")
    for figure in ("crops", "fig1", "fig2"):
        draw(named(root, figure), root)
    make(root, "demo")
    return root


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the twin of the FD paper: its tables, its figure, its claims."""
    root = tmp_path_factory.mktemp("twin")
    each = twins.lay_twin(root)
    twins.write(root, each, *twins.likely())
    make(root, "twin")
    return root
