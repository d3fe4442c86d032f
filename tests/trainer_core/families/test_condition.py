"""Conditions are joined and taken apart along the batch, name by name."""

from __future__ import annotations

import pytest
import torch

from trainer_core.families.condition import Condition

CAT = Condition({"text": torch.ones(1, 77, 8), "pooled": torch.full((1, 4), 2.0)})
DOG = Condition({"text": torch.zeros(1, 77, 8), "pooled": torch.full((1, 4), 3.0)})


def test_a_batch_has_every_tensor_of_its_samples_in_their_order() -> None:
    both = Condition.batch([CAT, DOG])

    assert len(both) == 2
    assert both["text"].shape == (2, 77, 8)
    assert both["pooled"][:, 0].tolist() == [2.0, 3.0]


def test_a_batch_comes_apart_into_its_samples() -> None:
    first, second = Condition.batch([CAT, DOG]).each()

    assert torch.equal(first["pooled"], CAT["pooled"])
    assert torch.equal(second["text"], DOG["text"])


@pytest.mark.parametrize("each", [[], [CAT, Condition({"text": CAT["text"]})]])
def test_samples_that_differ_in_what_they_tell_are_no_batch(each: list[Condition]) -> None:
    with pytest.raises(ValueError, match="same names"):
        Condition.batch(each)


def test_a_condition_moves_with_all_its_tensors() -> None:
    moved = CAT.to(torch.device("meta"))

    assert {each.device.type for each in moved.tensors.values()} == {"meta"}
