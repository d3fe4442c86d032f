"""The sizes of networks, read off the shapes of a single file's tensors.

Shapes do not tell everything. Where they are silent, a family's published configs hold, 64 channels
a head in a CLIP text encoder, and 32 groups in every normalisation, or the largest power of two
below that divides all widths.
"""

from __future__ import annotations

import itertools
import math

from trainer_core.errors import ModelFileError
from trainer_core.families.clip import TEXT_MODEL
from trainer_core.families.layouts.family_layout import Config
from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.texts import T


class Shapes:
    """Shapes of matrices and kernels by name; a missing one that decides a size is an error."""

    def __init__(self, index: TensorIndex) -> None:
        self._index = index

    def __getitem__(self, name: str) -> tuple[int, ...]:
        entry = self._index.entries.get(name)
        if entry is None or len(entry.shape) < 2:
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


def unet_config(shapes: Shapes, prefix: str) -> Config:
    """Read the U-Net's sizes off its downward half, whose layers are numbered from 1.

    Raises:
        ModelFileError: A tensor that decides a size is missing.
    """
    layer = f"{prefix}input_blocks.{{}}.0."
    layers = shapes.count(layer + "out_layers.3.weight", first=1)
    downsamplings = shapes.count(layer + "op.weight", first=layers + 1, step=layers + 1)
    firsts = [(layers + 1) * block + 1 for block in range(downsamplings + 1)]
    widths = [shapes[layer.format(first) + "out_layers.3.weight"][0] for first in firsts]
    has_attention = [f"{prefix}input_blocks.{n}.1.proj_in.weight" in shapes for n in firsts]
    attention = f"{prefix}middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    return {
        "in_channels": shapes[layer.format(0) + "weight"][1],
        "out_channels": shapes[f"{prefix}out.2.weight"][0],
        "layers_per_block": layers,
        "block_out_channels": widths,
        "down_block_types": [_block_type("Down", attends) for attends in has_attention],
        "up_block_types": [_block_type("Up", attends) for attends in reversed(has_attention)],
        "cross_attention_dim": shapes[attention][1],
        "norm_num_groups": _norm_groups(widths),
    }


def _block_type(direction: str, attends: bool) -> str:
    return f"CrossAttn{direction}Block2D" if attends else f"{direction}Block2D"


def vae_config(shapes: Shapes, prefix: str) -> Config:
    """Read the VAE's sizes off its encoder.

    Raises:
        ModelFileError: A tensor that decides a size is missing.
    """
    encoder = f"{prefix}encoder.down."
    blocks = shapes.count(encoder + "{}.block.0.conv1.weight")
    widths = [shapes[f"{encoder}{block}.block.0.conv1.weight"][0] for block in range(blocks)]
    return {
        "in_channels": shapes[f"{prefix}encoder.conv_in.weight"][1],
        "out_channels": shapes[f"{prefix}decoder.conv_out.weight"][0],
        "latent_channels": shapes[f"{prefix}post_quant_conv.weight"][0],
        "layers_per_block": shapes.count(encoder + "0.block.{}.conv1.weight"),
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * blocks,
        "up_block_types": ["UpDecoderBlock2D"] * blocks,
        "norm_num_groups": _norm_groups(widths),
    }


def clip_config(shapes: Shapes, prefix: str) -> Config:
    """Read a CLIP text encoder's sizes; some files leave ``text_model.`` out of its names.

    Raises:
        ModelFileError: A tensor that decides a size is missing.
    """
    marked = f"{prefix}{TEXT_MODEL}"
    prefix = marked if f"{marked}final_layer_norm.weight" in shapes else prefix
    tokens, width = shapes[f"{prefix}embeddings.token_embedding.weight"][:2]
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
