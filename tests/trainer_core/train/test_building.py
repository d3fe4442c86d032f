"""The optimizer is tried before anything is loaded; captions are known ahead where they can be."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from trainer_core.errors import SettingsError
from trainer_core.prompts.file import SamplePrompt
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.train import building
from trainer_core.train.building import captions_ahead, try_optimizer
from trainer_core.train.inputs import RunInputs

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


def inputs(*captions: str, shuffle: bool = False) -> RunInputs:
    """Return a run's inputs as far as its texts go, with one prompt."""
    settings = TrainSettings.model_validate({"dataset": {"shuffle_caption": shuffle}})
    known = SimpleNamespace(
        settings=settings,
        captions={Path(str(number)): caption for number, caption in enumerate(captions)},
        prompts=(SamplePrompt("a cat", "", seed=None),),
    )
    return cast(RunInputs, cast(Any, known))


def test_captions_and_prompts_are_known_ahead_each_once() -> None:
    # A caption is its file's first line.
    assert captions_ahead(inputs("a dog", "a dog", "a cow\nmore")) == [
        "a dog",
        "a cow",
        "a cat",
        "",
    ]


def test_shuffled_captions_are_not_known_ahead() -> None:
    assert captions_ahead(inputs("a, b", shuffle=True)) is None


def test_more_captions_than_are_remembered_are_not_encoded_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(building, "MAX_REMEMBERED", 3)
    assert captions_ahead(inputs("a")) == ["a", "a cat", ""]
    assert captions_ahead(inputs("a", "b")) is None
