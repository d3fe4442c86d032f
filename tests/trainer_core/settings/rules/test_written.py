"""What no run file can hold, and what no folder of results is called."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest

from trainer_core.settings.rules.written import folders_with_control_characters, unwritable
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
SHIFT_JIS = os.fsdecode(b"/\x93\xfa\x96{/cats")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("output.output_dir", SHIFT_JIS),
        ("dataset.more_pictures", ["/a", SHIFT_JIS]),
        ("output.training_comment", "half \ud83d"),
        ("sampling.prompt_list", ["half \ud83d"]),
    ],
)
def test_what_is_not_unicode_is_refused(
    settings_of: SettingsOf, setting: str, value: object
) -> None:
    problems = list(unwritable(settings_of({setting: value}), {}))

    assert [problem.path for problem in problems] == [setting]
    assert str(problems[0].message).encode()  # it can be shown


def test_names_in_any_language_are_accepted(settings_of: SettingsOf) -> None:
    assert not list(unwritable(settings_of({"output.output_dir": "/日本/ü"}), {}))


@pytest.mark.parametrize("name", ["out\results\best", "D:\training", "a\nb"])
@pytest.mark.parametrize("setting", ["output.output_dir", "output.logging_dir"])
def test_no_folder_is_made_whose_name_holds_escapes_that_nobody_meant(
    settings_of: SettingsOf, setting: str, name: str
) -> None:
    (problem,) = folders_with_control_characters(settings_of({setting: name}), {})

    assert problem.path == setting
    assert problem.suggestion is not None
    assert "backslash" in str(problem.suggestion.message)
    assert not any(character in str(problem.message) for character in "\t\n\r\b")
