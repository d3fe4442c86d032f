from typing import Any

import pytest
import torch
from torch import Tensor

from trainer_core.catalogue.samplers import SAMPLERS
from trainer_core.sampling.samplers import build_sampler, silent_library

Schedule = dict[str, object]
ALPHAS_BAR = (1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2).cumprod(0)


def _walk(sampler: Any, x0_BCHW: Tensor, *, steps: int) -> Tensor:
    """Sample with a denoiser that knows the answer: it returns exactly the noise in its input."""
    generator = torch.Generator().manual_seed(1)
    with silent_library():
        sampler.set_timesteps(steps)
        x_BCHW = torch.randn(x0_BCHW.shape, generator=generator) * sampler.init_noise_sigma
        for t in sampler.timesteps:
            scaled_BCHW = sampler.scale_model_input(x_BCHW, t)
            # Solvers of second order ask between the trained timesteps.
            low, high = int(t), min(int(t) + 1, 999)
            alpha_bar = torch.lerp(ALPHAS_BAR[low], ALPHAS_BAR[high], float(t) - low)
            noise_BCHW = (scaled_BCHW - alpha_bar.sqrt() * x0_BCHW) / (1 - alpha_bar).sqrt()
            takes_generator = "generator" in sampler.step.__code__.co_varnames
            extra = {"generator": generator} if takes_generator else {}
            x_BCHW = sampler.step(noise_BCHW, t, x_BCHW, **extra).prev_sample
    return x_BCHW


@pytest.mark.parametrize("name", SAMPLERS)
def test_with_a_perfect_denoiser_every_sampler_arrives(name: str, sd1_schedule: Schedule) -> None:
    x0_BCHW = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)

    drawn_BCHW = _walk(build_sampler(name, sd1_schedule), x0_BCHW, steps=20)

    # What may be left is the noise of the first trained timestep, up to four deviations of it.
    assert (drawn_BCHW - x0_BCHW).abs().max() < 4 * 0.00085**0.5


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_takes_the_schedule_of_the_base(name: str, sd1_schedule: Schedule) -> None:
    config = {**sd1_schedule, "beta_end": 0.02, "prediction_type": "v_prediction"}

    sampler = build_sampler(name, config)

    assert sampler.config.beta_end == 0.02
    assert sampler.config.prediction_type == "v_prediction"


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_every_sampler_takes_few_steps(name: str, steps: int, sd1_schedule: Schedule) -> None:
    x0_BCHW = torch.zeros(1, 1, 8, 8)

    assert _walk(build_sampler(name, sd1_schedule), x0_BCHW, steps=steps).isfinite().all()


def test_no_two_samplers_are_the_same(sd1_schedule: Schedule) -> None:
    samplers = [build_sampler(name, sd1_schedule) for name in SAMPLERS]

    kinds = {(type(s).__name__, s.config.get("algorithm_type")) for s in samplers}

    assert len(kinds) == len(SAMPLERS)
