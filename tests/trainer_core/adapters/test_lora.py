"""LoRA's own formula, start and file."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from helpers.adapter_kinds import ALPHA, RANK, SHAPE
from torch import Tensor, nn

from trainer_core.adapters.base import Shape
from trainer_core.adapters.lora import LoRA

TOLERANCE = {"rtol": 1e-5, "atol": 1e-4}  # sums of up to 90 products of float32 near 1


def filled_lora(layer: nn.Module) -> tuple[LoRA, Tensor, Tensor]:
    """Return a LoRA with drawn factors, and the factors."""
    lora = LoRA(layer, SHAPE)
    saved = lora.saved()
    generator = torch.Generator().manual_seed(5)
    down, up = (
        torch.randn(saved[key].shape, generator=generator)
        for key in ("lora_down.weight", "lora_up.weight")
    )
    lora.load({**saved, "lora_down.weight": down, "lora_up.weight": up})
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


def test_another_generator_gives_another_start() -> None:
    first, second = LoRA(nn.Linear(6, 10), SHAPE), LoRA(nn.Linear(6, 10), SHAPE)
    for lora, seed in ((first, 1), (second, 2)):
        lora.reset(torch.Generator().manual_seed(seed))

    assert not torch.equal(first.saved()["lora_down.weight"], second.saved()["lora_down.weight"])


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
        (
            {"lora_down.weight": torch.zeros(0, 6), "lora_up.weight": torch.zeros(10, 0)},
            "the rank is 0",
        ),
    ],
)
def test_matrices_that_do_not_go_together_are_named(
    change: dict[str, Tensor | None], words: str
) -> None:
    tensors = LoRA(nn.Linear(6, 10), SHAPE).saved() | change

    with pytest.raises(ValueError, match=words):
        LoRA.shape_in({name: tensor for name, tensor in tensors.items() if tensor is not None})


def test_rank_and_alpha_are_found_in_the_saved_tensors() -> None:
    assert LoRA.shape_in(LoRA(nn.Linear(6, 10), SHAPE).saved()) == SHAPE
    assert LoRA.shape_in(LoRA(nn.Conv2d(6, 10, 3), SHAPE).saved()) == SHAPE


def test_weights_without_alpha_mean_alpha_equal_to_rank() -> None:
    tensors = LoRA(nn.Linear(6, 10), SHAPE).saved()
    del tensors["alpha"]

    assert LoRA.shape_in(tensors) == (RANK, float(RANK))


def test_weights_loaded_without_alpha_mean_the_same() -> None:
    lora = LoRA(nn.Linear(6, 10), SHAPE)
    tensors = lora.saved()
    del tensors["alpha"]

    lora.load(tensors)

    assert lora.scale == 1.0


def test_weights_of_a_1x1_convolution_and_of_a_linear_layer_fit_each_other() -> None:
    layers = (nn.Linear(6, 10), nn.Conv2d(6, 10, 1))
    for source, target in (layers, layers[::-1]):
        taken = LoRA(source, SHAPE).saved()
        lora = LoRA(target, SHAPE)
        lora.load(taken)
        for name, tensor in lora.saved().items():
            assert torch.equal(tensor.flatten(), taken[name].flatten())


def test_weights_of_a_larger_kernel_do_not_fit_a_linear_layer() -> None:
    wide = LoRA(nn.Conv2d(6, 10, 3), SHAPE).saved()

    with pytest.raises(ValueError, match=r"lora_down.weight is \(4, 6, 3, 3\), not \(4, 6\)"):
        LoRA(nn.Linear(6, 10), SHAPE).load(wide)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_stored_in_16_bit_are_trained_in_32(dtype: torch.dtype) -> None:
    lora = LoRA(nn.Linear(6, 10), SHAPE)
    stored = {key: torch.full_like(value, 0.1).to(dtype) for key, value in lora.saved().items()}
    lora.load(stored)

    assert all(weight.dtype == torch.float32 for weight in lora.parameters())
    assert float(lora.saved()["lora_up.weight"][0, 0]) == float(torch.tensor(0.1, dtype=dtype))
