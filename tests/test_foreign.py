"""Foreign checkpoints of every kind, made up here: read as they are, and nothing of them is run."""

import argparse
import io
import pickle
import struct
import subprocess
import sys
import textwrap
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from acutance.errors import Refused
from acutance.foreign import read

STATE = {
    "conv.weight": torch.arange(18.0).reshape(2, 1, 3, 3),
    "conv.bias": torch.tensor([0.5, -0.25]),
}

WRITER = """
import sys, warnings
sys.modules["portnet"] = sys.modules["__main__"]
import torch
from torch import nn
warnings.simplefilter("ignore")

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.register_buffer("seen", torch.tensor(3))
        self.register_buffer("passing", torch.tensor(4.0), persistent=False)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block()
        self.rest = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2, 2, 4, bias=False))

for each in (Block, Net):
    each.__module__ = "portnet"
torch.manual_seed(0)
net = Net()
torch.save({{"epoch": 7, "model": net}}, {path!r}, _use_new_zipfile_serialization={zip})
torch.save(net.state_dict(), {path!r} + ".state")
"""


def same(found: Any, wanted: dict[str, Tensor]) -> None:
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("wrapped", "inside"),
    [
        (lambda s: s, ""),
        (lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"lr": 0.1}}, "state_dict"),
        (lambda s: {"params": {}, "params_ema": s}, "params_ema"),
        (lambda s: {"model": {"state_dict": {f"module.{k}": v for k, v in s.items()}}},
         "model.state_dict"),
        (lambda s: {f"module.{k}": v for k, v in s.items()}, ""),
    ],
)  # fmt: skip
def test_a_state_dict_is_found_wherever_it_lies(
    tmp_path: Path, wrapped: Any, inside: str, zipped: bool
) -> None:
    path = tmp_path / "a.pth"
    torch.save(wrapped(STATE), path, _use_new_zipfile_serialization=zipped)
    found = read(path)
    same(found.weights, STATE)
    assert found.inside == inside


@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_module_is_read_without_its_class(tmp_path: Path, zipped: bool) -> None:
    """The class exists in the writing process alone; its state is that of `state_dict`."""
    path = tmp_path / "net.pth"
    code = textwrap.dedent(WRITER).format(path=str(path), zip=zipped)
    subprocess.run([sys.executable, "-c", code], check=True)
    found = read(path)
    wanted = torch.load(f"{path}.state", weights_only=True)
    assert sorted(found.weights) == sorted(wanted)
    for name, value in wanted.items():
        assert torch.equal(found.weights[name], value), name
    assert "portnet.Net" in found.kind
    assert found.inside == "model"
    assert "portnet" not in sys.modules


