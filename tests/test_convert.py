"""convert: whatever does not fit a network is named, all of it at once."""

from pathlib import Path

import pytest
import torch

from acutance.convert import Misfit, convert
from acutance.keys import keys
from acutance.models.edsr import EDSR
from acutance.models.espcn import ESPCN
from acutance.models.rrdbnet import RRDBNet
from test_keys import filled, old_rrdb, with_means

ROOT = Path(__file__).resolve().parent.parent


def test_all_that_does_not_fit_is_named_at_once() -> None:
    model = EDSR(2, blocks=2, width=4)
    held = with_means(filled(model))
    held["sub_mean.bias"] = -torch.tensor([0.4488, 0.4371, 0.4040])  # of a range of 1
    held["add_mean.weight"] = 2 * held["add_mean.weight"]
    held["body.2.weight"] = torch.zeros(4, 4, 1, 1)
    held["head.0.bias"] = torch.full((4,), float("nan"))
    held["extra.0.weight"] = held.pop("body.0.body.0.weight")
    held["extra.1.weight"] = torch.zeros(1)
    held["body.9.weight"] = torch.zeros(1)
    with pytest.raises(Misfit) as refused:
        convert(held, keys(ROOT, "edsr-pytorch", 2, "test"), model)
    said = str(refused.value)
    for words in (
        "not our mean: sub_mean.bias",
        "not our identity: add_mean.weight",
        "wrong shape: body.2.weight (4, 4, 1, 1) for (4, 4, 3, 3)",
        "not finite: head.0.bias",
        "left over: extra.{0..1}.weight, body.9.weight",
        "missing: head.0.bias, body.0.body.0.weight",
    ):
        assert words in said, said
    assert refused.value.faults == 9  # head.0.bias is not finite there, and so missing here
    assert "\n" not in said


def test_two_names_for_one_weight_are_refused() -> None:
    model = RRDBNet(4, blocks=1, width=2, growth=2)
    held = old_rrdb(filled(model))
    held["model.1.sub.7.weight"] = held["model.1.sub.1.weight"]
    with pytest.raises(Misfit, match=r"a second time: model\.1\.sub\.7\.weight"):
        convert(held, keys(ROOT, "rrdb-old", 4, "test"), model)


def test_types_become_those_of_the_network() -> None:
    model = ESPCN(2)
    held = {k: v.double() for k, v in filled(model).items()}
    found = convert(held, keys(ROOT, "plain", 2, "test"), model)
    assert {v.dtype for v in found.values()} == {torch.float32}
