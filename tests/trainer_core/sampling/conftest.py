"""A model of Stable Diffusion's shape, small enough to draw a picture in a blink."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from helpers.tiny_family import FEATURES, TinyFamily, TinyTextEncoder

from trainer_core.sampling.pictures import PreviewDefaults
from trainer_core.sampling.preview import Preview, PreviewModel


@pytest.fixture
def sd1_schedule() -> dict[str, object]:
    return {
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "prediction_type": "epsilon",
        "skip_prk_steps": True,
        "set_alpha_to_one": False,
        "steps_offset": 1,
        "clip_sample": False,
    }


@pytest.fixture
def family(sd1_schedule: dict[str, object]) -> TinyFamily:
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=2,
        norm_num_groups=4,
        cross_attention_dim=FEATURES,
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=2,
    )
    return TinyFamily(unet, vae, TinyTextEncoder(), sd1_schedule)


@pytest.fixture
def model(family: TinyFamily) -> PreviewModel:
    return PreviewModel(
        family=family,
        modules=[family.unet, family.vae, family.text_encoder],
        conditions=family.text_encoder.encode,
        lend_decoder=family.lend_decoder,
    )


@pytest.fixture
def defaults() -> PreviewDefaults:
    return PreviewDefaults("ddim", width_px=64, height_px=64, run_seed=7)


@pytest.fixture
def preview(model: PreviewModel, defaults: PreviewDefaults) -> Preview:
    return Preview(model, defaults, device=torch.device("cpu"))
