"""What configs of models may say."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, PretrainedConfig

from trainer_core.errors import ModelFileError
from trainer_core.files.resources import resource_path
from trainer_core.model_files.part_configs import (
    ClipTextConfig,
    ConfigKeys,
    SchedulerConfig,
    UNetConfig,
    VaeConfig,
    checked_config,
    checked_scheduler,
)

PATH = Path("config.json")
#: Of every transformer; they decide nothing of a text encoder's network.
GENERAL = {field.name for field in dataclasses.fields(PretrainedConfig)}


def _arguments(kind: type) -> set[str]:
    return set(inspect.signature(kind.__init__).parameters) - {"self"}


@pytest.mark.parametrize(
    ("keys", "library"),
    [
        (UNetConfig, _arguments(UNet2DConditionModel)),
        (VaeConfig, _arguments(AutoencoderKL)),
        (SchedulerConfig, _arguments(DDPMScheduler)),
        (ClipTextConfig, {field.name for field in dataclasses.fields(CLIPTextConfig)} - GENERAL),
    ],
)
def test_every_key_of_the_libraries_is_known(keys: ConfigKeys, library: set[str]) -> None:
    assert set(keys.__annotations__) == library


@pytest.mark.parametrize(
    ("part", "keys"),
    [("unet", UNetConfig), ("vae", VaeConfig), ("text_encoder", ClipTextConfig)],
)
def test_published_configs_come_back_as_they_are(part: str, keys: ConfigKeys) -> None:
    path = resource_path("model_configs", "sd1") / part / "config.json"
    published = json.loads(path.read_text())
    known = {key: value for key, value in published.items() if key in keys.__annotations__}
    assert checked_config(path, published, keys) == known


#: What their published folders say beyond Stable Diffusion 1's. Source: the configs of
#: stabilityai/stable-diffusion-xl-base-1.0 and stabilityai/stable-diffusion-2-1.
SDXL = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "attention_head_dim": [5, 10, 20],
    "block_out_channels": [320, 640, 1280],
    "cross_attention_dim": 2048,
    "projection_class_embeddings_input_dim": 2816,
    "sample_size": 128,
    "transformer_layers_per_block": [1, 2, 10],
    "upcast_attention": None,
    "use_linear_projection": True,
}
SD2 = {
    "attention_head_dim": [5, 10, 20, 20],
    "cross_attention_dim": 1024,
    "dual_cross_attention": False,
}


@pytest.mark.parametrize("config", [SDXL, SD2])
def test_other_families_configs_come_back_as_they_are(config: dict[str, Any]) -> None:
    assert checked_config(PATH, config, UNetConfig) == config


@pytest.mark.parametrize(
    ("keys", "key", "value", "expected"),
    [
        (ClipTextConfig, "initializer_factor", 1, 1.0),
        (ClipTextConfig, "num_hidden_layers", 12.0, 12),
        (SchedulerConfig, "num_train_timesteps", 1000.0, 1000),
        (UNetConfig, "block_out_channels", [320.0, 640], [320, 640]),
    ],
)
def test_one_number_written_in_two_ways_is_one_number(
    keys: ConfigKeys, key: str, value: Any, expected: Any
) -> None:
    found = checked_config(PATH, {key: value}, keys)[key]
    assert (found, repr(found)) == (expected, repr(expected))


@pytest.mark.parametrize(
    ("keys", "key", "value"),
    [
        (VaeConfig, "layers_per_block", 2**31),
        (VaeConfig, "layers_per_block", True),
        (VaeConfig, "block_out_channels", []),
        (VaeConfig, "down_block_types", ["DownEncoderBlock2D", []]),
        (VaeConfig, "scaling_factor", 0),
        (VaeConfig, "scaling_factor", float("nan")),
        (UNetConfig, "block_out_channels", [320] * 9),
        (UNetConfig, "block_out_channels", 320),
        (UNetConfig, "layers_per_block", 0),
        (UNetConfig, "in_channels", -4),
        (UNetConfig, "transformer_layers_per_block", [1, [10**9]]),
        (ClipTextConfig, "num_hidden_layers", "3"),
        (ClipTextConfig, "hidden_size", 1.5),
        (ClipTextConfig, "layer_norm_eps", -1),
        (ClipTextConfig, "vocab_size", 10**400),
        (SchedulerConfig, "beta_start", "0.00085"),
        (SchedulerConfig, "beta_schedule", [1]),
        (SchedulerConfig, "num_train_timesteps", 1.5),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_key(
    keys: ConfigKeys, key: str, value: Any
) -> None:
    with pytest.raises(ModelFileError, match=rf"In config\.json, {key} cannot be ") as caught:
        checked_config(PATH, {key: value}, keys)
    assert caught.value.hint is not None


def test_unknown_keys_are_left_out() -> None:
    assert checked_config(
        PATH, {"__class__": 5, "_class_name": "X", "act_fn": "silu"}, VaeConfig
    ) == {"act_fn": "silu"}


def test_a_scheduler_keeps_the_plain_values_of_any_class() -> None:
    config = {"_class_name": "X", "lambda_min_clipped": float("-inf"), "solver_order": 2, "a": None}
    assert checked_scheduler(PATH, config) == config


@pytest.mark.parametrize(
    ("key", "value"), [("__class__", 1.5), ("a b", 1), ("a", [1]), ("a", {}), ("a", float("nan"))]
)
def test_a_scheduler_is_given_nothing_else(key: str, value: Any) -> None:
    with pytest.raises(ModelFileError, match=rf"In config\.json, {key} cannot be "):
        checked_scheduler(PATH, {key: value})
