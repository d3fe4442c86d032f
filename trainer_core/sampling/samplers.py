"""Samplers: diffusers' schedulers by the names users know.

Each function takes the base model's own scheduler configuration (noise schedule, kind of
prediction) and returns the scheduler that walks it. Which class stands for which name follows
sd-scripts.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import diffusers

from trainer_core.settings.sampling import SAMPLERS

SchedulerConfig = Mapping[str, Any]


def build_sampler(name: str, config: SchedulerConfig) -> Any:
    """Return the scheduler of the sampler that the settings call ``name``."""
    module, function = SAMPLERS[name].implementation.split(":")
    build: Callable[[SchedulerConfig], Any] = getattr(importlib.import_module(module), function)
    return build(config)


def ddim(config: SchedulerConfig) -> Any:
    """Song et al. 2020, arXiv:2010.02502."""
    return _build(diffusers.DDIMScheduler, config)


def pndm(config: SchedulerConfig) -> Any:
    """Liu et al. 2022, arXiv:2202.09778; without Runge-Kutta steps where the base says so."""
    return _build(diffusers.PNDMScheduler, config)


def lms(config: SchedulerConfig) -> Any:
    """Linear multistep, from k-diffusion."""
    return _build(diffusers.LMSDiscreteScheduler, config)


def euler(config: SchedulerConfig) -> Any:
    """Karras et al. 2022, arXiv:2206.00364, algorithm 2 with Euler steps alone."""
    return _build(diffusers.EulerDiscreteScheduler, config)


def euler_ancestral(config: SchedulerConfig) -> Any:
    """Euler steps with fresh noise after each, from k-diffusion."""
    return _build(diffusers.EulerAncestralDiscreteScheduler, config)


def heun(config: SchedulerConfig) -> Any:
    """Karras et al. 2022, arXiv:2206.00364, algorithm 2 with Heun steps."""
    return _build(diffusers.HeunDiscreteScheduler, config)


def dpm_2(config: SchedulerConfig) -> Any:
    """Second-order steps through the midpoint, from k-diffusion."""
    return _build(diffusers.KDPM2DiscreteScheduler, config)


def dpm_2_ancestral(config: SchedulerConfig) -> Any:
    """Second-order steps with fresh noise after each, from k-diffusion."""
    return _build(diffusers.KDPM2AncestralDiscreteScheduler, config)


def dpm_solver(config: SchedulerConfig) -> Any:
    """Lu et al. 2022, arXiv:2206.00927, as a multistep solver."""
    return _build(
        diffusers.DPMSolverMultistepScheduler,
        config,
        algorithm_type="dpmsolver",
        final_sigmas_type="sigma_min",  # this form cannot step to no noise at all
    )


def dpm_solver_plus_plus(config: SchedulerConfig) -> Any:
    """Lu et al. 2022, arXiv:2211.01095, as a multistep solver."""
    return _build(diffusers.DPMSolverMultistepScheduler, config, algorithm_type="dpmsolver++")


def dpm_solver_single(config: SchedulerConfig) -> Any:
    """Lu et al. 2022, arXiv:2211.01095, as a singlestep solver."""
    return _build(diffusers.DPMSolverSinglestepScheduler, config)


@contextlib.contextmanager
def silent_library() -> Iterator[None]:
    """Keep from the user what the schedulers' own code is warned about.

    numpy 2 finds torch tensors wanting in ``__array__`` and ``__array_wrap__``; diffusers 0.42
    calls ``dpmsolver`` outdated, which prompt files still ask for.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array_", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*dpmsolver", category=FutureWarning)
        yield


def _build(kind: Any, config: SchedulerConfig, **changes: object) -> Any:
    with silent_library():
        return kind.from_config(config, **changes)
