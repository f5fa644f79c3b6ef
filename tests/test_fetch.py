"""fetch: the originals and nothing else, from wherever they are; else a word on each place."""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace

import numpy as np
import pytest

import server as web
from acutance import archive
from acutance.errors import Refused
from acutance.sets import Source
from trio import GOOD, PIXELS, Kitchen, bare, dataset, encoded, tarred, zipped


@pytest.fixture
def kitchen(tmp_path):
    with web.running() as server:
        yield Kitchen(tmp_path, server)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_good_archive(kitchen, pack):
    kitchen.fetch(dataset(kitchen.source("a", pack(GOOD), "set/HR/*.png")))
    kitchen.assert_whole()
    assert (kitchen.out / "cat.png").read_bytes() == GOOD["set/HR/cat.png"]
    assert kitchen.said[-1] == "trio: 3 images, each verified"


def test_names_and_formats_do_not_matter(kitchen):
    forms = ("TIFF", "BMP", "PNG")
    files = {f"{f}.{f.lower()}": encoded(p, f) for f, p in zip(forms, PIXELS.values(), strict=True)}
    kitchen.fetch(dataset(kitchen.source("a.zip", zipped(files))))
    kitchen.assert_whole()


def test_a_truncated_transfer_is_resumed(kitchen):
    content = zipped(GOOD)
    kitchen.fetch(dataset(kitchen.source("a.zip", content, cuts=[len(content) // 2])))
    kitchen.assert_whole()
    assert kitchen.server.ranges == ["", f"bytes={len(content) // 2}-"]


def test_a_truncated_archive_is_deleted_and_the_next_source_used(kitchen):
    short = kitchen.source("a.zip", zipped(GOOD)[:-100])
    kitchen.fetch(dataset(short, kitchen.source("b.zip", zipped(GOOD))))
    kitchen.assert_whole()
    assert "; the download was deleted" in " ".join(kitchen.said)
    assert [p.name for p in kitchen.downloads.rglob("*.zip")] == ["b.zip"]


def test_a_truncated_archive_does_not_lie_in_the_way_of_the_next_run(kitchen):
    source = kitchen.source("a.tgz", tarred(GOOD)[:-100])
    assert "the download was deleted" in kitchen.refused(dataset(source))
    kitchen.server.serve("a.tgz", tarred(GOOD))
    kitchen.fetch(dataset(source))
    kitchen.assert_whole()


def test_a_wrong_image_is_named_and_taken_from_the_next_source(kitchen):
    wrong = GOOD | {"set/HR/cat.png": encoded(PIXELS["cat"] ^ 1)}
    bad = kitchen.source("a.zip", zipped(wrong))
    message = kitchen.refused(dataset(bad))
    assert message.startswith("fetch trio: 1 of 3 images cannot be had: cat\n")
    assert f"{bad.url}: 1 of 3 images lack the original; same size, other pixels: cat" in message
    good = kitchen.source("b.zip", zipped({"x.png": GOOD["set/HR/cat.png"]}))
    kitchen.fetch(dataset(bad, good))
    kitchen.assert_whole()


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_path_that_leads_outside_is_refused(kitchen, pack, tmp_path):
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    message = kitchen.refused(dataset(kitchen.source("a", pack({"../x.png": b"x"} | GOOD))))
    assert "member '../x.png' leads outside the archive" in message
    after = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert {path.name for path in after} == {"a", ".lock"}


def test_a_link_is_refused(kitchen):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        link = tarfile.TarInfo("cat.png")
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc/passwd"
        file.addfile(link)
    assert "link" in kitchen.refused(dataset(kitchen.source("a.tar", buffer.getvalue())))


def test_a_bomb_is_refused(kitchen, monkeypatch):
    monkeypatch.setattr(archive, "ROOM", 1 << 16)
    message = kitchen.refused(dataset(kitchen.source("a.tgz", tarred({"0.dat": bytes(1 << 24)}))))
    assert "taken for a bomb" in message
    message = kitchen.refused(dataset(kitchen.source("a.zip", zipped({"0.png": bytes(1 << 24)}))))
    assert "taken for a bomb" in message


def test_after_404_comes_the_next_source(kitchen):
    gone = Source(url=f"{kitchen.server.address}/gone.zip")
    kitchen.fetch(dataset(gone, kitchen.source("b.zip", zipped(GOOD))))
    kitchen.assert_whole()
    assert "trio: HTTP 404 Not Found" in kitchen.said


def test_without_a_network_says_what_to_put_where(kitchen):
    with web.running() as dead:
        first, second = f"{dead.address}/x/trio_HR.tar.gz", f"{dead.address}/a/lab/archive/4f.zip"
    message = kitchen.refused(dataset(Source(url=first), Source(url=second)))
    assert message.splitlines() == [
        "fetch trio: 3 of 3 images cannot be had: cat, coffee, man",
        f"  {first}: not reached (Connection refused)",
        f"  {second}: not reached (Connection refused)",
        "Put one of these into a folder, and name that folder in ACUTANCE_MIRROR:",
        f"  trio_HR.tar.gz  from {first}",
        f"  lab-4f.zip  from {second}",
        "  trio/  the images: any names, any format without loss",
    ]


def test_a_web_page_instead_of_an_archive_is_deleted(kitchen):
    message = kitchen.refused(dataset(kitchen.source("a.zip", b"<html>Sign in</html>")))
    assert "neither zip nor tar; it begins with b'<html>Sign in</" in message
    assert not list(kitchen.downloads.rglob("*.zip"))


def test_what_the_checksum_promised_is_not_fetched_again_for_being_no_archive(kitchen):
    source = kitchen.source("a.rar", b"Rar!")
    promised = replace(source, sha256=hashlib.sha256(b"Rar!").hexdigest())
    for _ in range(2):
        assert "neither zip nor tar" in kitchen.refused(dataset(promised))
    assert len(kitchen.server.asked) == 1


def test_a_wrong_checksum_is_refused_whatever_the_pixels(kitchen):
    good = kitchen.source("a.zip", zipped(GOOD))
    message = kitchen.refused(dataset(replace(good, sha256="0" * 64)))
    assert "not the promised sha256 000" in message
    kitchen.fetch(dataset(replace(good, sha256=hashlib.sha256(zipped(GOOD)).hexdigest())))
    kitchen.assert_whole()


def test_without_a_manifest_the_checksum_decides(kitchen):
    source = kitchen.source("a.zip", zipped(GOOD))
    assert "nothing can verify it" in kitchen.refused(bare(source))
    known = replace(source, md5=hashlib.md5(zipped(GOOD)).hexdigest())  # noqa: S324
    kitchen.fetch(bare(known))
    kitchen.assert_whole()


def test_without_a_manifest_the_number_must_be_right(kitchen):
    def source(files):
        found = kitchen.source("a.zip", zipped(files))
        return replace(found, sha256=hashlib.sha256(zipped(files)).hexdigest())

    assert "3 images instead of 4" in kitchen.refused(bare(source(GOOD), images=4))
    assert "3 images instead of 2" in kitchen.refused(bare(source(GOOD), images=2))
    twice = source(GOOD | {"LR/cat.png": GOOD["set/HR/cat.png"]})
    assert "two images are called 'cat'" in kitchen.refused(bare(twice, images=4))
    broken = source(GOOD | {"set/HR/dog.png": b"text"})
    assert "'set/HR/dog.png' cannot be decoded" in kitchen.refused(bare(broken, images=4))
    kitchen.fetch(bare(replace(broken, members="*/c*"), source(GOOD)))
    kitchen.assert_whole()


def test_a_plain_folder_without_a_manifest_is_refused(kitchen):
    for name, content in GOOD.items():
        kitchen.put(f"trio/{name}", content)
    message = kitchen.refused(bare(kitchen.source("a.zip", b"")), mirror=True)
    assert "nothing can verify it: the data set has no manifest; give the archive" in message


@pytest.mark.parametrize("folder", ["trio", "Trio", "TRIO/original/HR"])
def test_a_mirror_with_a_plain_folder(kitchen, folder):
    for number, pixels in enumerate(PIXELS.values()):
        kitchen.put(f"{folder}/{number}.bmp", encoded(pixels, "BMP"))
    kitchen.fetch(dataset(kitchen.source("a.zip", b"")), mirror=True)
    kitchen.assert_whole()
    assert kitchen.server.asked == []


@pytest.mark.parametrize("name", ["4f.zip", "lab-4f.zip", "trio.zip"])
def test_a_mirror_with_an_archive(kitchen, name):
    kitchen.put(name, zipped(GOOD))
    source = Source(url=f"{kitchen.server.address}/somebody/lab/archive/4f.zip")
    kitchen.fetch(dataset(source), mirror=True)
    kitchen.assert_whole()
    assert kitchen.server.asked == []


def test_a_wrong_archive_in_the_mirror_is_named_and_left_alone(kitchen):
    kitchen.put("a.zip", zipped(GOOD)[:-50])
    kitchen.put("b.zip", zipped(GOOD))
    a = kitchen.source("a.zip", zipped(GOOD))
    b = Source(url=f"{kitchen.server.address}/b.zip", sha256="0" * 64)
    kitchen.fetch(dataset(a, b), mirror=True)
    kitchen.assert_whole()
    said = "\n".join(kitchen.said)
    assert "damaged archive" in said
    assert "not the promised 000" in said
    assert len(list(kitchen.mirror.iterdir())) == 2


def test_a_mirror_that_lacks_it_is_named(kitchen):
    kitchen.put("other.zip", b"")
    message = kitchen.refused(dataset(Source(url=f"{kitchen.server.address}/a.zip")), mirror=True)
    assert f"mirror {kitchen.mirror}: neither a folder 'trio' nor one of" in message
    assert "HTTP 404" in message


def test_a_mirror_that_is_not_there_is_refused_at_once(kitchen):
    with pytest.raises(Refused, match=r"ACUTANCE_MIRROR: no folder '.*mirror'"):
        kitchen.fetch(dataset(kitchen.source("a.zip", zipped(GOOD))), mirror=True)


def test_a_full_disk_is_named(kitchen):
    source = kitchen.source("a.zip", zipped(GOOD))
    kitchen.fetch(dataset(source))
    kept = next(kitchen.downloads.rglob("a.zip"))
    kept.unlink()
    (kept.parent / "a.zip.part").symlink_to("/dev/full")
    shutil.rmtree(kitchen.out)
    assert "no space left on its disk; make room" in kitchen.refused(dataset(source))


def test_a_folder_that_cannot_be_made_is_named(kitchen):
    kitchen.downloads.write_text("a file where a folder should be")
    message = kitchen.refused(dataset(kitchen.source("a.zip", zipped(GOOD))))
    assert message.startswith(f"fetch trio: to '{kitchen.out}' by way of '{kitchen.downloads}': ")
    assert "\n" not in message


KILLED = """
import sys
from pathlib import Path
from acutance.fetch import fetch
from acutance.sets import Dataset, Source
source = Source(url=sys.argv[1])
wanted = Dataset(name="trio", role="test", images=3, licence="", cite="", sources=(source,),
                 pictures=())
fetch(wanted, Path(sys.argv[3]), downloads=Path(sys.argv[2]), say=print)
"""


def test_what_kill_9_leaves_is_taken_up(kitchen):
    noise = np.random.default_rng(0).bytes(200_000)
    content = zipped({"noise.dat": noise} | GOOD)
    source = kitchen.source("a.zip", content, pause=0.005)
    command = [sys.executable, "-c", KILLED, str(source.url), kitchen.downloads, kitchen.out]
    process = subprocess.Popen(command, start_new_session=True)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        parts = [part.stat().st_size for part in kitchen.downloads.rglob("*.part")]
        if parts and parts[0] > 50_000:
            break
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not kitchen.out.exists()
    kitchen.server.files["a.zip"].pause = 0
    kitchen.fetch(dataset(source))
    kitchen.assert_whole()
    begin = int(kitchen.server.ranges[-1].removeprefix("bytes=").removesuffix("-"))
    assert 50_000 < begin < len(content)
    assert [p.name for p in kitchen.out.parent.iterdir()] == [kitchen.out.name]
