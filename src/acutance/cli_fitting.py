"""The options of the verbs that fit networks, take over others' and let them predict."""

import argparse
from collections.abc import Callable
from pathlib import Path

Verb = Callable[..., argparse.ArgumentParser]


def fitting(verb: Verb) -> None:
    """Adds `train`, `import` and `predict` to a command line.

    Args:
        verb: Adds a verb: its name, a sentence, and more sentences.
    """
    _train(verb)
    _import(verb)
    _predict(verb)


def place(parser: argparse.ArgumentParser) -> None:
    """Adds the option of where to compute."""
    parser.add_argument(
        "--device",
        default="auto",
        help="cpu, cuda, cuda:1 (default: auto, a GPU that no other job has)",
    )


def _machine(parser: argparse.ArgumentParser) -> None:
    place(parser)
    parser.add_argument(
        "--threads", type=int, help="CPU threads; another number gives other last bits"
    )


def _train(verb: Verb) -> None:
    train = verb(
        "train",
        "fit the weights of a run; go on where an earlier attempt stopped",
        "State is saved every CHECKPOINT seconds and when the process is told to stop (SIGTERM,\n"
        "Ctrl-C), which then leaves with exit code 75: run the same command again. However often\n"
        "it is stopped, the weights come out the same to the last bit.",
    )
    train.add_argument("run_id", metavar="RUN", help="edsr_x2_s0, as `acutance plan` lists them")
    _machine(train)
    train.add_argument("--checkpoint", type=float, default=60.0, metavar="SECONDS")
    train.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="train on N GPUs of this machine (or N times on its CPU): each step's batch is split",
    )


def _import(verb: Verb) -> None:
    made = verb(
        "import",
        "turn what others released into a run: their weights, or the SR images they made",
        "Either of a released run of the study, looked for in ACUTANCE_MIRROR first\n"
        "(weights/FILE, images/FILE), or of a plain checkpoint, of which nothing is run:\n\n"
        "  acutance import --system vdsr-port --scale 4 --weights model.pth --out vdsr.safetensors",
    )
    made.add_argument("run_id", nargs="?", metavar="RUN")
    made.add_argument(
        "test", nargs="?", metavar="TEST", help="of a run of SR images (default: all)"
    )
    made.add_argument("--system", metavar="NAME", help="an entry of params.yaml")
    made.add_argument("--scale", type=int)
    made.add_argument("--weights", type=Path, metavar="FILE", help="the foreign checkpoint")
    made.add_argument(
        "--keys", metavar="NAME", help="a mapping of data/released/keys.yaml (default: what fits)"
    )
    made.add_argument("--out", type=Path, metavar="FILE", help="safetensors file to write")


def _predict(verb: Verb) -> None:
    predict = verb(
        "predict",
        "make SR images from LR images",
        "Either of a run and a test set of the study, or of a plain folder:\n\n"
        "  acutance predict --system bicubic --lr photos_x4/ --scale 4 --out photos_sr/",
    )
    predict.add_argument("run_id", nargs="?", metavar="RUN")
    predict.add_argument("test", nargs="?", metavar="TEST", help="set5, or set5_bicubic@digest")
    predict.add_argument("--system", metavar="NAME", help="an entry of params.yaml")
    predict.add_argument(
        "--weights", type=Path, metavar="FILE", help="safetensors; not for networks without any"
    )
    predict.add_argument("--lr", type=Path, metavar="DIR", help="folder of LR images")
    predict.add_argument("--scale", type=int)
    predict.add_argument("--out", type=Path, metavar="DIR", help="folder to make")
    predict.add_argument(
        "--output",
        choices=["png", "float"],
        default="png",
        help="8-bit PNG, or unclipped 32-bit TIFF (default: png)",
    )
    _machine(predict)
