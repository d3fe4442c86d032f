"""Tiny LoRA files in the key format of the web interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

UNET = "lora_unet_mid_block_attentions_0_proj_in"
TEXT_ENCODER = "lora_te_text_model_encoder_layers_0_mlp_fc1"


def lora_tensors(rank: int = 2) -> dict[str, Tensor]:
    """Return one module on the U-Net and one on the text encoder; alpha is half of the rank."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for module in (UNET, TEXT_ENCODER):
        tensors[f"{module}.lora_down.weight"] = torch.randn(rank, 6, generator=generator)
        tensors[f"{module}.lora_up.weight"] = torch.randn(4, rank, generator=generator)
        tensors[f"{module}.alpha"] = torch.tensor(rank / 2)
    return tensors


def write_lora_file(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> Path:
    """Write the tensors as a safetensors file and return its path."""
    save_file(dict(tensors), path, metadata=dict(metadata or {}))
    return path
