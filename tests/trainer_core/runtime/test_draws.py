"""Every random stream is a function of the seed and its purpose."""

from __future__ import annotations

import random

import pytest
import torch

from trainer_core.runtime.draws import generator, seed_globals


def draw(seed: int, purpose: str, *place: int) -> list[float]:
    return torch.rand(4, generator=generator(seed, purpose, *place)).tolist()


def test_equal_places_draw_equally() -> None:
    assert draw(1, "step", 2, 3) == draw(1, "step", 2, 3)


@pytest.mark.parametrize(
    "other",
    [(2, "step", 2, 3), (1, "flip", 2, 3), (1, "step", 3, 2), (1, "step", 2), (1, "step", 23)],
)
def test_every_part_of_the_place_matters(other: tuple[int, str, int]) -> None:
    assert draw(*other) != draw(1, "step", 2, 3)


def test_the_process_s_own_generator_neither_matters_nor_moves() -> None:
    torch.manual_seed(1)
    first = draw(1, "step")
    torch.manual_seed(2)
    before = torch.get_rng_state()

    assert draw(1, "step") == first
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**63])
def test_any_seed_will_do(seed: int) -> None:
    assert len(set(draw(seed, "step"))) == 4


def test_draws_are_made_on_the_cpu() -> None:
    assert generator(1, "step").device.type == "cpu"


def global_draws() -> list[float]:
    return [random.random(), torch.rand(()).item()]


def test_seeding_makes_libraries_draw_alike() -> None:
    seed_globals(7)
    first = global_draws()
    seed_globals(7)

    assert global_draws() == first


def test_each_seed_makes_libraries_draw_differently() -> None:
    seed_globals(7)
    first = global_draws()
    seed_globals(8)

    assert all(one != other for one, other in zip(global_draws(), first, strict=True))
