"""Folders in diffusers' layout."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    ],
)
def test_safetensors_come_before_pickles_and_full_before_half_precision(
    tmp_path: Path, names: list[str], chosen: int
) -> None:
    touch(tmp_path / "unet", *names)
    assert DiffusersFolder(tmp_path).weights("unet").name == names[chosen]


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


def test_configs_are_where_diffusers_puts_them(tmp_path: Path) -> None:
    touch(tmp_path, "unet/config.json", "scheduler/scheduler_config.json")
    (tmp_path / "unet" / "config.json").write_text('{"in_channels": 4}')
    (tmp_path / "scheduler" / "scheduler_config.json").write_text('{"beta_end": 0.012}')
    folder = DiffusersFolder(tmp_path)
    assert folder.config("unet") == {"in_channels": 4}
    assert folder.config("scheduler") == {"beta_end": 0.012}
