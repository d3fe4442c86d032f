"""What holds for every kind of adapter on every kind of layer, and LoRA's own formula."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from helpers.layers import Layer
from torch import Tensor, nn

from trainer_core.adapters.base import AdapterKind, Shape
from trainer_core.adapters.lora import LoRA
from trainer_core.adapters.set import AdapterSet

RANK, ALPHA = SHAPE = Shape(
    4, 6.0
)  # a scale that is neither 1 nor a power of two: a forgotten one shows
TOLERANCE = {"rtol": 1e-5, "atol": 1e-4}  # sums of up to 90 products of float32 near 1

Built = tuple[Any, AdapterSet]


@pytest.fixture
def built(kind: AdapterKind, layer: nn.Module) -> Built:
    """An adapter with drawn weights, and the set that hooks it in."""
    adapter = kind(layer, SHAPE)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in adapter.parameters():
            weight.normal_(generator=generator)
    return adapter, AdapterSet([Layer("module", "unet", layer)], {"module": adapter})


def are_same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


# ------------------------------------------------------------------ the bench


def test_a_fresh_adapter_changes_nothing(kind: AdapterKind, layer: nn.Module, x: Tensor) -> None:
    adapter: Any = kind(layer, SHAPE)
    adapters = AdapterSet([Layer("module", "unet", layer)], {"module": adapter})
    adapters.reset(seed=1)
    alone = layer(x)

    adapters.attach()
    assert torch.equal(layer(x), alone)
    assert torch.equal(adapter.merged_weight(), layer.weight)


def test_a_fresh_adapter_can_learn(kind: AdapterKind, layer: nn.Module, x: Tensor) -> None:
    adapter: Any = kind(layer, SHAPE)
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
    kind: AdapterKind, built: Built, layer: nn.Module, x: Tensor
) -> None:
    first, _ = built
    second: Any = kind(layer, SHAPE)
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
    kind: AdapterKind, layer: nn.Module, x: Tensor
) -> None:
    weights = layer.state_dict()
    adapter: Any = kind(layer.to("meta"), SHAPE)
    adapter.reset(torch.Generator().manual_seed(1))
    layer.load_state_dict(weights, assign=True)

    alone = layer(x)
    adapter.attach()
    assert torch.equal(layer(x), alone)


def test_save_and_load_give_the_same_output(
    kind: AdapterKind, built: Built, layer: nn.Module, x: Tensor
) -> None:
    adapter, _ = built
    loaded: Any = kind(layer, Shape(RANK, 1.0))
    loaded.load(adapter.saved())

    adapter.attach()
    expected = layer(x)
    adapter.detach()
    loaded.attach()
    assert torch.equal(layer(x), expected)
    assert loaded.saved().keys() == adapter.saved().keys()


def test_loaded_weights_are_a_copy(kind: AdapterKind, built: Built, layer: nn.Module) -> None:
    adapter, _ = built
    loaded: Any = kind(layer, SHAPE)
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


def test_the_shape_is_found_in_the_saved_tensors(kind: AdapterKind, built: Built) -> None:
    adapter, _ = built

    assert kind.shape_in(adapter.saved()) == SHAPE


def test_tensors_of_something_else_have_no_shape(kind: AdapterKind) -> None:
    assert kind.shape_in({}) is None
    assert kind.shape_in({"hada_w1_a": torch.ones(2, 2), "alpha": torch.tensor(1.0)}) is None


def test_the_start_depends_on_the_generator_alone(kind: AdapterKind, layer: nn.Module) -> None:
    first, second, third = (kind(layer, SHAPE) for _ in range(3))
    for adapter, seed in ((first, 1), (second, 1), (third, 2)):
        torch.manual_seed(seed * 17)  # the process's own generator must not matter
        adapter.reset(torch.Generator().manual_seed(seed))

    assert are_same(first, second)
    assert not are_same(first, third)


@pytest.mark.parametrize("missing", ["lora_down.weight", "lora_up.weight"])
def test_a_missing_tensor_is_named(built: Built, missing: str) -> None:
    adapter, _ = built
    tensors = {name: value for name, value in adapter.saved().items() if name != missing}

    with pytest.raises(ValueError, match=f"{missing} is missing"):
        adapter.load(tensors)


@pytest.mark.parametrize("wrong", ["lora_down.weight", "lora_up.weight"])
def test_a_tensor_of_another_shape_is_named_with_both_shapes(built: Built, wrong: str) -> None:
    adapter, _ = built
    tensors = adapter.saved()
    right = tuple(tensors[wrong].shape)
    tensors[wrong] = torch.zeros(right[0] + 1, *right[1:])

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        adapter.load(tensors)
    assert str(caught.value) == f"{wrong} is {(right[0] + 1, *right[1:])}, not {right}"


def test_an_unknown_layer_is_refused(kind: AdapterKind) -> None:
    with pytest.raises(TypeError, match="Conv1d"):
        kind(nn.Conv1d(2, 2, 1), Shape(1, 1.0))


# ------------------------------------------------------------------ LoRA's formula


def filled_lora(layer: nn.Module) -> tuple[LoRA, Tensor, Tensor]:
    """Return a LoRA with drawn factors, and the factors."""
    lora = LoRA(layer, SHAPE)
    saved = lora.saved()
    generator = torch.Generator().manual_seed(5)
    down, up = (
        torch.randn(saved[key].shape, generator=generator)
        for key in ("lora_down.weight", "lora_up.weight")
    )
    lora.load({"lora_down.weight": down, "lora_up.weight": up})
    return lora, down, up


def test_the_change_of_a_linear_layer_is_up_down_alpha_by_rank() -> None:
    lora, down, up = filled_lora(nn.Linear(6, 10))
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(6))

    assert (down.shape, up.shape) == ((RANK, 6), (10, RANK))
    expected = up @ down * (ALPHA / RANK)
    torch.testing.assert_close(lora.merged_weight() - lora.layer.weight, expected, **TOLERANCE)
    torch.testing.assert_close(lora.delta(x), x @ expected.T, **TOLERANCE)


def test_the_change_of_a_convolution_is_the_same_at_every_place_of_the_kernel() -> None:
    lora, down, up = filled_lora(nn.Conv2d(6, 10, 3, stride=2, padding=1))
    x = torch.randn(2, 6, 8, 9, generator=torch.Generator().manual_seed(6))

    assert (down.shape, up.shape) == ((RANK, 6, 3, 3), (10, RANK, 1, 1))
    kernel = torch.einsum("or,rikl->oikl", up[:, :, 0, 0], down) * (ALPHA / RANK)
    torch.testing.assert_close(lora.merged_weight() - lora.layer.weight, kernel, **TOLERANCE)
    expected = F.conv2d(x, kernel, stride=2, padding=1)
    torch.testing.assert_close(lora.delta(x), expected, **TOLERANCE)


def test_the_start_is_kaiming_uniform_and_zero() -> None:
    lora = LoRA(nn.Linear(400, 10), Shape(64, 1.0))
    lora.reset(torch.Generator().manual_seed(1))
    down = lora.saved()["lora_down.weight"]

    # Kaiming uniform with a = sqrt 5: gain sqrt(2 / (1 + 5)), bound gain * sqrt(3 / fan_in).
    bound = math.sqrt(2 / 6) * math.sqrt(3 / 400)
    assert float(down.abs().max()) == pytest.approx(bound, rel=0.01)
    assert float(down.std()) == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert not lora.saved()["lora_up.weight"].any()


@pytest.mark.parametrize("alpha", [0.5, 1.0, 64.0])
def test_alpha_is_stored_as_a_scalar(alpha: float) -> None:
    stored = LoRA(nn.Linear(2, 2), Shape(2, alpha)).saved()["alpha"]

    assert (stored.shape, float(stored)) == ((), alpha)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lora_up.weight": None}, "lora_up.weight is missing"),
        ({"lora_down.weight": None}, "lora_down.weight is missing"),
        (
            {"lora_up.weight": torch.zeros(10, RANK + 1)},
            r"ranks of \(4, 6\) and \(10, 5\) differ",
        ),
    ],
)
def test_matrices_that_do_not_go_together_are_named(
    change: dict[str, Tensor | None], words: str
) -> None:
    tensors = LoRA(nn.Linear(6, 10), SHAPE).saved() | change

    with pytest.raises(ValueError, match=words):
        LoRA.shape_in({name: tensor for name, tensor in tensors.items() if tensor is not None})


def test_weights_without_alpha_mean_alpha_equal_to_rank() -> None:
    tensors = LoRA(nn.Linear(6, 10), SHAPE).saved()
    del tensors["alpha"]

    assert LoRA.shape_in(tensors) == (RANK, float(RANK))


def test_loading_without_alpha_keeps_the_adapter_s_own() -> None:
    lora, *_ = filled_lora(nn.Linear(6, 10))

    assert lora.scale == ALPHA / RANK


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_stored_in_16_bit_are_trained_in_32(dtype: torch.dtype) -> None:
    lora = LoRA(nn.Linear(6, 10), SHAPE)
    stored = {key: torch.full_like(value, 0.1).to(dtype) for key, value in lora.saved().items()}
    lora.load(stored)

    assert all(weight.dtype == torch.float32 for weight in lora.parameters())
    assert float(lora.saved()["lora_up.weight"][0, 0]) == float(torch.tensor(0.1, dtype=dtype))
