"""bill: FLOPs, hours and bytes against numbers by hand, and against files that were really made."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from acutance import paths, rates, space, study
from acutance.bill import Bill, bill
from acutance.origins import origins
from planning.conftest import acutance
from synthetic import ROOT

TRAINED = (512 * 512, 1000 * 872, 512 * 512, 740 * 500, 740 * 500)  # cut to even sides
TESTED = ((512, 512), (451, 300), (600, 400), (640, 427))
ESPCN = 64 * 3 * 25 + 32 * 64 * 9 + 12 * 32 * 9  # weights at x2, and multiply-adds per LR pixel
UPDATE = 6 * ESPCN - 2 * 64 * 3 * 25  # FLOPs per LR pixel; the LR image has no gradient


@pytest.fixture(scope="module")
def papers() -> Bill:
    """Of two of the papers, four GPUs."""
    whole = study.load(ROOT, "papers")
    some = tuple(track for track in whole.tracks if track.paper in ("gv", "spsr"))
    return bill(replace(whole, tracks=some), ROOT, device="h100", devices=4)


def share(found: Bill, what: str) -> space.Share:
    return next(share for share in found.disk if share.what == what)


def test_a_run_of_the_papers_by_hand(papers: Bill) -> None:
    (job,) = (
        j for j in papers.jobs if j.run.id.startswith("vdsr_x2") and j.run.recipe.name == "vdsr"
    )
    weights = 9 * (3 * 64 + 18 * 64 * 64 + 64 * 1)  # RGB in, one residual for all channels
    flops = (6 * weights - 2 * 9 * 3 * 64) * 40**2 * 64 * 80_000  # no gradient of the LR image
    assert job.flops == flops
    assert job.seconds == (pytest.approx(flops / (0.5 * 67e12)), "assumed")  # fp32


def test_small_steps_take_the_time_that_their_kernels_take(papers: Bill) -> None:
    (job,) = (
        j for j in papers.jobs if j.run.id.startswith("espcn_x2") and j.run.recipe.name == "espcn"
    )
    assert job.seconds == (0.002 * job.run.recipe.steps, "assumed")


def test_wall_time_waits_for_what_trainings_begin_with(papers: Bill) -> None:
    seconds = {job.run.system: job.ahead for job in papers.jobs if not job.run.start}
    begun = [j for j in papers.jobs if j.run.start]
    assert {j.run.start.run.system for j in begun} == {"rrdb", "edsr", "srresnet"}
    assert papers.wall
    assert papers.wall[1] >= max(j.ahead for j in begun) + seconds["rrdb"] - 1
    assert papers.wall[0] >= max(papers.wall[1], papers.hours * 3600 / 4) - 1


def test_what_nothing_says_is_said_to_be_unknown(papers: Bill) -> None:
    assert share(papers, "SR images").unknown == ("div2k-val",)
    assert share(papers, "packed pairs").unknown == ("div2k-train", "div2k-val")
    archives = 3_530_603_713 + 448_993_893
    assert sum(papers.network.ahead.values()) == archives
    assert share(papers, "HR images").ahead > archives
    assert {"set5", "vgg19-dcbb9e9d.pth"} <= set(papers.network.unknown)
    # one crop of each of 800 images, 128 x 128 cut to a multiple of 3
    centre = [p for p in papers.study.runs if p.train and p.train.centre and p.scale == 3]
    assert space._packed(centre[0].train, ROOT) == 800 * 3 * (126**2 + 42**2)


def test_before_anything_is_made_bytes_are_those_of_the_manifests(bare: Path) -> None:
    found = bill(study.load(bare, "tiny"), bare)
    assert share(found, "packed pairs").ahead == 3 * 5 * sum(TRAINED) // 4 + 3 * 5 * sum(
        (w // 2) * (h // 2) for w, h in TESTED
    )
    assert share(found, "LR images").ahead == 3 * sum((w // 2) * (h // 2) for w, h in TESTED)
    biases = 64 + 32 + 12
    assert share(found, "weights").ahead == 2 * 4 * (ESPCN + biases)
    assert share(found, "states, while training").ahead == 3 * 4 * 4 * (ESPCN + biases)
    assert not any(share.unknown or share.there for share in found.disk)
    assert found.network == space.Transfer(
        there=(), ahead={}, unknown=()
    )  # scikit-image ships them
    assert found.hours is None


def test_what_was_really_made_is_as_large_as_was_said(bare: Path, half: Path) -> None:
    said, found = (bill(study.load(root, "tiny"), root) for root in (bare, half))
    for what in ("HR images", "LR images", "packed pairs"):
        assert share(found, what).ahead == 0
        real, told = share(found, what).there, share(said, what).ahead
        if what == "packed pairs":  # exact but for two indices
            assert told < real < told + 8192
        else:
            assert 0.3 * told < real <= told
    weights = space.weighed(next(half.glob("results/runs/*/weights.safetensors")))
    assert 0 < weights - share(said, "weights").ahead // 2 < 1024  # the header
    sr = space.weighed(next(half.glob("results/sr/espcn_x2_s0@*")))
    told = share(said, "SR images").ahead / 3  # of the two networks and of bicubic
    assert 0.3 * told < sr <= told
    done = {job.run.system: job.done for job in found.jobs}
    assert done == {"espcn": 1.0, "espcn+gv": 0.0}


def test_hours_ahead_are_those_of_what_is_not_done(half: Path) -> None:
    whole = bill(study.load(half, "tiny"), half, device="a100")
    steps = 6  # of the one that is not done; no step is below 2 ms
    assert whole.hours == pytest.approx(steps * 0.002 / 3600)
    assert whole.wall == pytest.approx((steps * 0.002, steps * 0.002))


def test_the_terminal_says_the_same(half: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert acutance(half, "plan", "--device", "a100", "--gpus", "2", "--runs") == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 100
    assert "assumed of NVIDIA A100" in told
    assert "on 2 GPUs" in told
    assert [line.split()[1] for line in told.splitlines() if line.startswith("espcn_x2")] == [
        "done"
    ]
    assert acutance(half, "plan", "--device", "a100", "--gpus", "2", "--json") == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["flops_ahead"] == plain["flops"] / 2 == UPDATE * 8**2 * 2 * 6
    assert plain["wall_seconds"] == pytest.approx(0.012)
    assert [run["done"] for run in plain["runs"]] == [1.0, 0.0]


def test_without_a_rate_it_says_how_to_get_one(
    bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert acutance(bare, "plan") == 0
    told = capsys.readouterr().out
    assert "no rate is known; `acutance plan --probe` measures here" in told
    assert "wall time" not in told
    assert acutance(bare, "plan", "--json") == 0
    assert json.loads(capsys.readouterr().out)["seconds_ahead"] is None


def test_spent_hours_stand_beside_planned_ones(
    begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (record,) = begun.glob("results/runs/*/run.json")
    content = json.loads(record.read_text())
    record.write_text(json.dumps(content | {"seconds": 90.0}))
    assert acutance(begun, "plan", "--spent", "--device", "v100") == 0
    lines = capsys.readouterr().out.splitlines()
    name, planned, spent, factor, pace, *device = lines[1].split()
    assert (name, spent, factor) == ("espcn_x2_s0", "0.025", "7500.00")  # 90 s for 6 x 2 ms
    assert planned == "<0.001"
    assert float(pace) == pytest.approx(UPDATE * 8**2 * 2 * 6 / 90 / 1e12, rel=0.01)
    assert " ".join(device).startswith(content["device"])
    assert lines[2].startswith("in all, 1")
    assert acutance(begun, "plan", "--spent") == 0
    assert "no rate is known" in capsys.readouterr().out


def test_a_report_tells_them_too_where_the_step_was_measured(begun: Path) -> None:
    (record,) = begun.glob("results/runs/*/run.json")
    content = json.loads(record.read_text()) | {"seconds": 9000.0}
    record.write_text(json.dumps(content))
    tiny = study.load(begun, "tiny")
    run = next(run for run in tiny.runs if run.system == "espcn")
    step = rates.Step(
        what="", seconds=1000.0, flops=1.0, steps=9, peak_memory_bytes=1, measured="2026"
    )
    found = rates.Measured(
        name=content["device"],
        kind="cpu",
        threads=1,
        versions={},
        steps={rates.step_key(run): step},
    )
    file = begun / paths.RATES.format(device=found.file)
    file.parent.mkdir(parents=True)
    file.write_text(rates.written(found))
    told = "2.50 spent, 1.67 planned by steps measured there: 1.50 times as many"
    assert dict(origins(tiny, begun)[run.id].facts)["hours"] == told
    file.write_text(rates.written(replace(found, steps={"another": step})))
    assert "hours" not in dict(origins(tiny, begun)[run.id].facts)


MISTAKES = {
    "no such device": (None, None, ["--device", "h10"], "no rate for 'h10'"),
    "no GPUs": (None, None, ["--gpus", "0"], "--gpus: wants how many there are, from 1, found 0"),
    "no such key": ("devices:", "device:", ["--device", "h100"], "no such key"),
    "a share above one": (
        "fp32: 0.5",
        "fp32: 1.5",
        ["--device", "h100"],
        "wants a number above 0 up to 1, found 1.5",
    ),
    "a precision without a share": ("tf32: 0.25, ", "", ["--device", "h100"], "nothing of tf32"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(
    bare: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    old, new, words, message = MISTAKES[mistake]
    table = bare / paths.DEVICES
    if old:
        table.write_text(table.read_text().replace(old, new, 1))
    assert acutance(bare, "plan", *words) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_damaged_file_of_rates_is_named(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = bare / paths.RATES.format(device="it")
    file.parent.mkdir(parents=True)
    for content in ("{", "[]", '{"steps": {"a": {"seconds": 0}}}', '{"steps": 3}'):
        file.write_text(content)
        assert acutance(bare, "plan") == 2
        assert "rates/it.json: no rates" in capsys.readouterr().err
    shutil.rmtree(file.parent)
    assert acutance(bare, "plan") == 0
