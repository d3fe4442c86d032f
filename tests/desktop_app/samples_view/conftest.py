from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from desktop_app.models.runs.samples_model import SamplesModel
from trainer_core.protocol.messages import SampleReady

Draw = Callable[..., SampleReady]

PROMPTS = ("a red square", "a green square", "a blue square")
COLOURS = ("#c02020", "#20a040", "#2040c0")


@pytest.fixture
def samples(qapp: object) -> SamplesModel:
    return SamplesModel()


@pytest.fixture
def draw(samples: SamplesModel, tmp_path: Path) -> Draw:
    """Write a picture, tell the model, and return the event."""

    def draw(number: int, step: int, colour: str = "") -> SampleReady:
        path = tmp_path / f"{step:08}_{number:02}_7.png"
        Image.new("RGB", (40, 40), colour or COLOURS[number]).save(path)
        event = SampleReady(
            step=step, epoch=1, prompt_index=number, prompt=PROMPTS[number], path=str(path), seed=7
        )
        samples.feed(event)
        return event

    return draw
