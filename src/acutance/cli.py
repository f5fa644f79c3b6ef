"""`python -m acutance <verb>`: parse, call, nothing else."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from keyword import iskeyword
from pathlib import Path
from typing import TypeAlias

from acutance import __version__, commands
from acutance.cli_fitting import fitting, place
from acutance.cli_keeping import keeping
from acutance.errors import Refused
from acutance.files import told

INTERRUPTED = 130  # what shells say of a process that SIGINT ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb and returns the exit code: 0, 2 where the user has something to mend.

    A training that was told to stop (SIGTERM) leaves with 75 after saving its state: run it again.
    Any other verb leaves with 130 on Ctrl-C.
    """
    options = parser().parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = int(options.run(options) or 0)
        sys.stdout.flush()
        return code
    except Refused as error:
        print(f"acutance: {error}", file=sys.stderr)
    except BrokenPipeError:
        # The reader of our output has left, which is no fault; nor shall the exit say so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("acutance: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        print(f"acutance: {told(error)}", file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """Returns the whole command line."""
    made = argparse.ArgumentParser(
        prog="acutance",
        description="Rebuilds the tables of super-resolution papers, from photographs to page.",
        epilog="Whole studies are run by Snakemake, which calls these verbs: see README.md. "
        "`degrade`, `predict` and `score` also work on plain folders.",
    )
    made.add_argument("--version", action="version", version=f"acutance {__version__}")
    made.add_argument(
        "--root", type=Path, help="folder that holds params.yaml (default: found from here upwards)"
    )
    made.add_argument(
        "--study", metavar="NAME", help="overlay in workflow/studies (default: `study` in params)"
    )
    verbs = made.add_subparsers(title="verbs", metavar="VERB", required=True)
    _data(verbs)
    fitting(partial(_verb, verbs))
    _measuring(verbs)
    _reading(verbs)
    keeping(partial(_verb, verbs))
    return made


Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 (typeshed)


def _verb(verbs: Verbs, name: str, about: str, more: str = "") -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}. {more}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(run=getattr(commands, f"{name}_" if iskeyword(name) else name))
    return made


def _data(verbs: Verbs) -> None:
    fetch = _verb(
        verbs,
        "fetch",
        "download data sets and verify every image",
        "The folder named by ACUTANCE_MIRROR is looked in first: archives under their own names,\n"
        "or one plain folder of images per data set. Files that losses and metrics read (`assets`\n"
        "in params.yaml) are fetched by their names, too.",
    )
    fetch.add_argument("datasets", nargs="+", metavar="NAME", help="set5, div2k-train, vgg19, ...")
    degrade = _verb(
        verbs,
        "degrade",
        "make LR images from HR images",
        "Either of a data set of the study (PAIRS), or of a plain folder:\n\n"
        "  acutance degrade --hr photos/ --scale 4 --degradation bicubic --out photos_x4/",
    )
    degrade.add_argument("pairs", nargs="?", metavar="PAIRS", help="set5_bicubic_x2")
    degrade.add_argument("--hr", type=Path, metavar="DIR", help="folder of HR images")
    degrade.add_argument("--scale", type=int, help="2, 3, 4, ...")
    degrade.add_argument(
        "--degradation",
        metavar="NAME",
        default="bicubic",
        help="an entry of params.yaml (default: bicubic)",
    )
    degrade.add_argument("--out", type=Path, metavar="DIR", help="folder to make")
    degrade.add_argument("--workers", type=int, help="processes (default: all cores)")
    pack = _verb(verbs, "pack", "decode training images once, into one memory-mapped file")
    pack.add_argument("pairs", metavar="PAIRS", help="div2k-train_bicubic_x2")
    pack.add_argument("--workers", type=int, help="processes (default: all cores)")


def _measuring(verbs: Verbs) -> None:
    score = _verb(
        verbs,
        "score",
        "measure SR images against HR images",
        "Either a run on a test set of the study, or plain folders, in any declared protocol:\n\n"
        "  acutance score --hr HR/ --sr SR/ --scale 4 --metric psnr_float --metric ssim_float\n\n"
        "prints CSV (image,metric,value,reason), and a last row per metric whose image is `mean`.\n"
        "An image that a metric cannot measure, such as one too small, has a reason instead of a\n"
        "value; so has the mean, since one over fewer images is another number.",
    )
    score.add_argument("run_id", nargs="?", metavar="RUN")
    score.add_argument("test", nargs="?", metavar="TEST", help="set5, or set5_bicubic@digest")
    score.add_argument("--hr", type=Path, metavar="DIR", help="folder of HR images")
    score.add_argument("--sr", type=Path, metavar="DIR", help="folder of SR images, same names")
    score.add_argument("--scale", type=int)
    score.add_argument("--metric", action="append", metavar="NAME", help="may be given repeatedly")
    score.add_argument("--workers", type=int, help="threads (default: all cores)")
    place(score)
    calibrate = _verb(
        verbs,
        "calibrate",
        "measure the papers' bicubic rows: printed beside measured, per protocol",
    )
    calibrate.add_argument(
        "--out", type=Path, metavar="FILE", help="CSV to write (default: in results/)"
    )
    place(calibrate)
    calibrate.add_argument(
        "--tested", action="store_true", help="only on the sets that the study tests on"
    )


