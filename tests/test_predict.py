"""Predict: what goes into a network, what comes out as files, and what is refused by name."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from acutance import image
from acutance.device import device, set_threads
from acutance.errors import Refused
from acutance.models.bicubic import Bicubic
from acutance.models.edsr import EDSR
from acutance.models.espcn import ESPCN
from acutance.predict import predict_folder
from acutance.resize import resize
from acutance.weights import load_weights

rng = np.random.default_rng(0)
COLOUR = rng.integers(0, 256, (7, 10, 3), np.uint8)
GREY = rng.integers(0, 256, (9, 6), np.uint8)


class Remembers(nn.Module):
    """Bicubic that keeps what it was given."""

    def __init__(self, scale):
        super().__init__()
        self.inner, self.seen = Bicubic(scale), []

    def forward(self, lr):
        if not lr.is_meta:  # its memory was counted
            self.seen.append(lr)
        return self.inner(lr)


class Spoils(nn.Module):
    """Gives one value everywhere."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, lr):
        return {"sr": torch.full_like(lr, self.value).repeat(1, 1, 2, 2)}


class Swallows(nn.Module):
    """Wants more memory than there is."""

    def forward(self, _):
        return {"sr": torch.empty(2**50)}


@pytest.fixture
def lr(tmp_path):
    image.write_png(tmp_path / "lr" / "colour.png", COLOUR)
    image.write_png(tmp_path / "lr" / "grey.v2.png", GREY)
    return tmp_path / "lr"


def enlarged(picture, scale):
    return resize(picture, scale * picture.shape[0], scale * picture.shape[1])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_is_the_double_reference_rounded_and_grey_stays_grey(lr, tmp_path, scale):
    out = tmp_path / "sr"
    predict_folder(Bicubic(scale), lr, out, scale=scale, channels=None)
    assert names(out) == ["colour.png", "grey.v2.png"]
    for name, picture in (("colour", COLOUR), ("grey.v2", GREY)):
        found = image.read_sr(out / f"{name}.png").astype(int)
        exact = enlarged(picture, scale)
        assert found.shape == exact.shape
        wanted = image.quantise(exact)
        near = np.abs(exact - np.floor(exact) - 0.5) < 1e-3  # a half: float32 may round either way
        assert np.array_equal(found[~near], wanted[~near])
        assert np.abs(found - wanted).max() <= 1


def test_float_output_is_neither_rounded_nor_clipped(lr, tmp_path):
    predict_folder(Bicubic(2), lr, tmp_path / "sr", scale=2, channels=None, output="float")
    assert names(tmp_path / "sr") == ["colour.tif", "grey.v2.tif"]
    for name, picture in (("colour", COLOUR), ("grey.v2", GREY)):
        found = image.read_sr(tmp_path / "sr" / f"{name}.tif")
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, enlarged(picture, 2), rtol=0, atol=3e-4)
        assert found.min() < 0
        assert found.max() > 255


def test_an_rgb_network_sees_grey_three_times_and_writes_rgb(lr, tmp_path):
    model = Remembers(2)
    predict_folder(model, lr, tmp_path / "sr", scale=2, channels=3)
    colour, grey = (seen[0].numpy() for seen in model.seen)
    np.testing.assert_allclose(colour * 255, COLOUR.transpose(2, 0, 1), atol=1e-4)
    np.testing.assert_allclose(grey * 255, np.stack([GREY] * 3), atol=1e-4)
    assert image.read_sr(tmp_path / "sr" / "grey.v2.png").shape == (18, 12, 3)


def test_a_luma_network_sees_studio_luma_and_the_colours_are_bicubic(lr, tmp_path):
    model = Remembers(2)
    predict_folder(model, lr, tmp_path / "sr", scale=2, channels=1, output="float")
    colour, grey = (seen[0].numpy() for seen in model.seen)
    np.testing.assert_allclose(colour[0] * 255, image.luma(COLOUR), atol=1e-4)
    np.testing.assert_allclose(grey[0] * 255, GREY, atol=1e-4)  # full range, as it is
    # bicubic is linear, so luma and colours enlarged apart are the whole enlarged
    found = image.read_sr(tmp_path / "sr" / "colour.tif")
    np.testing.assert_allclose(found, enlarged(COLOUR, 2), rtol=0, atol=1e-3)
    assert image.read_sr(tmp_path / "sr" / "grey.v2.tif").shape == (18, 12)