def test_views_of_one_storage_and_other_types_come_out_as_they_went_in(tmp_path: Path) -> None:
    whole = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    held = {"turned": whole.t(), "part": whole[1:, 2], "half": torch.ones(2).half()}
    held |= {"count": torch.tensor(5), "empty": torch.zeros(0)}
    for zipped in (True, False):
        torch.save(held, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
        same(read(tmp_path / "a.pt").weights, held)


def test_safetensors_are_read_too(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "a.safetensors")
    found = read(tmp_path / "a.safetensors").weights
    assert sorted(found) == sorted(STATE)
    assert torch.equal(found["conv.bias"], STATE["conv.bias"])


def dag(**params: Any) -> dict[str, Any]:
    kind = [("name", object), ("value", object), ("learningRate", object)]
    rows = np.empty((1, len(params)), dtype=kind)
    for i, (name, value) in enumerate(params.items()):
        rows[0, i] = (name, value, 1.0)
    return {"params": rows, "layers": np.array([], dtype=object), "meta": {"trained": 1}}


def test_a_dag_network_of_matconvnet_has_the_names_it_gives(tmp_path: Path) -> None:
    kernel = np.arange(18, dtype=np.float32).reshape(3, 3, 1, 2)
    scipy.io.savemat(tmp_path / "a.mat", {"net": dag(conv_f=kernel, conv_b=np.float32([[1, 2]]))})
    found = read(tmp_path / "a.mat").weights
    assert list(found) == ["conv_f", "conv_b"]
    assert np.array_equal(found["conv_f"].numpy(), kernel)
    assert found["conv_b"].dtype == torch.float32


def test_cells_of_a_struct_are_counted_from_0(tmp_path: Path) -> None:
    cells = np.empty((1, 2), dtype=object)
    cells[0, 0], cells[0, 1] = np.ones((3, 3, 1, 2), np.float32), np.zeros((3, 3, 2), np.float32)
    scipy.io.savemat(tmp_path / "a.mat", {"model": {"weight": cells, "note": "words"}})
    found = read(tmp_path / "a.mat").weights
    assert {k: tuple(v.shape) for k, v in found.items()} == {
        "model.weight.0": (3, 3, 1, 2),
        "model.weight.1": (3, 3, 2),
    }


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_cut_anywhere_is_refused_in_one_line(tmp_path: Path, zipped: bool) -> None:
    whole = io.BytesIO()
    torch.save({"state_dict": STATE}, whole, _use_new_zipfile_serialization=zipped)
    content = whole.getvalue()
    path = tmp_path / "cut.pth"
    for length in range(0, len(content) - 1, max(1, len(content) // 60)):
        path.write_bytes(content[:length])
        with pytest.raises(Refused) as refused:
            read(path)
        assert "\n" not in str(refused.value)
        assert str(path) in str(refused.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_no_spoilt_byte_ends_in_anything_but_weights_or_a_refusal(
    tmp_path: Path, zipped: bool
) -> None:
    whole = io.BytesIO()
    torch.save(STATE, whole, _use_new_zipfile_serialization=zipped)
    content = bytearray(whole.getvalue())
    path = tmp_path / "spoilt.pth"
    for at in range(0, len(content), max(1, len(content) // 150)):
        spoilt = bytearray(content)
        spoilt[at] ^= 0xFF
        path.write_bytes(spoilt)
        with suppress(Refused):
            assert read(path).weights


def test_a_storage_that_claims_more_than_the_file_holds_is_not_believed(tmp_path: Path) -> None:
    whole = io.BytesIO()
    torch.save({"w": torch.ones(4)}, whole, _use_new_zipfile_serialization=False)
    content = whole.getvalue()
    count = struct.pack("<q", 4) + struct.pack("<4f", 1, 1, 1, 1)
    assert content.endswith(count)
    path = tmp_path / "large.pth"
    path.write_bytes(content.removesuffix(count) + struct.pack("<q", 2**60) + count[8:])
    with pytest.raises(Refused, match=r"cannot be read|broke off"):
        read(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "neither"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"MATLAB 7.3 MAT-file", "-v7"),
        (b"MATLAB 5.0 MAT-file" + bytes(109), "cannot be read|no weights"),
        (b"PK\x03\x04broken", "broke off"),
        (pickle.dumps([1, 2]), "no checkpoint of torch"),
        (b"\0" * 257 + b"ustar" + bytes(250), "tar archive"),
        (struct.pack("<Q", 10**15) + b"{", "cannot be read"),
    ],
)
def test_what_is_no_checkpoint_is_said_to_be_none(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(Refused, match=words):
        read(path)


def test_a_zip_that_is_no_checkpoint_and_a_program_are_told_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("weights.pth", "x")
    with pytest.raises(Refused, match="take the checkpoint out"):
        read(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
        archive.writestr("b/data.pkl", "x")
        archive.writestr("b/constants.pkl", "x")
    with pytest.raises(Refused, match="TorchScript"):
        read(tmp_path / "b.pt")


@pytest.mark.parametrize("held", [{"epoch": 3}, [1], {"model": {}}, {"a": torch.ones(1), "b": 2}])
def test_what_holds_no_state_dict_says_what_it_holds(tmp_path: Path, held: Any) -> None:
    torch.save(held, tmp_path / "a.pth")
    with pytest.raises(Refused, match="holds"):
        read(tmp_path / "a.pth")


def test_things_beside_the_weights_do_no_harm(tmp_path: Path) -> None:
    """Training scripts keep arguments and numpy numbers beside the weights."""
    beside = {"args": argparse.Namespace(lr=0.1), "best": np.float64(31.5), "state_dict": STATE}
    for zipped in (True, False):
        torch.save(beside, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
        same(read(tmp_path / "a.pth").weights, STATE)


def test_a_module_that_holds_itself_ends(tmp_path: Path) -> None:
    outer = nn.Sequential(nn.ReLU())
    outer._modules["again"] = outer
    torch.save(outer, tmp_path / "a.pth")
    with pytest.raises(Refused):
        read(tmp_path / "a.pth")
