"""Losses against numbers worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from trainer_core.objectives.losses import squared_error

NO_TIMESTEPS = torch.zeros(2, dtype=torch.int64)


def one_of(prediction: Tensor, target: Tensor) -> Tensor:
    return squared_error(prediction, target, NO_TIMESTEPS)


def test_squared_error_is_that_of_each_element() -> None:
    prediction = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2)
    target = torch.tensor([1.0, 0.0, 3.0, 1.0]).reshape(1, 1, 2, 2)

    assert one_of(prediction, target).flatten().tolist() == [0.0, 4.0, 0.0, 9.0]


def test_squared_error_is_computed_in_32_bit() -> None:
    # 300 squared is beyond fp16's largest number, 65504.
    prediction = torch.full((1, 1, 1, 1), 300.0, dtype=torch.float16)

    loss = one_of(prediction, torch.zeros_like(prediction))
    assert (loss.dtype, loss.item()) == (torch.float32, 90_000.0)


def test_an_element_that_is_not_finite_spoils_no_other() -> None:
    prediction = torch.zeros(2, 1, 2, 2)
    prediction[1, 0, 0, 0] = torch.nan

    assert one_of(prediction, torch.ones(2, 1, 2, 2)).isfinite().sum() == 7
