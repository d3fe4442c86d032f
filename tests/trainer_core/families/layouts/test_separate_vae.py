"""Another VAE than the base model's own, in each of the layouts that people have it in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.tiny_model import TinySD1, loaded, make_tiny_sd1, make_tiny_sdxl
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer_core.errors import ModelFileError
from trainer_core.families.base import FamilyOptions, ModelIdentity
from trainer_core.families.sd1 import SD1
from trainer_core.families.sdxl import SDXL

PREFIX = "first_stage_model."
PLACES = ("folder", "model folder", "diffusers file", "original file", "whole file", "pickle")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    """A model with other weights, whose VAE is used."""
    return make_tiny_sd1(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture(scope="module")
def places(other: TinySD1, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Its VAE in every layout, by name."""
    folder = tmp_path_factory.mktemp("vae")
    weights = other.folder / "vae" / "diffusion_pytorch_model.safetensors"
    alone = Path(shutil.copy(weights, folder / "diffusers.safetensors"))
    whole = load_file(other.safetensors)
    original = {n.removeprefix(PREFIX): t for n, t in whole.items() if n.startswith(PREFIX)}
    save_file(original, folder / "original.safetensors")
    torch.save({"state_dict": original}, folder / "original.pt")
    return {
        "folder": other.folder / "vae",
        "model folder": other.folder,
        "diffusers file": alone,
        "original file": folder / "original.safetensors",
        "whole file": other.safetensors,
        "pickle": folder / "original.pt",
    }


def vae_of(model: SD1) -> dict[str, Tensor]:
    state: dict[str, Tensor] = model.module("vae").state_dict()
    return state


@pytest.mark.parametrize("layout", ["folder", "safetensors"])
@pytest.mark.parametrize("place", PLACES)
def test_only_the_vae_is_replaced(
    place: str, layout: str, places: dict[str, Path], other: TinySD1, tiny_files: TinySD1
) -> None:
    base: Path = getattr(tiny_files, layout)
    model, own = loaded(base, FamilyOptions(vae=places[place])), loaded(base)
    expected = vae_of(loaded(other.folder))
    assert vae_of(model).keys() == expected.keys()
    assert all(torch.equal(vae_of(model)[name], tensor) for name, tensor in expected.items())
    assert model.vae_hash() != own.vae_hash()
    unet = own.module("unet").state_dict()
    assert all(torch.equal(model.module("unet").state_dict()[n], t) for n, t in unet.items())


def test_it_is_identified_and_the_base_model_s_files_are_its_own(
    places: dict[str, Path], tiny_files: TinySD1
) -> None:
    path = places["original file"]
    model = SD1.open(tiny_files.safetensors, FamilyOptions(vae=path))
    # "e3b0c442": the hash of nothing, for a file below 1 MiB (README of the vectors).
    assert model.vae_identity() == ModelIdentity("original.safetensors", "e3b0c442")
    assert model.weight_files() == [tiny_files.safetensors]
    by_folder = SD1.open(tiny_files.safetensors, FamilyOptions(vae=places["folder"]))
    assert by_folder.vae_identity() == ModelIdentity("vae", None)
    assert SD1.open(tiny_files.safetensors).vae_identity() is None


def test_the_scale_of_latents_stays_that_of_the_base_model(
    places: dict[str, Path], tiny_files: TinySD1, tmp_path: Path
) -> None:
    base = Path(shutil.copytree(tiny_files.folder, tmp_path / "scaled"))
    config = base / "vae" / "config.json"
    config.write_text(config.read_text().replace("0.18215", "0.13025"), encoding="utf-8")
    model = SD1.open(base, FamilyOptions(vae=places["original file"]))
    assert model.module("vae").config.scaling_factor == 0.13025


def test_a_config_that_names_another_scale_is_refused(other: TinySD1, tmp_path: Path) -> None:
    vae = Path(shutil.copytree(other.folder / "vae", tmp_path / "vae"))
    config = json.loads((vae / "config.json").read_bytes()) | {"scaling_factor": 0.13025}
    (vae / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(
        ModelFileError, match=r"scaling factor 0\.13025 instead of 0\.18215"
    ) as caught:
        SD1.open(other.safetensors, FamilyOptions(vae=vae))
    assert caught.value.setting == "model.vae"


def test_a_config_that_names_no_scale_has_that_of_diffusers(other: TinySD1, tmp_path: Path) -> None:
    # As in stabilityai/sd-vae-ft-mse: AutoencoderKL's default holds.
    vae = Path(shutil.copytree(other.folder / "vae", tmp_path / "vae"))
    config = json.loads((vae / "config.json").read_bytes())
    del config["scaling_factor"]
    (vae / "config.json").write_text(json.dumps(config), encoding="utf-8")
    SD1.open(other.safetensors, FamilyOptions(vae=vae))
    with pytest.raises(ModelFileError, match=r"scaling factor 0\.18215 instead of 0\.13025"):
        SDXL.open(make_tiny_sdxl(tmp_path / "xl").safetensors, FamilyOptions(vae=vae))


def test_the_vae_inside_of_another_family_s_file_is_refused(
    places: dict[str, Path], tmp_path: Path
) -> None:
    base = make_tiny_sdxl(tmp_path).safetensors
    with pytest.raises(
        ModelFileError, match=r"scaling factor 0\.18215 instead of 0\.13025"
    ) as caught:
        SDXL.open(base, FamilyOptions(vae=places["whole file"]))
    assert caught.value.setting == "model.vae"


def test_a_vae_with_other_latents_is_refused(
    places: dict[str, Path], tiny_files: TinySD1, tmp_path: Path
) -> None:
    state = load_file(places["original file"])
    state["post_quant_conv.weight"] = torch.zeros(16, 16, 1, 1)
    save_file(state, tmp_path / "wide.safetensors")
    with pytest.raises(ModelFileError, match="channels 16 instead of 4") as caught:
        SD1.open(tiny_files.safetensors, FamilyOptions(vae=tmp_path / "wide.safetensors"))
    assert caught.value.setting == "model.vae"


def test_what_lacks_a_tensor_is_told_of_the_vae(
    places: dict[str, Path], tiny_files: TinySD1, tmp_path: Path
) -> None:
    state = load_file(places["original file"])
    del state["quant_conv.bias"]
    save_file(state, tmp_path / "cut.safetensors")
    with pytest.raises(
        ModelFileError, match=r"cut\.safetensors lacks .*quant_conv\.bias"
    ) as caught:
        SD1.open(tiny_files.safetensors, FamilyOptions(vae=tmp_path / "cut.safetensors"))
    assert caught.value.setting == "model.vae"


def test_what_holds_no_vae_is_refused(tiny_files: TinySD1, tmp_path: Path) -> None:
    save_file({"lora_unet_x.lora_down.weight": torch.ones(1, 2)}, tmp_path / "l.safetensors")
    for path in (tmp_path / "l.safetensors", tiny_files.folder / "unet"):
        with pytest.raises(ModelFileError, match="holds no VAE") as caught:
            SD1.open(tiny_files.safetensors, FamilyOptions(vae=path))
        assert caught.value.setting == "model.vae"
