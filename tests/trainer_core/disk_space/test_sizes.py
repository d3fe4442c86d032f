"""No file is larger than what is counted for it, and not much is counted in vain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import Parameter

from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.disk_space.sizes import latent_bytes, picture_bytes
from trainer_core.optim.build import build_optimizer
from trainer_core.optim.groups import parameter_groups
from trainer_core.optim.running_state import running_state
from trainer_core.pipeline.latents import LatentStore
from trainer_core.prompts.file import SamplePrompt
from trainer_core.sampling.pictures import PreviewDefaults, planned, write_picture


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_remembers_as_many_bytes_as_its_entry_says(name: str) -> None:
    entry = OPTIMIZERS[name]
    shapes = ((4, 8), (1000, 64), (64, 4, 3, 3), (4096,), (4095,), (300, 301))
    weights = [Parameter(torch.ones(shape)) for shape in shapes]
    rate = 1.0 if entry.rate == "one" else 0.01
    groups = parameter_groups([("unet", weights, rate)])
    optimizer = build_optimizer(name, groups, lr=rate, args={})
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    optimizer.step()

    tensors = running_state(optimizer).tensors.values()
    real = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    assert entry.state_bytes is not None, "the room for a run cannot be told"
    told = sum(map(entry.state_bytes, shapes))
    assert real <= told <= real * 1.02


@pytest.mark.parametrize("size", [(64, 64), (512, 768), (1024, 1024)])
def test_a_picture_of_noise_is_as_large_as_is_counted(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    defaults = PreviewDefaults(sampler="euler_a", width_px=64, height_px=64, run_seed=1)
    prompt = SamplePrompt("cat " * 200)
    picture = planned(0, prompt, defaults, folder=tmp_path, step=1)
    write_picture(Image.fromarray(noise), picture, {}, replace=False)

    real = picture.path.stat().st_size
    told = picture_bytes(*size)
    assert real <= told <= real * 1.02 + 24 * 1024


def test_a_latent_is_as_large_as_is_counted(tmp_path: Path) -> None:
    store = LatentStore(tmp_path)
    store.keep("abc", (torch.zeros(4, 96, 64), torch.zeros(4, 96, 64)))
    store.write("abc")

    (path,) = tmp_path.rglob("*.safetensors")
    told = latent_bytes(512, 768, channels=4, pixels_per_latent=8)
    assert path.stat().st_size <= told <= path.stat().st_size + 9 * 1024
