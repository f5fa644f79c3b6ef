"""transfer: resumed where it broke and only where that is safe; what cannot be had is refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import server as web
from acutance import transfer as module
from acutance.errors import Refused
from acutance.transfer import transfer

CONTENT = np.random.default_rng(0).bytes(300_000)
CUT = 200_000


@pytest.fixture
def server():
    with web.running() as running:
        yield running


@pytest.fixture
def get(tmp_path):
    def get(url, *, size=None, checked=False):
        seen = []
        transfer(
            url,
            tmp_path / "f.part",
            tmp_path / "f",
            size=size,
            checked=checked,
            report=lambda done, total: seen.append((done, total)),
            pause=0.001,
        )
        return (tmp_path / "f").read_bytes(), seen

    return get


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_fetches_a_file_and_tells_how_far_it_is(server, get, tmp_path):
    content, seen = get(server.serve("f", CONTENT))
    assert content == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert left(tmp_path) == ["f"]


def test_resumes_where_the_connection_broke(server, get):
    content, _ = get(server.serve("f", CONTENT, cuts=[CUT, 50_000]))
    assert content == CONTENT
    assert server.ranges == ["", f"bytes={CUT}-", f"bytes={CUT + 50_000}-"]


def test_begins_anew_at_a_server_without_ranges(server, get):
    content, _ = get(server.serve("f", CONTENT, ranges=False, cuts=[CUT, 10]))
    assert content == CONTENT
    assert len(server.asked) == 3


@pytest.mark.parametrize("tags", ["weak", "none"])
def test_resumes_nothing_that_neither_name_nor_checksum_would_prove_the_same(server, get, tags):
    content, _ = get(server.serve("f", CONTENT, tags=tags, cuts=[CUT]))
    assert content == CONTENT
    assert server.ranges == ["", ""]


def test_resumes_by_the_checksum_alone(server, get):
    content, _ = get(server.serve("f", CONTENT, tags="none", cuts=[CUT]), checked=True)
    assert content == CONTENT
    assert server.ranges == ["", f"bytes={CUT}-"]


def test_resumes_by_date_where_the_tag_is_weak(server, get):
    date = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    url = server.serve("f", CONTENT, tags="weak", heeds=False, cuts=[CUT], headers=date)
    assert get(url)[0] == CONTENT
    assert server.ranges == ["", f"bytes={CUT}-"]


@pytest.mark.parametrize("heeds", [True, False])
def test_never_joins_two_versions(server, get, tmp_path, heeds):
    url = server.serve("f", CONTENT, cuts=[CUT] + [0] * 9)
    with pytest.raises(Refused, match="broke"):
        get(url)
    assert (tmp_path / "f.part").read_bytes() == CONTENT[:CUT]
    other = bytes(reversed(CONTENT))
    assert get(server.serve("f", other, heeds=heeds))[0] == other


@pytest.mark.parametrize("heeds", [True, False])
def test_begins_anew_when_the_file_has_become_shorter(server, get, heeds):
    url = server.serve("f", CONTENT, cuts=[CUT] + [0] * 9)
    with pytest.raises(Refused):
        get(url)
    assert get(server.serve("f", CONTENT[:1000], heeds=heeds))[0] == CONTENT[:1000]


def test_takes_a_file_that_lacked_only_its_name(server, get, tmp_path):
    (tmp_path / "f.part").write_bytes(CONTENT)
    (tmp_path / "f.part.json").write_text(f'["x", {len(CONTENT)}]')
    assert get(f"{server.address}/f")[0] == CONTENT
    assert server.asked == []


def test_survives_a_damaged_note(server, get, tmp_path):
    (tmp_path / "f.part").write_bytes(b"something else")
    (tmp_path / "f.part.json").write_text("[")
    assert get(server.serve("f", CONTENT))[0] == CONTENT


def test_gives_up_after_breaks_without_a_new_byte(server, get):
    url = server.serve("f", CONTENT, cuts=[CUT] + [0] * 99)
    with pytest.raises(Refused, match="connection broke"):
        get(url)
    assert len(server.asked) == 1 + module.BREAKS + 1


def test_waits_out_a_busy_server(server, get):
    busy = [(503, {"Retry-After": "0"}), (429, {}), (500, {})]
    assert get(server.serve("f", CONTENT, refusals=busy))[0] == CONTENT


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_asks_once_for_what_is_not_there(server, get, status):
    with pytest.raises(Refused, match=f"HTTP {status}"):
        get(server.serve("f", CONTENT, refusals=[(status, {})]))
    assert len(server.asked) == 1


def test_refuses_a_web_page(server, get):
    page = {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(Refused, match="web page"):
        get(server.serve("f", b"<html>Sign in</html>", headers=page))


def test_says_that_nothing_listens(get):
    with web.running() as gone:
        url = f"{gone.address}/f"
    with pytest.raises(Refused, match=r"not reached \(Connection refused\)"):
        get(url)


@pytest.mark.parametrize("url", ["no-scheme/f", "ftp://127.0.0.1/f", "http://"])
def test_refuses_what_is_no_address(get, url):
    with pytest.raises(Refused):
        get(url)


def test_leaves_alone_the_gzip_that_a_server_claims_of_an_archive(server, get):
    content, _ = get(server.serve("f", CONTENT, headers={"Content-Encoding": "x-gzip"}))
    assert content == CONTENT


def test_takes_a_file_without_a_length(server, get):
    content, seen = get(server.serve("f", CONTENT, chunked=True))
    assert content == CONTENT
    assert {total for _, total in seen} == {0}


def test_sees_that_a_file_without_a_length_broke_off(server, get):
    content, _ = get(server.serve("f", CONTENT, chunked=True, cuts=[CUT]))
    assert content == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_refuses_another_size_than_promised(server, get, tmp_path, size, chunked):
    with pytest.raises(Refused, match=f"instead of the promised {size}"):
        get(server.serve("f", CONTENT, chunked=chunked), size=size)
    assert "f" not in left(tmp_path)
    assert "f.part" not in left(tmp_path)


def test_stops_a_stream_without_end(server, get, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 100_000)
    with pytest.raises(Refused, match="instead of the promised"):
        get(server.serve("f", CONTENT, chunked=True))


def test_says_that_there_is_no_room(server, get, monkeypatch):
    monkeypatch.setattr(module, "SPARE", 1 << 60)
    with pytest.raises(Refused, match=r"no room in .* MB needed, .* MB free"):
        get(server.serve("f", CONTENT))


KILLED = """
import sys
from pathlib import Path
from acutance.transfer import transfer
part = Path(sys.argv[2])
transfer(sys.argv[1], part, part.with_suffix(""), size=None, checked=False,
         report=lambda *_: None, pause=0.01)
"""


def test_resumes_after_kill_9(server, get, tmp_path):
    part = tmp_path / "f.part"
    url = server.serve("f", CONTENT, pause=0.005)
    # In a process group of its own, so that nothing of it stays behind.
    process = subprocess.Popen([sys.executable, "-c", KILLED, url, part], start_new_session=True)
    until = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 50_000) and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    have = part.stat().st_size
    assert 50_000 < have < len(CONTENT)
    server.files["f"].pause = 0
    assert get(url)[0] == CONTENT
    assert server.ranges == ["", f"bytes={have}-"]
