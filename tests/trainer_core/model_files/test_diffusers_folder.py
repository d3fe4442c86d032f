"""Folders in diffusers' layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from trainer_core.errors import ModelFileError
from trainer_core.model_files.diffusers_folder import DiffusersFolder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors"], 1),
        (["diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors"], 1),
        (["diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"], 0),
        (["pytorch_model.bin", "model.fp16.safetensors"], 1),
        (["pytorch_model.fp16.bin", "pytorch_model.bin"], 1),
        (["model.bf16.safetensors"], 0),
        (["model.bf16.safetensors", "model.fp16.safetensors"], 1),
        (["model.non_ema.safetensors", "model.bf16.safetensors"], 1),
        (["model.ema_only.safetensors", "model.fp16.safetensors"], 1),
        (["model.ema_only.safetensors", "pytorch_model.bin"], 0),
        (["model.safetensors.index.json", "model-00001-of-00002.safetensors"], 0),
        (["model.safetensors.index.json", "model.safetensors"], 1),
        (["model.safetensors.index.json", "model.fp16.safetensors"], 0),
        (["pytorch_model.bin.index.json", "model.safetensors.index.fp16.json"], 1),
        (["model.safetensors.fp16.index.json", "model.fp16-00001-of-00002.safetensors"], 0),
        (["model.fp16.safetensors.index.json", "notes.json"], 0),
    ],
)
def test_safetensors_come_before_pickles_and_full_before_half_precision(
    tmp_path: Path, names: list[str], chosen: int
) -> None:
    touch(tmp_path, *(f"unet/{name}" for name in names))
    assert DiffusersFolder(tmp_path).weights("unet").name == names[chosen]


NAMES = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def in_pieces(folder: Path) -> Path:
    """Write two tensors into two files with a list of them; return the list."""
    folder.mkdir(parents=True)
    for name, tensor in zip(NAMES, ("a", "b"), strict=True):
        save_file({tensor: np.ones((2, 3), np.float32)}, folder / name)
    path = folder / "model.safetensors.index.json"
    places = dict(zip(("a", "b"), NAMES, strict=True))
    path.write_text(json.dumps({"metadata": {"total_size": 48}, "weight_map": places}))
    return path


def test_pieces_are_read_as_one(tmp_path: Path) -> None:
    in_pieces(tmp_path / "unet")
    index = DiffusersFolder(tmp_path).index("unet")
    files = {name: index.file(entry).name for name, entry in index.entries.items()}
    assert files == dict(zip(("a", "b"), NAMES, strict=True))
    assert {entry.shape for entry in index.entries.values()} == {(2, 3)}


def test_a_missing_piece_is_named(tmp_path: Path) -> None:
    in_pieces(tmp_path / "unet")
    (tmp_path / "unet" / NAMES[1]).unlink()
    with pytest.raises(
        ModelFileError, match=r"model-00002-of-00002\.safetensors does not exist"
    ) as caught:
        DiffusersFolder(tmp_path).index("unet")
    assert "whole model folder" in str(caught.value.hint)


def test_a_tensor_that_its_piece_lacks_is_named(tmp_path: Path) -> None:
    path = in_pieces(tmp_path / "unet")
    path.write_text(json.dumps({"weight_map": {"c": NAMES[0]}}))
    with pytest.raises(ModelFileError, match=rf"{NAMES[0]} lacks the tensor c\."):
        DiffusersFolder(tmp_path).index("unet")


@pytest.mark.parametrize(
    "places",
    [None, {}, [], {"a": 5}, {"a": "../x.safetensors"}, {"a": "/etc/passwd"}, {"a": "b\\c"}],
)
def test_a_list_of_pieces_leads_nowhere_else(tmp_path: Path, places: Any) -> None:
    in_pieces(tmp_path / "unet").write_text(json.dumps({"weight_map": places}))
    with pytest.raises(ModelFileError, match="does not say which file has which tensor"):
        DiffusersFolder(tmp_path).index("unet")


def test_a_part_without_weights_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "unet/config.json", "unet/flax_model.msgpack")
    with pytest.raises(ModelFileError, match="has no weights in its subfolder unet"):
        DiffusersFolder(tmp_path).weights("unet")


@pytest.mark.parametrize("content", [None, "{", "\udcff"])
def test_a_config_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "vae").mkdir()
    if content is not None:
        (tmp_path / "vae" / "config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelFileError, match=r"config\.json is missing or cannot be read"):
        DiffusersFolder(tmp_path).config("vae")


@pytest.mark.parametrize("content", ["[]", "5", '"x"', "null"])
def test_a_config_that_holds_something_else_is_no_empty_one(tmp_path: Path, content: str) -> None:
    touch(tmp_path, "vae/config.json")
    (tmp_path / "vae" / "config.json").write_text(content)
    with pytest.raises(ModelFileError, match=r"config\.json holds no settings\."):
        DiffusersFolder(tmp_path).config("vae")


def test_configs_are_where_diffusers_puts_them(tmp_path: Path) -> None:
    touch(tmp_path, "unet/config.json", "scheduler/scheduler_config.json")
    (tmp_path / "unet" / "config.json").write_text('{"in_channels": 4}')
    (tmp_path / "scheduler" / "scheduler_config.json").write_text('{"beta_end": 0.012}')
    folder = DiffusersFolder(tmp_path)
    assert folder.config("unet") == {"in_channels": 4}
    assert folder.scheduler() == {"beta_end": 0.012}
