"""The alphas of a LoRA file are read without torch, whatever type they are stored in."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from trainer_core.errors import ModelFileError
from trainer_core.model_files.starting_weights import alphas_by_part


def module(name: str, rank: int, alpha: Tensor | None) -> dict[str, Tensor]:
    tensors = {
        f"{name}.lora_down.weight": torch.ones(rank, 6),
        f"{name}.lora_up.weight": torch.ones(6, rank),
    }
    return tensors if alpha is None else {**tensors, f"{name}.alpha": alpha}


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64]
)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_an_alpha_of_any_type_is_read(
    tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(module("lora_unet_a", 2, torch.full(shape, 6, dtype=dtype)), path)

    assert alphas_by_part(path) == {"unet": (6.0,)}


def test_alphas_are_told_by_part_and_are_the_rank_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    tensors = module("lora_unet_a", 2, torch.tensor(8.0))
    tensors |= module("lora_unet_b", 2, torch.tensor(0.5)) | module("lora_unet_c", 4, None)
    tensors |= module("lora_te_a", 3, None) | module("somebody_else_s", 2, torch.tensor(9.0))
    save_file(tensors, path)

    assert alphas_by_part(path) == {"unet": (0.5, 4.0, 8.0), "text_encoder": (3.0,)}


@pytest.mark.parametrize("alpha", [torch.tensor(torch.nan), torch.ones(2), torch.tensor(True)])
def test_what_is_no_number_is_left_out(tmp_path: Path, alpha: Tensor) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(module("lora_unet_a", 2, alpha), path)

    assert alphas_by_part(path) == {}


def test_a_damaged_file_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(module("lora_unet_a", 2, None), path)
    path.write_bytes(path.read_bytes()[:-8])

    with pytest.raises(ModelFileError):
        alphas_by_part(path)
