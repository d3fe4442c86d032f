"""Stable Diffusion XL in files: sizes read off shapes, and names against diffusers' conversion."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.loaders import single_file_utils
from helpers.tiny_model import make_tiny_sdxl
from helpers.tiny_sdxl import tiny_sdxl_architecture
from torch import Tensor

from trainer_core.errors import ModelFileError
from trainer_core.families.layouts.networks import Networks, build_networks, original_state
from trainer_core.families.layouts.sdxl_architecture import (
    SDXL_LAYOUT,
    file_architecture,
    published_architecture,
)
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index

PATH = Path("sdxl.safetensors")


@pytest.fixture(scope="module")
def networks() -> Networks:
    return build_networks(PATH, SDXL_LAYOUT, published_architecture())


@pytest.fixture(scope="module")
def single_file(networks: Networks) -> dict[str, Tensor]:
    return {
        name: tensor
        for part in networks.modules
        for name, tensor in original_state(networks, part).items()
    }


def index_of(state: dict[str, Tensor]) -> TensorIndex:
    entries = {n: TensorEntry("F32", tuple(t.shape), 0, 0) for n, t in state.items()}
    return TensorIndex(PATH, entries)


def test_a_full_size_file_gives_the_published_configs(single_file: dict[str, Tensor]) -> None:
    assert file_architecture(index_of(single_file)) == published_architecture()


def test_a_tiny_file_gives_the_configs_it_was_made_with(tmp_path: Path) -> None:
    files = make_tiny_sdxl(tmp_path)
    assert file_architecture(read_index(files.safetensors)) == tiny_sdxl_architecture()


def test_a_velocity_model_is_told_by_its_marks(single_file: dict[str, Tensor]) -> None:
    marked = index_of({**single_file, "v_pred": torch.empty(0), "ztsnr": torch.empty(0)})
    assert file_architecture(marked).scheduler["prediction_type"] == "v_prediction"


@pytest.mark.parametrize("part", ["first_stage_model.", "conditioner.embedders.1.", "label_emb."])
def test_a_missing_part_is_named(single_file: dict[str, Tensor], part: str) -> None:
    state = {name: tensor for name, tensor in single_file.items() if part not in name}
    with pytest.raises(ModelFileError, match=rf"sdxl\.safetensors lacks .*{part}"):
        file_architecture(index_of(state))


def test_diffusers_finds_the_same_tensor_under_each_name_of_the_unet(
    networks: Networks, single_file: dict[str, Tensor]
) -> None:
    unet = networks.modules["unet"]
    marked = {name: torch.tensor(float(i)) for i, name in enumerate(single_file)}
    names = {float(value): name for name, value in marked.items()}
    converted = single_file_utils.convert_ldm_unet_checkpoint(marked, dict(unet.config))
    ours = list(single_file)[: len(converted)]  # in the network's order
    assert converted.keys() == unet.state_dict().keys()
    assert [names[float(converted[name])] for name in unet.state_dict()] == ours


def test_diffusers_takes_the_file_for_sdxl(single_file: dict[str, Tensor]) -> None:
    assert single_file_utils.infer_diffusers_model_type(dict(single_file)) == "xl_base"


def test_names_that_every_published_file_has(single_file: dict[str, Tensor]) -> None:
    # Spot checks from Stable Diffusion XL 1.0's own file, shapes included.
    known = {
        "model.diffusion_model.label_emb.0.0.weight": (1280, 2816),
        "model.diffusion_model.label_emb.0.2.bias": (1280,),
        "model.diffusion_model.input_blocks.4.1.proj_in.weight": (640, 640),
        "model.diffusion_model.input_blocks.8.1.transformer_blocks.9.attn2.to_k.weight": (
            1280,
            2048,
        ),
        "model.diffusion_model.input_blocks.6.0.op.weight": (640, 640, 3, 3),
        "model.diffusion_model.output_blocks.2.2.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.8.0.skip_connection.weight": (320, 640, 1, 1),
        "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight": (768,),
        "conditioner.embedders.1.model.text_projection": (1280, 1280),
        "conditioner.embedders.1.model.positional_embedding": (77, 1280),
        "conditioner.embedders.1.model.transformer.resblocks.31.attn.in_proj_weight": (3840, 1280),
        "first_stage_model.encoder.mid.attn_1.q.weight": (512, 512, 1, 1),
    }
    assert {name: tuple(single_file[name].shape) for name in known} == known
