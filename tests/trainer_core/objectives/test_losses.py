"""Losses against numbers worked out by hand."""

from __future__ import annotations

import torch

from trainer_core.objectives.losses import squared_error


def test_squared_error_is_the_mean_of_each_sample() -> None:
    prediction = torch.tensor([1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 2.0]).reshape(2, 1, 2, 2)
    target = torch.tensor([1.0, 0.0, 3.0, 1.0, 0.0, 0.0, 0.0, 0.0]).reshape(2, 1, 2, 2)

    # The first differs by 2 and 3 in two of four places, the second by 2 in one.
    assert squared_error(prediction, target).tolist() == [3.25, 1.0]


def test_squared_error_is_computed_in_32_bit() -> None:
    # 300 squared is beyond fp16's largest number, 65504.
    prediction = torch.full((1, 1, 2, 2), 300.0, dtype=torch.float16)

    loss = squared_error(prediction, torch.zeros_like(prediction))
    assert (loss.dtype, loss.tolist()) == (torch.float32, [90_000.0])


def test_a_sample_that_is_not_finite_spoils_no_other() -> None:
    prediction = torch.zeros(2, 1, 2, 2)
    prediction[1, 0, 0, 0] = torch.nan

    assert squared_error(prediction, torch.ones(2, 1, 2, 2)).isfinite().tolist() == [True, False]


def test_a_mask_takes_places_out_of_the_sum_but_not_of_the_count() -> None:
    prediction = torch.tensor([1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 2.0]).reshape(2, 1, 2, 2)
    mask = torch.tensor([1.0, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]).reshape(2, 1, 2, 2)

    # Of the first sample 1, half of 4, and 9 are left; of the second 4 in one of four places.
    assert squared_error(prediction, torch.zeros_like(prediction), mask).tolist() == [3.0, 1.0]
