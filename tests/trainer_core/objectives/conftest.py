"""The objective of Stable Diffusion 1, as a run builds it from the shipped configuration."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from diffusers import DDPMScheduler

from trainer_core.catalogue.families import FAMILIES
from trainer_core.families.layouts.sd1_architecture import published_architecture
from trainer_core.families.noise_schedule import NoiseSchedule
from trainer_core.objectives.objective import Objective
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.train.building import build_objective


@pytest.fixture(scope="module")
def objective() -> Objective:
    scheduler = DDPMScheduler.from_config(published_architecture().scheduler)
    schedule = NoiseSchedule(scheduler.betas, "epsilon")
    family = SimpleNamespace(entry=FAMILIES["sd1"], noise_schedule=schedule)
    return build_objective(family, OptimizerSettings())
