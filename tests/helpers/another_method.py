"""A method beside the usual one, as far as settings, files and words know it."""

from __future__ import annotations

import pytest

from trainer_core.catalogue.methods import METHODS, USUAL_METHOD, MethodEntry
from trainer_core.settings.model import ModelSettings
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.schema import TrainSettings

NAME = "whole"
ENTRY = MethodEntry(
    label="Whole model",
    outputs=("safetensors",),
    result="The model: {path}",
    options=("clip_skip",),
    trains_text_encoders=False,
    shaping={"model.clip_skip": ""},
)


@pytest.fixture
def another_method(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a method that trains the U-Net alone and has one option of its own."""
    leave_the_usual_one(monkeypatch)
    monkeypatch.setitem(METHODS, NAME, ENTRY)  # type: ignore[arg-type]
    return NAME


def leave_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take all other methods away."""
    for name in METHODS.keys() - {USUAL_METHOD}:
        monkeypatch.delitem(METHODS, name)  # type: ignore[arg-type]


def settings_of(method: str, **rates: float | None) -> TrainSettings:
    """Return the defaults, of a method and with learning rates."""
    return TrainSettings(
        model=ModelSettings(training_method=method), optimizer=OptimizerSettings(**rates)
    )
