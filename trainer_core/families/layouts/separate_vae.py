"""A VAE in files of its own: its sizes, and where its tensors are."""

from __future__ import annotations

from typing import Any

from trainer_core.families.layouts.family_layout import Config, Names, PartLayout, Place
from trainer_core.families.layouts.parts import vae_part
from trainer_core.families.layouts.shapes import Shapes, vae_config
from trainer_core.model_files.part_configs import checked_config
from trainer_core.model_files.separate_vae import SeparateVae, require_same_latents


def separate_vae_config(vae: SeparateVae, own: Config, layout: PartLayout) -> Config:
    """Return the config of a VAE that is used instead of the base model's own.

    Where it is silent, it is like the own one. The scale of the latents is that of the own one,
    which the denoiser was trained with.

    Args:
        vae: The VAE.
        own: The config of the base model's own.
        layout: Of that part of the family.

    Raises:
        ModelFileError: It has other latents, or a tensor that decides a size is missing.
    """
    sizes: Config = dict(vae.config)
    if vae.is_original:
        read = vae_config(Shapes(vae.index), vae.prefix)
        sizes = checked_config(vae.path, read, layout.keys)
    config = own | sizes
    require_same_latents(vae, config, own)
    return config | {"scaling_factor": own["scaling_factor"]}


def separate_vae_names(vae: SeparateVae, config: Any) -> Names:
    """Return the way from the network's names to the places of its tensors; ``config`` is its."""
    part = vae_part(vae.prefix)
    if vae.is_original:
        return part.file_names(config)

    def places(name: str) -> list[Place]:
        return [Place(vae.prefix + place.name) for place in part.folder_names(name)]

    return places
