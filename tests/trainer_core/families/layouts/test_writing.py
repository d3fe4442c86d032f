"""Stable Diffusion 1 written as a folder and as a single file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.tiny_model import PARTS, TinySD1, loaded, tiny_networks
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from trainer_core.errors import OutputError
from trainer_core.families.base import Layout
from trainer_core.families.layouts.networks import original_state
from trainer_core.families.layouts.writing import write_tensors
from trainer_core.families.sd1 import SD1
from trainer_core.files.resources import resource_path


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_the_safetensors_library_reads_what_is_written(dtype: torch.dtype, tmp_path: Path) -> None:
    tensors = {"b": torch.randn(3, 5), "a": torch.randn(2, 3, 1, 1), "n": torch.tensor(2.5)}
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    path = tmp_path / "w.safetensors"
    write_tensors(path, shapes, iter(tensors.values()), dtype=dtype, metadata={"title": "猫"})
    read = load_file(path)
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(read[name], tensor.to(dtype)), name
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"title": "猫"}


def test_the_written_text_encoder_has_the_names_that_transformers_4_reads(
    tiny_files: TinySD1,
) -> None:
    names = load_file(tiny_files.folder / "text_encoder" / "model.safetensors")
    assert all(name.startswith("text_model.") for name in names)


def test_a_folder_keeps_schedule_and_tokenizer(tiny_files: TinySD1, tmp_path: Path) -> None:
    first = loaded(tiny_files.ckpt)
    first.module("unet").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    first.write(tmp_path / "copy", Layout.DIFFUSERS, dtype=torch.float32, metadata={})
    second = loaded(tmp_path / "copy")
    for part in PARTS:
        expected: dict[str, Tensor] = first.module(part).state_dict()
        for name, tensor in second.module(part).state_dict().items():
            assert torch.equal(tensor, expected[name]), name
    assert second.scheduler_config == first.scheduler_config
    assert (tmp_path / "copy" / "tokenizer" / "vocab.json").read_bytes() == (
        resource_path("tokenizers", "clip", "vocab.json").read_bytes()
    )


def test_the_single_file_holds_the_names_and_shapes_of_the_original_layout(
    tiny_files: TinySD1,
) -> None:
    state = original_state(tiny_networks(), "vae")
    assert state["first_stage_model.encoder.mid.attn_1.q.weight"].shape == (16, 16, 1, 1)
    assert state.keys() <= load_file(tiny_files.safetensors).keys()


def test_a_single_file_says_what_its_denoiser_predicts(tiny_files: TinySD1, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_files.folder, tmp_path / "v"))
    config = folder / "scheduler" / "scheduler_config.json"
    settings = json.loads(config.read_bytes()) | {
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    target = tmp_path / "v.safetensors"
    SD1.open(folder).write(target, Layout.ORIGINAL, dtype=torch.float16, metadata={"a": "b"})
    written = SD1.open(target).noise_schedule
    assert written.prediction_type == "v_prediction"
    assert written.has_zero_terminal_snr
    assert {"v_pred", "ztsnr"} <= load_file(target).keys()


@pytest.mark.parametrize("layout", list(Layout))
def test_what_is_there_is_replaced_only_when_told(
    layout: Layout, tiny_files: TinySD1, tmp_path: Path
) -> None:
    target = tmp_path / "mine"
    target.mkdir() if layout is Layout.DIFFUSERS else target.write_text("mine")
    model = SD1.open(tiny_files.folder)
    with pytest.raises(OutputError):
        model.write(target, layout, dtype=torch.float32, metadata={})
    model.write(target, layout, dtype=torch.float32, metadata={}, replace=True)
    assert SD1.open(target).is_loaded("unet") is False
