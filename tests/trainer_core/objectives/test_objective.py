"""The objective: its schedule against the recorded one, its draws, its losses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import vectors
from torch import Tensor

from trainer_core.catalogue.families import ModelKind
from trainer_core.errors import SettingsError
from trainer_core.families.base import NoiseSchedule
from trainer_core.objectives.noise import draw_posterior, draw_timesteps
from trainer_core.objectives.objective import NoisePrediction
from trainer_core.train.building import build_objective

SECTIONS = vectors.load("loss_weights.json")["sections"]
# Left to later issues: the rescaled schedule, and every weight of the loss.
(PLAIN,) = [section for section in SECTIONS if not section["zero_terminal_snr"]]
LEFT = {
    "min_snr_weight",
    "scale_v_pred_loss_like_noise_pred",
    "v_pred_like_loss_factor",
    "debiased_estimation_epsilon",
    "debiased_estimation_v",
}
CPU = torch.device("cpu")


def posterior() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(8)
    return torch.randn(3, 4, 6, 5, generator=generator), torch.rand(3, 4, 6, 5, generator=generator)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------ the schedule


def test_the_values_left_to_later_issues_exist() -> None:
    assert PLAIN.keys() >= LEFT


def test_the_signal_power_is_the_recorded_one(objective: NoisePrediction) -> None:
    alpha_bar = objective.alpha_bar_T[PLAIN["timesteps"]]

    assert alpha_bar.dtype == torch.float32
    assert alpha_bar.tolist() == pytest.approx(PLAIN["alphas_cumprod"], rel=2e-6)


def test_the_signal_to_noise_ratio_is_the_recorded_one(objective: NoisePrediction) -> None:
    alpha_bar = objective.alpha_bar_T[PLAIN["timesteps"]]

    snr = (alpha_bar.sqrt() / (1 - alpha_bar).sqrt()) ** 2
    assert snr.tolist() == pytest.approx(PLAIN["snr"], rel=2e-6)


def test_a_model_that_predicts_something_else_is_refused() -> None:
    class Velocity:
        kind = ModelKind.SD1
        noise_schedule = NoiseSchedule(torch.full((1000,), 0.01), "v_prediction")

    family: Any = Velocity()
    with pytest.raises(SettingsError, match="v_prediction"):
        build_objective(family)


# ------------------------------------------------------------------ the draws


def test_latents_noise_and_timesteps_are_drawn_in_this_order(objective: NoisePrediction) -> None:
    mean, std = posterior()
    draw = objective.draw(mean, std, seeded(5))

    generator = seeded(5)
    assert torch.equal(draw.latents_BCHW, draw_posterior(mean, std, generator))
    assert torch.equal(draw.noise_BCHW, torch.randn(mean.shape, generator=generator))
    timesteps = draw_timesteps(3, minimum=0, maximum=1000, generator=generator)
    assert torch.equal(draw.timesteps_B, timesteps)


def test_equal_generators_draw_equally(objective: NoisePrediction) -> None:
    first, second = (objective.draw(*posterior(), seeded(5)) for _ in range(2))

    assert torch.equal(first.noise_BCHW, second.noise_BCHW)
    assert torch.equal(first.timesteps_B, second.timesteps_B)


def test_timesteps_reach_to_both_ends_of_the_schedule() -> None:
    short = NoisePrediction(torch.tensor([0.9, 0.5, 0.1]))
    mean = torch.zeros(200, 1, 1, 1)

    assert short.draw(mean, mean, seeded(1)).timesteps_B.unique().tolist() == [0, 1, 2]


# ------------------------------------------------------------------ the losses


def test_the_denoiser_sees_noisy_latents_and_their_timesteps(objective: NoisePrediction) -> None:
    draw = objective.draw(*posterior(), seeded(5))
    seen: list[Tensor] = []

    def denoise(noisy: Tensor, timesteps: Tensor) -> Tensor:
        seen.extend((noisy, timesteps))
        return noisy

    objective.losses(draw, denoise, CPU)
    alpha_bar = objective.alpha_bar_T[draw.timesteps_B].reshape(-1, 1, 1, 1)
    expected = alpha_bar.sqrt() * draw.latents_BCHW + (1 - alpha_bar).sqrt() * draw.noise_BCHW
    torch.testing.assert_close(seen[0], expected)
    assert torch.equal(seen[1], draw.timesteps_B)


def test_a_denoiser_that_finds_the_noise_has_no_loss(objective: NoisePrediction) -> None:
    draw = objective.draw(*posterior(), seeded(5))

    losses = objective.losses(draw, lambda noisy, timesteps: draw.noise_BCHW, CPU)
    assert losses.tolist() == [0.0, 0.0, 0.0]


def test_each_sample_has_its_own_loss(objective: NoisePrediction) -> None:
    draw = objective.draw(*posterior(), seeded(5))
    off = torch.tensor([0.0, 1.0, 2.0]).reshape(3, 1, 1, 1)

    losses = objective.losses(draw, lambda noisy, timesteps: draw.noise_BCHW + off, CPU)
    assert losses.tolist() == pytest.approx([0.0, 1.0, 4.0], rel=1e-6)


def test_gradients_flow_to_the_prediction(objective: NoisePrediction) -> None:
    draw = objective.draw(*posterior(), seeded(5))
    gain = torch.ones((), requires_grad=True)

    objective.losses(draw, lambda noisy, timesteps: gain * noisy, CPU).mean().backward()
    # d/dg mean (g x - n)^2 = mean 2 x (g x - n)
    alpha_bar = objective.alpha_bar_T[draw.timesteps_B].reshape(-1, 1, 1, 1)
    noisy = alpha_bar.sqrt() * draw.latents_BCHW + (1 - alpha_bar).sqrt() * draw.noise_BCHW
    expected = (2 * noisy * (noisy - draw.noise_BCHW)).mean()
    assert float(gain.grad) == pytest.approx(float(expected), rel=1e-5)
