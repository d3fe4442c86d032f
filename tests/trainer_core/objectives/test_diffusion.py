"""The diffusion's mixture and ratios: the formulas, and the numbers recorded from the reference."""

from __future__ import annotations

import math

import pytest
import torch
from helpers import vectors

from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Objective

(PLAIN,) = [
    section
    for section in vectors.load("loss_weights.json")["sections"]
    if not section["zero_terminal_snr"]
]
TIMESTEPS = torch.tensor(PLAIN["timesteps"])


@pytest.fixture(scope="module")
def diffusion(objective: Objective) -> DDPM:
    """Stable Diffusion 1's."""
    assert isinstance(objective.diffusion, DDPM)
    return objective.diffusion


def test_the_signal_power_is_the_recorded_one(diffusion: DDPM) -> None:
    alpha_bar = diffusion.alpha_bar_T[TIMESTEPS]

    assert diffusion.num_timesteps == 1000
    assert alpha_bar.dtype == torch.float32
    assert alpha_bar.tolist() == pytest.approx(PLAIN["alphas_cumprod"], rel=2e-6)


def test_the_signal_to_noise_ratio_is_the_recorded_one(diffusion: DDPM) -> None:
    # 1 - alpha_bar loses digits where nearly nothing is noise.
    assert diffusion.snr(TIMESTEPS).tolist() == pytest.approx(PLAIN["snr"], rel=2e-4)


def test_each_sample_is_mixed_by_its_own_share() -> None:
    latents, noise = torch.full((3, 1, 2, 2), 2.0), torch.full((3, 1, 2, 2), -1.0)
    diffusion = DDPM(torch.tensor([1.0, 0.25, 0.64]))

    noisy = diffusion.noisy(latents, noise, torch.tensor([0, 1, 2]))
    expected = [2.0, 0.5 * 2 - math.sqrt(0.75), 0.8 * 2 - 0.6]
    assert noisy[:, 0, 1, 1].tolist() == pytest.approx(expected, rel=1e-6)


def test_the_noise_is_asked_for() -> None:
    noise = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(1))
    diffusion = DDPM(torch.tensor([0.9, 0.1]))

    assert torch.equal(
        diffusion.target(torch.zeros_like(noise), noise, torch.tensor([1, 0])), noise
    )


def test_or_the_velocity_from_which_the_noise_follows() -> None:
    generator = torch.Generator().manual_seed(1)
    latents, noise = (torch.randn(2, 4, 3, 3, generator=generator) for _ in range(2))
    steps = torch.tensor([1, 0])
    diffusion = DDPM(torch.tensor([0.9, 0.1]), "v_prediction")

    noisy, velocity = (f(latents, noise, steps) for f in (diffusion.noisy, diffusion.target))
    # arXiv:2202.00512, appendix D: eps = alpha v + sigma z.
    alpha_bar = torch.tensor([0.1, 0.9]).reshape(-1, 1, 1, 1)
    again = alpha_bar.sqrt() * velocity + (1 - alpha_bar).sqrt() * noisy
    torch.testing.assert_close(again, noise)


def test_betas_multiply_to_the_signal_power() -> None:
    diffusion = DDPM.of_betas(torch.tensor([0.1, 0.2, 0.5]), "epsilon")

    assert diffusion.alpha_bar_T.tolist() == pytest.approx([0.9, 0.72, 0.36])


def test_it_moves_with_what_it_predicts() -> None:
    moved = DDPM(torch.ones(3), "v_prediction").to(torch.device("meta"))

    assert (moved.alpha_bar_T.device.type, moved.prediction) == ("meta", "v_prediction")
