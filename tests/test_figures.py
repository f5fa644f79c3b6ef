"""Figures: what a layout may declare, round numbers on axes, and points from scores by hand."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acutance import paths, study, tabulate
from acutance.axes import Decades, fitted
from acutance.charts import BOTTOM, LEFT, RIGHT, TOP, charts
from acutance.errors import Refused
from acutance.points import HEAD
from acutance.published import read
from acutance.rows import read_rows
from synthetic import ROOT, lay
from twin import lay_twin, write

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9)


@given(NUMBERS)
@example([1e6, 999999.9999999999])
def test_everything_lies_within_its_axis(values):
    axis = fitted(values, LEFT, RIGHT)
    for value in values:
        assert LEFT <= float(axis.at(value)) <= RIGHT
    assert 2 <= len(axis.ticks) <= 10
    for tick in axis.ticks:
        times = axis.step / 10 ** math.floor(math.log10(axis.step) + 1e-9)
        assert round(times) in (1, 2, 5)
        assert float(tick.text.replace("−", "-")) == pytest.approx(tick.value, abs=axis.step / 99)


def test_round_numbers_by_hand():
    """From 20 to 41 with 5 % beside: 18.95 to 42.05, about 4.6 a step, so 5."""
    axis = fitted([20, 41], BOTTOM, TOP)
    assert [tick.text for tick in axis.ticks] == ["20", "25", "30", "35", "40"]
    # 250 units over 23.1: 20 lies 1.05 above the low end
    assert axis.at(20) == f"{BOTTOM - 250 * 1.05 / 23.1:.1f}"
    assert [tick.text for tick in fitted([-0.31, 0.24], 0, 1).ticks][:3] == ["−0.3", "−0.2", "−0.1"]
    assert len(fitted([3.0], 0, 1).ticks) > 1, "one value has an axis too"


def test_the_figure_of_the_paper_reads():
    figure = read(ROOT / paths.PUBLISHED / "fd").figures["fig1"]
    assert (figure.x, figure.y, figure.scale) == ("entropy", "psnr", 4)
    assert [(p.system, p.over) for p in figure.panels] == [("lapsrn", ""), ("lapsrn+fd", "lapsrn")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: scatter", "kind: scater", "figures.fig1.kind: no kind 'scater'; did you mean"),
        ("    x: entropy\n", "", "figures.fig1: x is missing"),
        ("scale: 4\n", "scale: four\n", "figures.fig1: scale: wants a whole number, found 'four'"),
        ("over: lapsrn}", "ovr: lapsrn}", "figures.fig1.panels.b: no field 'ovr'; did you mean"),
        ("{system: lapsrn}", "lapsrn", "figures.fig1.panels.a: wants named fields, found str"),
        ("fig1:\n", "fig1: 3\n  fig2:\n", "figures.fig1: wants named entries, found 3"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, old, new, message):
    lay_twin(tmp_path)
    path = tmp_path / paths.PUBLISHED / "fd" / "layout.yaml"
    head, figures = path.read_text(encoding="utf-8").split("\nfigures:")
    assert old in figures
    path.write_text(f"{head}\nfigures:{figures.replace(old, new, 1)}", encoding="utf-8")
    with pytest.raises(Refused, match=f"fd/layout.yaml: {message}") as error:
        read(path.parent)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: crops", "kind: crop", "figures.crops.kind: no kind 'crop'; did you mean 'crops'"),
        ("    box: 64\n", "", "figures.crops: box is missing"),
        ("box: 64", "box: 6", "figures.crops.box: wants a side of 8 to 512 pixels, found 6"),
        ("most: 2", "most: 0", "figures.crops.most: wants at least 1 image, found 0"),
        ("most: 2", "images: [set5/baby]", "figures.crops: name `images`, or else `datasets`"),
        (
            "datasets: [set14, urban100]\n    most: 2",
            "images: [baby]",
            "figures.crops.images: wants set and image as set5/baby, found 'baby'",
        ),
        ("vdsr, vdsr+gv]", "vdsr, vdsr+vg]", "figures.crops.panels: no system 'vdsr.vg'; did you"),
        ("differ: [vdsr", "differ: [hr", "figures.crops.differ: no system 'hr'; valid: bicubic, v"),
        ("panels: [hr,", "panels: [hr, hr,", "figures.crops.panels: 'hr' stands in it twice"),
        ("  crops:\n", "  a/b:\n", "figures: 'a/b' cannot be a name"),
        ("kind: maps\n", "kind: maps\n    x: 3\n", "figures.fig1: no field 'x'"),
        (
            "most: 1\n    panels: [hr",
            "most: 1\n    panels: [lr",
            "figures.fig1.panels: no system 'lr'; ",
        ),
        ("[hr, vdsr, vdsr+gv]", "[vdsr, vdsr+gv]", "figures.fig2.panels: 'hr' is missing, which"),
        ("kind: variances", "kind: variances\n    box: 9", "figures.fig2: no field 'box'"),
    ],
)
def test_a_mistake_in_a_figure_of_images_is_named(tmp_path, old, new, message):
    lay(tmp_path)
    path = tmp_path / paths.PUBLISHED / "gv" / "layout.yaml"
    head, figures = path.read_text(encoding="utf-8").split("\nfigures:")
    assert old in figures
    path.write_text(f"{head}\nfigures:{figures.replace(old, new, 1)}", encoding="utf-8")
    with pytest.raises(Refused, match=f"gv/layout.yaml: {message}") as error:
        read(path.parent)
    assert "\n" not in str(error.value)


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=9))
def test_everything_lies_within_its_decades(values):
    axis = Decades.fitted(values, BOTTOM, TOP)
    for value in values:
        assert TOP <= float(axis.at(value)) <= BOTTOM
    for tick in axis.ticks:
        assert float(tick.text.replace("−", "-")) == tick.value
        assert round(tick.value / 10 ** math.floor(math.log10(tick.value) + 1e-9)) in (1, 2, 5)


def test_decades_by_hand():
    """From 0.001 to 1 with 5 % beside: powers alone; half a decade: twice and five times, too."""
    axis = Decades.fitted([0.001, 1], 0, 330)
    assert [(tick.text, tick.at) for tick in axis.ticks] == [
        ("1e−3", "15"), ("0.01", "115"), ("0.1", "215"), ("1", "315"),
    ]  # fmt: skip
    assert [tick.text for tick in Decades.fitted([0.15, 0.6], 0, 1).ticks] == ["0.2", "0.5"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The twin's figure where PSNR falls by 2 dB a bit, and two seeds differ by 1 dB."""
    root = tmp_path_factory.mktemp("twin")
    lay_twin(root)
    path = root / paths.STUDIES / "twin.yaml"
    path.write_text(path.read_text() + "    seeds: [0, 1]\n", encoding="utf-8")
    each = study.load(root, "twin")

    def score(evaluation, number):
        gain = 0.5 if evaluation.run.system == "espcn+gv" else 0
        return 40 - 2 * (4 + number / 32) + gain + evaluation.run.seed

    def keep(evaluation):
        run, dataset = evaluation.run, evaluation.dataset.name
        wanted = ("set5", "set14", "urban100") if run.system == "espcn" else ("set5",)
        return run.scale == 4 and dataset in wanted

    write(root, each, score, lambda _, n: 4 + n / 32, keep)
    tabulate.tabulate(each, root)
    csv = root / paths.FIGURES.format(study="twin", paper="twin")
    rows = [row for _, row in read_rows(csv, HEAD)]
    (chart,) = charts(read(root / paths.PUBLISHED / "twin"), each.tracks, rows)
    return rows, chart


