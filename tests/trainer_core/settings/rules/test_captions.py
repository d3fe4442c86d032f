"""The rules of captions, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.rules.captions import caption_extension
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]


@pytest.mark.parametrize(
    ("extension", "is_usable"), [(".txt", True), ("/notes.txt", False), ("..\\a.txt", False)]
)
def test_a_caption_extension_is_no_path(
    settings_of: SettingsOf, extension: str, is_usable: bool
) -> None:
    settings = settings_of({"captions.caption_extension": extension})

    problems = list(caption_extension(settings, {}))
    assert [str(problem.message) for problem in problems] == (
        [] if is_usable else [f"The caption extension {extension} is a path."]
    )
    for problem in problems:
        assert list(caption_extension(after_suggestion(settings, problem), {})) == []
