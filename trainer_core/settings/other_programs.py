"""Settings files of other programs, told apart from run files so that it can be said what they are.

Dataset configurations are imported by `trainer_core.settings.foreign`; the others cannot be yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any

from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T, Text, text

# A few names that no settings file of the program lacks, whatever its version.
_OF_KOHYA_GUI = frozenset(
    {"max_resolution", "lr_warmup", "LoRA_type", "stop_text_encoder_training"}
)
_OF_LORA_EASY_SCRIPTS = frozenset({"train_mode", "general_args", "subsets"})
_OF_DATASET_CONFIG = frozenset({"datasets"})


def json_file(content: str, path: str) -> Text | None:
    """Say what a file is that is JSON instead of TOML; None if it is not."""
    if not content.lstrip().startswith("{"):  # TOML may begin with a bracket, not with a brace
        return None
    if _names_in(content) & _OF_KOHYA_GUI:
        template = T(
            "Errors",
            "{path} holds settings of kohya_ss's GUI (JSON), which cannot be imported yet.",
        )
        return text(template, path=path)
    return text(T("Errors", "{path} is a JSON file, not a run file (TOML)."), path=path)


def other_toml(plain: Mapping[str, Any], path: str) -> Text | None:
    """Say which program a TOML file is for that has no line ``format``; None if it may be ours.

    The settings of a run file bear the names that they have in sd-scripts; its sections do not.
    """
    template = None
    if plain.keys() >= _OF_DATASET_CONFIG:
        template = T("Errors", "{path} is a dataset configuration of sd-scripts, no run file.")
    elif _OF_LORA_EASY_SCRIPTS & plain.keys():
        template = T(
            "Errors",
            "{path} holds settings of LoRA Easy Training Scripts, which cannot be imported yet.",
        )
    elif any(_has_settings(name, value) for name, value in plain.items()):
        template = T(
            "Errors", "{path} holds settings for sd-scripts, which cannot be imported yet."
        )
    return None if template is None else text(template, path=path)


def _has_settings(name: str, value: object) -> bool:
    """Tell whether a setting stands where a run file has none: alone, or in another section."""
    if not isinstance(value, Mapping):
        return TRAIN.path_of(name) is not None
    return name not in TRAIN.sections and any(TRAIN.path_of(each) for each in value)


def _names_in(content: str) -> Set[str]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return frozenset()
    return found.keys() if isinstance(found, dict) else frozenset()
