"""A base model's headers tell which layers get adapters, and how large its latents are."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from helpers.tiny_model import TINY_MODELS, TinySD1
from safetensors.torch import save_file

from trainer_core.catalogue.adapters import ADAPTERS
from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.families import FAMILIES, FamilyEntry
from trainer_core.families.base import Family
from trainer_core.families.layouts.networks import build_networks
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT, published_architecture
from trainer_core.model_files.base_outline import base_outline, standard_layers, starting_shapes
from trainer_core.model_files.tensor_index import TensorEntry

SD15 = Path(__file__).parents[2] / "data" / "lora_keys_sd15.json"
SD1_ENTRY = FAMILIES["sd1"]


@pytest.fixture(scope="module", params=list(TINY_MODELS))
def family(request: pytest.FixtureRequest) -> FamilyEntry:
    return FAMILIES[str(request.param)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, family: FamilyEntry) -> TinySD1:
    return TINY_MODELS[family.kind](tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("layout", ["folder", "safetensors", "ckpt"])
def test_the_layers_are_those_that_the_family_has_in_every_layout(
    tiny: TinySD1, family: FamilyEntry, layout: str
) -> None:
    path: Path = getattr(tiny, layout)
    found = base_outline(path, family)
    model: Family = implementation(family.implementation).open(path)

    assert found is not None
    for part in family.parts:
        targets = model.targets(part.name, frozenset({"linear", "conv"}))
        shapes = [tuple(target.layer.weight.shape) for target in targets if target.is_standard]
        assert sorted(found.layers[part.name]) == sorted(shapes)
    assert found.latent_channels == model.latent_channels
    assert found.pixels_per_latent == model.pixels_per_latent


def test_the_layers_of_stable_diffusion_15_give_the_numbers_of_the_reference() -> None:
    variant = json.loads(SD15.read_text(encoding="utf-8"))["variants"]["dim8_alpha1"]
    networks = build_networks(Path("sd15"), SD1_LAYOUT, published_architecture())
    shapes_of = ADAPTERS["Standard"].shapes
    assert shapes_of is not None

    made = []
    for part in SD1_ENTRY.parts:
        tensors = {
            name: TensorEntry("F32", tuple(tensor.shape), 0, 0)
            for name, tensor in networks.modules[part.name].state_dict().items()
        }
        layers = standard_layers(tensors, part.layers)
        made += [shape for layer in layers for shape in shapes_of(layer, variant["network_dim"])]
    assert len(made) == variant["num_state_dict_keys"]
    trained = sorted(shape for shape in made if shape)
    assert trained == sorted(tuple(shape) for m in variant["modules"] for shape in m[2:])
    assert sum(map(math.prod, trained)) == variant["num_parameters"]


def test_a_model_that_lacks_what_decides_has_no_outline(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"model.diffusion_model.out.2.weight": torch.zeros(4, 4)}, path)

    assert base_outline(path, SD1_ENTRY) is None


def test_starting_weights_give_their_shapes_by_part(tmp_path: Path) -> None:
    tensors = {
        "lora_unet_a.lora_down.weight": (2, 8),
        "lora_te_b.lora_up.weight": (8, 3),
        "lora_te2_b.lora_up.weight": (9, 3),
    }
    path = tmp_path / "start.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, path)

    assert starting_shapes(path) == {
        "unet": ((2, 8),),
        "text_encoder": ((8, 3),),
        "text_encoder_2": ((9, 3),),
    }
