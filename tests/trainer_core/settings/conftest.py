"""Settings with some values changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from trainer_core.settings.document import replaced
from trainer_core.settings.schema import TRAIN, TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]


@pytest.fixture
def settings_of() -> SettingsOf:
    """Return settings with the given raw values by path, defaults for the others."""

    def build(changes: Mapping[str, object]) -> TrainSettings:
        settings, problems = TRAIN.parse(replaced({}, changes))
        assert settings is not None, problems
        return settings

    return build
