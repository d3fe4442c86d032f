"""The adapters of a run together: hooked in, drawn, counted, saved and loaded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from helpers.layers import Layer
from torch import Tensor, nn

from trainer_core.adapters.base import Shape
from trainer_core.adapters.lora import LoRA
from trainer_core.adapters.set import AdapterSet, build, by_module, count
from trainer_core.adapters.shapes import shapes, shapes_in
from trainer_core.errors import ModelFileError


def targets() -> list[Layer]:
    """Return two layers of the U-Net and one of the text encoder, frozen."""
    layers = (
        ("lora_unet_to_q", "unet", nn.Linear(6, 10)),
        ("lora_te_q_proj", "text_encoder", nn.Linear(4, 8)),
        ("lora_unet_conv", "unet", nn.Conv2d(3, 5, 3, padding=1)),
    )
    return [Layer(name, part, layer.requires_grad_(False)) for name, part, layer in layers]


def loras(layers: Sequence[Layer], shape: Shape) -> AdapterSet:
    """Return LoRAs of one shape."""
    return build(LoRA, layers, shapes(layers, linear=shape))


def loras_like(layers: Sequence[Layer], tensors: dict[str, Tensor]) -> AdapterSet:
    """Return LoRAs with the shapes of a file."""
    return build(LoRA, layers, shapes_in(LoRA, layers, by_module(tensors)))


@pytest.fixture
def adapters() -> AdapterSet:
    """LoRAs of rank 2 whose weights are all drawn."""
    return drawn(loras(targets(), Shape(2, 3.0)))


def drawn(adapters: AdapterSet) -> AdapterSet:
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in adapters.parameters():
            weight.normal_(generator=generator)
    return adapters


def outputs(adapters: AdapterSet) -> list[Tensor]:
    shapes = {nn.Linear: lambda layer: (2, layer.in_features), nn.Conv2d: lambda _: (2, 3, 4, 4)}
    generator = torch.Generator().manual_seed(9)
    return [
        target.layer(torch.randn(shapes[type(target.layer)](target.layer), generator=generator))
        for target in adapters.targets
    ]


def all_equal(first: Sequence[Tensor], second: Sequence[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def same_start(adapters: AdapterSet, seed: int) -> dict[str, Tensor]:
    adapters.reset(seed)
    return {key: value.clone() for key, value in adapters.saved().items()}


# ------------------------------------------------------------------ acting


def test_adapters_act_only_while_attached(adapters: AdapterSet) -> None:
    alone = outputs(adapters)

    adapters.attach()
    assert not any(torch.equal(*pair) for pair in zip(outputs(adapters), alone, strict=True))
    adapters.detach()
    assert all_equal(outputs(adapters), alone)


def test_attaching_twice_is_attaching_once(adapters: AdapterSet) -> None:
    adapters.attach()
    once = outputs(adapters)

    adapters.attach()
    assert all_equal(outputs(adapters), once)


def test_detaching_twice_does_no_harm(adapters: AdapterSet) -> None:
    alone = outputs(adapters)
    adapters.attach()
    adapters.detach()

    adapters.detach()
    assert all_equal(outputs(adapters), alone)


def test_only_the_adapters_are_parameters_of_the_set(adapters: AdapterSet) -> None:
    frozen = {id(weight) for target in adapters.targets for weight in target.layer.parameters()}

    assert frozen.isdisjoint(id(weight) for weight in adapters.parameters())
    assert all(weight.requires_grad for weight in adapters.parameters())


# ------------------------------------------------------------------ parts


def test_parts_come_once_and_in_order(adapters: AdapterSet) -> None:
    assert adapters.parts() == ["unet", "text_encoder"]


def test_each_part_has_the_weights_of_its_own_layers(adapters: AdapterSet) -> None:
    # Rank 2: down and up of a linear 6 -> 10, of a convolution 3 -> 5 with 3x3, of a linear 4 -> 8.
    assert count(adapters.parameters_of("unet")) == 2 * (6 + 10) + 2 * (3 * 9 + 5)
    assert count(adapters.parameters_of("text_encoder")) == 2 * (4 + 8)
    assert adapters.parameters_of("vae") == []


# ------------------------------------------------------------------ start


def test_a_module_s_start_depends_on_seed_and_name_only(adapters: AdapterSet) -> None:
    both = same_start(adapters, seed=7)
    alone = same_start(loras(targets()[2:], Shape(2, 3.0)), seed=7)

    assert alone.keys() == {key for key in both if key.startswith("lora_unet_conv")}
    assert all(torch.equal(both[key], value) for key, value in alone.items())


def test_another_seed_gives_another_start(adapters: AdapterSet) -> None:
    first, second = same_start(adapters, seed=7), same_start(adapters, seed=8)

    key = "lora_unet_to_q.lora_down.weight"
    assert not torch.equal(first[key], second[key])


def test_modules_of_one_shape_start_differently() -> None:
    twins = [Layer(name, "unet", nn.Linear(6, 10)) for name in ("lora_unet_a", "lora_unet_b")]
    start = same_start(loras(twins, Shape(2, 3.0)), seed=7)

    assert not torch.equal(
        start["lora_unet_a.lora_down.weight"], start["lora_unet_b.lora_down.weight"]
    )


# ------------------------------------------------------------------ saving and loading


def test_saved_keys_are_those_of_the_file_format(adapters: AdapterSet) -> None:
    assert {key: tuple(value.shape) for key, value in adapters.saved().items()} == {
        "lora_unet_to_q.alpha": (),
        "lora_unet_to_q.lora_down.weight": (2, 6),
        "lora_unet_to_q.lora_up.weight": (10, 2),
        "lora_te_q_proj.alpha": (),
        "lora_te_q_proj.lora_down.weight": (2, 4),
        "lora_te_q_proj.lora_up.weight": (8, 2),
        "lora_unet_conv.alpha": (),
        "lora_unet_conv.lora_down.weight": (2, 3, 3, 3),
        "lora_unet_conv.lora_up.weight": (5, 2, 1, 1),
    }


def test_loaded_adapters_act_like_the_saved_ones(adapters: AdapterSet) -> None:
    adapters.attach()
    expected = outputs(adapters)
    adapters.detach()

    loaded = loras(adapters.targets, Shape(2, 1.0))
    assert loaded.load(adapters.saved(), "cat.safetensors") == []
    loaded.attach()
    assert all_equal(outputs(loaded), expected)


def test_modules_that_find_no_layer_are_reported(adapters: AdapterSet) -> None:
    others = {"lora_unet_z.alpha": torch.tensor(1.0), "lora_unet_b.alpha": torch.tensor(1.0)}

    unused = adapters.load({**adapters.saved(), **others}, "cat.safetensors")
    assert unused == ["lora_unet_b", "lora_unet_z"]


def test_a_module_that_is_missing_is_named_with_the_file(adapters: AdapterSet) -> None:
    tensors = {k: v for k, v in adapters.saved().items() if not k.startswith("lora_te_q_proj")}

    with pytest.raises(ModelFileError) as caught:
        adapters.load(tensors, "cat.safetensors")
    for words in ("cat.safetensors", "lora_te_q_proj", "lora_down.weight is missing"):
        assert words in str(caught.value)
    assert caught.value.hint is not None


def test_another_rank_is_named_with_module_and_file(adapters: AdapterSet) -> None:
    other = loras(adapters.targets, Shape(4, 3.0))

    with pytest.raises(ModelFileError, match=r"cat\.safetensors .*lora_unet_to_q.*\(4, 6\)"):
        adapters.load(other.saved(), "cat.safetensors")


def test_rank_and_alpha_of_each_module_are_taken_from_the_weights() -> None:
    tensors: dict[str, Tensor] = {}
    shapes = (("lora_unet_to_q", 3, 1.5), ("lora_te_q_proj", 5, 4.0))
    for target, (name, rank, alpha) in zip(targets(), shapes, strict=False):
        saved = LoRA(target.layer, Shape(rank, alpha)).saved()
        tensors |= {f"{name}.{suffix}": value for suffix, value in saved.items()}

    like = loras_like(targets(), tensors)
    found = {name: (lora.rank, lora.alpha) for name, lora in like.adapters.items()}
    assert found == {name: (rank, alpha) for name, rank, alpha in shapes}


def test_a_layer_without_weights_in_the_file_gets_no_adapter(adapters: AdapterSet) -> None:
    tensors = {k: v for k, v in adapters.saved().items() if "lora_te" not in k}

    assert loras_like(adapters.targets, tensors).parts() == ["unet"]


def test_adapters_built_like_weights_take_them(adapters: AdapterSet) -> None:
    like = loras_like(adapters.targets, adapters.saved())

    assert like.load(adapters.saved(), "cat.safetensors") == []
    assert all_equal(list(like.saved().values()), list(adapters.saved().values()))


def test_tensors_are_grouped_by_the_text_before_the_first_dot() -> None:
    one, two, three = (torch.tensor(float(number)) for number in range(3))

    assert by_module({"a.alpha": one, "b.lora_up.weight": two, "a.lora_up.weight": three}) == {
        "a": {"alpha": one, "lora_up.weight": three},
        "b": {"lora_up.weight": two},
    }
