"""What holds for every loss, and the losses against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.losses import LOSSES
from trainer_core.objectives.losses import squared_error
from trainer_core.objectives.objective import Loss

TIMESTEPS = torch.tensor([0, 999])


@pytest.fixture(params=LOSSES)
def loss(request: pytest.FixtureRequest) -> Loss:
    function: Loss = implementation(LOSSES[request.param].implementation)
    return function


def squared(prediction: Tensor, target: Tensor) -> Tensor:
    return squared_error(prediction, target, torch.zeros(len(prediction), dtype=torch.int64))


# ------------------------------------------------------------------ every loss


def test_every_loss_is_0_where_the_prediction_is_right_and_grows_with_the_error(loss: Loss) -> None:
    target = torch.full((2, 1, 1, 5), 3.0)
    errors = torch.tensor([0.0, 0.25, 0.5, 1.0, 2.0])

    above, below = (
        loss(target + errors, target, TIMESTEPS),
        loss(target - errors, target, TIMESTEPS),
    )
    assert above.shape == target.shape
    assert torch.equal(above, below)
    assert not above[..., 0].any()
    assert (above.diff() > 0).all()


def test_every_loss_pulls_each_prediction_towards_its_target(loss: Loss) -> None:
    prediction = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1).requires_grad_()

    loss(prediction, torch.zeros(2, 1, 1, 1), TIMESTEPS).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.sign().flatten().tolist() == [1.0, -1.0]


def test_every_loss_is_computed_in_32_bit(loss: Loss) -> None:
    # 300 squared is beyond fp16's largest number, 65504.
    prediction = torch.full((2, 1, 1, 1), 300.0, dtype=torch.float16)
    target = torch.zeros_like(prediction)

    found = loss(prediction, target, TIMESTEPS)
    assert found.dtype == torch.float32
    assert torch.equal(found, loss(prediction.float(), target.float(), TIMESTEPS))


def test_an_element_that_is_not_finite_spoils_no_other(loss: Loss) -> None:
    prediction = torch.zeros(2, 1, 2, 2)
    prediction[1, 0, 0, 0] = torch.nan

    assert loss(prediction, torch.ones(2, 1, 2, 2), TIMESTEPS).isfinite().sum() == 7


# ------------------------------------------------------------------ single losses


def test_squared_error_is_that_of_each_element() -> None:
    prediction = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2)
    target = torch.tensor([1.0, 0.0, 3.0, 1.0]).reshape(1, 1, 2, 2)

    assert squared(prediction, target).flatten().tolist() == [0.0, 4.0, 0.0, 9.0]


def test_squared_error_goes_beyond_the_largest_number_of_16_bit() -> None:
    prediction = torch.full((1, 1, 1, 1), 300.0, dtype=torch.float16)

    assert squared(prediction, torch.zeros_like(prediction)).item() == 90_000.0
