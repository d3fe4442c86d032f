"""Stable Diffusion XL: two text encoders, and a denoiser that is told of sizes and cuts too.

Shape suffixes: B batch, C channels, H and W latent rows and columns, T text features.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor

from trainer_core.catalogue.families import FAMILIES, FamilyEntry
from trainer_core.dataset.buckets import told_offset
from trainer_core.families.base import LayerKind, Target
from trainer_core.families.clip import joined, of_first_chunk, read
from trainer_core.families.condition import TEXT, Condition, SampleFacts
from trainer_core.families.float32 import Float32Denoiser
from trainer_core.families.layouts.family_layout import FamilyLayout
from trainer_core.families.layouts.original_names import UNetNames
from trainer_core.families.layouts.sdxl_architecture import SDXL_LAYOUT, UNET_NAMES
from trainer_core.families.stable_diffusion import StableDiffusion
from trainer_core.families.targets import unet_targets

POOLED = "pooled"
"""The entry of the second encoder's pooled features BC."""
SIZES = "sizes"
"""The entry of six numbers for each picture, shape B6: see `SDXL.with_sizes`."""

_LAYER = -2  # the last but one, not normed; there is no clip skip


class SDXL(StableDiffusion):
    """Stable Diffusion XL 1.0 and everything trained from it.

    CLIP ViT-L/14 and OpenCLIP ViT-bigG/14, whose features stand side by side, a U-Net and a VAE.
    """

    entry: ClassVar[FamilyEntry] = FAMILIES["sdxl"]
    layout: ClassVar[FamilyLayout] = SDXL_LAYOUT

    def targets(self, part: str, kinds: frozenset[LayerKind]) -> Iterator[Target]:
        """Yield a part's layers of some kinds; adapter files call the U-Net's as single files do.

        See the protocol.
        """
        if part != self.entry.denoiser:
            return super().targets(part, kinds)
        unet = self._unet
        names = UNetNames(unet.config.layers_per_block, unet.config.up_block_types, UNET_NAMES)

        def name_in_files(path: str) -> str:
            return names.original(f"{path}.weight").removesuffix(".weight")

        return unet_targets(unet, part, self.entry.part(part).prefix, kinds, name_in_files)

    def encode_text(self, captions: Sequence[str]) -> Condition:
        """Return both encoders' features BTC side by side, and the second's pooled ones BC.

        See the protocol.
        """
        features, pooled_BC = [], torch.empty(0)
        for part in self.entry.text_encoders:
            tokens = self.tokens(part, captions)
            output = read(self._networks.modules[part], tokens)
            features.append(joined(output.hidden_states[_LAYER], tokens))
            if "text_embeds" in output:
                pooled_BC = of_first_chunk(output.text_embeds, tokens)
        return Condition({TEXT: torch.cat(features, dim=-1), POOLED: pooled_BC})

    def with_sizes(self, condition: Condition, facts: Sequence[SampleFacts]) -> Condition:
        """Return the condition with height and width of each picture, of its cut and its target.

        Float32: top and left stand for the cut, see `trainer_core.dataset.buckets.told_offset`; a
        cut that does not lie at the centre is told as it is. See the protocol.

        Source: Podell et al. 2023, arXiv:2307.01952, section 2.2.
        """
        rows = []
        for fact in facts:
            left, top = fact.cut or told_offset(
                fact.original, fact.target, is_flipped=fact.is_flipped
            )
            rows.append([*fact.original[::-1], top, left, *fact.target[::-1]])
        sizes_B6 = torch.tensor(rows, dtype=torch.float32).to(condition[TEXT].device)
        return Condition({**condition.tensors, SIZES: sizes_B6})

    def predict(self, noisy_BCHW: Tensor, timesteps_B: Tensor, condition: Condition) -> Tensor:
        """Return the U-Net's prediction BCHW, in its type or autocast's; see the protocol."""
        dtype = self._unet.dtype
        prediction_BCHW: Tensor = self._unet(
            noisy_BCHW.to(dtype),
            timesteps_B,
            condition[TEXT].to(dtype),
            added_cond_kwargs={
                "text_embeds": condition[POOLED].to(dtype),
                "time_ids": condition[SIZES],
            },
            return_dict=False,
        )[0]
        return prediction_BCHW

    def pipeline(self, scheduler: Any) -> Any:
        """Return the diffusers pipeline from conditions to latents; see the protocol."""
        return StableDiffusionXLPipeline(
            vae=None,
            text_encoder=None,
            text_encoder_2=None,
            tokenizer=None,
            tokenizer_2=None,
            unet=Float32Denoiser(self._unet),
            scheduler=scheduler,
            add_watermarker=False,
        )

    def pipeline_inputs(self, positive: Condition, negative: Condition) -> Mapping[str, object]:
        """Return what the denoiser is told of both prompts, and the sizes; see the protocol."""
        height, width, top, left, *target = map(int, positive[SIZES][0].tolist())
        return {
            "prompt_embeds": positive[TEXT],
            "negative_prompt_embeds": negative[TEXT],
            "pooled_prompt_embeds": positive[POOLED],
            "negative_pooled_prompt_embeds": negative[POOLED],
            "original_size": (height, width),
            "crops_coords_top_left": (top, left),
            "target_size": tuple(target),
        }