def test_the_luma_that_a_network_made_is_the_luma_of_the_image(lr, tmp_path):
    torch.manual_seed(0)
    model = ESPCN(3, channels=1)
    predict_folder(model, lr, tmp_path / "sr", scale=3, channels=1, output="float")
    with torch.inference_mode():
        made = model(torch.from_numpy(image.to_chw(COLOUR, 1))[None])["sr"][0, 0].numpy()
    found = image.luma(image.read_sr(tmp_path / "sr" / "colour.tif"))
    np.testing.assert_allclose(found, made * 255, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("precision", "bound"), [("fp32", 0), ("tf32", 0), ("bf16", 3)])
def test_precisions_agree(lr, tmp_path, precision, bound):
    torch.manual_seed(0)
    model = EDSR(2, blocks=2, width=8)
    runs = {"whole": "fp32", "other": precision}
    for name, each in runs.items():
        predict_folder(model, lr, tmp_path / name, scale=2, precision=each, output="float")
    whole, other = (image.read_sr(tmp_path / name / "colour.tif") for name in runs)
    assert np.abs(whole - other).max() <= bound


def test_memory_layout_moves_the_last_digits_only(lr, tmp_path):
    torch.manual_seed(0)
    model = EDSR(2, blocks=2, width=8)
    for name, last in (("first", False), ("last", True)):
        predict_folder(model, lr, tmp_path / name, scale=2, output="float", channels_last=last)
    first, last = (image.read_sr(tmp_path / name / "colour.tif") for name in ("first", "last"))
    np.testing.assert_allclose(first, last, rtol=0, atol=1e-2)


def test_more_images_than_writers(tmp_path):
    for index in range(23):
        image.write_png(tmp_path / "lr" / f"{index}.png", np.full((4, 5, 3), index, np.uint8))
    predict_folder(Bicubic(2), tmp_path / "lr", tmp_path / "sr", scale=2)
    for index in range(23):
        assert (image.read_image(tmp_path / "sr" / f"{index}.png") == index).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_never_written(lr, tmp_path, value):
    predict_folder(Bicubic(2), lr, tmp_path / "sr", scale=2)
    before = {path.name: path.read_bytes() for path in (tmp_path / "sr").iterdir()}
    with pytest.raises(Refused, match=r"colour\.png: the network gives NaN or infinity at fp32"):
        predict_folder(Spoils(value), lr, tmp_path / "sr", scale=2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "sr").iterdir()} == before
    assert names(tmp_path) == ["lr", "sr"]


def test_too_little_memory_is_said_with_the_image(lr, tmp_path):
    with pytest.raises(Refused, match=r"colour\.png: 10 x 7 pixels do not fit the memory of cpu"):
        predict_folder(Swallows(), lr, tmp_path / "sr", scale=2)
    assert names(tmp_path) == ["lr"]


