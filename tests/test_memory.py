"""Memory: facts by hand, torch's own tracker, and what a process really took."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.distributed._tools.mem_tracker import MemTracker

from acutance.memory import peak
from acutance.models.bicubic import Bicubic
from acutance.models.vdsr import VDSR

PIXEL = 4  # bytes of float32
MIB = 2**20


class Holds(nn.Module):
    """Keeps what came in beside two new images, then drops all but one."""

    def forward(self, lr):
        doubled = torch.cat([lr, lr], 1)
        doubled.add_(1)  # in place: nothing new
        seen = doubled[:, :1].transpose(2, 3).reshape(1, 1, 6, 5)  # turned, so copied
        del doubled
        return {"sr": seen + 1}


def test_facts_by_hand():
    image = 5 * 6 * PIXEL
    assert peak(nn.Identity(), 3, 5, 6) == 3 * image
    assert peak(Holds(), 2, 5, 6) == (2 + 4 + 1) * image
    conv = nn.Conv2d(2, 7, 3, padding=1)
    assert peak(conv, 2, 5, 6) == (2 + 7) * image * 2  # both copied for the kernel
    back = nn.ConvTranspose2d(2, 3, 2, stride=2, bias=False)
    assert peak(back, 2, 5, 6) == (2 + 12) * image + (2 + 2 * 12) * image


def test_agrees_with_torchs_tracker_where_nothing_is_convolved():
    with torch.device("meta"):
        lr, model = torch.empty(1, 3, 61, 83), Bicubic(3)
        tracker = MemTracker()
        tracker.track_external(lr)
        with torch.no_grad(), tracker:
            model(lr)
    (found,) = tracker.get_tracker_snapshot("peak").values()
    assert peak(model, 3, 61, 83) == found["Total"]


def test_grows_with_the_pixels():
    model = VDSR(2, depth=4)
    assert peak(model, 3, 700, 900) == pytest.approx(peak(model, 3, 128, 128) / 128**2 * 700 * 900)


def test_the_model_and_the_generator_stay_as_they_are():
    torch.manual_seed(0)
    model = VDSR(2, depth=2)
    before, drawn = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    peak(model, 3, 9, 9)
    assert torch.equal(torch.get_rng_state(), drawn)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


REAL = """
import re, torch
from pathlib import Path
from torch import nn
from acutance.models.vdsr import VDSR
from acutance.memory import peak

def most():
    # not ru_maxrss, which a process takes over from the one that started it
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])

torch.set_num_threads(1)
model, size = {model}, {size}
image = torch.rand(size)
with torch.inference_mode():
    model(image[..., :16, :16])
    before = most()
    made = model(image)
print(most() - before, peak(model, *size[1:]) - image.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("VDSR(2, depth=3)", (1, 3, 300, 420)),
        ("nn.Conv2d(64, 64, 3, padding=1)", (1, 64, 600, 840)),
        ("nn.ConvTranspose2d(32, 32, 8, 4, 2)", (1, 32, 150, 210)),
    ],
)
def test_a_process_takes_no_more_and_not_far_less(model, size):
    command = [sys.executable, "-c", REAL.format(model=model, size=size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    real, counted = map(int, done.stdout.split())
    assert real <= counted + 32 * MIB
    assert real >= counted / 4
