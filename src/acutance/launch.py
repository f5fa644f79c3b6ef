"""Several processes that train one run together on this machine: torchrun, called from a verb.

On several machines torchrun itself starts them: `torchrun … -m acutance train RUN`.
"""

import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Sequence

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from acutance.device import several
from acutance.errors import Refused

HERE = "127.0.0.1"  # whatever this machine is called: its name may lead nowhere
GRACE = 120  # seconds that a process has to save and leave


def launch(processes: int, arguments: Sequence[str], *, device: str) -> int | None:
    """Runs `acutance` in several processes that know of each other.

    Args:
        processes: How many.
        arguments: Of the command line.
        device: What they are told there; of `auto`, GPUs that no other job has.

    Returns:
        The exit status of the one that ended first; None if a signal ended them, each of which
        had `GRACE` seconds to save and leave.

    Raises:
        Refused: If one of them was killed, or there are fewer GPUs.
    """
    visible = several(processes) if device == "auto" else None
    if visible is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # else torchrun says so in many words
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="acutance-") as place:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint=f"{HERE}:0",
            local_addr=HERE,
            max_restarts=0,
            monitor_interval=0.1,
            shutdown_timeout=GRACE,
            logs_specs=DefaultLogsSpecs(log_dir=place),
        )
        try:
            elastic_launch(config, sys.executable)("-m", "acutance", *arguments)
        except SignalException:
            return None
        except ChildFailedError as error:
            number, first = error.get_first_failure()
            if first.exitcode < 0:
                name = signal.Signals(-first.exitcode).name
                raise Refused(
                    f"process {number} of {processes} was ended by {name}; the same command goes on"
                    " from the last state"
                ) from None
            return int(first.exitcode)
    return 0
