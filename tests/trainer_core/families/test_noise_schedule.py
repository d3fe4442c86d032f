"""Schedules that end in noise alone: the recorded numbers, and what samplers make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDPMScheduler, EulerDiscreteScheduler
from helpers import vectors

from trainer_core.catalogue.samplers import SAMPLERS
from trainer_core.families.layouts.sd1_architecture import published_architecture
from trainer_core.families.noise_schedule import (
    ZERO_SNR,
    NoiseSchedule,
    sampler_changes,
)
from trainer_core.families.stable_diffusion import read_noise_schedule
from trainer_core.objectives.diffusion import DDPM
from trainer_core.sampling.samplers import build_sampler, silent_library

PLAIN, ZERO = vectors.load("loss_weights.json")["sections"]
TIMESTEPS = torch.tensor(ZERO["timesteps"])
CONFIG = {**published_architecture().scheduler, "prediction_type": "v_prediction", ZERO_SNR: True}


@pytest.fixture(scope="module")
def schedule() -> NoiseSchedule:
    return read_noise_schedule(Path("x"), CONFIG)


@pytest.fixture(scope="module")
def diffusion(schedule: NoiseSchedule) -> DDPM:
    return DDPM.of_betas(schedule.betas_T, "v_prediction", schedule.plain_betas_T)


def test_betas_and_signal_are_the_recorded_ones(schedule: NoiseSchedule, diffusion: DDPM) -> None:
    assert ZERO["zero_terminal_snr"]
    assert schedule.has_zero_terminal_snr
    assert schedule.betas_T.dtype == torch.float32
    # README of the vectors: absolute 1e-6 in this section; the last betas are 1 less the ratio of
    # two such numbers, of which the smaller is 1e-5.
    betas = schedule.betas_T[TIMESTEPS].tolist()
    assert betas == pytest.approx(ZERO["betas"], rel=2e-5, abs=1e-6)
    signal = diffusion.alpha_bar_T[TIMESTEPS].tolist()
    assert signal == pytest.approx(ZERO["alphas_cumprod"], abs=1e-6)
    assert diffusion.alpha_bar_T[-1] == 0


def test_the_ratio_that_weightings_go_by_is_that_of_the_plain_schedule(diffusion: DDPM) -> None:
    assert diffusion.snr(TIMESTEPS).tolist() == pytest.approx(ZERO["snr"], rel=2e-4)


def test_at_the_last_timestep_there_is_noise_alone(diffusion: DDPM) -> None:
    latents, noise = torch.full((1, 1, 2, 2), 3.0), torch.full((1, 1, 2, 2), -1.0)
    last = torch.tensor([999])
    assert torch.equal(diffusion.noisy(latents, noise, last), noise)
    assert torch.equal(diffusion.target(latents, noise, last), -latents)  # the velocity there


def test_it_is_diffusers_own_rescaling(schedule: NoiseSchedule) -> None:
    theirs = DDPMScheduler.from_config(CONFIG)
    torch.testing.assert_close(schedule.betas_T, theirs.betas, rtol=0, atol=1e-6)


def test_a_schedule_that_is_not_rescaled_changes_no_sampler() -> None:
    plain = read_noise_schedule(Path("x"), {**CONFIG, ZERO_SNR: False})
    assert plain.plain_betas_T is None
    assert sampler_changes(plain) == {}


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_draws_with_the_same_betas_from_the_last_timestep(
    name: str, schedule: NoiseSchedule, diffusion: DDPM
) -> None:
    sampler = build_sampler(name, {**CONFIG, **sampler_changes(schedule)})
    with silent_library():
        sampler.set_timesteps(10)
    assert int(sampler.timesteps[0]) == 999
    expected = diffusion.alpha_bar_T
    torch.testing.assert_close(sampler.alphas_cumprod.float(), expected, rtol=0, atol=2e-6)


def test_noise_levels_are_those_of_a_sampler_that_rescales_itself(schedule: NoiseSchedule) -> None:
    ours: Any = build_sampler("euler", {**CONFIG, **sampler_changes(schedule)})
    with silent_library():
        theirs = EulerDiscreteScheduler.from_config({**CONFIG, "timestep_spacing": "trailing"})
        for sampler in (ours, theirs):
            sampler.set_timesteps(10)
    torch.testing.assert_close(ours.sigmas, theirs.sigmas, rtol=2e-3, atol=1e-3)
