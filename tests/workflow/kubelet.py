"""A stand-in for Kubernetes, where none can run: `kubectl` and a node in one, for tests.

It keeps Jobs as files of a folder, and runs a Job's command at once, as a node would: in a PID
namespace where it is the first process, under the host name of its pod, with what the manifest
says of folder and variables and nothing else; whom it ends it tells by SIGTERM to that first
process alone. No image, no volume, no limits, no scheduler: of these it shows nothing.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

JOBS = Path(
    os.environ.get("PRETENDED_JOBS", ".")
)  # always given; tests that look for examples import this
POD = ["unshare", "--pid", "--fork", "--mount-proc", "--uts", "--kill-child"]
NAMED = 'echo "$0" >/proc/sys/kernel/hostname; exec "$@"'


def handed_on(text: str, variables: dict[str, str]) -> str:
    """A word of a command or a variable as Kubernetes hands it on."""
    known = lambda found: variables.get(found[1], found[0]) if found[1] else "$"  # noqa: E731
    return re.sub(r"\$\$|\$\((\w+)\)", known, text)


def run(file: Path) -> None:
    """Runs a Job to its end, which its file then tells."""
    job = json.loads(file.read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    variables = {"PATH": os.environ["PATH"], "PRETENDED": "1"}
    for each in container["env"]:
        variables[each["name"]] = handed_on(each["value"], variables)
    with file.with_suffix(".log").open("wb") as log:
        words = [handed_on(word, variables) for word in container["command"]]
        pod = subprocess.Popen(
            [*POD, "sh", "-c", NAMED, f"{file.stem}-pod", *words],
            cwd=container["workingDir"],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        asked = False
        while pod.poll() is None:
            if file.with_suffix(".end").exists() and not asked:
                (first,) = Path(f"/proc/{pod.pid}/task/{pod.pid}/children").read_text().split()
                os.kill(int(first), signal.SIGTERM)
                asked = True
            time.sleep(0.05)
    if asked:
        file.unlink()
    else:
        end = "Failed" if pod.returncode else "Complete"
        save(file, {**job, "status": {"conditions": [{"type": end, "status": "True"}]}})


def save(file: Path, job: dict[str, Any]) -> None:
    whole = file.with_suffix(".partial")
    whole.write_text(json.dumps(job))
    whole.replace(file)


def main(verb: str, *words: str) -> None:
    names = [word for word in words if word != "job" and not word.startswith("--")]
    files = [JOBS / f"{name}.json" for name in names]
    if verb == "create":
        job = json.load(sys.stdin)
        file = JOBS / f"{job['metadata']['name']}.json"
        save(file, job)
        (file.parent / "asked").mkdir(exist_ok=True)
        save(file.parent / "asked" / file.name, job)
        node = [sys.executable, __file__, "run", str(file)]
        quiet = subprocess.DEVNULL
        subprocess.Popen(node, start_new_session=True, stdin=quiet, stdout=quiet, stderr=quiet)
        print(f"job.batch/{file.stem} created")
    elif verb == "delete":
        for file in files:
            file.with_suffix(".end").touch()
    elif found := [json.loads(file.read_text()) for file in files if file.exists()]:
        print(json.dumps(found[0] if len(names) == 1 else {"kind": "List", "items": found}))


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(Path(sys.argv[2]))
    else:
        main(*sys.argv[1:])
