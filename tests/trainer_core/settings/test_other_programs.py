"""Settings files of other programs are called what they are."""

from __future__ import annotations

import json

import pytest

from trainer_core.errors import SettingsError
from trainer_core.settings.files import loads

SD_SCRIPTS = {
    "flat": 'pretrained_model_name_or_path = "a.safetensors"\nnetwork_dim = 8\n',
    "in sections of its own": '[Where]\ntrain_data_dir = "/a"\n[Network]\nnetwork_dim = 8\n',
}


def told(content: str) -> str:
    with pytest.raises(SettingsError) as caught:
        loads(content, "my file")
    assert caught.value.hint is not None
    assert str(caught.value.message).startswith("my file ")
    return str(caught.value.message)


@pytest.mark.parametrize("name", ["LoRA_type", "lr_warmup"])  # the first versions had no LoRA_type
def test_settings_of_the_gui_are_recognised(name: str) -> None:
    content = json.dumps({"learning_rate": "1e-4", "max_resolution": "512,512", name: "x"})

    assert "kohya_ss's GUI (JSON), which cannot be imported yet" in told(content)


@pytest.mark.parametrize("content", ['{"a": 1}', '\n {"a": 1', "{" + '"a": {' * 5000])
def test_other_json_is_called_json(content: str) -> None:
    assert "is a JSON file, not a run file" in told(content)


@pytest.mark.parametrize("content", SD_SCRIPTS.values(), ids=list(SD_SCRIPTS))
def test_settings_of_sd_scripts_are_recognised(content: str) -> None:
    assert "settings for sd-scripts, which cannot be imported yet" in told(content)


def test_a_dataset_configuration_is_recognised() -> None:
    content = "[general]\nkeep_tokens = 1\n[[datasets]]\nresolution = 512\n"

    assert "dataset configuration of sd-scripts, no run file" in told(content)


def test_settings_of_lora_easy_training_scripts_are_recognised() -> None:
    content = '[[subsets]]\nnum_repeats = 4\n[train_mode]\ntrain_mode = "lora"\n'

    assert "LoRA Easy Training Scripts" in told(content)


def test_a_run_file_whose_format_line_was_lost_is_taken_for_nothing_else() -> None:
    message = told('[model]\nclip_skip = 2\n[my_notes]\nseen = ["a"]\n')

    assert "is not a LoRA Loom run file: it has no line format" in message
