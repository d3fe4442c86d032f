"""Starting weights keep their alpha, and that is said where another one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.adapter import STARTING_ALPHAS, alpha_of_starting_weights
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
ALPHA, WEIGHTS = "adapter.network_alpha", {"adapter.network_weights": "mine.safetensors"}
FACTS = {STARTING_ALPHAS: {"unet": (4.0,), "text_encoder": (4.0,)}}


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({ALPHA: 1.0}, "1"),
        ({ALPHA: "unset", "adapter.network_dim": 16}, "16"),
    ],
)
def test_another_alpha_is_told_with_both_numbers(
    settings_of: SettingsOf, changes: dict[str, object], asked: str
) -> None:
    settings = settings_of({**WEIGHTS, **changes})

    (problem,) = alpha_of_starting_weights(settings, FACTS)

    assert (problem.path, problem.severity) == (ALPHA, Severity.WARNING)
    assert f"alpha 4, not {asked};" in str(problem.message)
    mended = after_suggestion(settings, problem)
    assert mended.adapter.network_alpha == 4.0
    assert list(alpha_of_starting_weights(mended, FACTS)) == []


def test_several_alphas_are_told_with_the_way_to_take_them_all(settings_of: SettingsOf) -> None:
    facts = {STARTING_ALPHAS: {"unet": (2.0, 8.0), "text_encoder": (1.0,)}}
    settings = settings_of({**WEIGHTS, ALPHA: 4.0})

    (problem,) = alpha_of_starting_weights(settings, facts)

    assert "alphas 1 to 8, not 4;" in str(problem.message)
    assert list(alpha_of_starting_weights(after_suggestion(settings, problem), facts)) == []


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({ALPHA: 4.0}, FACTS),
        ({ALPHA: "unset", "adapter.network_dim": 4}, FACTS),
        ({ALPHA: 1.0, "adapter.dim_from_weights": True}, FACTS),
        ({ALPHA: 1.0, "adapter.network_weights": "unset"}, FACTS),
        ({ALPHA: 1.0}, {}),  # the file was not looked into
        # 2.3 in 16 bits, as the file holds it
        ({ALPHA: 2.3}, {STARTING_ALPHAS: {"unet": (2.30078125,)}}),
        # of a part that is not trained
        (
            {ALPHA: 4.0, "adapter.network_train_unet_only": True},
            {STARTING_ALPHAS: {"unet": (4.0,), "text_encoder": (1.0,)}},
        ),
    ],
)
def test_nothing_is_told_where_nothing_else_is_kept(
    settings_of: SettingsOf, changes: dict[str, object], facts: dict[str, object]
) -> None:
    assert list(alpha_of_starting_weights(settings_of({**WEIGHTS, **changes}), facts)) == []
