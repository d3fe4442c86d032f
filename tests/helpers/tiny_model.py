"""Builds tiny Stable Diffusions with random weights, in every layout that is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from helpers.tiny_sdxl import tiny_sdxl_architecture
from safetensors.torch import load_file
from torch import Tensor, nn

from trainer_core.families.base import PLAIN, Family, FamilyOptions, Layout
from trainer_core.families.layouts import sd2_architecture as sd2
from trainer_core.families.layouts.family_layout import Architecture, FamilyLayout
from trainer_core.families.layouts.networks import Networks, build_networks
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT, published_architecture
from trainer_core.families.layouts.sdxl_architecture import SDXL_LAYOUT
from trainer_core.families.sd1 import SD1
from trainer_core.families.sd2 import SD2
from trainer_core.families.sdxl import SDXL
from trainer_core.families.stable_diffusion import StableDiffusion

PARTS = ("unet", "vae", "text_encoder")
M = TypeVar("M", bound=StableDiffusion)


@dataclass(frozen=True, slots=True)
class TinySD1:
    """The same weights in every layout that is read."""

    folder: Path
    safetensors: Path
    ckpt: Path


def make_tiny_sd1(folder: Path, seed: int = 0) -> TinySD1:
    """Write a diffusers folder, a ``.safetensors`` and a ``.ckpt`` of about 7 MB each.

    Pictures are 8 pixels to a latent cell and must have sides that are multiples of 16; the text
    encoder has 3 layers and the full vocabulary.
    """
    return write_every_layout(SD1(Path("tiny"), tiny_networks(seed)), folder)


def make_tiny_sd2(folder: Path, seed: int = 0) -> TinySD1:
    """Write the same of a Stable Diffusion 2 that predicts the noise."""
    networks = filled_networks(sd2.SD2_LAYOUT, tiny_sd2_architecture(), seed)
    return write_every_layout(SD2(Path("tiny"), networks), folder)


def make_tiny_sdxl(folder: Path, seed: int = 0) -> TinySD1:
    """Write the same of a Stable Diffusion XL, of about 20 MB each."""
    networks = filled_networks(SDXL_LAYOUT, tiny_sdxl_architecture(), seed)
    return write_every_layout(SDXL(Path("tiny"), networks), folder)


def write_every_layout(model: Family, folder: Path) -> TinySD1:
    """Write a model of any family in every layout that is read."""
    files = TinySD1(folder / "tiny", folder / "tiny.safetensors", folder / "tiny.ckpt")
    model.write(files.folder, Layout.DIFFUSERS, dtype=torch.float32, metadata={})
    model.write(files.safetensors, Layout.ORIGINAL, dtype=torch.float32, metadata={})
    state = load_file(files.safetensors)
    torch.save({"state_dict": state, "global_step": 1}, files.ckpt)
    return files


def tiny_networks(seed: int = 0) -> Networks:
    """Return the networks of the tiny model, on the CPU in float32."""
    return filled_networks(SD1_LAYOUT, tiny_architecture(), seed)


def filled_networks(layout: FamilyLayout, architecture: Architecture, seed: int = 0) -> Networks:
    """Return the networks of any family with random weights, on the CPU in float32."""
    networks = build_networks(Path("tiny"), layout, architecture)
    generator = torch.Generator().manual_seed(seed)
    for part, network in networks.modules.items():
        fill_randomly(network, generator)
        complete = layout.parts[part].complete
        if complete is not None:
            complete(network)
    return networks


def tiny_architecture() -> Architecture:
    """Return Stable Diffusion 1's architecture with few and narrow layers."""
    return _narrow(published_architecture())


def tiny_sd2_architecture() -> Architecture:
    """Return Stable Diffusion 2's architecture with few and narrow layers."""
    tiny = _narrow(sd2.published_architecture())
    tiny.parts["unet"]["attention_head_dim"] = [1, 1]
    tiny.parts["text_encoder"]["projection_dim"] = 512  # as published; nothing is projected
    return tiny


def _narrow(published: Architecture) -> Architecture:
    unet = {
        "block_out_channels": [16, 32],
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
        "layers_per_block": 1,
        "cross_attention_dim": 32,
        "norm_num_groups": 16,
    }
    vae = {"block_out_channels": [8, 8, 8, 16], "layers_per_block": 1, "norm_num_groups": 8}
    text_encoder = {
        "hidden_size": 32,
        "projection_dim": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 1,
    }
    sizes = {"unet": unet, "vae": vae, "text_encoder": text_encoder}
    return Architecture(
        {part: published.parts[part] | sizes[part] for part in PARTS}, published.scheduler
    )


def fill_randomly(network: nn.Module, generator: torch.Generator) -> None:
    """Give a network on the meta device weights of its own; no two tensors are alike."""
    state = {
        name: _random(name, tuple(tensor.shape), generator)
        for name, tensor in network.state_dict().items()
    }
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False).eval()


def _random(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    noise = torch.randn(shape, generator=generator)
    if len(shape) == 1:  # biases near 0, scales of norms near 1
        return noise * 0.1 + ("norm" in name and name.endswith("weight"))
    return noise / math.sqrt(math.prod(shape[1:]))


def loaded(
    path: Path,
    options: FamilyOptions = PLAIN,
    dtype: torch.dtype = torch.float32,
    kind: type[M] = SD1,  # type: ignore[assignment]
) -> M:
    """Open a Stable Diffusion of some kind and load all its parts on the CPU."""
    model = kind.open(path, options)
    for part in PARTS:
        model.load(part, dtype=dtype, device=torch.device("cpu"))
    return model


#: What makes a tiny model of each family that can be trained, by the family's name in settings.
TINY_MODELS: Mapping[str, Callable[[Path], TinySD1]] = {
    "sd1": make_tiny_sd1,
    "sd2": make_tiny_sd2,
    "sdxl": make_tiny_sdxl,
}
