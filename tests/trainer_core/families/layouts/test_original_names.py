"""The names of single files, against diffusers' own conversion of a full-size model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.loaders import single_file_utils
from torch import Tensor

from trainer_core.families.layouts.networks import Networks, build_networks, original_state
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT, published_architecture


@pytest.fixture(scope="module")
def networks() -> Networks:
    return build_networks(Path("published"), SD1_LAYOUT, published_architecture())


@pytest.fixture(scope="module")
def single_file(networks: Networks) -> dict[str, Tensor]:
    return {
        name: tensor
        for part in networks.modules
        for name, tensor in original_state(networks, part).items()
    }


def shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def test_diffusers_finds_every_tensor_of_the_unet(
    networks: Networks, single_file: dict[str, Tensor]
) -> None:
    converted = single_file_utils.convert_ldm_unet_checkpoint(
        dict(single_file), dict(networks.modules["unet"].config)
    )
    assert shapes(converted) == shapes(networks.modules["unet"].state_dict())


def test_diffusers_finds_the_same_tensor_under_each_name(
    networks: Networks, single_file: dict[str, Tensor]
) -> None:
    marked = {name: torch.tensor(float(i)) for i, name in enumerate(single_file)}
    names = {float(value): name for name, value in marked.items()}
    converted = single_file_utils.convert_ldm_unet_checkpoint(
        marked, dict(networks.modules["unet"].config)
    )
    # The names by which our own mapping would look for them, in the network's order.
    ours = list(single_file)[: len(converted)]
    assert [names[float(converted[name])] for name in networks.modules["unet"].state_dict()] == ours


def test_diffusers_finds_every_tensor_of_the_vae(
    networks: Networks, single_file: dict[str, Tensor]
) -> None:
    converted = single_file_utils.convert_ldm_vae_checkpoint(
        dict(single_file), dict(networks.modules["vae"].config)
    )
    assert shapes(converted) == shapes(networks.modules["vae"].state_dict())


def test_names_that_every_published_file_has(single_file: dict[str, Tensor]) -> None:
    # Spot checks from Stable Diffusion 1.5's own file, shapes included.
    known = {
        "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
        "model.diffusion_model.input_blocks.3.0.op.weight": (320, 320, 3, 3),
        "model.diffusion_model.input_blocks.4.0.skip_connection.weight": (640, 320, 1, 1),
        "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight": (1280, 768),
        "model.diffusion_model.output_blocks.2.1.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.5.2.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.time_embed.2.bias": (1280,),
        "first_stage_model.encoder.mid.attn_1.q.weight": (512, 512, 1, 1),
        "first_stage_model.decoder.up.0.block.0.nin_shortcut.weight": (128, 256, 1, 1),
        "first_stage_model.decoder.up.3.upsample.conv.bias": (512,),
        "first_stage_model.quant_conv.weight": (8, 8, 1, 1),
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 768),
        "cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc2.weight": (768, 3072),
        "cond_stage_model.transformer.text_model.final_layer_norm.bias": (768,),
    }
    assert {name: tuple(single_file[name].shape) for name in known} == known
    assert len(single_file) == 686 + 248 + 196
