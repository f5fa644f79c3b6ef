"""Snakemake's jobs as Jobs of Kubernetes, by `kubectl`: started, asked about, ended.

The profile `kubernetes` calls these three; its `job.yaml` holds what a site decides, the rest of a
Job is filled in here. The name of each Job lies in the project's folder from before it is made
until it is known to have ended, so that the next Snakemake finds what a killed one left.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(".snakemake/kubernetes")
STUDY = "ACUTANCE_STUDY"  # a variable by which the profile's commands know whose Jobs these are
PATIENCE = 60.0  # seconds for an answer of the cluster
# Kubernetes tells a container's first process alone that it shall end, and the kernel lets a first
# process miss signals that it has no trap for. This one tells all, and waits until they have saved:
# when it ends, so does the container.
FIRST = """trap 'trap "" TERM; kill -TERM 0' TERM
/bin/sh -c "trap : TERM; $1" & child=$!
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
exit "$code"
"""


def manifest(
    script: str, site: Mapping[str, Any], *, name: str, folder: Path, owner: tuple[int, int]
) -> dict[str, Any]:
    """Returns a Job that runs a script of Snakemake's.

    Args:
        script: The script, with its line of properties.
        site: A Job as the site wants it: image, volume, whatever else its pods need.
        name: Of the Job.
        folder: The project's folder, which the volume has at the same place.
        owner: User and group to run as: those that the folder's files shall have.
    """
    _, told, body = re.split(r"(?m)^# properties = (.*)$", script, maxsplit=1)
    job = json.loads(told)
    made: dict[str, Any] = json.loads(json.dumps(site))
    named = " ".join(f"{key}={value}" for key, value in job.get("wildcards", {}).items())
    labels = {"app.kubernetes.io/name": "acutance", "app.kubernetes.io/component": job["rule"]}
    annotations = {"acutance/folder": str(folder), "acutance/job": f"{job['rule']} {named}".strip()}
    pod = made["spec"]["template"]["spec"]
    made["metadata"] = {**made.get("metadata", {}), "name": name, "annotations": annotations}
    made["metadata"]["labels"] = {**made["metadata"].get("labels", {}), **labels}
    made["spec"]["template"].setdefault("metadata", {})["labels"] = labels
    # Of the pod, so that the time in which it waits for a GPU does not count.
    pod["activeDeadlineSeconds"] = 60 * job["resources"]["runtime"]
    pod["securityContext"] = {
        "runAsUser": owner[0],
        "runAsGroup": owner[1],
        **pod.get("securityContext", {}),
    }
    (container,) = pod["containers"]
    container["command"] = [
        literally(word) for word in ("/bin/sh", "-c", FIRST, "sh", body.strip())
    ]
    container["workingDir"] = str(folder)
    container["resources"] = resources(job)
    source = {"name": "PYTHONPATH", "value": literally(str(folder / "src"))}
    container["env"] = [source, *container.get("env", [])]
    for mount in container["volumeMounts"]:
        mount.setdefault("mountPath", str(folder))
    return made


def literally(text: str) -> str:
    """Returns a text that Kubernetes hands on as `text`: it would replace `$(NAME)` in it."""
    return text.replace("$", "$$")


def resources(job: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Returns what a job asks for. It may use more cores where they are idle."""
    asked = {"memory": f"{job['resources']['mem_mb']}M"}
    if gpus := job["resources"].get("gpu"):
        asked["nvidia.com/gpu"] = str(gpus)
    return {"requests": {"cpu": str(job["threads"]), **asked}, "limits": asked}


def kubectl(*words: str, given: str | None = None) -> str | None:
    """Returns the cluster's answer, or None where there is none: standard error says why."""
    try:
        done = subprocess.run(
            [_kubectl(), *words],
            input=given,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"kubectl: {error}", file=sys.stderr)
        return None
    return None if done.returncode else done.stdout


def _ours() -> Path:
    return FOLDER / os.environ.get(STUDY, "any")


def _kubectl() -> str:
    return shutil.which("kubectl") or "kubectl"


def submit(script: Path, site: Path) -> int:
    """Makes a Job, and prints its name, as Snakemake wants it; returns the exit status."""
    name = f"acutance-{secrets.token_hex(8)}"
    job = manifest(
        script.read_text(encoding="utf-8"),
        yaml.safe_load(site.read_text(encoding="utf-8")),
        name=name,
        folder=Path.cwd(),
        owner=(os.getuid(), os.getgid()),
    )
    _ours().mkdir(parents=True, exist_ok=True)
    (_ours() / name).touch()
    if kubectl("create", "--filename=-", given=json.dumps(job)) is None:
        return 1
    print(name)
    return 0


def status(name: str) -> str:
    """Returns what Snakemake wants to hear of a Job: `running`, `success` or `failed`.

    A Job that is gone has failed. Where the cluster does not answer, it may be running.
    """
    told = kubectl("get", "job", name, "--ignore-not-found", "--output=json")
    if told is None:
        return "running"
    if (said := _end(json.loads(told)) if told.strip() else "failed") != "running":
        (_ours() / name).unlink(missing_ok=True)
    return said


def _end(job: Mapping[str, Any]) -> str:
    true = {c["type"] for c in job.get("status", {}).get("conditions", []) if c["status"] == "True"}
    return "success" if "Complete" in true else "failed" if "Failed" in true else "running"


def cancel(names: list[str]) -> None:
    """Asks for the end of Jobs: their pods save and leave, then the Jobs vanish.

    `kubectl` goes on by itself where Snakemake, which waits two seconds for it, ends this process.
    """
    words = ("--cascade=foreground", "--wait=false", "--ignore-not-found")
    command = [_kubectl(), "delete", "job", *names, *words]
    ended = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    ended.wait(PATIENCE)


def left_over(root: Path, study: str) -> list[str]:
    """Returns the Jobs of a study in a folder that have not ended; forgets those that have."""
    place = root / FOLDER / study
    names = sorted(path.name for path in place.glob("acutance-*"))
    if not names:
        return []
    told = kubectl("get", "job", *names, "--ignore-not-found", "--output=json")
    if told is None:
        return []
    found = json.loads(told) if told.strip() else {"items": []}
    jobs = found.get("items", [found])
    going = {job["metadata"]["name"] for job in jobs if _end(job) == "running"}
    for name in set(names) - going:
        (place / name).unlink(missing_ok=True)
    return sorted(going)


def end(root: Path, study: str) -> None:
    """Ends the Jobs of a study, if any: Snakemake forgets some when it is interrupted."""
    if jobs := left_over(root, study):
        cancel(jobs)


def main(site: Path, words: list[str]) -> int:
    """Does what the profile's commands are called for; returns the exit status."""
    verb, *rest = words
    if verb == "submit":
        return submit(Path(rest[-1]), site)
    if verb == "cancel":
        cancel(rest)
    else:
        print(status(rest[0]))
    return 0


def called(file: str) -> None:
    """Ends this process as one of the profile's commands, which is named by its file."""
    path = Path(file)
    sys.exit(main(path.with_name("job.yaml"), [path.name, *sys.argv[1:]]))
