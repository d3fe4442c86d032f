"""The optimizer is tried before anything is loaded; the VAE's number format is its own."""

from __future__ import annotations

import pytest
import torch

from trainer_core.errors import SettingsError
from trainer_core.runtime.device import Machine
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.train.building import try_optimizer, vae_dtype

CPU = torch.device("cpu")


@pytest.mark.parametrize("arguments", [("betas=0.9",), ("capturable=True",), ("eps=-1.0",)])
def test_arguments_that_fail_when_built_or_at_the_first_step_are_refused(
    arguments: tuple[str, ...],
) -> None:
    training = OptimizerSettings(optimizer_type="AdamW", optimizer_args=arguments)

    with pytest.raises(SettingsError, match="AdamW refuses its"):
        try_optimizer(training, CPU)


def test_arguments_that_work_are_taken() -> None:
    training = OptimizerSettings(optimizer_type="AdamW", optimizer_args=("weight_decay=0.1",))

    try_optimizer(training, CPU)


@pytest.mark.parametrize("precision", ["fp16", "bf16", "no"])
def test_the_vae_computes_in_32_bit_unless_it_is_told_otherwise(precision: str) -> None:
    machine = Machine(CPU, precision, "CPU")
    half = TrainSettings.model_validate({"model": {"no_half_vae": False}})

    assert vae_dtype(TrainSettings(), machine) == torch.float32
    assert vae_dtype(half, machine) == machine.weight_dtype
