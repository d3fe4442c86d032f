"""Weights of before the newest update."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainer_core.train.soundness.last_good import LastGood


def weights() -> list[nn.Parameter]:
    return [nn.Parameter(torch.arange(6.0).view(2, 3)), nn.Parameter(torch.ones(4))]


def test_what_was_kept_is_put_back_bit_for_bit() -> None:
    trained = weights()
    last_good = LastGood(trained)
    for step in range(3):
        before = [weight.detach().clone() for weight in trained]
        last_good.keep()
        with torch.no_grad():
            for weight in trained:
                weight.add_(0.1 * (step + 1))
    assert last_good.put_back()
    assert all(map(torch.equal, trained, before))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_single_number_that_is_not_finite_is_seen(value: float) -> None:
    trained = weights()
    last_good = LastGood(trained)
    assert last_good.is_finite()
    with torch.no_grad():
        trained[1][2] = value
    assert not last_good.is_finite()


def test_nothing_is_put_back_before_anything_was_kept() -> None:
    assert not LastGood(weights()).put_back()


def test_weights_that_are_too_many_are_not_kept() -> None:
    trained = weights()  # 10 numbers of 4 bytes
    last_good = LastGood(trained, max_bytes=39)
    last_good.keep()
    assert not last_good.put_back()
    last_good = LastGood(trained, max_bytes=40)
    last_good.keep()
    assert last_good.put_back()
