"""Weights are drawn with and saved as the optimizer means them, and training goes on to the bit."""

from __future__ import annotations

import contextlib

import pytest
import torch
from helpers.optimizer_entries import offer
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.optim.build import build_optimizer
from trainer_core.optim.groups import parameter_groups
from trainer_core.optim.modes import evaluation

SCHEDULE_FREE = "AdamWScheduleFree"


@pytest.fixture(params=[*OPTIMIZERS, SCHEDULE_FREE])
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    offer(monkeypatch, SCHEDULE_FREE)
    return str(request.param)


@pytest.fixture
def schedule_free(monkeypatch: pytest.MonkeyPatch) -> str:
    offer(monkeypatch, SCHEDULE_FREE)
    return SCHEDULE_FREE


def made(name: str) -> tuple[list[Parameter], Optimizer]:
    """Return two weights, and their optimizer."""
    generator = torch.Generator().manual_seed(1)
    weights = [Parameter(torch.randn(shape, generator=generator)) for shape in ((64, 128), (5,))]
    groups = parameter_groups((str(n), [weight], 0.01) for n, weight in enumerate(weights))
    return weights, build_optimizer(name, groups, lr=0.01, args={})


def advance(optimizer: Optimizer, weights: list[Parameter], steps: range) -> None:
    """Do steps whose gradients depend on the weights and on the number of the step."""
    for number in steps:
        generator = torch.Generator().manual_seed(number)
        for weight in weights:
            weight.grad = weight.detach() + torch.randn(weight.shape, generator=generator)
        optimizer.step()


def copies(weights: list[Parameter]) -> list[Tensor]:
    return [weight.detach().clone() for weight in weights]


def are_equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_looking_at_the_weights_changes_no_result_of_any_optimizer(name: str) -> None:
    (straight, one), (interrupted, other) = made(name), made(name)

    for steps in (range(0), range(3), range(3, 6)):
        advance(one, straight, steps)
        advance(other, interrupted, steps)
        with evaluation(name, other)():
            pass
        assert are_equal(copies(straight), copies(interrupted))


def test_an_optimizer_without_modes_is_left_alone(name: str) -> None:
    _, optimizer = made(name)

    is_left_alone = evaluation(name, optimizer) is contextlib.nullcontext
    assert is_left_alone is not OPTIMIZERS[name].modes


def test_schedule_free_shows_the_mean_of_its_steps(schedule_free: str) -> None:
    # Defazio et al. 2024, arXiv:2405.15682, equation 3: y = (1 - beta) z + beta x; x is meant.
    weights, optimizer = made(schedule_free)
    advance(optimizer, weights, range(3))
    trained, beta = copies(weights), 0.9

    with evaluation(schedule_free, optimizer)():
        shown = copies(weights)

    for weight, x, y in zip(weights, shown, trained, strict=True):
        expected = (y - (1 - beta) * optimizer.state[weight]["z"]) / beta
        torch.testing.assert_close(x, expected)
        assert not torch.equal(x, y)


def test_the_trained_weights_come_back_after_an_interruption(schedule_free: str) -> None:
    weights, optimizer = made(schedule_free)
    advance(optimizer, weights, range(3))
    trained = copies(weights)

    with pytest.raises(KeyboardInterrupt), evaluation(schedule_free, optimizer)():
        raise KeyboardInterrupt

    assert are_equal(copies(weights), trained)
    advance(optimizer, weights, range(3, 4))  # it would refuse a step in evaluation mode
