"""A bundle alone rebuilds a study with the network cut off, and is never taken for whole early."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import server
from acutance import bundle
from acutance.cli import main
from acutance.errors import Refused
from acutance.verify import decode
from project import Project, copy_of_the_project

pytestmark = pytest.mark.workflow

BIN = Path(sys.executable).parent
# The `make` that may have started these tests tells its own children more than a shell does.
OUTSIDE = {
    name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")
}
DATASET = """
  waves:
    role: test
    images: 2
    licence: made up
    sources: [{{url: "{url}"}}]
"""


def cut_off() -> list[str]:
    """What runs a command in a network of its own, which has no way out; a skip says it cannot."""
    for words in (["unshare", "-n"], ["unshare", "-r", "-n"]):
        if shutil.which("unshare") and not subprocess.run([*words, "true"], check=False).returncode:
            return words
    pytest.skip("this machine lets nobody make a network of its own (unshare -n)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository whose study tests on a set that a server offers; the server is gone by then."""
    project = copy_of_the_project(tmp_path_factory.mktemp("made") / "project")
    archive, rows = project.folder.parent / "waves.zip", ["name,width,height,mode,sha256"]
    with zipfile.ZipFile(archive, "w") as packed:
        for number in (1, 2):
            ramp = np.arange(48 * 60 * 3, dtype=np.uint32).reshape(48, 60, 3) * number % 251
            file = project.folder.parent / f"wave{number}.png"
            Image.fromarray(ramp.astype(np.uint8)).save(file)
            packed.write(file, file.name)
            sha256 = decode(file.name, file.read_bytes()).sha256
            rows.append(f"wave{number},60,48,RGB,{sha256}")
    manifest = project.folder / "data/manifests/waves.csv"
    manifest.write_text("\n".join(rows) + "\n")
    study = "workflow/studies/tiny.yaml"
    project.edit(study, "systems: [espcn, espcn+gv]", "systems: [espcn]")
    project.edit(study, "test: {datasets: [photographs]", "test: {datasets: [photographs, waves]")
    with server.running() as http:
        url = http.serve("waves.zip", archive.read_bytes())
        project.edit("params.yaml", "\ndatasets:\n", "\ndatasets:" + DATASET.format(url=url))
        project.run("git", "init", "--quiet", "--initial-branch=main")
        project.run("git", "add", "--all")
        who = ["-c", "user.name=A Reader", "-c", "user.email=reader@example.org"]
        project.run("git", *who, "commit", "--quiet", "--message", "as published")
        assert pack(project) == 0
        assert [name for name, _ in http.asked] == ["waves.zip"]
    return project


def pack(project: Project) -> int:
    out = project.folder.parent / "bundle"
    return main(["--root", str(project.folder), "bundle", "--no-wheels", "--out", str(out)])


def make(folder: Path, *words: str, before: list[str] | None = None) -> tuple[int, str]:
    """Runs `make` in a copy of the bundle, with this environment's Snakemake."""
    dest = folder / "acutance"
    done = subprocess.run(
        [*(before or []), "make", f"SNAKEMAKE={BIN / 'snakemake'}", *words],
        cwd=folder,
        env={**OUTSIDE, "PYTHONPATH": str(dest / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_bundle_alone_rebuilds_the_study_with_the_network_cut_off(
    made: Project, tmp_path: Path
) -> None:
    alone = cut_off()
    folder = tmp_path / "carried"
    shutil.copytree(made.folder.parent / "bundle", folder)
    asked = ["curl", "--silent", "--max-time", "5", "http://127.0.0.1:9/"]
    assert subprocess.run([*alone, *asked], check=False).returncode == 7, "no way out"
    code, said = make(folder, before=alone)
    assert code == 0, said
    table = (folder / "acutance/results/tables/tiny/metrics.json").read_text()
    assert "waves x2" in table
    assert (folder / "acutance/reports/tiny/index.html").is_file()
    origin = subprocess.run(
        ["git", "-C", folder / "acutance", "log", "-1", "--format=%s"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert origin.stdout == "as published\n"


@pytest.mark.parametrize("file", ["mirror/waves/wave2.png", "acutance.bundle"])
def test_damage_on_the_way_is_noticed_before_anything_is_built(
    made: Project, tmp_path: Path, file: str
) -> None:
    folder = tmp_path / "carried"
    shutil.copytree(made.folder.parent / "bundle", folder)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    code, said = make(folder)
    assert code != 0
    assert f"{file}: FAILED" in said
    assert not (folder / "acutance").exists()


def test_a_bundle_that_was_cut_short_never_looks_whole_and_is_gone_on_with(
    made: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = made.folder.parent / "bundle"
    whole = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    kept = (out / "mirror/waves/wave1.png").stat().st_ino

    class KilledError(BaseException):
        """As SIGKILL: nothing tidies up."""

    def killed(*_: object, **__: object) -> None:
        (out / ".half.partial").touch()
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("acutance.bundle.add_project", killed)
        with pytest.raises(KilledError):
            pack(made)
    code, said = make(out, "check")
    assert code != 0
    assert "this bundle is not whole" in said
    assert pack(made) == 0
    assert "all that 'tiny' needs" in capsys.readouterr().out
    after = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert after.keys() == whole.keys()
    assert (out / "mirror/waves/wave1.png").stat().st_ino == kept, "was right, so was not written"
    assert make(out, "check") == (0, "")


def test_what_no_commit_holds_and_what_is_no_bundle_are_refused(
    made: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (made.folder / "note.txt").touch()
    assert pack(made) == 2
    assert "note.txt: not committed; a bundle carries what is" in capsys.readouterr().err
    (made.folder / "note.txt").unlink()
    (tmp_path / "precious").touch()
    words = ["--root", str(made.folder), "bundle", "--out", str(tmp_path)]
    assert main(words) == 2
    assert "holds something else" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["precious"]


def wheel(folder: Path, name: str) -> None:
    """A whole wheel of an empty package."""
    about = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    built = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{about}/METADATA", metadata)
        packed.writestr(f"{about}/WHEEL", built)
        packed.writestr(f"{about}/RECORD", "")


def test_every_pin_becomes_a_wheel_by_the_real_pip_or_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two empty packages; that the real pins install from wheels is for a place with disk."""
    index = tmp_path / "index"
    index.mkdir()
    for name in ("acutance_pin", "acutance_builder"):
        wheel(index, name)
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["acutance_builder"]\n')
    (tmp_path / "requirements.txt").write_text("acutance_pin==1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", index.as_uri())
    bundle.add_wheels(tmp_path, tmp_path / "out")
    names = sorted(path.name.partition("-")[0] for path in (tmp_path / "out/wheels").iterdir())
    assert names == ["acutance_builder", "acutance_pin"]
    (tmp_path / "requirements.txt").write_text("acutance_pin==2.0\n")
    with pytest.raises(Refused, match=r"No matching distribution found for acutance_pin==2\.0"):
        bundle.add_wheels(tmp_path, tmp_path / "out")
