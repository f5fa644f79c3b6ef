"""turn: one rebuild of a study at a time, and nothing to unlock after a kill."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acutance import turn
from acutance.errors import Refused

TAKE = """
import sys
from pathlib import Path
from acutance import turn
turn.take(Path(sys.argv[1]), "papers", say=print)
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_second_one_is_refused_until_the_first_is_gone_even_if_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TAKE, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout
        assert first.stdout.readline() == "taken\n"
        with pytest.raises(
            Refused, match=rf"study 'papers' is being rebuilt \(.+, process {first.pid}\)"
        ):
            turn.take(tmp_path, "papers", say=print)
        turn.take(tmp_path, "demo", say=print)
        first.send_signal(signal.SIGKILL)
    turn.take(tmp_path, "papers", say=print)
