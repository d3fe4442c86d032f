"""The modelspec entries equal the recorded ones."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from trainer_core.checkpoints.modelspec import (
    DIFFUSERS,
    GENERATIVE_MODELS,
    PROGRAM,
    ModelSpec,
    modelspec_metadata,
)

DATA = Path(__file__).parents[2] / "data"
EXAMPLES = json.loads((DATA / "metadata.json").read_text(encoding="utf-8"))["modelspec_examples"]

# Left to later issues: the examples of SD2 and SDXL, families that are not offered yet.
NOW = [example for example in EXAMPLES if not example["v2"] and not example["sdxl"]]


def resolution_of(example: dict[str, Any]) -> tuple[int, int]:
    """Read a resolution as the reference does: text or list, one number is a square."""
    given = example["resolution"]
    if given is None:  # here the resolution is always set: 512, 512 for SD1
        return (512, 512)
    sides = [int(side) for side in (given.split(",") if isinstance(given, str) else given)]
    return sides[0], sides[-1]


@pytest.mark.parametrize("example", NOW, ids=lambda example: example["expected"]["modelspec.title"])
def test_entries_equal_the_recorded_ones(example: dict[str, Any]) -> None:
    spec = ModelSpec(
        architecture="stable-diffusion-v1" + ("/lora" if example["lora"] else ""),
        implementation=DIFFUSERS if example["lora"] else GENERATIVE_MODELS,
        resolution=resolution_of(example),
        saved_at=example["unix_time"],
        title=example["title"],
        timesteps=example["timesteps"],
        encoder_layer=example["clip_skip"],
    )
    date = datetime.fromtimestamp(int(example["unix_time"])).isoformat()

    assert modelspec_metadata(spec) == {
        **example["expected"],
        "modelspec.date": date,
        "modelspec.implementation_version": PROGRAM,
    }


def test_three_examples_are_of_this_family() -> None:
    assert len(NOW) == 3


def test_the_text_encoders_layer_and_the_timesteps_are_named_when_set() -> None:
    # The values of the SD2 example, which does not depend on the family here.
    spec = ModelSpec(
        architecture="stable-diffusion-v1/lora",
        implementation=DIFFUSERS,
        resolution=(512, 512),
        saved_at=0.0,
        timesteps=(0, 1000),
        encoder_layer=2,
    )

    entries = modelspec_metadata(spec)

    assert entries["modelspec.encoder_layer"] == "2"
    assert entries["modelspec.timestep_range"] == "0,1000"
