"""Stable Diffusion 1 from a folder, a single file and a checkpoint; and back to a folder."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers.tiny_model import TinySD1, tiny_networks
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer_core.errors import ModelFileError
from trainer_core.families.layouts.sd1_files import original_state_dict
from trainer_core.families.sd1 import SD1
from trainer_core.files.resources import resource_path

VAE_ATTENTION = "encoder.mid_block.attentions.0."


def weights(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of the three networks; ``model`` is an SD1 or a diffusers pipeline."""
    unet = model.denoiser if isinstance(model, SD1) else model.unet
    for part in (unet, model.vae, model.text_encoder):
        network: nn.Module = part
        yield from network.named_parameters()
        yield from network.named_buffers()


def assert_same(model: Any, expected: Any) -> None:
    found, wanted = list(weights(model)), list(weights(expected))
    assert [name for name, _ in found] == [name for name, _ in wanted]
    for (name, tensor), (_, other) in zip(found, wanted, strict=True):
        assert torch.equal(tensor, other), name


@pytest.fixture
def folder(tiny_files: TinySD1, tmp_path: Path) -> Path:
    """A copy of the tiny folder that a test may change."""
    return Path(shutil.copytree(tiny_files.folder, tmp_path / "model"))


@pytest.mark.parametrize("layout", ["safetensors", "ckpt"])
def test_a_single_file_gives_the_same_bits_as_the_folder(tiny_files: TinySD1, layout: str) -> None:
    assert_same(SD1.load(getattr(tiny_files, layout)), SD1.load(tiny_files.folder))


def test_a_folder_gives_what_was_written(tiny_files: TinySD1) -> None:
    networks = tiny_networks()
    loaded = SD1.load(tiny_files.folder)
    written = [networks.unet, networks.vae, networks.text_encoder]
    for part, expected in zip(
        (loaded.denoiser, loaded.vae, loaded.text_encoder), written, strict=True
    ):
        for name, tensor in expected.state_dict().items():
            assert torch.equal(part.state_dict()[name], tensor), name


@pytest.mark.parametrize("layout", ["safetensors", "ckpt"])
def test_diffusers_reads_the_same_from_the_single_file(tiny_files: TinySD1, layout: str) -> None:
    path = getattr(tiny_files, layout)
    reference = StableDiffusionPipeline.from_single_file(
        path, config=str(tiny_files.folder), local_files_only=True, safety_checker=None
    )
    assert_same(SD1.load(path), reference)


def test_diffusers_reads_the_same_from_the_folder(tiny_files: TinySD1) -> None:
    reference = StableDiffusionPipeline.from_pretrained(tiny_files.folder, local_files_only=True)
    assert_same(SD1.load(tiny_files.folder), reference)


