"""Foreign pickles that would do harm are refused, and nothing of them is run."""

import os
import pickle
import struct
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from acutance.errors import Refused
from acutance.foreign import read
from acutance.legacy import MAGIC

STATE = {"conv.bias": torch.tensor([0.5, -0.25])}


class Wicked:
    """Unpickled plainly, makes a file."""

    def __init__(self, mark: Path, call: Any = os.system) -> None:
        self.mark, self.call = mark, call

    def __reduce__(self) -> Any:
        return self.call, (f"touch {self.mark}",)


def zip_of(path: Path, program: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")


def old_of(path: Path, program: bytes) -> None:
    machine = {"little_endian": True, "protocol_version": 1001, "type_sizes": {}}
    parts = [pickle.dumps(each, 2) for each in (MAGIC, 1001, machine)]
    path.write_bytes(b"".join(parts) + program + pickle.dumps([], 2))


@pytest.mark.parametrize("write", [zip_of, old_of])
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("call", [os.system, eval, subprocess.check_output, print])
def test_a_pickle_that_would_run_something_is_refused_and_does_not(
    tmp_path: Path, write: Any, protocol: int, call: Any
) -> None:
    mark = tmp_path / "ran"
    path = tmp_path / "wicked.pth"
    write(path, pickle.dumps({"state_dict": STATE, "x": Wicked(mark, call)}, protocol))
    with pytest.raises(Refused) as refused:
        read(path)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(str(path))
    assert not mark.exists()
    assert "torch.serialization" not in str(refused.value)


def call_of(module: str, name: str, argument: str) -> bytes:
    """A pickle of protocol 2: calls `module.name(argument)`."""
    text = argument.encode()
    word = b"X" + struct.pack("<I", len(text)) + text
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + word + b"\x85R."


@pytest.mark.parametrize("write", [zip_of, old_of])
@pytest.mark.parametrize(
    ("module", "name"), [("posix", "system"), ("__builtin__", "eval"), ("webbrowser", "open"),
                         ("acutance.cli", "main"), ("torch", "load"), ("numpy", "load")],
)  # fmt: skip
def test_no_function_is_called_whatever_its_name(
    tmp_path: Path, write: Any, module: str, name: str
) -> None:
    path = tmp_path / "wicked.pth"
    write(path, call_of(module, name, "anything"))
    with pytest.raises(Refused, match=rf"(names|calls) '.*{name}'"):
        read(path)


@pytest.mark.parametrize("write", [zip_of, old_of])
def test_what_is_set_on_a_stand_in_reaches_nothing(tmp_path: Path, write: Any) -> None:
    """BUILD of a class, and of a function that puts tensors together, changes neither."""
    for target in (
        b"cfoo\nBar\n",
        b"ctorch._utils\n_rebuild_tensor\n",
        b"ccollections\nOrderedDict\n",
    ):
        slots = b"(X\x08\x00\x00\x00__call__I1\nd"  # {"__call__": 1}
        path = tmp_path / "wicked.pth"
        write(path, b"\x80\x02" + target + b"(N" + slots + b"tb.")
        with pytest.raises(Refused):
            read(path)
    assert read_is_sound(tmp_path)


def read_is_sound(folder: Path) -> bool:
    torch.save(STATE, folder / "sound.pth", _use_new_zipfile_serialization=False)
    return list(read(folder / "sound.pth").weights) == list(STATE)


def test_nothing_set_on_the_reader_outlives_a_file(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    zip_of(path, call_of("portnet", "Net", "x"))
    before = set(torch.serialization.get_safe_globals())
    with pytest.raises(Refused):
        read(path)
    assert set(torch.serialization.get_safe_globals()) == before
