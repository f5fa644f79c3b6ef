"""Debian's SLURM on one host: munge, a controller and two nodes with declared GPUs, for tests.

As a program it runs the daemons until its standard input ends, so they end with whoever started it.
"""

import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
INSTALL = "apt-get install --no-install-recommends slurm-wlm munge"
SETTINGS = Path("/etc/slurm")  # a job step drops SLURM_CONF, so they must lie here
TURN = Path("/run/acutance-tests-slurm.lock")
OURS = "# Made by Acutance's tests, and removed by them.\n"
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
NODES = ("n1", "n2")
GPUS = 2  # declared for each node; /dev/null by another name
SHARES = 4  # of each GPU

SLURM_CONF = """\
ClusterName=acutance
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool-%n
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd-%n.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu,shard
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=1,bf_interval=2
MinJobAge=600
KillWait=10
SlurmdTimeout=10
InactiveLimit=0
ReturnToService=2
{nodes}
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=gpu Nodes=ALL Default=YES State=UP MaxTime=INFINITE PriorityTier=1
PartitionName=urgent Nodes=ALL State=UP MaxTime=INFINITE PriorityTier=2
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=64 RealMemory=256000 "
    "Gres=gpu:{gpus},shard:{shards} State=UNKNOWN\n"
)


class Absent(Exception):  # noqa: N818  (a reason to skip)
    """There can be no cluster here; the message says why and what to do."""


def settings() -> list[Path]:
    """Returns what tells SLURM's programs of a cluster."""
    files = [SETTINGS / name for name in ("slurm.conf", "gres.conf")]
    return [file for file in files if file.exists()]


def check() -> None:
    """Says whether a cluster can be started here.

    Raises:
        Absent: If programs or rights are missing, or a SLURM that is not ours is set up.
    """
    missing = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    if missing:
        raise Absent(f"no {', '.join(missing)}; as root: {INSTALL}")
    if os.geteuid():
        raise Absent("only root can start SLURM's daemons")
    for file in settings():
        if not file.read_text(encoding="utf-8").startswith(OURS):
            raise Absent(f"{file} belongs to a SLURM in use; it stays as it is")


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens on."""
    with_sockets = [socket.socket() for _ in range(count)]
    try:
        for each in with_sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in with_sockets]
    finally:
        for each in with_sockets:
            each.close()


def wait_for(what: str, condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)


def ask(*command: str) -> str:
    """Returns what a command of SLURM's printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout


def states() -> dict[str, str]:
    """Returns the state of each node as SLURM sees it."""
    told = ask("sinfo", "--noheader", "--Node", "--format=%N %T").split()
    return dict(zip(told[::2], told[1::2], strict=True))


def of_node(node: str) -> set[int]:
    """Returns a node's daemon, the processes of its jobs, and those that watch over them."""
    parents, found = {}, set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid, told = int(entry.name), (entry / "stat").read_text()
            parents[pid] = int(told.rpartition(")")[2].split()[1])
            job = f"SLURMD_NODENAME={node}\0".encode() in (entry / "environ").read_bytes()
            if job or (entry / "cmdline").read_bytes() == f"slurmd\0-D\0-c\0-N\0{node}\0".encode():
                found.add(pid)
    return found | {parents[pid] for pid in found if _is_step(parents[pid])}


def _is_step(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"slurmstepd")


def kill(processes: Iterable[int]) -> None:
    """Ends processes as a power cut does."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Daemons:
    """What runs, and the settings it runs on."""

    def __init__(self, place: Path) -> None:
        """Names the folder that the daemons write into; it is empty."""
        self._place = place
        self._started: list[subprocess.Popen[bytes]] = []
        self._ports = dict(zip(("slurmctld", *NODES), free_ports(1 + len(NODES)), strict=True))

    def start(self) -> None:
        """Writes the settings, starts all daemons, and waits until the nodes take jobs."""
        self._munge()
        self._settings()
        self._begin("slurmctld", "-D", "-c")
        for node in NODES:
            self._begin("slurmd", "-D", "-c", "-N", node)
        wait_for("the nodes", lambda: states() == dict.fromkeys(NODES, "idle"))

    def _munge(self) -> None:
        key = self._place / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        named = ("socket", "pid-file", "log-file", "seed-file")
        files = [f"--{name}={self._place}/munge.{name.partition('-')[0]}" for name in named]
        self._begin("munged", "--foreground", "--force", f"--key-file={key}", *files)
        wait_for("munged", (self._place / "munge.socket").exists)

    def _settings(self) -> None:
        host, slots = socket.gethostname(), ""
        for node in NODES:
            for number in range(GPUS):
                slot = self._place / f"{node}-gpu{number}"
                os.mknod(slot, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
                slots += f"NodeName={node} Name=gpu File={slot}\n"
            slots += f"NodeName={node} Name=shard Count={GPUS * SHARES}\n"
        gres = {"gpus": GPUS, "shards": GPUS * SHARES}
        nodes = "".join(
            NODE.format(name=node, host=host, port=self._ports[node], **gres) for node in NODES
        )
        port = self._ports["slurmctld"]
        text = SLURM_CONF.format(host=host, port=port, place=self._place, nodes=nodes)
        SETTINGS.mkdir(exist_ok=True)
        (SETTINGS / "gres.conf").write_text(OURS + slots, encoding="utf-8")
        (SETTINGS / "slurm.conf").write_text(OURS + text, encoding="utf-8")

    def _begin(self, name: str, *arguments: str) -> None:
        with (self._place / f"{name}.out").open("ab") as said:
            self._started.append(
                subprocess.Popen(
                    [name, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    env={**os.environ, "PATH": PATH},
                    start_new_session=True,
                )
            )

    def stop(self) -> None:
        """Ends all jobs and daemons and removes the settings."""
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["scancel", "--user=root"], check=False, timeout=20)
            wait_for("the jobs' end", lambda: not ask("squeue", "--noheader"), seconds=15)
        for file in settings():
            file.unlink()
        for node in NODES:
            kill(of_node(node))
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> None:
    """Runs the daemons, says so, and stops them when the standard input ends.

    A host has one set of settings: who else wants a cluster there waits until this one is gone.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with TURN.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        daemons = Daemons(Path(sys.argv[1]))
        try:
            daemons.start()
            print("ready", flush=True)
            sys.stdin.read()
        finally:
            daemons.stop()


if __name__ == "__main__":
    main()
