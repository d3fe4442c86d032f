"""The rules of pictures, in both directions, and whether their way out leads out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.dataset import folder_repeats, many_repeats
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]


@pytest.mark.parametrize(
    ("entry", "is_usable"),
    [
        ("10_zxq cat=5", True),
        ("cats/10_cat = 1000000", True),
        ("a=b=2", True),
        ("10_cat", False),
        ("10_cat=0", False),
        ("10_cat=-1", False),
        ("10_cat=1.5", False),
        ("10_cat=1000001", False),
        ("=5", False),
    ],
)
def test_an_entry_of_folder_repeats_names_a_folder_and_a_number(
    settings_of: SettingsOf, entry: str, is_usable: bool
) -> None:
    settings = settings_of({"dataset.folder_repeats": ["3_dog=2", entry]})
    problems = list(folder_repeats(settings, {}))

    assert (problems == []) is is_usable
    for problem in problems:
        assert after_suggestion(settings, problem).dataset.folder_repeats == ("3_dog=2",)


@pytest.mark.parametrize(("repeats", "is_many"), [(10_000, False), (10_001, True)])
def test_very_many_repeats_are_a_warning(
    settings_of: SettingsOf, repeats: int, is_many: bool
) -> None:
    problems = list(many_repeats(settings_of({"dataset.dataset_repeats": repeats}), {}))
    assert [problem.severity for problem in problems] == ([Severity.WARNING] if is_many else [])
