"""work: what an update computes, against sums by hand and against torch's count of real ones."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import made_up
from acutance import work
from acutance.assets import Asset
from acutance.calls import Call, Loss
from acutance.contests import Contest
from acutance.games._slope import slope_penalty
from acutance.losses.perceptual import perceptual
from acutance.models.espcn import ESPCN
from acutance.recipes import Recipe
from acutance.released import File
from acutance.rivals import rivals_of
from acutance.spec import Run

PATCH, BATCH = 12, 6
RECIPE = Recipe(name="r", patch=PATCH, batch=BATCH, steps=10, learning_rate=1e-3)
RUN = Run(
    system="espcn",
    scale=2,
    seed=0,
    model=Call(name="espcn", kind="models", function="espcn", arguments=(("channels", 3),)),
    losses=(Loss(name="l1", kind="losses", function="l1", weight=1.0),),
    recipe=RECIPE,
)
FILE = File(name="nowhere.pth", sha256="0" * 64, sources=(), by_hand="")
PERCEPTUAL = Loss(
    name="perceptual",
    kind="losses",
    function="perceptual",
    weight=1.0,
    arguments=(("layer", 7),),
    assets=(("vgg19", Asset(name="vgg19", file=FILE, licence="", cite="")),),
)


def contest(game: str, view: str = "image") -> Contest:
    arguments = (("norm", False), ("pairs", 2), ("width", 4))
    critic = Call(name="vgg", kind="critics", function="vgg", arguments=arguments)
    played = Call(name=game, kind="games", function=game)
    return Contest(name="it", critic=critic, game=played, view=view, weight=1.0, recipe=RECIPE)


def critic_forward(side: int) -> float:
    """Of one image, 2 per product: 3x3, then 4x4 at half the side, twice; two linear layers."""
    half, quarter = side // 2, side // 4
    products = side**2 * 9 * 3 * 4 + half**2 * 16 * 4 * 4
    products += half**2 * 9 * 4 * 8 + quarter**2 * 16 * 8 * 8
    return 2.0 * (products + quarter**2 * 8 * 100 + 100)


def test_the_network_forward_and_twice_backward_but_for_the_images_gradient() -> None:
    pixels = PATCH**2
    layers = [pixels * 25 * 3 * 64, pixels * 9 * 64 * 32, pixels * 9 * 32 * 12]
    by_hand = 2 * BATCH * (3 * sum(layers) - layers[0])
    assert work.step_parts(RUN) == {"network": by_hand}


def test_both_sides_of_a_contest() -> None:
    """The network's: forward of SR and back to it. The critic's: both kinds, back to its weights.

    The vanilla game looks at no HR on the network's side.
    """
    side = 2 * PATCH
    first = 2.0 * side**2 * 9 * 3 * 4  # whose input needs no gradient on the critic's side
    each = critic_forward(side)
    parts = work.step_parts(replace(RUN, contests=(contest("vanilla"),)))
    assert parts["critic it"] == BATCH * (2 * each + 2 * (3 * each - first))
    parts = work.step_parts(replace(RUN, contests=(contest("relativistic"),)))
    assert parts["critic it"] == BATCH * (3 * each + 2 * (3 * each - first))


def test_a_critic_of_gradient_maps_sees_two_pixels_more() -> None:
    image, graded = (
        work.step_flops(replace(RUN, contests=(contest("vanilla", view),)))
        for view in ("image", "gradient")
    )
    assert graded > image


@pytest.mark.parametrize("game", ["vanilla", "relativistic"])
def test_a_real_contest_takes_what_torch_counts(game: str) -> None:
    run = replace(RUN, contests=(contest(game),))
    (rival,) = rivals_of(run)
    critic = rival.build()
    real = torch.rand(BATCH, 3, 2 * PATCH, 2 * PATCH)
    fake = torch.rand_like(real).requires_grad_()
    with FlopCounterMode(display=False) as counter:
        critic.requires_grad_(requires_grad=False)
        rival.game.learner(critic, real, fake).backward()
        critic.requires_grad_(requires_grad=True)
        rival.game.critic(critic, real, fake.detach()).backward()
    assert work.step_parts(run)["critic it"] == counter.get_total_flops()


def test_the_penalty_on_slopes_is_counted() -> None:
    """One convolution's: forward, its slope, and what learning from the slope takes."""
    image = torch.rand(1, 3, 8, 8)
    kernel = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    once = 2 * 8**2 * 9 * 3 * 4
    with work.Counter() as counter:
        slope_penalty(lambda x: kernel(x).square().sum((1, 2, 3)), image).backward()
    # forward; slope; from that to its two factors, kernel and what came forward; from the latter
    # to its own two, kernel and image
    assert counter.flops == once * (1 + 1 + 2 + 2)
    plain, steep = (
        work.step_parts(replace(RUN, contests=(contest(game),)))["critic it"]
        for game in ("vanilla", "wgan_gp")
    )
    assert steep > plain + 2 * BATCH * critic_forward(2 * PATCH)


def test_a_loss_that_reads_a_network_takes_its_passes_without_its_file() -> None:
    sr, hr = torch.rand(2, BATCH, 3, 2 * PATCH, 2 * PATCH)
    sr.requires_grad_()
    with FlopCounterMode(display=False) as counter:
        perceptual(sr, hr, made_up.vgg19(), layer=7).backward()
    run = replace(RUN, losses=(*RUN.losses, PERCEPTUAL))
    parts = work.step_parts(run)
    assert parts["perceptual"] == counter.get_total_flops()
    assert work.step_flops(run) == parts["network"] + parts["perceptual"]


def test_the_networks_own_count_is_torchs_of_a_real_update() -> None:
    network = ESPCN(2, channels=3)
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(BATCH, 3, PATCH, PATCH))["sr"].sum().backward()
    assert work.step_flops(RUN) == counter.get_total_flops()


def test_nothing_to_train_takes_nothing() -> None:
    assert work.step_flops(replace(RUN, recipe=None)) == 0
