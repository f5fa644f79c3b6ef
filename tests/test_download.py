"""download: a file with its checksum, or no file."""

import hashlib
import os
import pty
import subprocess
import sys
import threading

import numpy as np
import pytest

import server as web
from acutance.download import check, download, file_name
from acutance.errors import Refused
from acutance.sets import Source

CONTENT = np.random.default_rng(1).bytes(100_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()  # noqa: S324  # what old archives are published with


@pytest.fixture
def server():
    with web.running() as running:
        yield running


@pytest.fixture
def get(tmp_path):
    lines = []

    def get(url, **promised):
        source = Source(url=url, **promised)
        return download(source, tmp_path, say=lines.append, pause=0.001)

    get.lines = lines
    return get


@pytest.mark.parametrize("promised", [{}, {"sha256": SHA256.upper()}, {"md5": MD5}])
def test_downloads_once(server, get, promised):
    url = server.serve("Set5_HR.tar.gz", CONTENT)
    path = get(url, **promised)
    assert path.name == "Set5_HR.tar.gz"
    assert path.read_bytes() == CONTENT
    assert get(url, **promised) == path
    assert len(server.asked) == 1


@pytest.mark.parametrize("promised", [{"sha256": "0" * 64}, {"md5": "0" * 32}])
def test_a_wrong_file_is_refused_and_gone(server, get, tmp_path, promised):
    url = server.serve("f.zip", CONTENT)
    kind, value = next(iter(promised.items()))
    for times in (1, 2):
        with pytest.raises(Refused, match=f"not the promised {kind} {value}; it was deleted"):
            get(url, **promised)
        assert len(server.asked) == times
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".lock"]


def test_a_file_that_was_damaged_on_disk_is_fetched_anew(server, get):
    url = server.serve("f.zip", CONTENT)
    path = get(url, sha256=SHA256)
    path.write_bytes(CONTENT[:-1])
    assert get(url, sha256=SHA256).read_bytes() == CONTENT


def test_a_beginning_that_belongs_to_another_file_is_caught_by_the_checksum(server, get):
    url = server.serve("f.zip", CONTENT, tags="none")
    place = get(url, sha256=SHA256).parent
    (place / "f.zip").unlink()
    (place / "f.zip.part").write_bytes(bytes(5000))
    with pytest.raises(Refused, match="not the promised"):
        get(url, sha256=SHA256)
    assert get(url, sha256=SHA256).read_bytes() == CONTENT


def test_two_at_once_download_once(server, get):
    url = server.serve("f.zip", CONTENT, pause=0.002)
    found = []
    threads = [threading.Thread(target=lambda: found.append(get(url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == CONTENT for path in found] == [True] * 3
    assert len(server.asked) == 1


def test_progress_comes_in_lines_where_there_is_no_terminal(server, get):
    get(server.serve("f.zip", CONTENT * 20))
    assert 5 <= len(get.lines) <= 10
    assert get.lines[-1] == "f.zip: 100% of 2.0 MB"


ON_A_TERMINAL = """
import sys
from pathlib import Path
from acutance.download import download
from acutance.sets import Source
download(Source(url=sys.argv[1]), Path(sys.argv[2]), say=print)
"""


def test_progress_is_a_bar_on_a_terminal(server, tmp_path):
    url = server.serve("f.zip", CONTENT * 20)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, url, tmp_path]
    done = subprocess.run(command, stderr=theirs, stdout=subprocess.PIPE, timeout=60, check=True)
    os.close(theirs)
    with os.fdopen(ours, "rb") as terminal:
        shown = terminal.read1(65536).decode()
    assert done.stdout == b""
    assert "f.zip" in shown
    assert "2.0/2.0 MB" in shown


def test_left_overs_of_a_killed_process_go(server, get):
    url = server.serve("f.zip", CONTENT)
    place = get(url).parent
    (place / "tmpabc").write_bytes(b"")
    get(url)
    assert sorted(path.name for path in place.iterdir()) == [".lock", "f.zip"]


def test_checks_what_a_mirror_holds(tmp_path):
    path = tmp_path / "f.zip"
    path.write_bytes(CONTENT)
    check(Source(url="http://x/f.zip"), path)
    check(Source(url="http://x/f.zip", sha256=SHA256, md5="0" * 32), path)
    with pytest.raises(Refused, match=f"its md5 is {MD5}, not the promised {'0' * 32}"):
        check(Source(url="http://x/f.zip", md5="0" * 32), path)


def test_names_files_by_address():
    assert file_name("https://x.org/a%20b/General%20100.zip?dl=1#x") == "General 100.zip"
    assert file_name("https://x.org") == "download"
