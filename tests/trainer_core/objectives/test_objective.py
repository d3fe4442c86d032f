"""The objective: its schedule against the recorded one, its draws, its losses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers import vectors
from torch import Tensor

from trainer_core.catalogue.families import FAMILIES
from trainer_core.errors import SettingsError
from trainer_core.families.noise_schedule import NoiseSchedule
from trainer_core.objectives.diffusion import DDPM, Diffusion
from trainer_core.objectives.noise import draw_timesteps
from trainer_core.objectives.objective import Objective
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.train.building import build_objective

SECTIONS = vectors.load("loss_weights.json")["sections"]
# Left to later issues: every weight of the loss. The rescaled schedule is the families'.
(PLAIN,) = [section for section in SECTIONS if not section["zero_terminal_snr"]]
LEFT = {
    "min_snr_weight",
    "scale_v_pred_loss_like_noise_pred",
    "v_pred_like_loss_factor",
    "debiased_estimation_epsilon",
    "debiased_estimation_v",
}
SHAPE = (3, 4, 6, 5)


def latents() -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(8))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def diffusion_of(objective: Objective) -> DDPM:
    assert isinstance(objective.diffusion, DDPM)
    return objective.diffusion


# ------------------------------------------------------------------ what can be trained


def test_the_values_left_to_later_issues_exist() -> None:
    assert PLAIN.keys() >= LEFT


def test_a_model_that_predicts_something_else_is_refused() -> None:
    class Other:
        entry = FAMILIES["sd1"]
        noise_schedule = NoiseSchedule(torch.full((1000,), 0.01), "sample")

    family: Any = Other()
    with pytest.raises(SettingsError, match="sample"):
        build_objective(family, OptimizerSettings())


# ------------------------------------------------------------------ the draws


def test_posterior_noise_and_timesteps_are_drawn_in_this_order(
    objective: Objective,
) -> None:
    draw = objective.draw(SHAPE, seeded(5))

    generator = seeded(5)
    assert torch.equal(draw.posterior_noise_BCHW, torch.randn(SHAPE, generator=generator))
    assert torch.equal(draw.noise_BCHW, torch.randn(SHAPE, generator=generator))
    timesteps = draw_timesteps(3, minimum=0, maximum=1000, generator=generator)
    assert torch.equal(draw.timesteps_B, timesteps)


def test_equal_generators_draw_equally(objective: Objective) -> None:
    first, second = (objective.draw(SHAPE, seeded(5)) for _ in range(2))

    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_timesteps_reach_to_both_ends_of_the_schedule() -> None:
    short = Objective.plain(DDPM(torch.tensor([0.9, 0.5, 0.1])))

    assert short.draw((200, 1, 1, 1), seeded(1)).timesteps_B.unique().tolist() == [0, 1, 2]


# ------------------------------------------------------------------ the losses


def test_the_denoiser_sees_noisy_latents_and_their_timesteps(objective: Objective) -> None:
    draw = objective.draw(SHAPE, seeded(5))
    seen: list[Tensor] = []

    def denoise(noisy: Tensor, timesteps: Tensor) -> Tensor:
        seen.extend((noisy, timesteps))
        return noisy

    objective.losses(latents(), draw, denoise)
    alpha_bar = diffusion_of(objective).alpha_bar_T[draw.timesteps_B].reshape(-1, 1, 1, 1)
    expected = alpha_bar.sqrt() * latents() + (1 - alpha_bar).sqrt() * draw.noise_BCHW
    torch.testing.assert_close(seen[0], expected)
    assert torch.equal(seen[1], draw.timesteps_B)


def test_a_denoiser_that_finds_the_noise_has_no_loss(objective: Objective) -> None:
    draw = objective.draw(SHAPE, seeded(5))

    losses = objective.losses(latents(), draw, lambda noisy, timesteps: draw.noise_BCHW)
    assert losses.tolist() == [0.0, 0.0, 0.0]


def test_each_sample_has_its_own_loss(objective: Objective) -> None:
    draw = objective.draw(SHAPE, seeded(5))
    off = torch.tensor([0.0, 1.0, 2.0]).reshape(3, 1, 1, 1)

    losses = objective.losses(latents(), draw, lambda noisy, timesteps: draw.noise_BCHW + off)
    assert losses.tolist() == pytest.approx([0.0, 1.0, 4.0], rel=1e-6)


def test_a_masked_place_has_no_loss(objective: Objective) -> None:
    draw = objective.draw(SHAPE, seeded(5))
    mask = torch.zeros(3, 1, 6, 5)
    mask[:, :, :3] = 1.0  # half of the rows

    losses = objective.losses(latents(), draw, lambda *_: draw.noise_BCHW + 2.0, mask)
    assert losses.tolist() == pytest.approx([2.0, 2.0, 2.0], rel=1e-6)


def test_weightings_multiply_each_sample_s_loss(objective: Objective) -> None:
    draw = objective.draw(SHAPE, seeded(5))

    def by_sample(timesteps: Tensor, diffusion: Diffusion) -> Tensor:
        assert torch.equal(timesteps, draw.timesteps_B)
        assert diffusion is objective.diffusion
        return torch.tensor([1.0, 2.0, 3.0])

    weighted = replace(objective, weightings=(by_sample, by_sample))
    losses = weighted.losses(latents(), draw, lambda *_: draw.noise_BCHW + 1.0)
    assert losses.tolist() == pytest.approx([1.0, 4.0, 9.0], rel=1e-6)


def test_a_denoiser_that_is_asked_for_the_velocity_has_no_loss_with_it() -> None:
    velocity = Objective.plain(DDPM(torch.tensor([0.9, 0.5, 0.1]), "v_prediction"))
    draw = velocity.draw(SHAPE, seeded(5))
    target = velocity.diffusion.target(latents(), draw.noise_BCHW, draw.timesteps_B)

    assert velocity.losses(latents(), draw, lambda *_: target).tolist() == [0.0, 0.0, 0.0]


def test_gradients_flow_to_the_prediction(objective: Objective) -> None:
    draw = objective.draw(SHAPE, seeded(5))
    gain = torch.ones((), requires_grad=True)

    objective.losses(latents(), draw, lambda noisy, timesteps: gain * noisy).mean().backward()
    # d/dg mean (g x - n)^2 = mean 2 x (g x - n)
    alpha_bar = diffusion_of(objective).alpha_bar_T[draw.timesteps_B].reshape(-1, 1, 1, 1)
    noisy = alpha_bar.sqrt() * latents() + (1 - alpha_bar).sqrt() * draw.noise_BCHW
    expected = (2 * noisy * (noisy - draw.noise_BCHW)).mean()
    assert gain.grad is not None
    assert float(gain.grad) == pytest.approx(float(expected), rel=1e-5)
