"""The description of the settings says what is declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.catalogue.schedules import using
from trainer_core.settings.document import replaced
from trainer_core.settings.reference import describe, describe_lines
from trainer_core.settings.schema import TRAIN, TrainSettings

RECORDS = {record["name"]: record for record in describe(TRAIN)}


def test_every_setting_is_described_once_and_in_order() -> None:
    assert [f"{r['section']}.{r['name']}" for r in describe(TRAIN)] == list(TRAIN.params())


def test_the_description_is_plain_json() -> None:
    assert json.loads(json.dumps(describe(TRAIN))) == describe(TRAIN)


def test_the_described_defaults_make_the_default_settings() -> None:
    defaults = {f"{r['section']}.{r['name']}": r["default"] for r in describe(TRAIN)}

    assert TRAIN.parse(replaced({}, defaults)) == (TrainSettings(), [])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("clip_skip", "int"),
        ("learning_rate", "float"),
        ("enable_bucket", "bool"),
        ("output_name", "text"),
        ("training_comment", "text"),
        ("train_data_dir", "path"),
        ("resolution", "list"),
        ("lr_scheduler", "choice"),
    ],
)
def test_types_have_names_for_people(name: str, kind: str) -> None:
    assert RECORDS[name]["type"] == kind


def test_bounds_unit_and_choices_are_those_declared() -> None:
    warmup, optimizer = RECORDS["lr_warmup"], RECORDS["optimizer_type"]

    assert (warmup["minimum"], warmup["maximum"], warmup["unit"]) == (0.0, 100.0, "%")
    assert list(optimizer["choices"]) == list(OPTIMIZERS)


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("learning_rate", []),
        (
            "keep_tokens",
            ["shuffle_caption or caption_tag_dropout_rate or token_warmup_step is set"],
        ),
        ("network_train_unet_only", ["network_train_text_encoder_only is false"]),
        ("sample_at_first", ["prompt_list or sample_prompts is set"]),
        ("epoch", ["max_train_epochs is not set", "max_train_steps is not set"]),
        (
            "lr_scheduler_power",
            [f"lr_scheduler is {' or '.join(using('lr_scheduler_power'))}"],
        ),
    ],
)
def test_when_a_setting_acts_is_said_in_words(name: str, when: list[str]) -> None:
    conditions = [each for each in RECORDS[name]["when"] if not each.startswith("training_method")]
    assert conditions == when


def test_the_lines_hold_every_section_setting_and_help() -> None:
    lines = "\n".join(describe_lines(TRAIN))

    assert all(f"[{section}]  {title}\n" in lines for section, title in TRAIN.titles.items())
    for record in describe(TRAIN):
        assert f"  {record['name']}  (" in lines
        assert f"{record['label']}: {record['help']}" in lines


def test_a_line_says_type_default_bounds_unit_and_choices() -> None:
    lines = list(describe_lines(TRAIN))

    assert "  lr_warmup  (float, default 10.0, 0 to 100, %)" in lines
    assert "  save_precision  (choice, default fp16, float | fp16 | bf16)" in lines
    assert "  network_weights  (path, default unset)" in lines


def test_a_line_says_when_a_setting_acts() -> None:
    place = _line_of("token_warmup_min")

    assert place[2] == "      Acts if token_warmup_step is set."


def test_a_line_says_what_an_empty_value_means() -> None:
    assert RECORDS["network_alpha"]["unset"] == "equal to rank"
    assert _line_of("network_alpha")[2] == "      Unset: equal to rank."


def _line_of(name: str) -> list[Any]:
    lines = list(describe_lines(TRAIN))
    start = next(n for n, line in enumerate(lines) if line.startswith(f"  {name}  ("))
    return lines[start : start + 3]
