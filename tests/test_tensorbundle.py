"""TensorFlow's checkpoints: one that TensorFlow 2.21 wrote, and what may be wrong with others.

It holds GEN/conv1/conv2d/kernel (3 x 3 x 1 x 2: quarters from 0 on), GEN/conv1/conv2d/bias, a
float16 matrix and a whole number; the second one a word. Both were written by
`tf.compat.v1.train.Saver().save(session, path)`.
"""

import zipfile
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from acutance.errors import Refused
from acutance.foreign import read

INDEX = b64decode(
    "AAAGCAEaAggBABUPR0VOL2NvbnYxL2NvbnYyZC9iaWFzCAESBBICCAIoCDUS/fZXEQYda2VybmVsCAESEBICCAMSAggDEgII"
    "ARICCAIgCChINQCq9kEACw1nbG9iYWxfc3RlcAgJEgAgUCgINUXzRvQABBVoYWxmCBMSCBICCAESAggDIFgoBjUAsW6NAAAA"
    "AAEAAAAA7r5Y6gAAAAABAAAAAMDyobAAAQNpAJUBAAAAAAEAAAAAdLx4BJoBCKcBDwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAABX+4CLJHVH2w=="
)
VALUES = b64decode(
    "AADAvwAAAAAAAAAAAACAPgAAAD8AAEA/AACAPwAAoD8AAMA/AADgPwAAAEAAABBAAAAgQAAAMEAAAEBAAABQQAAAYEAAAHBA"
    "AACAQAAAiEBwEQEAAAAAAAA4AEAAwg=="
)
WORD = b64decode(
    "AAAGCAEaAggBAAQLd29yZAgHEgAoCTUbTDM/AAAAAAEAAAAAA852kAAAAAABAAAAAMDyobAAAQJ4ACMAAAAAAQAAAAD8nWJm"
    "KAg1DgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFf7gIskdUfb"
)
ENDS = (".index", ".data-00000-of-00001")


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def checkpoint(path: Path, index: bytes = INDEX, values: bytes = VALUES) -> Path:
    files = dict(zip(ENDS, (index, values), strict=True))
    return zipped(path, {f"Model/a{end}": content for end, content in files.items()})


def test_what_tensorflow_wrote(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "a.zip")
    found = read(path)
    assert found.kind == "TensorFlow checkpoint"
    names = ["GEN/conv1/conv2d/bias", "GEN/conv1/conv2d/kernel", "global_step", "half"]
    assert list(found.weights) == names
    bias, kernel, step, half = found.weights.values()
    assert torch.equal(bias, torch.tensor([-1.5, 0]))
    assert torch.equal(kernel, torch.arange(18).reshape(3, 3, 1, 2) / 4)
    assert torch.equal(step, torch.tensor(70000))
    assert torch.equal(half, torch.tensor([[0.5, 2, -3]], dtype=torch.float16))


TWO = INDEX.replace(b"\x08\x01\x1a\x02\x08\x01", b"\x08\x02\x1a\x02\x08\x01")
SHORT = INDEX.replace(b"\x12\x02\x08\x01\x12\x02\x08\x02", b"\x12\x02\x08\x01\x12\x02\x08\x03")
# the byte behind the first block says how it is compressed
BEHIND = INDEX.index(b"\0\0\0\0\1\0\0\0") + 8
SNAPPY = INDEX[:BEHIND] + b"\1" + INDEX[BEHIND + 1 :]


@pytest.mark.parametrize(
    ("index", "values", "words"),
    [
        (INDEX[:-1], VALUES, "whose index breaks off"),
        (b"", VALUES, "whose index breaks off"),
        (TWO, VALUES, "in several files of values"),
        (SNAPPY, VALUES, "with a compressed index"),
        (INDEX, VALUES[:-1], "whose values break off at 'half'"),
        (SHORT, VALUES, "whose values break off at 'GEN/conv1/conv2d/kernel'"),
        (WORD, VALUES, "whose 'word' is no plain array of numbers"),
    ],
    ids=["cut", "empty", "two", "compressed", "less", "shape", "word"],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, index: bytes, values: bytes, words: str
) -> None:
    path = checkpoint(tmp_path / "a.zip", index, values)
    with pytest.raises(Refused) as refused:
        read(path)
    assert str(refused.value).startswith(str(path))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_spoilt_byte_of_the_index_ends_in_anything_but_numbers_or_a_refusal(
    tmp_path: Path,
) -> None:
    refusals = 0
    for place in range(len(INDEX)):
        for value in (0, INDEX[place] ^ 0x80, 255):
            spoilt = INDEX[:place] + bytes([value]) + INDEX[place + 1 :]
            try:
                read(checkpoint(tmp_path / "a.zip", spoilt))
            except Refused:
                refusals += 1
    assert refusals > len(INDEX)


def test_a_zip_of_two_checkpoints_wants_to_be_told_which(tmp_path: Path) -> None:
    files = {f"{name}{end}": INDEX for name in "ab" for end in ENDS}
    with pytest.raises(Refused, match=r"2 files '\*\.index'; zip one checkpoint alone"):
        read(zipped(tmp_path / "a.zip", files))
    with pytest.raises(Refused, match=r"0 files '\*\.data-00000-of-00001'"):
        read(zipped(tmp_path / "a.zip", {"a.index": INDEX}))
