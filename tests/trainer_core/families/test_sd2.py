"""What the trainer asks of Stable Diffusion 2, against the recorded names and diffusers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers import vectors
from helpers.tiny_model import TinySD1, loaded, make_tiny_sd2
from safetensors.torch import load_file, save_file
from torch import nn

from trainer_core.catalogue.families import FAMILIES
from trainer_core.families.base import Target
from trainer_core.families.condition import TEXT
from trainer_core.families.layouts.networks import build_networks
from trainer_core.families.layouts.sd2_architecture import SD2_LAYOUT, published_architecture
from trainer_core.families.sd2 import SD2
from trainer_core.model_files.recognise import inspect_model

CAPTIONS = ["a cat", "hello! wow!!", ""]
VARIANTS: Mapping[str, Any] = vectors.load("lora_keys_sd21.json")["variants"]


def is_projection(name: str) -> bool:
    is_of_unet = name.startswith("model.diffusion_model.")
    return is_of_unet and name.endswith(("proj_in.weight", "proj_out.weight"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    return make_tiny_sd2(tmp_path_factory.mktemp("tiny-sd2"))


@pytest.fixture(scope="module")
def with_convolutions(files: TinySD1, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with 1x1 convolutions as projections, as sd-scripts writes it."""
    state = load_file(files.safetensors)
    for name, tensor in state.items():
        if is_projection(name):
            state[name] = tensor[:, :, None, None].contiguous()
    path = tmp_path_factory.mktemp("convolutions") / "tiny.safetensors"
    save_file(state, path)
    return path


def full_size_targets() -> list[Target]:
    model = SD2(Path("x"), build_networks(Path("x"), SD2_LAYOUT, published_architecture()))
    kinds = frozenset({"linear", "conv"})
    return [t for part in FAMILIES["sd2"].parts for t in model.targets(part.name, kinds)]


def test_adapter_targets_equal_the_recorded_ones_of_linear_projections() -> None:
    found = []
    for target in (each for each in full_size_targets() if each.is_standard):
        assert isinstance(target.layer, nn.Linear)
        inside, outside = target.layer.in_features, target.layer.out_features
        found.append((target.name, "linear", [8, inside], [outside, 8]))
    modules = VARIANTS["dim8_alpha1_unet_with_linear_projection"]["modules"]
    assert sorted(found) == sorted(tuple(module) for module in modules)


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_equal_the_recorded_ones_of_every_variant(variant: str) -> None:
    with_convolutions = VARIANTS[variant]["conv_dim"] is not None
    ends = ("lora_unet_conv_in", "lora_unet_conv_out", "lora_unet_time_embedding")
    names = {
        target.name
        for target in full_size_targets()
        if target.is_standard or (with_convolutions and not target.name.startswith(ends))
    }
    assert names == {module[0] for module in VARIANTS[variant]["modules"]}


def test_text_features_and_prediction_are_those_of_the_diffusers_pipeline(
    files: TinySD1,
) -> None:
    theirs = StableDiffusionPipeline.from_pretrained(files.folder, local_files_only=True)
    noisy = torch.randn((3, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    timesteps = torch.tensor([3, 500, 900])
    expected_text, _ = theirs.encode_prompt(CAPTIONS, "cpu", 1, False)
    expected = theirs.unet(noisy, timesteps, expected_text).sample
    for path in (files.folder, files.safetensors):
        ours = loaded(path, kind=SD2)
        condition = ours.encode_text(CAPTIONS)
        assert torch.equal(condition[TEXT], expected_text)
        assert torch.equal(ours.predict(noisy, timesteps, condition), expected)


def test_projections_stored_as_convolutions_are_read_as_linear_layers(
    files: TinySD1, with_convolutions: Path
) -> None:
    stored = load_file(with_convolutions)
    assert {stored[name].dim() for name in stored if is_projection(name)} == {4}
    unet = loaded(with_convolutions, kind=SD2).module("unet").state_dict()
    expected = loaded(files.folder, kind=SD2).module("unet").state_dict()
    assert all(torch.equal(unet[name], tensor) for name, tensor in expected.items())


def test_a_folder_with_convolutions_is_recognised_by_its_text_features(
    files: TinySD1, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(files.folder, tmp_path / "convolutions"))
    path = folder / "unet" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {"use_linear_projection": False, "cross_attention_dim": 1024}
    path.write_text(json.dumps(config), encoding="utf-8")
    assert inspect_model(folder).kind == "sd2"
