"""What every run needs to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.check import check
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]


def test_complete_settings_have_no_problem(
    settings_of: SettingsOf, complete: dict[str, object]
) -> None:
    assert check(settings_of(complete), {}) == []


@pytest.mark.parametrize(
    "path",
    ["model.pretrained_model_name_or_path", "dataset.train_data_dir", "output.output_dir"],
)
def test_what_is_required_is_asked_for(
    settings_of: SettingsOf, complete: dict[str, object], path: str
) -> None:
    del complete[path]

    (problem,) = check(settings_of(complete), {})
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert str(problem.message).startswith("Choose ")


def test_further_pictures_do_without_a_picture_folder(
    settings_of: SettingsOf, complete: dict[str, object], tmp_path: Path
) -> None:
    complete["dataset.more_pictures"] = [complete.pop("dataset.train_data_dir")]

    assert check(settings_of(complete), {}) == []