def test_a_point_is_an_image_and_the_mean_of_the_seeds(drawn):
    rows, _ = drawn
    first = [row for row in rows if row["panel"] == "1"]
    sets = [row["dataset"] for row in first]
    assert [sets.count(name) for name in ("set5", "set14", "bsd100", "urban100")] == [5, 14, 1, 100]
    point = next(r for r in first if (r["dataset"], r["image"]) == ("set14", "im_10"))
    assert float(point["x"]) == 4.3125  # 4 + 10 / 32
    assert float(point["y"]) == 40 - 2 * 4.3125 + 0.5  # seeds 0 and 1
    assert (point["seeds"], point["x_metric"], point["y_metric"], point["reason"]) == (
        "0;1", "entropy", "psnr_classic", "",
    )  # fmt: skip
    gains = [row for row in rows if row["panel"] == "2" and row["image"]]
    assert [float(row["y"]) for row in gains] == [0.5] * 5


def test_what_is_not_there_says_why(drawn):
    rows, chart = drawn
    gap = next(row for row in rows if row["dataset"] == "bsd100" and row["panel"] == "1")
    assert (gap["image"], gap["x"], gap["reason"]) == (
        "", "", "LapSRN at scale 4 on BSD100 is not computed yet",
    )  # fmt: skip
    assert chart.plots[0].missing == "LapSRN at scale 4 on BSD100: not computed yet"
    assert chart.plots[1].missing.count("LapSRN + FD at scale 4 on") == 3


def test_a_plot_says_how_its_numbers_go_together(drawn):
    first, second = drawn[1].plots
    assert (first.title, second.title) == ("LapSRN, ×4", "Gain of LapSRN + FD over LapSRN, ×4")
    assert (first.x, first.y) == ("Entropy of the original (bit)", "PSNR (dB)")
    assert second.y == "Gain in PSNR (dB)"
    found = [(c.label, c.images, c.spearman, c.pearson) for c in first.correlations]
    assert found == [
        ("all images", 119, "−1.00", "−1.00"), ("Set5", 5, "−1.00", "−1.00"),
        ("Set14", 14, "−1.00", "−1.00"), ("Urban100", 100, "−1.00", "−1.00"),
    ]  # fmt: skip
    assert [(c.label, c.spearman) for c in second.correlations] == [("Set5", "–")], "one value"
    assert "119 images" in first.words
    assert "is −1.00, Pearson’s correlation −1.00" in first.words


def test_marks_lie_on_the_line_that_made_them(drawn):
    series = drawn[1].plots[0].series
    assert [(s.label, s.style, len(s.marks)) for s in series] == [
        ("Set5", 1, 5), ("Set14", 2, 14), ("Urban100", 3, 100),
    ]  # fmt: skip
    marks = [(float(m.x), float(m.y)) for s in series for m in s.marks]
    (x0, y0), (x1, y1) = min(marks), max(marks)
    assert y1 > y0, "downwards on paper where PSNR falls"
    for x, y in marks:
        assert y - y0 == pytest.approx((x - x0) * (y1 - y0) / (x1 - x0), abs=0.15)
    assert "Set14, im_8: 4.25; 32.00" in [mark.text for mark in series[1].marks]


def test_what_made_it_is_said_once_for_a_track(drawn):
    ((track, facts),) = drawn[1].made
    assert track == "twin"
    assert dict(facts)["seeds"] == "0, 1"
    assert "4 pixels shaved off each side" in dict(facts)["psnr"]
