"""The parts that families are made of: U-Net, VAE and CLIP text encoder.

Source of the single file's names: CompVis' latent-diffusion; see `original_names`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from trainer_core.families.clip import TEXT_MODEL, fill_position_ids, published_name
from trainer_core.families.layouts.family_layout import (
    Config,
    Names,
    PartLayout,
    Place,
    TokenizerPlace,
)
from trainer_core.families.layouts.original_names import UNetNames, vae_original
from trainer_core.model_files.part_configs import ClipTextConfig, UNetConfig, VaeConfig

#: Names of the VAE's attention in folders written by diffusers before 0.17.
_OLD_VAE_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
CLIP_TOKENIZER = TokenizerPlace("tokenizer", "clip")


def unet_part(prefix: str, further_names: Mapping[str, str] | None = None) -> PartLayout:
    """Return the layout of a U-Net.

    Args:
        prefix: What stands before its names in a single file.
        further_names: Original names, by diffusers', of layers that this family has beside those
            of Stable Diffusion 1 (``add_embedding.linear_1``: ``label_emb.0.0``).
    """

    def file_names(config: Any) -> Names:
        names = UNetNames(config.layers_per_block, config.up_block_types, further_names)
        return lambda name: [Place(prefix + names.original(name))]

    return PartLayout(
        build=UNet2DConditionModel.from_config, keys=UNetConfig, file_names=file_names
    )


def vae_part(prefix: str) -> PartLayout:
    """Return the layout of a VAE; ``prefix`` stands before its names in a single file."""

    def file_names(config: Any) -> Names:
        num_blocks = len(config.block_out_channels)

        def places(name: str) -> list[Place]:
            original = vae_original(name, num_blocks)
            # Its attention is made of 1x1 convolutions there.
            return [Place(prefix + original, is_convolution=".mid.attn_1." in original)]

        return places

    return PartLayout(
        build=AutoencoderKL.from_config,
        keys=VaeConfig,
        file_names=file_names,
        folder_names=_vae_folder_names,
    )


def _vae_folder_names(name: str) -> list[Place]:
    old = name
    for new_part, old_part in _OLD_VAE_NAMES.items():
        old = old.replace(f".{new_part}.", f".{old_part}.")
    return [Place(name), Place(old)]


def clip_part(prefix: str, tokenizer: TokenizerPlace = CLIP_TOKENIZER) -> PartLayout:
    """Return the layout of a CLIP text encoder.

    Args:
        prefix: What stands before its names in a single file.
        tokenizer: Where its tokenizer is.
    """

    def places(name: str) -> list[Place]:
        # Some files leave ``text_model.`` out.
        return [Place(prefix + place.name) for place in _clip_folder_names(name)]

    return PartLayout(
        build=_build_clip,
        keys=ClipTextConfig,
        file_names=lambda config: places,
        folder_names=_clip_folder_names,
        weights="model.safetensors",
        save_config=lambda network, folder: network.config.save_pretrained(folder),
        complete=fill_position_ids,
        tokenizer=tokenizer,
    )


def _build_clip(config: Config) -> CLIPTextModel:
    return CLIPTextModel(CLIPTextConfig.from_dict(config))


def _clip_folder_names(name: str) -> list[Place]:
    published = published_name(name)
    return [Place(published), Place(published.removeprefix(TEXT_MODEL))]
