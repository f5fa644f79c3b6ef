"""Several processes train as one: real ones, which talk by gloo, beside a single one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_rivals import GRADIENT, IMAGE, TERM
from tiny import SGD, Told, fit, plain
from torch import Tensor, nn

import made_up
from acutance import ranks
from acutance.critics.vgg import VGG
from acutance.errors import Refused
from acutance.games._slope import slope_penalty
from acutance.games.vanilla import Vanilla
from acutance.losses.fd_balance import fd_balance
from acutance.losses.perceptual import perceptual
from acutance.losses.texture import texture
from acutance.losses.total_variation import total_variation
from acutance.models.edsr import EDSR
from acutance.optim import term
from acutance.packed import open_packed
from acutance.sitting import Meetings
from together import together
from waves import pack_waves

# What is said in docs/cluster.md: weights agree to 1e-5 of the largest of their tensor.
CLOSE = 1e-5
ODD = 15  # crops, which two processes cannot halve
PLAIN = replace(SGD, keep="last", sampling="uniform", batch=ODD, steps=30, validate_every=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_waves(tmp_path_factory.mktemp("ranks"), 5)


def assert_close(found: dict[str, Tensor], wanted: dict[str, Tensor], within: float) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        off = (found[name] - value).abs().max()
        assert off <= within * max(float(value.abs().max()), 1e-3), f"{name}: {off:.2g}"


# Networks, objectives and critics by name: functions cannot travel to another process.
def small_edsr() -> nn.Module:
    return EDSR(2, blocks=2, width=8)


def as_edsr_is_trained(folder: Path, steps: int = 30) -> tuple[dict[str, Tensor], Told]:
    told = Told()
    terms = (term("l1", 1.0, l1), term("total_variation", 1e-4, total_variation))
    recipe = replace(PLAIN, optimiser="adam", learning_rate=1e-3, clip_norm=None, steps=steps)
    return fit(open_packed(folder), recipe, told, build=small_edsr, terms=terms), told


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    return (sr - hr).abs().mean()


def with_critics(folder: Path) -> tuple[dict[str, Tensor], Told]:
    """Batch normalisation in the network and in a critic, means of logits, and the penalty."""
    told = Told()
    gan = replace(PLAIN, learning_rate=1e-3, clip_norm=None, validate_every=0)
    rivals = [replace(rival, recipe=gan) for rival in (IMAGE, GRADIENT)]
    rivals.append(replace(rivals[0], name="plain", game=Vanilla()))
    found = fit(
        open_packed(folder),
        gan,
        told,
        build=plain,
        terms=TERM,
        rivals=tuple(rivals),
        validation=False,
    )
    return found, told


CASES = {"edsr": as_edsr_is_trained, "critics": with_critics}


def weights_and_rows(
    case: str, folder: Path
) -> tuple[dict[str, Tensor], dict[int, dict[str, float]]]:
    weights, told = CASES[case](folder)
    return weights, told.rows


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("world", [2, 3])
def test_several_processes_come_to_the_weights_of_one(folder: Path, case: str, world: int) -> None:
    wanted, rows = weights_and_rows(case, folder)
    (found, told), *others = together(world, weights_and_rows, case, folder)
    assert_close(found, wanted, CLOSE)
    assert told.keys() == rows.keys()
    for step, row in rows.items():
        assert told[step] == pytest.approx(row, rel=1e-3, abs=1e-5), step
    for weights, same in others:
        assert_close(weights, found, 0)
        assert same == told


@pytest.mark.parametrize(("total", "world"), [(15, 2), (2, 2), (16, 3), (7, 4)])
def test_every_crop_is_one_process_s(total: int, world: int) -> None:
    shares = [ranks._share(total, rank, world) for rank in range(world)]
    assert [n for share in shares for n in range(total)[share]] == list(range(total))
    sizes = [len(range(total)[share]) for share in shares]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) > 0


# Each gives, of 5 crops, what one process would compute alone: values, then slopes of them and of
# the weights; the latter are added up, and so must be told apart from the former.
Answer = tuple[list[Tensor], list[Tensor]]


def crops(seed: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(5, 3, 32, 32, generator=generator)


def seen_by(network: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda batch: ranks.whole(network(ranks.mine(batch)), len(batch))


def of_a_penalty() -> Answer:
    """Its slope with respect to weights is a second derivative."""
    torch.manual_seed(5)
    critic = VGG(32, pairs=2, width=4, norm=False).double()
    found = slope_penalty(seen_by(critic), crops().double())
    slopes = torch.autograd.grad(found, list(critic.parameters()), allow_unused=True)
    return [found], [slope for slope in slopes if slope is not None]


def of_a_loss_of_features() -> Answer:
    return _of_images(lambda sr, hr: perceptual(sr, hr, made_up.vgg19(), layer=7))


def of_textures() -> Answer:
    return _of_images(lambda sr, hr: texture(sr, hr, made_up.vgg19()))


def of_a_balance_that_is_no_mean() -> Answer:
    def balance(sr: Tensor, hr: Tensor) -> Tensor:
        return fd_balance((sr - 2 * hr).softmax(dim=1))

    return _of_images(balance)


def _of_images(loss: Callable[[Tensor, Tensor], Tensor]) -> Answer:
    torch.manual_seed(5)
    network = nn.Conv2d(3, 3, 3, padding=1)
    image = crops().requires_grad_()
    found = loss(seen_by(network)(image), crops(4))
    about, *slopes = torch.autograd.grad(found, [image, *network.parameters()])
    return [found, about], slopes


def of_batch_normalisation() -> Answer:
    torch.manual_seed(5)
    network = ranks.as_one(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))).double()
    nn.init.uniform_(network[1].weight)
    image = crops().double().requires_grad_()
    found = seen_by(network)(image)
    about, *slopes = torch.autograd.grad(found.pow(3).mean(), [image, *network.parameters()])
    state = [value.double() for value in network.state_dict().values()]
    seen = network.eval()(crops().double())
    return [found, about, *state, seen], slopes


ANSWERS = {
    answer.__name__: answer
    for answer in (
        of_a_penalty,
        of_a_loss_of_features,
        of_textures,
        of_a_balance_that_is_no_mean,
        of_batch_normalisation,
    )
}


def answered(name: str) -> list[Tensor]:
    values, slopes = ANSWERS[name]()
    added = [slope.clone() for slope in slopes]
    ranks.add_up(added)
    return [value.detach() for value in (*values, *added)]


@pytest.mark.parametrize("name", ANSWERS)
def test_values_and_slopes_are_those_of_the_whole_batch(name: str) -> None:
    wanted = answered(name)
    for found in together(2, answered, name):
        for ours, one in zip(found, wanted, strict=True):
            torch.testing.assert_close(ours, one, rtol=1e-5, atol=1e-7)


def apart(rank: int) -> str:
    weights = {"w": torch.zeros(3), "n": torch.tensor(4)}
    ranks.check_same(weights, "before")
    weights["w"][1] += 1e-30 * (ranks.rank() == rank)
    try:
        ranks.check_same(weights, "step 7")
    except Refused as problem:
        return str(problem)
    return ""


def test_weights_that_have_come_apart_by_a_bit_are_noticed() -> None:
    for told in together(3, apart, 1):
        assert told.startswith("step 7: processes 1 have other weights than process 0")


def given(state: dict[str, object]) -> object:
    return ranks.shared(state if ranks.rank() == 0 else None)


def test_a_state_is_that_of_the_leading_process() -> None:
    state = {"step": 3, "w": torch.arange(4.0), "list": [1, "two"]}
    for found in together(2, given, state):
        assert found.keys() == state.keys()
        assert (found["step"], found["list"]) == (3, [1, "two"])
        assert torch.equal(found["w"], state["w"])


def met() -> list[int]:
    meetings = Meetings()
    wishes = [7 * (step > 50) * (ranks.rank() == 0) for step in range(2000)]
    return [meetings.agreed(step, wish) for step, wish in enumerate(wishes)]


def test_what_the_leading_process_wishes_is_heard_by_all_after_the_same_step() -> None:
    one, other = together(2, met)
    assert one == other
    assert set(one) == {0, 7}