@pytest.mark.parametrize("layout", ["folder", "safetensors", "ckpt"])
def test_nothing_is_fetched(
    tiny_files: TinySD1, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert SD1.load(getattr(tiny_files, layout)).encode_text(["a cat"]).isfinite().all()


def test_a_half_precision_file_becomes_full_precision_weights(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    halves = {name: tensor.half() for name, tensor in load_file(tiny_files.safetensors).items()}
    save_file(halves, tmp_path / "half.safetensors")
    loaded = SD1.load(tmp_path / "half.safetensors", dtype=torch.float32)
    expected = halves["model.diffusion_model.input_blocks.0.0.weight"].float()
    assert torch.equal(loaded.denoiser.conv_in.weight, expected)
    assert {p.dtype for _, p in weights(loaded)} == {torch.float32, torch.int64}


def test_each_part_gets_the_precision_asked_for(tiny_files: TinySD1) -> None:
    loaded = SD1.load(tiny_files.ckpt, dtype=torch.bfloat16, vae_dtype=torch.float32)
    assert loaded.denoiser.dtype == loaded.text_encoder.dtype == torch.bfloat16
    assert loaded.vae.dtype == torch.float32


def test_averages_and_buffers_beside_the_weights_are_left_alone(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    position_ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    extra = {
        "model_ema.decay": torch.tensor(0.9999),
        "model_ema.diffusion_modelinput_blocks00weight": torch.full((16, 4, 3, 3), 7.0),
        "alphas_cumprod": torch.ones(1000),
        position_ids: torch.arange(77).expand(1, -1).contiguous(),
    }
    save_file({**load_file(tiny_files.safetensors), **extra}, tmp_path / "ema.safetensors")
    assert_same(SD1.load(tmp_path / "ema.safetensors"), SD1.load(tiny_files.folder))


def test_a_file_without_text_model_in_its_names_is_read(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    state = load_file(tiny_files.safetensors)
    bare = {name.replace(".text_model.", "."): tensor for name, tensor in state.items()}
    save_file(bare, tmp_path / "bare.safetensors")
    assert_same(SD1.load(tmp_path / "bare.safetensors"), SD1.load(tiny_files.folder))


def test_a_folder_of_half_precision_variants_is_read(folder: Path) -> None:
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        plain = folder / part / f"{name}.safetensors"
        plain.rename(plain.with_name(f"{name}.fp16.safetensors"))
    assert SD1.load(folder).encode_text(["a cat"]).isfinite().all()


def test_a_folder_of_pickled_weights_is_read(folder: Path, tiny_files: TinySD1) -> None:
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        plain = folder / part / f"{name}.safetensors"
        pickled = name if part == "unet" else "pytorch_model"
        torch.save(load_file(plain), folder / part / f"{pickled}.bin")
        plain.unlink()
    assert_same(SD1.load(folder), SD1.load(tiny_files.folder))


def test_the_vae_of_an_old_folder_is_read(folder: Path, tiny_files: TinySD1) -> None:
    old_names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    state = load_file(file)
    for new, old in old_names.items():
        for leaf in ("weight", "bias"):
            state[f"{VAE_ATTENTION}{old}.{leaf}"] = state.pop(f"{VAE_ATTENTION}{new}.{leaf}")
    save_file(state, file)
    assert_same(SD1.load(folder), SD1.load(tiny_files.folder))


def test_a_folders_own_tokenizer_is_used(folder: Path) -> None:
    vocabulary = folder / "tokenizer" / "vocab.json"
    tokens = json.loads(vocabulary.read_bytes())
    tokens["cat</w>"], tokens["dog</w>"] = tokens["dog</w>"], tokens["cat</w>"]
    vocabulary.write_text(json.dumps(tokens), encoding="utf-8")
    swapped = SD1.load(folder).encode_text(["cat"])
    shutil.rmtree(folder / "tokenizer")
    assert torch.equal(swapped, SD1.load(folder).encode_text(["dog"]))


def test_a_broken_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer" / "vocab.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"tokenizer in .*tokenizer cannot be read"):
        SD1.load(folder)


def test_sizes_that_cannot_be_built_are_an_error_that_names_the_model(folder: Path) -> None:
    config = folder / "vae" / "config.json"
    settings = json.loads(config.read_bytes()) | {"down_block_types": ["NoSuchBlock"]}
    config.write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"model describes networks that cannot be built"):
        SD1.load(folder)


def test_the_written_text_encoder_has_the_names_that_transformers_4_reads(
    tiny_files: TinySD1,
) -> None:
    names = load_file(tiny_files.folder / "text_encoder" / "model.safetensors")
    assert all(name.startswith("text_model.") for name in names)


def test_a_model_that_is_saved_and_loaded_stays_the_same(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    first = SD1.load(tiny_files.ckpt)
    first.denoiser.to(memory_format=torch.channels_last)
    first.save_folder(tmp_path / "copy")
    second = SD1.load(tmp_path / "copy")
    assert_same(second, first)
    assert second.scheduler_config == first.scheduler_config
    assert (tmp_path / "copy" / "tokenizer" / "vocab.json").read_bytes() == (
        resource_path("tokenizers", "clip", "vocab.json").read_bytes()
    )


def test_the_single_file_holds_the_names_and_shapes_of_the_original_layout(
    tiny_files: TinySD1,
) -> None:
    state = original_state_dict(tiny_networks())
    assert state["first_stage_model.encoder.mid.attn_1.q.weight"].shape == (16, 16, 1, 1)
    assert state.keys() == load_file(tiny_files.safetensors).keys()
