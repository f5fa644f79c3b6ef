"""obtain: a file that others offer, from a mirror or an address, never another than promised."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import server as web
from acutance.errors import Refused
from acutance.obtain import obtain
from acutance.released import File, Place

CONTENT = b"weights of others"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def file(**given: Any) -> File:
    plain = {"name": "a.pth", "sha256": SHA256, "sources": (), "by_hand": ""}
    return File(**{**plain, **given})


def get(wanted: File, tmp_path: Path, mirror: Path | None = None) -> Any:
    said: list[str] = []
    downloads = tmp_path / "downloads"
    found = obtain(
        wanted, mirror=mirror, folder="weights", downloads=downloads, say=said.append, pause=0
    )
    return found.path.read_bytes(), found


@pytest.fixture
def server() -> Iterator[web.Server]:
    with web.running() as running:
        yield running


@pytest.mark.parametrize("place", ["weights/a.pth", "a.pth"])
def test_a_mirror_is_looked_in_first(tmp_path: Path, place: str) -> None:
    mirror = tmp_path / "mirror"
    (mirror / "weights").mkdir(parents=True)
    (mirror / place).write_bytes(CONTENT)
    wanted = file(sources=(Place(url="http://127.0.0.1:1/a.pth"),))
    content, found = get(wanted, tmp_path, mirror)
    assert content == CONTENT
    assert found.sha256 == SHA256


def test_a_wrong_copy_in_the_mirror_is_named_and_the_address_is_asked(
    tmp_path: Path, server: web.Server
) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.pth").write_bytes(b"another version")
    url = server.serve("a.pth", CONTENT)
    content, found = get(file(sources=(Place(url=url),)), tmp_path, tmp_path / "mirror")
    assert content == CONTENT
    assert found.origin == url


@pytest.mark.parametrize("digits", [64, 8])
def test_a_download_with_another_checksum_is_refused_and_gone(
    tmp_path: Path, server: web.Server, digits: int
) -> None:
    url = server.serve("a.pth", b"another version")
    with pytest.raises(Refused, match=SHA256[:digits]):
        get(file(sha256=SHA256[:digits], sources=(Place(url=url),)), tmp_path)
    assert not list((tmp_path / "downloads").rglob("*.pth"))


def test_without_a_checksum_what_comes_is_taken_and_its_checksum_said(
    tmp_path: Path, server: web.Server
) -> None:
    url = server.serve("a.pth", CONTENT)
    _, found = get(file(sha256="", sources=(Place(url=url),)), tmp_path)
    assert found.sha256 == SHA256


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"models/{name}.pth", content)
    return made.getvalue()


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_checkpoint_is_taken_out_of_a_zip(
    tmp_path: Path, server: web.Server, mirrored: bool
) -> None:
    content = zipped(a=CONTENT, b=b"other")
    url = server.serve("models.zip", content)
    mirror = tmp_path / "mirror"
    (mirror / "weights").mkdir(parents=True)
    if mirrored:
        (mirror / "weights" / "models.zip").write_bytes(content)
    found, _ = get(file(sources=(Place(url=url, member="*/a.pth"),)), tmp_path, mirror)
    assert found == CONTENT
    assert bool(server.asked) != mirrored


@pytest.mark.parametrize("mirrored", [True, False])
def test_files_that_belong_together_are_taken_as_a_zip_of_the_same_bytes(
    tmp_path: Path, server: web.Server, mirrored: bool
) -> None:
    content = zipped(b2=b"two", a=CONTENT, b1=b"one")
    mirror = tmp_path / "mirror"
    (mirror / "weights").mkdir(parents=True)
    if mirrored:
        (mirror / "weights" / "models.zip").write_bytes(content)
    url = server.serve("models.zip", content)
    found, said = get(file(sha256="", sources=(Place(url=url, members="*/b*"),)), tmp_path, mirror)
    with zipfile.ZipFile(io.BytesIO(found)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held == {"b1.pth": b"one", "b2.pth": b"two"}
    url = server.serve("again.zip", zipped(b1=b"one", b2=b"two"))
    get(file(sha256=said.sha256, sources=(Place(url=url, members="*/b*"),)), tmp_path)


@pytest.mark.parametrize(
    ("content", "member", "words"),
    [
        (zipped(a=CONTENT), "*b.pth", r"0 files in it are called '\*b.pth'"),
        (zipped(a=CONTENT, ab=CONTENT), "*.pth", "2 files in it"),
        (zipped(a=CONTENT)[:40], "*a.pth", "damaged"),
        (zipped(a=b"other"), "*a.pth", "promised"),
    ],
    ids=["none", "two", "damaged", "another"],  # a zip's bytes hold the time
)
def test_a_zip_that_does_not_hold_it_is_refused(
    tmp_path: Path, server: web.Server, content: bytes, member: str, words: str
) -> None:
    url = server.serve("models.zip", content)
    with pytest.raises(Refused, match=words):
        get(file(sources=(Place(url=url, member=member),)), tmp_path)


def test_any_flipped_byte_of_a_packed_zip_is_refused(tmp_path: Path) -> None:
    made, content = io.BytesIO(), bytes(range(64)) * 9
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.pth", content)
    mirror = tmp_path / "mirror"
    (mirror / "weights").mkdir(parents=True)
    wanted = file(
        sha256=hashlib.sha256(content).hexdigest(),
        sources=(Place(url="http://127.0.0.1:9/models.zip", member="a.pth"),),
    )
    for place in range(35, 35 + 40):  # the packed bytes, after a header of 30 and the name
        spoilt = bytearray(made.getvalue())
        spoilt[place] ^= 0xFF
        (mirror / "weights" / "models.zip").write_bytes(spoilt)
        with pytest.raises(Refused):
            get(wanted, tmp_path, mirror)


def test_what_no_program_can_fetch_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        get(file(by_hand="https://example.org/folder"), tmp_path)
    said = str(refused.value)
    assert "https://example.org/folder" in said
    assert "weights/a.pth" in said
    assert "ACUTANCE_MIRROR" in said


def test_each_place_that_failed_is_named(tmp_path: Path, server: web.Server) -> None:
    first = server.serve("one.pth", b"<html>", headers={"Content-Type": "text/html"})
    gone = f"{server.address}/nothing"
    with pytest.raises(Refused) as refused:
        get(file(sources=(Place(url=first), Place(url=gone))), tmp_path)
    assert "a web page came" in str(refused.value)
    assert "404" in str(refused.value)
