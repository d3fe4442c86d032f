"""What holds for every kind of adapter, whatever its options, on every kind of layer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.adapter_kinds import RANK, Kind, defaults_of
from helpers.layers import LAYERS, Layer
from torch import Tensor, nn

from trainer_core.adapters.base import WITHOUT_RANK, Shape
from trainer_core.adapters.set import AdapterSet
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.tools.lora_outline import outline

TOLERANCE = {"rtol": 1e-5, "atol": 1e-4}  # sums of up to 90 products of float32 near 1

Built = tuple[Any, AdapterSet]


@pytest.fixture
def built(kind: Kind, layer: nn.Module) -> Built:
    """An adapter with drawn weights, and the set that hooks it in."""
    adapter = kind.build(layer)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in adapter.parameters():
            weight.normal_(generator=generator)
    return adapter, AdapterSet([Layer("module", "unet", layer)], {"module": adapter})


def weights_of(adapter: Any) -> Mapping[str, Tensor]:
    """Return what is saved but for single numbers."""
    saved: Mapping[str, Tensor] = adapter.saved()
    return {name: tensor for name, tensor in saved.items() if tensor.ndim}


def fits(saved: Any, adapter: Any) -> bool:
    try:
        adapter.load(saved.saved())
    except ValueError:
        return False
    return bool(saved.saved().keys() == adapter.saved().keys())


def are_same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_a_fresh_adapter_changes_nothing(kind: Kind, layer: nn.Module, x: Tensor) -> None:
    adapter: Any = kind.build(layer)
    adapters = AdapterSet([Layer("module", "unet", layer)], {"module": adapter})
    adapters.reset(seed=1)
    alone = layer(x)

    adapters.attach()
    assert torch.equal(layer(x), alone)
    assert torch.equal(adapter.merged_weight(), layer.weight)


def test_what_is_saved_has_the_shapes_that_the_entry_says(kind: Kind, layer: nn.Module) -> None:
    assert kind.entry.shapes is not None, "the room for a run cannot be told"
    weight = layer.weight
    assert isinstance(weight, Tensor)

    told = kind.entry.shapes(tuple(weight.shape), RANK)
    assert sorted(told) == sorted(tuple(each.shape) for each in kind.build(layer).saved().values())


def test_a_fresh_adapter_can_learn(kind: Kind, layer: nn.Module, x: Tensor) -> None:
    adapter: Any = kind.build(layer)
    adapter.reset(torch.Generator().manual_seed(1))

    adapter.attach()

    layer(x).square().mean().backward()
    assert any(bool(weight.grad.any()) for weight in adapter.parameters())


def test_merged_equals_unmerged(built: Built, layer: nn.Module, x: Tensor) -> None:
    adapter, adapters = built
    alone = layer(x)
    merged = copy.deepcopy(layer)
    with torch.no_grad():
        merged.weight.copy_(adapter.merged_weight())

    adapters.attach()
    torch.testing.assert_close(layer(x), merged(x), **TOLERANCE)
    assert not torch.allclose(merged(x), alone)


def test_half_the_strength_is_half_the_change(built: Built, layer: nn.Module) -> None:
    adapter, _ = built
    none, half, whole = (adapter.merged_weight(strength) for strength in (0.0, 0.5, 1.0))

    assert torch.equal(none, layer.weight)
    torch.testing.assert_close(half, (none + whole) / 2, **TOLERANCE)


def test_a_detached_layer_is_as_it_was(built: Built, layer: nn.Module, x: Tensor) -> None:
    adapter, _ = built
    alone, names = layer(x), set(layer.__dict__)
    adapter.attach()
    adapter.attach()

    adapter.detach()
    adapter.detach()
    assert torch.equal(layer(x), alone)
    assert set(layer.__dict__) == names


def test_a_second_adapter_stands_on_the_first(
    kind: Kind, built: Built, layer: nn.Module, x: Tensor
) -> None:
    first, _ = built
    second: Any = kind.build(layer)
    second.load(first.saved())
    alone = layer(x)
    first.attach()
    with_first = layer(x)
    second.attach()
    assert not torch.allclose(layer(x), with_first)

    second.detach()
    assert torch.equal(layer(x), with_first)
    first.detach()
    assert torch.equal(layer(x), alone)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_output_has_the_layer_s_own_type(
    built: Built, layer: nn.Module, x: Tensor, dtype: torch.dtype
) -> None:
    adapter, _ = built
    adapter.attach()
    exact = layer(x).detach()
    layer.to(dtype)

    output = layer(x.to(dtype))
    assert output.dtype is dtype
    assert all(weight.dtype is torch.float32 for weight in adapter.parameters())
    # Up to 90 products of numbers that are rounded to 8 bits in bfloat16.
    close = output.detach().float()
    torch.testing.assert_close(close, exact, rtol=0.1, atol=0.1 * float(exact.abs().max()))


def test_an_adapter_can_be_built_for_a_layer_without_memory(
    kind: Kind, layer: nn.Module, x: Tensor
) -> None:
    weights = layer.state_dict()
    adapter: Any = kind.build(layer.to("meta"))
    adapter.reset(torch.Generator().manual_seed(1))
    layer.load_state_dict(weights, assign=True)

    alone = layer(x)
    adapter.attach()
    assert torch.equal(layer(x), alone)


def test_save_and_load_give_the_same_output(
    kind: Kind, built: Built, layer: nn.Module, x: Tensor
) -> None:
    adapter, _ = built
    loaded: Any = kind.build(layer, Shape(RANK, 1.0))
    loaded.load(adapter.saved())

    adapter.attach()
    expected = layer(x)
    adapter.detach()
    loaded.attach()
    assert torch.equal(layer(x), expected)
    assert loaded.saved().keys() == adapter.saved().keys()


def test_loaded_weights_are_a_copy(kind: Kind, built: Built, layer: nn.Module) -> None:
    adapter, _ = built
    loaded: Any = kind.build(layer)
    loaded.load(adapter.saved())
    with torch.no_grad():
        for weight in loaded.parameters():
            weight.zero_()

    assert all(bool(weight.any()) for weight in adapter.parameters())


def test_gradients_reach_the_adapter_s_weights_only(
    built: Built, layer: nn.Module, x: Tensor
) -> None:
    adapter, adapters = built
    adapters.attach()

    layer(x).square().sum().backward()
    assert all(bool(weight.grad.any()) for weight in adapter.parameters())
    assert all(weight.grad is None for weight in layer.parameters())


def test_saved_tensors_carry_no_graph(built: Built) -> None:
    adapter, _ = built

    assert all(not tensor.requires_grad for tensor in adapter.saved().values())


def test_an_adapter_of_the_shape_in_the_saved_tensors_takes_them(
    kind: Kind, built: Built, layer: nn.Module
) -> None:
    adapter, _ = built
    shape = kind.shape_in(adapter.saved())
    assert shape is not None
    assert kind.entry.has_rank or shape == WITHOUT_RANK
    again = kind.build(layer, shape)
    again.load(adapter.saved())

    assert are_same(again, adapter)
    assert torch.equal(again.merged_weight(), adapter.merged_weight())


def test_tensors_of_something_else_have_no_shape(kind: Kind) -> None:
    assert kind.shape_in({}) is None
    assert kind.shape_in({"of_nobody": torch.ones(2, 2), "alpha": torch.tensor(1.0)}) is None


def test_the_start_depends_on_the_generator_alone(kind: Kind, layer: nn.Module) -> None:
    first, second = (kind.build(layer) for _ in range(2))
    for number, adapter in enumerate((first, second)):
        torch.manual_seed(number)  # the process's own generator must not matter
        adapter.reset(torch.Generator().manual_seed(1))

    assert are_same(first, second)


def test_a_missing_tensor_is_named(built: Built) -> None:
    adapter, _ = built
    for missing in weights_of(adapter):
        tensors = {name: value for name, value in adapter.saved().items() if name != missing}

        with pytest.raises(ValueError, match=f"{missing} is missing"):
            adapter.load(tensors)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(built: Built) -> None:
    adapter, _ = built
    for wrong, tensor in weights_of(adapter).items():
        right = tuple(tensor.shape)
        other = (right[0] + 1, *right[1:])

        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
            adapter.load({**adapter.saved(), wrong: torch.zeros(other)})
        assert str(caught.value) == f"{wrong} is {other}, not {right}"


def test_the_keys_are_those_that_the_entry_names(kind: Kind, built: Built) -> None:
    adapter, _ = built

    assert weights_of(adapter)
    assert adapter.saved().keys() <= {*kind.entry.marks, "alpha"}
    for names in kind.entry.together:
        assert set(names) <= set(kind.entry.marks)


def test_options_that_shape_the_tensors_are_declared_as_such(kind: Kind) -> None:
    usual_options = defaults_of(kind.entry)
    changed = {name for name, value in kind.options.items() if value != usual_options[name]}
    usual = Kind(kind.name, kind.entry, usual_options)
    layers = [case.make() for case in LAYERS.values()]
    do_fit = all(fits(usual.build(layer), kind.build(layer)) for layer in layers)

    assert do_fit or changed & set(kind.entry.shaping)
    assert set(kind.entry.shaping) <= set(kind.entry.options)


def test_a_look_at_the_file_finds_module_rank_and_weights(kind: Kind, built: Built) -> None:
    adapter, _ = built
    entries = {
        f"lora_unet_a.{name}": TensorEntry("F32", tuple(tensor.shape), 0, 0)
        for name, tensor in adapter.saved().items()
    }
    found = outline(TensorIndex(Path("a"), entries))

    [module] = found.modules
    assert (module.name, found.others) == ("lora_unet_a", ())
    shape = kind.shape_in(adapter.saved())
    assert shape is not None
    assert module.rank in ((None, shape.rank) if kind.entry.has_rank else (None,))
    assert module.weights.keys() == weights_of(adapter).keys()
    assert list(module.missing()) == []


def test_an_unknown_layer_is_refused(kind: Kind) -> None:
    with pytest.raises(TypeError, match="Conv1d"):
        kind.build(nn.Conv1d(2, 2, 1))
