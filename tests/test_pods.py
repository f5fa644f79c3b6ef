"""pods: what a Job of Kubernetes is made of, and what its first process does with a signal.

No cluster: the Job is held against Kubernetes's own description of one, its command is run by a
real shell, as the first process of a namespace.
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

import jsonschema
import pytest
import yaml

from acutance import pods, turn

ROOT = Path(__file__).resolve().parents[1]
PROFILE = ROOT / "workflow/profiles/kubernetes"
SCHEMA = json.loads((ROOT / "tests/golden/kubernetes-job.json").read_text(encoding="utf-8"))
SITE = yaml.safe_load((PROFILE / "job.yaml").read_text(encoding="utf-8"))
PLACE = pods.FOLDER / "one"
EVIL = "$(touch spoilt) `touch spoilt` '; touch spoilt; \"\n# properties = {} $$ $(HOME) {x} --"


def script(body: str, **properties: Any) -> str:
    """A script as Snakemake hands it over."""
    resources = {"mem_mb": 32000, "runtime": 2880, "gpu": 1, "tmpdir": "<TBD>"}
    told = {"rule": "fit", "wildcards": {"run": "a_x2_s0@0"}, "threads": 4, "resources": resources}
    return f"#!/bin/sh\n# properties = {json.dumps({**told, **properties})}\n{body}\n"


def made(text: str, site: dict[str, Any] = SITE, folder: Path = Path("/mine")) -> dict[str, Any]:
    job = pods.manifest(text, site, name="acutance-0", folder=folder, owner=(7, 8))
    jsonschema.validate(job, SCHEMA)
    assert yaml.safe_load(json.dumps(job)) == job, "to kubectl it is YAML"
    return job


def inside(job: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Job's pod and the one container in it."""
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return pod, container


def handed_on(word: str) -> str:
    """A word as a container of no known variables gets it."""
    return re.sub(r"\$\$", "$", word)


def test_a_job_asks_for_what_its_rule_does() -> None:
    job = made(script("true"))
    assert job["metadata"]["name"] == "acutance-0"
    assert job["metadata"]["annotations"]["acutance/job"] == "fit run=a_x2_s0@0"
    assert job["spec"]["backoffLimit"] == 0
    pod, container = inside(job)
    assert pod["restartPolicy"] == "Never"
    assert pod["activeDeadlineSeconds"] == 2880 * 60
    assert pod["terminationGracePeriodSeconds"] == 300
    assert pod["securityContext"] == {"runAsUser": 7, "runAsGroup": 8}
    assert container["resources"] == {
        "requests": {"cpu": "4", "memory": "32000M", "nvidia.com/gpu": "1"},
        "limits": {"memory": "32000M", "nvidia.com/gpu": "1"},
    }
    few = script("true", resources={"mem_mb": 8000, "runtime": 60, "gpu": 0}, threads=8)
    asked = {"requests": {"cpu": "8", "memory": "8000M"}, "limits": {"memory": "8000M"}}
    assert inside(made(few))[1]["resources"] == asked


