"""The output name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from trainer_core.settings.rules.output import output_name
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]


@pytest.mark.parametrize(("name", "is_usable"), [("my cat", True), ("a/b", False), ("NUL", False)])
def test_the_output_name_must_be_a_file_name_everywhere(
    settings_of: SettingsOf, name: str, is_usable: bool
) -> None:
    problems = list(output_name(settings_of({"output.output_name": name}), {}))

    assert [problem.path for problem in problems] == ([] if is_usable else ["output.output_name"])
