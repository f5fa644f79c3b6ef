"""archive: gives the pictures that a glob selects, and refuses what would do harm."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from acutance import archive
from acutance.archive import DamagedError, Limits, pictures
from acutance.errors import Refused

LIMITS = Limits(pictures=10, bytes=1000)
FILES = {
    "set/HR/a.png": b"A" * 600,
    "set/HR/b.BMP": b"B",
    "set/LR/a.png": b"small",
    "set/readme.txt": b"text",
    "set/HR/.a.png": b"hidden",
    "__MACOSX/set/HR/a.png": b"shadow",
}
WANTED = [("set/HR/a.png", b"A" * 600), ("set/HR/b.BMP", b"B")]


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.mkdir("set")
        for name, content in files.items():
            file.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes], kind: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=kind) as file:
        folder = tarfile.TarInfo("set")
        folder.type = tarfile.DIRTYPE
        file.addfile(folder)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return path


def packed(path: Path, kind: str, files: dict[str, bytes]) -> Path:
    """An archive of a kind, under a name that says nothing of it."""
    if kind == "zip":
        return make_zip(path, files)
    if kind == "folder":
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        return path
    make_tar(path, files)
    press = {"tar": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind]
    path.write_bytes(press(path.read_bytes()))
    return path


KINDS = ["zip", "tar", "gz", "bz2", "xz", "folder"]


@pytest.mark.parametrize("kind", KINDS)
def test_gives_what_the_glob_selects(tmp_path, kind):
    path = packed(tmp_path / "f", kind, FILES)
    assert sorted(pictures(path, "*/hr/*", LIMITS)) == WANTED
    assert list(pictures(path, "other/*", LIMITS)) == []


def test_reads_tars_of_the_last_century(tmp_path):
    path = make_tar(tmp_path / "f", FILES, tarfile.USTAR_FORMAT)
    old = bytearray(path.read_bytes())
    for at in range(0, len(old), 512):
        if old[at + 257 : at + 262] == b"ustar":
            block = old[at : at + 512]
            block[257:265] = bytes(8)
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
            old[at : at + 512] = block
    path.write_bytes(old)
    assert sorted(pictures(path, "*/HR/*", LIMITS)) == WANTED


def test_a_folder_with_pictures_in_it_is_not_searched_below(tmp_path):
    packed(tmp_path, "folder", FILES | {"c.png": b"C"})
    assert list(pictures(tmp_path, "*", LIMITS)) == [("c.png", b"C")]


OUTSIDE = ["../x.png", "a/../../x.png", "/x.png", "..\\x.png", "C:\\x.png", "C:x.png"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_refuses_paths_that_lead_outside(tmp_path, kind, name):
    path = packed(tmp_path / "f", kind, {name: b"x"} | FILES)
    with pytest.raises(Refused, match="leads outside"):
        list(pictures(path, "*", LIMITS))


def test_two_dots_in_a_name_lead_nowhere(tmp_path):
    path = packed(tmp_path / "f", "zip", {"a..b/x..png": b"x"})
    assert list(pictures(path, "*", LIMITS)) == [("a..b/x..png", b"x")]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_refuses_links_and_devices_in_a_tar(tmp_path, kind):
    with tarfile.open(tmp_path / "f", "w") as file:
        link = tarfile.TarInfo("set/a.png")
        link.type = kind
        link.linkname = "/etc/passwd"
        file.addfile(link)
    with pytest.raises(Refused, match="link or device"):
        list(pictures(tmp_path / "f", "*", LIMITS))


def test_refuses_links_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "f", "w") as file:
        link = zipfile.ZipInfo("set/a.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(Refused, match="is a link"):
        list(pictures(tmp_path / "f", "*", LIMITS))


def test_links_that_nobody_asked_for_do_no_harm(tmp_path):
    with tarfile.open(tmp_path / "f", "w") as file:
        link = tarfile.TarInfo("latest")
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc"
        file.addfile(link)
    assert list(pictures(tmp_path / "f", "*", LIMITS)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_a_picture_that_is_too_large(tmp_path, kind):
    path = packed(tmp_path / "f", kind, {"a.png": bytes(1001)})
    with pytest.raises(Refused, match="larger than 1000 bytes"):
        list(pictures(path, "*", LIMITS))


def test_trusts_no_size_that_a_zip_gives(tmp_path):
    path = make_zip(tmp_path / "f", {"a.png": bytes(100_000)})
    lying = path.read_bytes().replace((100_000).to_bytes(4, "little"), (900).to_bytes(4, "little"))
    path.write_bytes(lying)
    with pytest.raises(Refused):
        list(pictures(path, "*", LIMITS))


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_too_many_pictures(tmp_path, kind):
    path = packed(tmp_path / "f", kind, {f"{n}.png": b"" for n in range(11)})
    with pytest.raises(Refused, match="more than 10 pictures"):
        list(pictures(path, "*", LIMITS))


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_refuses_too_many_members(tmp_path, kind):
    path = packed(tmp_path / "f", kind, FILES)
    with pytest.raises(Refused, match="more than 3 members"):
        list(pictures(path, "*", Limits(members=3, pictures=10, bytes=1000)))


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_refuses_a_tar_that_grows_without_bounds(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(archive, "ROOM", 1 << 20)
    path = packed(tmp_path / "f", kind, {"zeros.dat": bytes(8 << 20)})
    assert path.stat().st_size * archive.RATIO < 8 << 20
    with pytest.raises(Refused, match="taken for a bomb"):
        list(pictures(path, "*", LIMITS))


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz"])
def test_a_truncated_archive_is_damaged(tmp_path, kind):
    noise = bytes(range(256)) * 3
    path = packed(tmp_path / "f", kind, {f"{n}.png": noise for n in range(9)})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DamagedError):
        list(pictures(path, "*", LIMITS))


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"Rar!\x1a\x07"])
def test_what_is_no_archive_is_named(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(DamagedError, match="neither zip nor tar"):
        list(pictures(tmp_path / "f", "*", LIMITS))


def test_a_zip_with_a_password_is_named(tmp_path):
    path = make_zip(tmp_path / "f", {"a.png": b"x"})
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rfind(magic) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="password"):
        list(pictures(path, "*", LIMITS))
