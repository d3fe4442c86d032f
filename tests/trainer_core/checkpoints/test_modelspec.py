"""The modelspec entries equal the recorded ones."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from trainer_core.catalogue.families import FAMILIES, BaseNames
from trainer_core.checkpoints.modelspec import (
    GENERATIVE_MODELS,
    PROGRAM,
    ModelSpec,
    modelspec_metadata,
)

DATA = Path(__file__).parents[2] / "data"
EXAMPLES = json.loads((DATA / "metadata.json").read_text(encoding="utf-8"))["modelspec_examples"]


def resolution_of(example: dict[str, Any]) -> tuple[int, int]:
    """Read a resolution as the reference does: text, list or number, one side is a square.

    Here it is always set; there it has a default for each family (vectors/README.md).
    """
    given = example["resolution"]
    if given is None:
        side = 768 if example["v2"] and example["v_parameterization"] else 512
        given = 1024 if example["sdxl"] else side
    if isinstance(given, int):
        return given, given
    sides = [int(side) for side in (given.split(",") if isinstance(given, str) else given)]
    return sides[0], sides[-1]


def names_of(example: dict[str, Any]) -> BaseNames:
    family = "sdxl" if example["sdxl"] else "sd2" if example["v2"] else "sd1"
    is_velocity = example["v_parameterization"]
    return FAMILIES[family].names_for("v_prediction" if is_velocity else "epsilon")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: str(each["expected"]))
def test_entries_equal_the_recorded_ones(example: dict[str, Any]) -> None:
    names = names_of(example)
    spec = ModelSpec(
        architecture=names.architecture + ("/lora" if example["lora"] else ""),
        implementation=names.implementation if example["lora"] else GENERATIVE_MODELS,
        resolution=resolution_of(example),
        saved_at=example["unix_time"],
        title=example["title"],
        prediction_type="v" if example["v_parameterization"] else "epsilon",
        timesteps=example["timesteps"],
        encoder_layer=example["clip_skip"],
    )
    date = datetime.fromtimestamp(int(example["unix_time"])).isoformat()

    assert modelspec_metadata(spec) == {
        **example["expected"],
        "modelspec.date": date,
        "modelspec.implementation_version": PROGRAM,
    }
