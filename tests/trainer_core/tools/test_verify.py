"""Verify LoRA: what it says of whole and of broken files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.lora_files import TEXT_ENCODER, UNET, lora_tensors, write_lora_file
from safetensors.torch import save_file
from torch import Tensor

from trainer_core.settings.tools.verify import VerifySettings
from trainer_core.tools.verify import VerifyLoRA


@pytest.fixture
def verified(tmp_path: Path, listener: Any) -> Any:
    """Return what is said of a file with these tensors and metadata."""

    def verify(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> str:
        path = write_lora_file(tmp_path / "a.safetensors", tensors, metadata)
        settings = VerifySettings(file=path)
        assert list(VerifyLoRA().check(settings)) == []
        return "\n".join(map(str, VerifyLoRA().run(settings, listener).lines))

    return verify


def test_it_counts_modules_ranks_and_alphas_per_part(verified: Any, listener: Any) -> None:
    said = verified(lora_tensors(rank=2))
    assert "6 tensors in 2 modules" in said
    assert "U-Net: 1 module, rank 2, alpha 1, F32." in said
    assert "Text encoder: 1 module, rank 2, alpha 1, F32." in said
    assert listener.warnings == []


def test_mean_and_largest_are_those_of_all_weights_of_the_part(verified: Any) -> None:
    tensors = lora_tensors()
    tensors[f"{UNET}.lora_up.weight"][0, 0] = -50.0
    weights = torch.cat([tensors[f"{UNET}.lora_{end}.weight"].flatten() for end in ("down", "up")])
    said = verified(tensors)
    mean = f"{weights.double().abs().mean():.4g}"
    assert f"U-Net: mean magnitude {mean}, largest 50 in {UNET}." in said


def test_different_ranks_are_listed_with_their_number(verified: Any) -> None:
    tensors = lora_tensors(rank=2)
    tensors["lora_unet_b.lora_down.weight"] = torch.ones(4, 3)
    tensors["lora_unet_b.lora_up.weight"] = torch.ones(3, 4)
    assert "U-Net: 2 modules, rank 4 (1), 2 (1), alpha – (1), 1 (1), F32." in verified(tensors)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_not_finite_values_are_named(verified: Any, listener: Any, broken: float) -> None:
    tensors = lora_tensors()
    tensors[f"{UNET}.lora_down.weight"][0, 0] = broken
    tensors[f"{TEXT_ENCODER}.alpha"] = torch.tensor(broken)
    said = verified(tensors)
    [warning] = listener.warnings
    names = f"{TEXT_ENCODER}.alpha, {UNET}.lora_down.weight"
    assert warning == f"Not finite (NaN or infinite): {names} (2 in all)"
    assert "nan" not in said


def test_zero_and_missing_matrices_and_other_tensors_are_named(
    verified: Any, listener: Any
) -> None:
    tensors = lora_tensors()
    tensors[f"{UNET}.lora_up.weight"].zero_()
    del tensors[f"{TEXT_ENCODER}.lora_up.weight"]
    tensors["stray"] = torch.ones(1)
    verified(tensors)
    assert listener.warnings == [
        f"Zero throughout: {UNET}.lora_up.weight (1 in all)",
        f"Missing: {TEXT_ENCODER}.lora_up.weight (1 in all)",
        "Part of no adapter: stray (1 in all)",
    ]


def test_an_alpha_that_is_no_single_number_is_named(verified: Any, listener: Any) -> None:
    tensors = lora_tensors()
    tensors[f"{UNET}.alpha"] = torch.ones(2)
    tensors[f"{TEXT_ENCODER}.alpha"] = torch.ones(1)
    verified(tensors)
    assert listener.warnings == [f"Not a single number: {UNET}.alpha (1 in all)"]


def test_factors_that_are_no_floats_are_named(verified: Any, listener: Any) -> None:
    tensors = lora_tensors()
    name = f"{UNET}.lora_up.weight"
    tensors[name] = torch.ones(4, 2, dtype=torch.int32)
    verified(tensors)
    assert listener.warnings == [f"Not of a floating-point type: {name} (1 in all)"]


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.bfloat16, torch.float64])
def test_floats_of_any_size_are_sound(verified: Any, listener: Any, dtype: torch.dtype) -> None:
    verified({name: torch.ones_like(t).to(dtype) for name, t in lora_tensors().items()})
    assert listener.warnings == []


def test_whole_numbers_are_sound_where_they_count_something(verified: Any, listener: Any) -> None:
    tensors = lora_tensors()
    tensors[f"{UNET}.bias_indices"] = torch.ones(2, 3, dtype=torch.int64)
    tensors[f"{UNET}.rank"] = torch.tensor(2)
    verified(tensors)
    assert listener.warnings == []


def test_metadata_are_counted_and_the_known_ones_shown(verified: Any) -> None:
    metadata = {"ss_network_dim": "2", "ss_output_name": "x" * 500, "mine": "secret"}
    said = verified(lora_tensors(), metadata)
    assert "Metadata: 3 entries." in said
    assert "ss_network_dim = 2" in said
    assert f"ss_output_name = {'x' * 120}\n" in said
    assert "secret" not in said
    assert verified(lora_tensors()).endswith("The file has no metadata.")


def test_the_text_file_has_every_tensor_and_all_metadata(tmp_path: Path, listener: Any) -> None:
    tensors = lora_tensors()
    path = write_lora_file(tmp_path / "a.safetensors", tensors, {"mine": "kept"})
    report = tmp_path / "a.txt"
    result = VerifyLoRA().run(VerifySettings(file=path, report=report), listener)
    assert result.files == (report,)
    lines = report.read_text(encoding="utf-8").splitlines()
    assert "mine = kept" in lines
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in lines if "\t" in line}
    for name, tensor in tensors.items():
        if not name.endswith("alpha"):
            kind, shape, mean, largest, broken = rows[name]
            assert (kind, shape, broken) == ("F32", " x ".join(map(str, tensor.shape)), "0")
            assert float(mean) == pytest.approx(float(tensor.abs().mean()), rel=1e-5)
            assert float(largest) == pytest.approx(float(tensor.abs().max()), rel=1e-5)


def test_a_ckpt_is_read_like_its_safetensors(tmp_path: Path, listener: Any, verified: Any) -> None:
    tensors = lora_tensors()
    tensors[f"{UNET}.lora_up.weight"] = tensors[f"{UNET}.lora_up.weight"].t().clone().t()
    path = tmp_path / "a.ckpt"
    torch.save(tensors, path)
    lines = list(map(str, VerifyLoRA().run(VerifySettings(file=path), listener).lines))
    plain = {name: tensor.contiguous() for name, tensor in tensors.items()}
    assert lines[1:] == verified(plain).splitlines()[1:]


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"a.weight": torch.ones(1)}, "no tensor in it is one of an adapter"),
        (
            {
                "cond_stage_model.transformer.x": torch.ones(1),
                "model.diffusion_model.x": torch.ones(1),
            },
            "is no LoRA but a Stable Diffusion 1.x model",
        ),
    ],
)
def test_what_is_no_lora_is_refused_by_its_header(
    tmp_path: Path, tensors: dict[str, Tensor], words: str
) -> None:
    path = tmp_path / "a.safetensors"
    save_file(tensors, path)
    [problem] = VerifyLoRA().check(VerifySettings(file=path))
    assert (problem.path, words in str(problem.message)) == ("verify_lora.file", True)