def test_a_damaged_image_leaves_nothing_behind(lr, tmp_path):
    whole = (lr / "grey.v2.png").read_bytes()
    (lr / "grey.v2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused, match=r"grey\.v2\.png: cannot be read"):
        predict_folder(Bicubic(2), lr, tmp_path / "sr", scale=2)
    assert names(tmp_path) == ["lr"]


def test_nothing_of_the_users_is_overwritten(lr, tmp_path):
    out = tmp_path / "sr"
    for output in ("png", "float", "png"):
        predict_folder(Bicubic(2), lr, out, scale=2, output=output)
        (out / ".snakemake_timestamp").touch()
    (tmp_path / "photos" / "colour.png").mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    refusals = {
        lr: "lr: is the folder that is read; give another",
        lr / ".." / "lr": "is the folder that is read; give another",
        out: r"sr: holds 'notes\.txt', which would be lost",
        tmp_path: "holds 'lr', which would be lost",
        tmp_path / "photos": r"holds 'colour\.png', which would be lost",
        lr / "colour.png": "is a file; give a folder",
    }
    for place, words in refusals.items():
        with pytest.raises(Refused, match=words):
            predict_folder(Bicubic(2), lr, place, scale=2)
    after = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    assert after == before


def test_no_image_and_no_folder_are_refused(tmp_path):
    with pytest.raises(Refused, match="no such folder"):
        predict_folder(Bicubic(2), tmp_path / "lr", tmp_path / "sr", scale=2)
    (tmp_path / "lr").mkdir()
    with pytest.raises(Refused, match="no pictures in it"):
        predict_folder(Bicubic(2), tmp_path / "lr", tmp_path / "sr", scale=2)


def test_a_full_disk_or_the_like_while_writing_is_not_swallowed(lr, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(image, "write_png", fail)
    with pytest.raises(OSError, match="No space left"):
        predict_folder(Bicubic(2), lr, tmp_path / "sr", scale=2)
    assert names(tmp_path) == ["lr"]


@pytest.mark.parametrize(
    "name", ["cuda:99", "gpu", "meta0", "meta", "hpu", "mkldnn", "cpu:7", "cuda:9999", ""]
)
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(Refused, match=f"--device: found '{name}'; usable here: auto, cpu"):
        device(name)


def test_devices():
    assert device("cpu") == torch.device("cpu")
    assert device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_threads():
    before = torch.get_num_threads()
    set_threads(None)
    assert torch.get_num_threads() == before
    for count in (0, -1, 1025, 10**9):
        with pytest.raises(Refused, match=f"--threads: found {count}; must be from 1 to 1024"):
            set_threads(count)
    assert torch.get_num_threads() == before


class TestWeights:
    def test_come_back_as_they_were(self, tmp_path):
        torch.manual_seed(0)
        kept, other = ESPCN(2), ESPCN(2)
        save_file(kept.state_dict(), tmp_path / "w.safetensors")
        load_weights(other, tmp_path / "w.safetensors")
        for key, value in kept.state_dict().items():
            assert torch.equal(other.state_dict()[key], value)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda s: s.pop("conv2.bias"), r"lacks conv2\.bias, which the model has"),
            (lambda s: s.update(more=torch.ones(1)), "has more, which the model lacks"),
            (
                lambda s: s.update({"conv3.weight": torch.ones(27, 32, 3, 3)}),
                r"conv3\.weight: found shape \(27, 32, 3, 3\), the model wants \(12, 32, 3, 3\)",
            ),
            (lambda s: s["conv1.bias"].fill_(float("nan")), r"conv1\.bias: holds NaN"),
            (lambda s: s.clear(), r"lacks conv1\.weight, conv1\.bias, conv2\.weight and 3 more"),
        ],
    )
    def test_that_do_not_fit_are_refused(self, tmp_path, change, words):
        model = ESPCN(2)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        state = {key: value.clone() for key, value in before.items()}
        change(state)
        save_file(state, tmp_path / "w.safetensors")
        with pytest.raises(Refused, match=words):
            load_weights(model, tmp_path / "w.safetensors")
        for key, value in model.state_dict().items():
            assert torch.equal(value, before[key])

    def test_damaged_or_absent_are_refused(self, tmp_path):
        path = tmp_path / "w.safetensors"
        with pytest.raises(Refused, match="no such file"):
            load_weights(ESPCN(2), path)
        save_file(ESPCN(2).state_dict(), path)
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(Refused, match="not a safetensors file"):
            load_weights(ESPCN(2), path)
        torch.save(ESPCN(2).state_dict(), path)
        with pytest.raises(Refused, match="not a safetensors file"):
            load_weights(ESPCN(2), path)