def test_the_claim_lies_where_the_project_is_unless_the_site_says_otherwise() -> None:
    pod, container = inside(made(script("true")))
    assert container["volumeMounts"] == [{"name": "project", "mountPath": "/mine"}]
    assert container["workingDir"] == "/mine"
    assert {"name": "PYTHONPATH", "value": "/mine/src"} in container["env"]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "acutance"}
    site = json.loads(json.dumps(SITE))
    inside(site)[1]["volumeMounts"][0] |= {"mountPath": "/all", "subPath": "group"}
    site["spec"]["template"]["spec"]["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    pod, container = inside(made(script("true"), site))
    mount = {"name": "project", "mountPath": "/all", "subPath": "group"}
    assert container["volumeMounts"] == [mount]
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists"}]


def test_a_field_that_kubernetes_does_not_know_is_noticed_here() -> None:
    site = json.loads(json.dumps(SITE))
    site["spec"]["template"]["spec"]["restartPolitics"] = "Never"
    with pytest.raises(jsonschema.ValidationError, match="restartPolitics"):
        made(script("true"), site)


def test_names_are_names_wherever_they_come(tmp_path: Path) -> None:
    folder = tmp_path / "a $(touch spoilt) 'b"
    folder.mkdir()
    job = made(script("printf %s '$(HOME) $$'", wildcards={"run": EVIL}), folder=folder)
    assert job["metadata"]["annotations"]["acutance/job"] == f"fit run={EVIL}"
    _, container = inside(job)
    assert not [word for word in container["command"] if "touch" in word]
    command = [handed_on(word) for word in container["command"]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "$(HOME) $$"
    assert [*folder.iterdir()] == []


def namespace() -> list[str]:
    """What runs a command as the first process of a namespace, as in a container."""
    for rights in ([], ["--map-root-user"]):
        words = ["unshare", *rights, "--pid", "--fork", "--mount-proc", "--kill-child"]
        if not subprocess.run([*words, "true"], check=False).returncode:
            return words
    pytest.skip("this machine lets nobody make a namespace of processes (unshare --pid)")


SAVES = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: (Path("saved").touch(), sys.exit(75)))
Path("begun").touch()
time.sleep(60)
"""


def test_all_processes_of_a_pod_are_told_that_it_ends_and_waited_for(tmp_path: Path) -> None:
    body = f"{sys.executable} -c '{SAVES}' && exit 0 || exit 1"
    command = [handed_on(word) for word in inside(made(script(body)))[1]["command"]]
    with subprocess.Popen(
        [*namespace(), *command], cwd=tmp_path, start_new_session=True
    ) as running:
        end = time.monotonic() + 30
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text()
        os.kill(int(children), signal.SIGTERM)
        assert running.wait(30) == 1
    assert (tmp_path / "saved").exists()


@pytest.mark.parametrize("code", [0, 1, 75])
def test_a_pod_ends_as_its_script_does(code: int) -> None:
    command = [handed_on(word) for word in inside(made(script(f"exit {code}")))[1]["command"]]
    assert subprocess.run(command, check=False, timeout=30).returncode == code


def answering(folder: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a `kubectl` that says always the same in front of others."""
    told = folder / "kubectl"
    told.write_text(f"#!/bin/sh\n{answer}\n")
    told.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(folder)
    monkeypatch.setenv(pods.STUDY, "one")
    (folder / PLACE).mkdir(parents=True)
    (folder / PLACE / "acutance-0").touch()


def conditions(*types: str) -> str:
    found = [{"type": each, "status": "True"} for each in types]
    return json.dumps({"metadata": {"name": "acutance-0"}, "status": {"conditions": found}})


ANSWERS = {
    "echo no connection >&2; exit 1": "running",
    "true": "failed",  # somebody deleted it
    f"echo '{conditions()}'": "running",
    f"echo '{conditions('SuccessCriteriaMet', 'Complete')}'": "success",
    f"echo '{conditions('FailureTarget', 'Failed')}'": "failed",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_snakemake_hears_one_of_three_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    answering(tmp_path, answer, monkeypatch)
    assert pods.status("acutance-0") == ANSWERS[answer]
    assert (tmp_path / PLACE / "acutance-0").exists() == (ANSWERS[answer] == "running")


def test_without_a_cluster_nothing_is_asked_and_a_rebuild_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(tmp_path, "touch asked; exit 1", monkeypatch)
    said: list[str] = []
    turn.take(tmp_path, "one", say=said.append)
    assert (tmp_path / "asked").exists(), "a Snakemake was killed here"
    (tmp_path / "asked").unlink()
    (tmp_path / PLACE / "acutance-0").unlink()
    assert pods.left_over(tmp_path, "one") == []
    assert not (tmp_path / "asked").exists()
    assert said == []


@pytest.mark.parametrize("command", ["submit", "status", "cancel"])
def test_a_command_of_the_profile_without_kubectl_says_so(tmp_path: Path, command: str) -> None:
    (tmp_path / "job.sh").write_text(script("true"))
    done = subprocess.run(
        [sys.executable, PROFILE / command, "job.sh"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "kubectl" in done.stderr
