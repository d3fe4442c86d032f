"""The sizes of a Stable Diffusion 1.x model: from its configs, or from its tensors' shapes.

Shapes do not tell everything. Where they are silent, Stable Diffusion 1's rules hold: 8 attention
heads in the U-Net, 64 channels a head in the text encoder, and 32 groups in every normalisation,
or the largest power of two below that divides all widths.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_core.errors import ModelFileError
from trainer_core.families.layouts.original_names import TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX
from trainer_core.files.resources import resource_path
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.recognise import stated_prediction
from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.texts import T

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Architecture:
    """The configs of the parts, in the words of diffusers and transformers."""

    unet: Config
    vae: Config
    text_encoder: Config
    scheduler: Config


def folder_architecture(path: Path) -> Architecture:
    """Read the configs of a diffusers folder."""
    folder = DiffusersFolder(path)
    parts = ("unet", "vae", "text_encoder", "scheduler")
    return Architecture(**{part: folder.config(part) for part in parts})


def published_architecture() -> Architecture:
    """Return the configs of Stable Diffusion 1.5."""
    return folder_architecture(resource_path("model_configs", "sd1"))


def file_architecture(index: TensorIndex) -> Architecture:
    """Work out the configs of a single file in the original layout.

    Raises:
        ModelFileError: A tensor that decides a size is missing.
    """
    published = published_architecture()
    shapes = _Shapes(index)
    scheduler = {"prediction_type": stated_prediction(index) or "epsilon"}
    return Architecture(
        unet=published.unet | _unet_config(shapes),
        vae=published.vae | _vae_config(shapes),
        text_encoder=published.text_encoder | _text_config(shapes),
        scheduler=published.scheduler | scheduler,
    )


class _Shapes:
    """Shapes of tensors by name; a missing one that decides a size is an error."""

    def __init__(self, index: TensorIndex) -> None:
        self._index = index

    def __getitem__(self, name: str) -> tuple[int, ...]:
        entry = self._index.entries.get(name)
        if entry is None or not entry.shape:
            raise ModelFileError(
                T("Errors", "{path} lacks the tensor {name}."),
                T(
                    "Errors",
                    "The file is incomplete or of an unusual layout. Choose another model.",
                ),
                path=self._index.path,
                name=name,
            )
        return entry.shape

    def __contains__(self, name: str) -> bool:
        return name in self._index.entries

    def count(self, pattern: str, first: int = 0, step: int = 1) -> int:
        """Return how many numbers in a row, put in for ``{}``, give the name of a tensor."""
        numbers = itertools.count(first, step)
        return len(list(itertools.takewhile(lambda n: pattern.format(n) in self, numbers)))


def _unet_config(shapes: _Shapes) -> Config:
    """Read the U-Net's sizes off its downward half, whose layers are numbered from 1."""
    layer = f"{UNET_PREFIX}input_blocks.{{}}.0."
    layers = shapes.count(layer + "out_layers.3.weight", first=1)
    downsamplings = shapes.count(layer + "op.weight", first=layers + 1, step=layers + 1)
    firsts = [(layers + 1) * block + 1 for block in range(downsamplings + 1)]
    widths = [shapes[layer.format(first) + "out_layers.3.weight"][0] for first in firsts]
    has_attention = [f"{UNET_PREFIX}input_blocks.{n}.1.proj_in.weight" in shapes for n in firsts]
    attention = f"{UNET_PREFIX}middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    return {
        "in_channels": shapes[layer.format(0) + "weight"][1],
        "out_channels": shapes[f"{UNET_PREFIX}out.2.weight"][0],
        "layers_per_block": layers,
        "block_out_channels": widths,
        "down_block_types": [_block_type("Down", attends) for attends in has_attention],
        "up_block_types": [_block_type("Up", attends) for attends in reversed(has_attention)],
        "cross_attention_dim": shapes[attention][1],
        "norm_num_groups": _norm_groups(widths),
    }


def _block_type(direction: str, attends: bool) -> str:
    return f"CrossAttn{direction}Block2D" if attends else f"{direction}Block2D"


def _vae_config(shapes: _Shapes) -> Config:
    encoder = f"{VAE_PREFIX}encoder.down."
    blocks = shapes.count(encoder + "{}.block.0.conv1.weight")
    widths = [shapes[f"{encoder}{block}.block.0.conv1.weight"][0] for block in range(blocks)]
    return {
        "in_channels": shapes[f"{VAE_PREFIX}encoder.conv_in.weight"][1],
        "out_channels": shapes[f"{VAE_PREFIX}decoder.conv_out.weight"][0],
        "latent_channels": shapes[f"{VAE_PREFIX}post_quant_conv.weight"][0],
        "layers_per_block": shapes.count(encoder + "0.block.{}.conv1.weight"),
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * blocks,
        "up_block_types": ["UpDecoderBlock2D"] * blocks,
        "norm_num_groups": _norm_groups(widths),
    }


def _text_config(shapes: _Shapes) -> Config:
    """Read the text encoder's sizes; some files leave ``text_model.`` out of its names."""
    marked = f"{TEXT_PREFIX}text_model."
    prefix = marked if f"{marked}final_layer_norm.weight" in shapes else TEXT_PREFIX
    tokens, width = shapes[f"{prefix}embeddings.token_embedding.weight"]
    return {
        "vocab_size": tokens,
        "hidden_size": width,
        "projection_dim": width,
        "max_position_embeddings": shapes[f"{prefix}embeddings.position_embedding.weight"][0],
        "num_hidden_layers": shapes.count(f"{prefix}encoder.layers.{{}}.mlp.fc1.weight"),
        "num_attention_heads": max(1, width // 64),
        "intermediate_size": shapes[f"{prefix}encoder.layers.0.mlp.fc1.weight"][0],
    }


def _norm_groups(widths: list[int]) -> int:
    return math.gcd(32, *widths)
