"""The command line: what it offers, the verbs on plain folders, and mistakes in plain words."""

import argparse
import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acutance.cli import main, parser

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "cli.txt"


def offered() -> str:
    """Every verb with its arguments, one line each."""
    lines = []
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, inner in action.choices.items():
                names = [
                    a.option_strings[-1] if a.option_strings else a.dest for a in inner._actions
                ]
                lines.append(f"{verb}: {' '.join(names)}")
        else:
            lines.append(f"acutance: {action.option_strings[-1]}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two small pictures, one of them grey, under a name that a shell would trip over."""
    folder = tmp_path / "a folder; $(touch nothing)"
    folder.mkdir()
    generator = np.random.default_rng(0)
    smooth = np.linspace(0, 255, 48)[:, None] + generator.uniform(-9, 9, (48, 60))
    colour = np.stack([smooth, smooth[::-1], np.roll(smooth, 7, 1)], -1).clip(0, 255)
    Image.fromarray(colour.astype(np.uint8)).save(folder / "it's a é.png")
    Image.fromarray(smooth.clip(0, 255).astype(np.uint8)).save(folder / "grey.png")
    return folder


def acutance(*words: str | Path) -> int:
    return main(["--root", str(ROOT), *map(str, words)])


def test_the_command_line_is_the_one_that_is_written_down() -> None:
    assert offered() == GOLDEN.read_text()


@pytest.mark.parametrize("verb", [line.partition(":")[0] for line in offered().splitlines()[4:]])
def test_help_says_something(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    assert left.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 4


def test_folders_go_from_hr_to_a_score_without_any_study(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lr, sr = tmp_path / "lr", tmp_path / "sr"
    made = ("--scale", "2", "--degradation", "bicubic")
    assert acutance("degrade", "--hr", photos, *made, "--out", lr) == 0
    assert acutance("predict", "--system", "bicubic", "--lr", lr, "--scale", "2", "--out", sr) == 0
    assert sorted(p.name for p in sr.iterdir()) == ["grey.png", "it's a é.png"]
    capsys.readouterr()
    metrics = ("--metric", "psnr_float", "--metric", "ssim_float")
    assert acutance("score", "--hr", photos, "--sr", sr, "--scale", "2", *metrics) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["metric"] for row in rows if row["image"] == "mean"] == ["psnr_float", "ssim_float"]
    for metric in ("psnr_float", "ssim_float"):
        values = [float(r["value"]) for r in rows if r["metric"] == metric]
        assert values[-1] == pytest.approx(sum(values[:-1]) / 2)
    assert 15 < float(rows[0]["value"]) < 60


MISTAKES = {
    "no such study": (["--study", "demmo", "plan"], "no study 'demmo'; did you mean 'demo'?"),
    "no such run": (["--study", "demo", "train", "espcn_x9_s0"], "did you mean 'espcn_x"),
    "no such set": (["fetch", "set6"], "no data set or asset 'set6'; did you mean 'set5'?"),
    "nothing to train": (["--study", "demo", "train", "bicubic_x2_s0"], "nothing to train"),
    "half a command": (["score", "--hr", "x"], "--sr, --scale, --metric missing"),
    "no such metric": (
        ["score", "--hr", ".", "--sr", ".", "--scale", "2", "--metric", "psnr_flaot"],
        "--metric: no entry 'psnr_flaot' in metrics; did you mean 'psnr_float'?",
    ),
    "no folder": (
        ["degrade", "--hr", "nowhere", "--scale", "2", "--degradation", "bicubic", "--out", "o"],
        "nowhere",
    ),
    "scale of 1": (
        ["degrade", "--hr", ".", "--scale", "1", "--degradation", "bicubic", "--out", "o"],
        "--scale: wants a whole number from 2, found 1",
    ),
    "no weights": (
        ["predict", "--system", "espcn", "--lr", ".", "--scale", "2", "--out", "o"],
        "--weights: 'espcn' has weights to load",
    ),
    "scale that it lacks": (
        ["predict", "--system", "vdsr-l1", "--lr", ".", "--scale", "3", "--out", "o"],
        "--scale: 'vdsr-l1' is not declared at scale 3",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_2(
    mistake: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words, message = MISTAKES[mistake]
    assert acutance(*words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_leaves_early_is_no_fault() -> None:
    command = [sys.executable, "-m", "acutance", "--root", str(ROOT), "show", "vdsr"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_ctrl_c_is_one_line_and_130(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("acutance.degrade.read_image", pressed)
    made = ("--scale", "2", "--degradation", "bicubic", "--out", tmp_path / "lr")
    assert acutance("degrade", "--hr", photos, *made) == 130
    assert capsys.readouterr().err == "acutance: interrupted\n"
    assert [path.name for path in tmp_path.iterdir()] == [photos.name]


def test_show_prints_what_a_variant_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert acutance("--study", "demo", "show", "espcn+gv_x3_s0") == 0
    printed = capsys.readouterr().out
    assert "espcn-demo" in printed
    assert "patch: 16" in printed


def test_plan_counts_what_the_networks_are_known_to_cost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert acutance("--study", "demo", "plan", "--runs") == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith("espcn_x2_s0"))
    # 3 x 2 FLOP x MAC: 26,796 parameters, 124 of them biases (64 + 32 + 12, and 16 more at x2 for
    # none), at 17 x 17 pixels, 8 crops, 2,000 steps.
    weights = 64 * 3 * 25 + 32 * 64 * 9 + 12 * 32 * 9
    assert float(line.split()[-2]) == pytest.approx(6 * weights * 17**2 * 8 * 2000 / 1e12, abs=0.06)
