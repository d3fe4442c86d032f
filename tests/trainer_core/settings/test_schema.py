"""The sections together."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from trainer_core.settings.param import Param
from trainer_core.settings.schema import TRAIN, TrainSettings

EVERY = pytest.mark.parametrize("param", TRAIN.params().values(), ids=lambda param: param.path)


@EVERY
def test_a_name_alone_leads_to_its_setting(param: Param) -> None:
    # Two settings of one name would hide one another here.
    assert TRAIN.path_of(param.name) == param.path


def test_an_unknown_name_leads_nowhere() -> None:
    assert TRAIN.path_of("network_dimm") is None


@EVERY
def test_settings_without_values_have_the_declared_defaults(param: Param) -> None:
    assert TrainSettings().get(param.path) == param.default


def test_every_section_has_a_title_in_the_order_of_the_form() -> None:
    assert list(TRAIN.titles) == list(TRAIN.sections)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        TrainSettings().model.clip_skip = 2