def _reading(verbs: Verbs) -> None:
    draw = _verb(
        verbs,
        "draw",
        "cut the figures that are made of images out of the study's SR images",
        "Without DRAWING: each figure of which any network's SR images are here.",
    )
    draw.add_argument("drawing", nargs="?", metavar="DRAWING", help="TRACK_FIGURE: demo_fig1")
    _verb(verbs, "tabulate", "put rebuilt numbers beside the printed ones, and verdicts on claims")
    report = _verb(verbs, "report", "render tables, claims and origins as HTML, Markdown and LaTeX")
    report.add_argument("--made", help=argparse.SUPPRESS)  # the workflow's: what dates the pages
    show = _verb(verbs, "show", "print a system as params.yaml and the study resolve it")
    show.add_argument("system", help="vdsr+gv, or a run: vdsr+gv_x2_s0")
    _plan(verbs)
    _count(verbs)


def _plan(verbs: Verbs) -> None:
    plan = _verb(
        verbs,
        "plan",
        "say what a rebuild takes: FLOPs, hours, wall time, disk, downloads; and what it took",
        "What is there already counts as done. Hours need a rate: measured on such a device by\n"
        "`--probe`, or assumed (`--device h100`) by the table in workflow/devices.yaml.",
    )
    plan.add_argument("--runs", action="store_true", help="list every run")
    plan.add_argument(
        "--device", metavar="NAME", help="reckon with it (default: what was measured)"
    )
    plan.add_argument("--gpus", type=int, default=1, help="how many devices (default: 1)")
    plan.add_argument(
        "--probe",
        type=float,
        nargs="?",
        const=10.0,
        metavar="SECONDS",
        help="train each kind of step for about so long (default: 10), and keep how fast it was",
    )
    plan.add_argument("--threads", type=int, help="CPU threads while probing")
    plan.add_argument("--spent", action="store_true", help="planned hours beside those spent")
    plan.add_argument("--json", action="store_true", help="plain values: FLOPs, seconds, bytes")
    status = _verb(
        verbs,
        "status",
        "show how a rebuild stands: what is done, running at which rate, stopped, failed and why",
        "Files are read and no job is asked, so it works from any machine that shares the folder.\n"
        "In a terminal it goes on until all is done or Ctrl-C; elsewhere it looks once.",
    )
    status.add_argument(
        "--every", type=float, metavar="SECONDS", help="between two looks (default: 5, or one look)"
    )
    status.add_argument(
        "--page", action="store_true", help="write results/status/STUDY.html at each look, too"
    )


def _count(verbs: Verbs) -> None:
    count = _verb(
        verbs,
        "count",
        "say how large networks are: parameters and multiply-adds",
        "A multiply-add is one product of a convolution or a linear layer; 2 FLOP are one.\n\n"
        "  acutance count edsr vdsr --scale 4 --lr 50x50 --unit flop\n\n"
        "Without SYSTEM: counts what the study's tables print, by every convention, into results/.",
    )
    count.add_argument("systems", nargs="*", metavar="SYSTEM", help="an entry of params.yaml")
    count.add_argument("--scale", type=int, help="2, 3, 4, ... (default: all that are declared)")
    count.add_argument("--output", metavar="WxH", help="size of the SR image (default: 1280x720)")
    count.add_argument("--lr", metavar="WxH", help="size of the LR image, in place of --output")
    count.add_argument("--unit", choices=["mac", "flop"], default="mac", help="(default: mac)")
    count.add_argument(
        "--transposed",
        choices=["input", "output"],
        default="input",
        help="where transposed convolutions are counted (default: input)",
    )
    count.add_argument("--cut", action="store_true", help="cut LR sides to whole pixels")
    count.add_argument("--csv", action="store_true", help="exact numbers as CSV")
