"""The layers of full-size models have the names and shapes that networks were recorded with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers import vectors
from torch import nn

from trainer_core.catalogue.families import FAMILIES
from trainer_core.families.base import Target
from trainer_core.families.layouts import sd1_architecture, sdxl_architecture
from trainer_core.families.layouts.networks import build_networks
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT
from trainer_core.families.layouts.sdxl_architecture import SDXL_LAYOUT
from trainer_core.families.sd1 import SD1
from trainer_core.families.sdxl import SDXL

FAMILY_OF = {"sd15": "sd1", "sdxl": "sdxl"}
LORA = {"sd15": "lora_keys_sd15.json", "sdxl": "lora_keys_sdxl.json"}
OTHERS = {"sd15": "network_module_keys_sd15.json", "sdxl": "network_module_keys_sdxl.json"}
# Layers that no recorded network is on; see vectors/README.md, lora_keys.
OUTSIDE = {
    "lora_unet_conv_in", "lora_unet_conv_out",
    "lora_unet_time_embedding_linear_1", "lora_unet_time_embedding_linear_2",
    "lora_unet_input_blocks_0_0", "lora_unet_out_2",
    "lora_unet_label_emb_0_0", "lora_unet_label_emb_0_2",
    "lora_unet_time_embed_0", "lora_unet_time_embed_2",
    "lora_te2_text_projection",
}  # fmt: skip

Targets = Mapping[str, Target]
Shapes = Mapping[str, list[int]]


def variants(files: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the recorded base models of files with their variants."""
    return [(base, name) for base in files for name in vectors.load(files[base])["variants"]]


@pytest.fixture(scope="module")
def targets() -> Mapping[str, Targets]:
    """The linear layers and convolutions of each full-size model by their names in files."""
    place = Path("x")
    sd1 = build_networks(place, SD1_LAYOUT, sd1_architecture.published_architecture())
    sdxl = build_networks(place, SDXL_LAYOUT, sdxl_architecture.published_architecture())
    models = {"sd15": SD1(place, sd1), "sdxl": SDXL(place, sdxl)}
    kinds = frozenset({"linear", "conv"})
    return {
        base: {
            target.name: target
            for part in FAMILIES[FAMILY_OF[base]].parts
            for target in model.targets(part.name, kinds)
        }
        for base, model in models.items()
    }


def chosen(targets: Targets, *, has_convolutions: bool) -> Targets:
    """Return the standard layers, or all but those outside of the blocks."""
    return {
        name: target
        for name, target in targets.items()
        if (name not in OUTSIDE if has_convolutions else target.is_standard)
    }


def kind_of(layer: nn.Module) -> str:
    if not isinstance(layer, nn.Conv2d):
        return "linear"
    width, height = layer.kernel_size
    return f"conv{width}x{height}"


def lora_shapes(layer: nn.Module, rank: int, conv_rank: int) -> Shapes:
    """Return the shapes of a LoRA on a layer; 3x3 convolutions have a rank of their own."""
    if isinstance(layer, nn.Conv2d):
        kernel = list(layer.kernel_size)
        rank = rank if kernel == [1, 1] else conv_rank
        down, up = [rank, layer.in_channels, *kernel], [layer.out_channels, rank, 1, 1]
    else:
        assert isinstance(layer, nn.Linear)
        down, up = [rank, layer.in_features], [layer.out_features, rank]
    return {"alpha": [], "lora_down.weight": down, "lora_up.weight": up}


def oft_shapes(layer: nn.Module, blocks: int) -> Shapes:
    """Return the shapes of OFT on a layer: that many square blocks over its output."""
    size = layer.out_channels if isinstance(layer, nn.Conv2d) else layer.out_features
    assert isinstance(size, int)
    return {"alpha": [], "oft_blocks": [blocks, size // blocks, size // blocks]}


@pytest.mark.parametrize(("base", "variant"), variants(LORA))
def test_modules_and_shapes_of_a_lora_are_the_recorded_ones(
    targets: Mapping[str, Targets], base: str, variant: str
) -> None:
    case = vectors.load(LORA[base])["variants"][variant]
    found = {}
    for name, target in chosen(
        targets[base], has_convolutions=case["conv_dim"] is not None
    ).items():
        shapes = lora_shapes(target.layer, case["network_dim"], case["conv_dim"] or 0)
        found[name] = [kind_of(target.layer), shapes["lora_down.weight"], shapes["lora_up.weight"]]
    assert found == {name: shapes for name, *shapes in case["modules"]}


def recorded_signatures(base: str, variant: str) -> Mapping[str, Shapes]:
    data = vectors.load(OTHERS[base])
    case = data["variants"][variant]
    return {
        data["module_names"][name]: case["signatures"][signature]
        for name, signature in case["modules"]
    }


@pytest.mark.parametrize(
    ("base", "variant"),
    [case for case in variants(OTHERS) if not case[1].startswith("oft")],
)
def test_modules_and_shapes_of_dylora_and_lora_fa_are_the_recorded_ones(
    targets: Mapping[str, Targets], base: str, variant: str
) -> None:
    file = OTHERS[base]
    case = vectors.load(file)["variants"][variant]
    conv_rank = int(case["network_args"].get("conv_dim", 0))
    found = {
        name: lora_shapes(target.layer, case["network_dim"], conv_rank)
        for name, target in chosen(targets[base], has_convolutions=conv_rank > 0).items()
    }
    recorded = recorded_signatures(base, variant)
    of_unet, of_text = (
        [{name: each[name] for name in each if ("_unet_" in name) == is_unet} for each in both]
        for both, is_unet in (((found, recorded), True), ((found, recorded), False))
    )
    assert of_unet[0] == of_unet[1]
    vectors.check(file, f"{variant}/text encoders", actual=of_text[0], recorded=of_text[1])


@pytest.mark.parametrize("base", FAMILY_OF)
def test_every_listed_deviation_is_a_recorded_case(base: str) -> None:
    cases = [f"{name}/text encoders" for _, name in variants(OTHERS)]
    vectors.check_listing(OTHERS[base], cases)


@pytest.mark.parametrize("base", FAMILY_OF)
@pytest.mark.parametrize("variant", ["oft", "oft_all_linear_conv"])
def test_modules_and_shapes_of_oft_are_the_recorded_ones(
    targets: Mapping[str, Targets], base: str, variant: str
) -> None:
    recorded = recorded_signatures(base, variant)
    is_whole = variant == "oft_all_linear_conv"
    found = {
        name.replace("lora_unet_", "oft_unet_"): oft_shapes(target.layer, 4)
        for name, target in chosen(targets[base], has_convolutions=is_whole).items()
        if name.startswith("lora_unet_") and (is_whole or "_attn" in name)
    }
    assert found == recorded


def test_layers_outside_of_the_blocks_have_names_of_their_own(
    targets: Mapping[str, Targets],
) -> None:
    names = {name for each in targets.values() for name in each}
    assert names >= OUTSIDE
