"""What each verb of the command line does: find what it names, call the verb with plain arguments.

Verbs are imported where they are used, so that `--help` and `show` do not wait for torch.
"""

from acutance.commands.counting import count
from acutance.commands.data import degrade, fetch, pack
from acutance.commands.fitting import predict, train
from acutance.commands.importing import import_
from acutance.commands.keeping import adopt, bundle, prune
from acutance.commands.measuring import calibrate, score
from acutance.commands.reading import draw, plan, report, show, status, tabulate

__all__ = [
    "adopt",
    "bundle",
    "calibrate",
    "count",
    "degrade",
    "draw",
    "fetch",
    "import_",
    "pack",
    "plan",
    "predict",
    "prune",
    "report",
    "score",
    "show",
    "status",
    "tabulate",
    "train",
]
